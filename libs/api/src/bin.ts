import { z } from 'zod';
import { text, Timestamp } from './fields.js';
import { pageParameters } from './paging.js';

const BinKind = z.enum(['tag', 'artifact', 'repository']);

/**
 * A deletion that can still be undone (an extension of Haven). `tags` are the first hundred of the `tag_count` tags that
 * went; `artifact_count` the artifacts that come back with it. `deleted_by` is empty for callers who are not logged in.
 */
export const BinEntry = z.object({
  id: z.number().int(),
  kind: BinKind,
  repository_name: z.string(),
  tag: z.string().optional(),
  digest: z.string().optional(),
  tags: z.array(z.object({ name: z.string(), digest: z.string() })),
  tag_count: z.number().int(),
  artifact_count: z.number().int(),
  deleted_by: z.string(),
  deletion_time: Timestamp,
}).meta({ id: 'BinEntry' });
export type BinEntry = z.infer<typeof BinEntry>;

/** `repository` is a full name. */
export const BinListQuery = z.object({ ...pageParameters, kind: BinKind.optional(), repository: text(255).optional() }).meta({ id: 'BinListQuery' });
export type BinListQuery = z.infer<typeof BinListQuery>;

/** The number of an entry of the bin. */
export const BinEntryId = z.string().regex(/^[1-9]\d{0,14}$/, 'must be a positive whole number').transform(Number).pipe(z.number().int());

/** What came back. `kept`: tags that have been made anew since; they go on naming `digest`. */
export const BinRestored = z.object({
  kind: BinKind,
  repository_name: z.string(),
  digests: z.array(z.string()),
  tags: z.array(z.string()),
  kept: z.array(z.object({ tag: z.string(), digest: z.string() })),
}).meta({ id: 'BinRestored' });
export type BinRestored = z.infer<typeof BinRestored>;
