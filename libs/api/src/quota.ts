import { z } from 'zod';
import { text, Timestamp } from './fields.js';
import { pageParameters } from './paging.js';

/** Bytes; -1 for no limit. */
export const ResourceList = z.object({ storage: z.number().int() }).meta({ id: 'ResourceList' });

/** What a project may hold and does hold. Its id is that of the project. */
export const Quota = z.object({
  id: z.number().int(),
  ref: z.object({ id: z.number().int(), name: z.string(), owner_name: z.string() }).meta({ id: 'QuotaRefObject' }),
  hard: ResourceList,
  used: ResourceList,
  creation_time: Timestamp,
  update_time: Timestamp,
}).meta({ id: 'Quota' });
export type Quota = z.infer<typeof Quota>;

/** Body of PUT /quotas/{id}. */
export const QuotaUpdateReq = z.object({ hard: z.object({ storage: z.number().int().optional() }) }).meta({ id: 'QuotaUpdateReq' });
export type QuotaUpdateReq = z.infer<typeof QuotaUpdateReq>;

export const QuotaListQuery = z.object({
  ...pageParameters,
  reference: text(255).optional(),
  reference_id: text(255).optional(),
  sort: text(256).optional(),
}).meta({ id: 'QuotaListQuery' });
export type QuotaListQuery = z.infer<typeof QuotaListQuery>;
