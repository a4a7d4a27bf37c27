import { z } from 'zod';
import { text, Timestamp } from './fields.js';
import { pageParameters } from './paging.js';

const HOUR = 60 * 60;
const FindingKind = z.enum(['orphan', 'missing', 'wrong-size', 'corrupted', 'returned', 'stale-upload', 'stale-commit']);
const MarkLost = z.enum(['none', 'few', 'all']);

/**
 * Body of POST /system/reconciliations (an extension of Haven). `reclaim`: also do away with what nobody needs; `rehash`:
 * also read every blob. `mark_lost`: whether the registry stops to tell clients of blobs that lack their bytes, so that they are
 * pushed again: `few` (when left out) unless there are so many that storage itself looks wrong, `all` or `none`. What was written
 * within `grace_seconds` (an hour to a year; two hours, when left out) is left alone.
 */
export const ReconciliationReq = z.object({
  reclaim: z.boolean().optional(),
  rehash: z.boolean().optional(),
  mark_lost: MarkLost.optional(),
  grace_seconds: z.number().int().min(HOUR).max(365 * 24 * HOUR).optional(),
}).meta({ id: 'ReconciliationReq' });
export type ReconciliationReq = z.infer<typeof ReconciliationReq>;

const Count = z.object({ count: z.number().int(), bytes: z.number().int() }).meta({ id: 'ReconciliationCount' });
const Counts = z.record(z.string(), Count);

/** A comparison of storage with the catalog (an extension of Haven). */
export const Reconciliation = z.object({
  id: z.number().int(),
  status: z.string(),
  /** What came of it, or why it failed, in words. */
  status_message: z.string().optional(),
  trigger: z.string(),
  start_time: Timestamp,
  end_time: Timestamp.optional(),
  reclaim: z.boolean(),
  rehash: z.boolean(),
  mark_lost: MarkLost,
  grace_seconds: z.number(),
  /** How far it came; missing until it has begun. */
  phase: z.enum(['blobs', 'uploads', 'second-look', 'report', 'done']).optional(),
  /** Blobs in storage that were compared, and those that were read. */
  stored: Count.optional(),
  rehashed: Count.optional(),
  /** Blobs of the catalog that were compared. */
  known: z.number().int().optional(),
  /** Blobs that the catalog does not know, left alone because they are young. */
  young: z.number().int().optional(),
  /** By kind and by what was done about it, once it has ended. */
  found: Counts.optional(),
  outcomes: Counts.optional(),
  /** Why no blob was marked as lost although some lack their bytes. */
  not_marked: z.string().optional(),
}).meta({ id: 'Reconciliation' });
export type Reconciliation = z.infer<typeof Reconciliation>;

export const ReconciliationFindingQuery = z.object({ ...pageParameters, kind: FindingKind.optional() }).meta({ id: 'ReconciliationFindingQuery' });
export type ReconciliationFindingQuery = z.infer<typeof ReconciliationFindingQuery>;

/** Where storage and the catalog differ (an extension of Haven). `name`: a digest, or an upload's id in storage. */
export const ReconciliationFinding = z.object({
  kind: FindingKind,
  name: z.string(),
  /** In storage, in bytes. */
  size: z.number().int().optional(),
  /** In the catalog, in bytes. */
  expected_size: z.number().int().optional(),
  /** When it was last written. */
  since: Timestamp.optional(),
  /** Some of the artifacts that name the blob, as repository@digest, how many do, and some of the repositories that serve it. */
  needed_by: z.array(z.string()).optional(),
  needed_by_count: z.number().int().optional(),
  repositories: z.array(z.string()).optional(),
  /**
   * What was done about it: `handed-over` to garbage collection, `removed`, `kept` for a `reason`, `marked` as lost until somebody
   * pushes it, `restored` because its bytes are back; empty for nothing.
   */
  outcome: z.enum(['', 'handed-over', 'removed', 'kept', 'marked', 'restored']),
  reason: z.string().optional(),
}).meta({ id: 'ReconciliationFinding' });
export type ReconciliationFinding = z.infer<typeof ReconciliationFinding>;

/** Body of PUT /system/reconciliations/schedule: six fields in UTC, the first of them 0, and what each comparison shall do. */
export const ReconciliationScheduleReq = z.object({ cron: text(1024), ...ReconciliationReq.shape }).meta({ id: 'ReconciliationScheduleReq' });
export type ReconciliationScheduleReq = z.infer<typeof ReconciliationScheduleReq>;

export const ReconciliationSchedule = z.object({
  cron: z.string(),
  reclaim: z.boolean(),
  rehash: z.boolean(),
  mark_lost: MarkLost,
  grace_seconds: z.number(),
  /** Up to five; empty while schedules are paused. */
  next_times: z.array(Timestamp),
}).meta({ id: 'ReconciliationSchedule' });
export type ReconciliationSchedule = z.infer<typeof ReconciliationSchedule>;
