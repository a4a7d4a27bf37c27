import { z } from 'zod';
import { text, Timestamp } from './fields.js';

const LARGEST_TIME = 253_402_300_799;

/** A list of vulnerabilities that do not count, as a request gives it. `expires_at` is in seconds since 1970; null is never. */
export const CVEAllowlistReq = z.object({
  id: z.number().int().nullable().optional(),
  project_id: z.number().int().nullable().optional(),
  expires_at: z.number().int().min(0).max(LARGEST_TIME).nullable().optional(),
  items: z.array(z.object({ cve_id: text(128) })).max(10_000).nullable().optional(),
}).meta({ id: 'CVEAllowlistReq' });
export type CVEAllowlistReq = z.infer<typeof CVEAllowlistReq>;

/** The list of a project, or of the whole installation (`project_id` 0). */
export const CVEAllowlist = z.object({
  id: z.number().int(),
  project_id: z.number().int(),
  expires_at: z.number().int().nullable(),
  items: z.array(z.object({ cve_id: z.string() })),
  creation_time: Timestamp,
  update_time: Timestamp,
}).meta({ id: 'CVEAllowlist' });
export type CVEAllowlist = z.infer<typeof CVEAllowlist>;
