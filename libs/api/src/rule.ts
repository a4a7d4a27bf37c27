import { z } from 'zod';
import { text } from './fields.js';

/** Picks tags or repositories by a pattern. `extras` is a JSON text: `{"untagged":true}` or `{"untagged":false}`. */
const selector = z.object({
  kind: text(64),
  decoration: text(64),
  pattern: text(2048),
  extras: text(256).optional(),
});

/** What retention rules and rules about immutable tags have in common; what the words may be is the service's to check. */
export const ruleFields = {
  id: z.number().int().optional(),
  priority: z.number().int().min(-2_147_483_648).max(2_147_483_647).optional(),
  disabled: z.boolean().optional(),
  action: text(64).optional(),
  template: text(64).optional(),
  params: z.record(text(64), z.unknown()).nullable().optional(),
};

export const ImmutableSelector = selector.meta({ id: 'ImmutableSelector' });
export const RetentionSelector = selector.clone().meta({ id: 'RetentionSelector' });
