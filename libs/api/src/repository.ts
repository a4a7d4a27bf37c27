import { z } from 'zod';
import { text, Timestamp } from './fields.js';

export const Repository = z.object({
  id: z.number().int(),
  project_id: z.number().int(),
  name: z.string(),
  description: z.string(),
  artifact_count: z.number().int(),
  pull_count: z.number().int(),
  creation_time: Timestamp,
  update_time: Timestamp,
}).meta({ id: 'Repository' });
export type Repository = z.infer<typeof Repository>;

/** Body of PUT …/repositories/{r}: only the description may change. */
export const RepositoryReq = z.object({ description: text(65_536) }).meta({ id: 'RepositoryReq' });
export type RepositoryReq = z.infer<typeof RepositoryReq>;
