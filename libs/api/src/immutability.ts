import { z } from 'zod';
import { ImmutableSelector, ruleFields } from './rule.js';

/** A rule about tags that must not be moved or deleted; the body of POST, too. */
export const ImmutableRule = z.object({
  ...ruleFields,
  tag_selectors: z.array(ImmutableSelector).max(100),
  scope_selectors: z.record(z.string().max(64), z.array(ImmutableSelector).max(100)),
}).meta({ id: 'ImmutableRule' });
export type ImmutableRule = z.infer<typeof ImmutableRule>;

/** Body of PUT: clients that switch a rule on or off send nothing but that. */
export const ImmutableRuleUpdate = ImmutableRule.partial({ tag_selectors: true, scope_selectors: true }).meta({ id: 'ImmutableRuleUpdate' });
export type ImmutableRuleUpdate = z.infer<typeof ImmutableRuleUpdate>;
