import { z } from 'zod';
import { text, Timestamp } from './fields.js';
import { listParameters, pageParameters } from './paging.js';

/**
 * A tag as a thing of its own (an extension of Haven). `size` counts, in bytes, the artifact with everything it names.
 * `signed`: a cosign or notation signature is attached. `pushed_by` is empty for callers who are not logged in.
 */
export const RepositoryTag = z.object({
  id: z.number().int(),
  name: z.string(),
  repository_id: z.number().int(),
  artifact_id: z.number().int(),
  digest: z.string(),
  type: z.string(),
  media_type: z.string(),
  size: z.number().int(),
  push_time: Timestamp,
  pull_time: Timestamp,
  pushed_by: z.string(),
  signed: z.boolean(),
  immutable: z.boolean(),
}).meta({ id: 'RepositoryTag' });
export type RepositoryTag = z.infer<typeof RepositoryTag>;

export const RepositoryTagListQuery = z.object(listParameters).meta({ id: 'RepositoryTagListQuery' });
export type RepositoryTagListQuery = z.infer<typeof RepositoryTagListQuery>;

/** What happened to a tag: `from` is what it named before, `to` what it names since. `actor` is empty for callers who are not logged in. */
export const TagEvent = z.object({
  id: z.number().int(),
  tag: z.string(),
  operation: z.enum(['create', 'move', 'delete', 'restore']),
  from: z.string().optional(),
  to: z.string().optional(),
  actor: z.string(),
  time: Timestamp,
}).meta({ id: 'TagEvent' });
export type TagEvent = z.infer<typeof TagEvent>;

export const TagEventListQuery = z.object(pageParameters).meta({ id: 'TagEventListQuery' });
export type TagEventListQuery = z.infer<typeof TagEventListQuery>;

/** A moment, with its offset from UTC. */
export const TagAtQuery = z.object({ time: z.iso.datetime({ offset: true }) }).meta({ id: 'TagAtQuery' });
export type TagAtQuery = z.infer<typeof TagAtQuery>;

/** What a tag named at a moment; `available`: the artifact is still there to be pulled. */
export const TagAt = z.object({ tag: z.string(), time: Timestamp, digest: z.string(), available: z.boolean() }).meta({ id: 'TagAt' });
export type TagAt = z.infer<typeof TagAt>;

/** Body of POST …/tags/{tag}/rollback: something that the tag once named. */
export const TagRollback = z.object({ digest: text(255) }).meta({ id: 'TagRollback' });
export type TagRollback = z.infer<typeof TagRollback>;
