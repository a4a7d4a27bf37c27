import { z } from 'zod';
import { text, Timestamp } from './fields.js';
import { listParameters } from './paging.js';

/** `scope` is g for a label of the whole installation (`project_id` is 0 then), p for one of a project. */
export const Label = z.object({
  id: z.number().int(),
  name: z.string(),
  description: z.string(),
  color: z.string(),
  scope: z.enum(['g', 'p']),
  project_id: z.number().int(),
  creation_time: Timestamp,
  update_time: Timestamp,
}).meta({ id: 'Label' });
export type Label = z.infer<typeof Label>;

/** Body of POST /labels and PUT /labels/{id}, which leaves scope and project as they are. Its rules are the service's. */
export const LabelReq = z.object({
  name: text(1024).optional(),
  description: text(4096).optional(),
  color: text(64).optional(),
  scope: text(64).optional(),
  project_id: z.number().int().min(0).max(2_147_483_647).optional(),
}).meta({ id: 'LabelReq' });
export type LabelReq = z.infer<typeof LabelReq>;

/** Body of POST …/artifacts/{reference}/labels: clients send the whole label, of which the id counts. */
export const LabelRef = z.object({ id: z.number().int().positive().max(2_147_483_647) }).meta({ id: 'LabelRef' });
export type LabelRef = z.infer<typeof LabelRef>;

/** `name` is a part of the name. `project_id` is needed with scope p. */
export const LabelListQuery = z.object({
  ...listParameters,
  name: text(255).optional(),
  scope: text(64).optional(),
  project_id: z.string().regex(/^\d{1,10}$/, 'must be a whole number').transform(Number).pipe(z.number().int().max(2_147_483_647)).optional(),
}).meta({ id: 'LabelListQuery' });
export type LabelListQuery = z.infer<typeof LabelListQuery>;
