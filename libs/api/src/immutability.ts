import { z } from 'zod';
import { ImmutableSelector, ruleFields } from './rule.js';

/** A rule about tags that must not be moved or deleted; the body of POST and PUT, too. */
export const ImmutableRule = z.object({
  ...ruleFields,
  tag_selectors: z.array(ImmutableSelector).max(100),
  scope_selectors: z.record(z.string().max(64), z.array(ImmutableSelector).max(100)),
}).meta({ id: 'ImmutableRule' });
export type ImmutableRule = z.infer<typeof ImmutableRule>;
