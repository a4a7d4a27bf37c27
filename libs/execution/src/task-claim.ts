import type { Database, Queryable } from '@haven/database';
import type { Attributes } from './execution.js';
import { REVISION } from './execution-rows.js';
import { lockExecution, refreshExecution } from './execution-status.js';
import type { ExecutionTrigger, FinalStatus } from './status.js';
import { isVendorType, vendorOf, type VendorType } from './vendor.js';

/** A task that this worker, and nobody else, works on. */
export interface ClaimedTask {
  readonly id: number;
  readonly executionId: number;
  readonly vendorType: VendorType;
  readonly vendorId: number;
  readonly trigger: ExecutionTrigger;
  /** 1 for the first worker that began it. What a claim writes counts only while the row still has this number. */
  readonly attempt: number;
  /** How often it failed before. */
  readonly failures: number;
  readonly attributes: Attributes;
  readonly executionAttributes: Attributes;
}

/** How a claim ends: for good, or to be tried again. */
export type ClaimEnd =
  | { readonly status: FinalStatus; readonly message: string }
  /** `delayMs` from now; a release counts as no failure. */
  | { readonly status: 'Scheduled'; readonly message: string; readonly delayMs: number; readonly failed: boolean };

/** What a heartbeat learns. */
export type Beat = 'working' | 'stop' | 'lost';

interface Row {
  readonly id: string;
  readonly execution_id: string;
  readonly vendor_type: string;
  readonly vendor_id: string;
  readonly trigger: ExecutionTrigger;
  readonly attempts: number;
  readonly failures: number;
  readonly extra_attrs: Attributes;
  readonly execution_attrs: Attributes;
}

/** With the kind of task, an advisory lock: held while one of a kind that runs alone is begun. */
const ALONE_LOCK = 4_273_041;

/** What a task is, and for whom it is done. */
export interface TaskOrigin {
  readonly id: number;
  readonly type: VendorType;
  /** Who shares the workers with others: the project, where there is one. */
  readonly owner: string;
}

/** Undefined when the task is gone, or of a kind that this build does not know. */
export async function originOf(database: Queryable, id: number): Promise<TaskOrigin | undefined> {
  const [found] = await database.query<{ vendor_type: string; owner: string }>(
    `SELECT t.vendor_type, t.vendor_type || ' ' || coalesce('project ' || w.project_id, e.vendor_id::text) AS owner FROM task t JOIN execution e ON e.id = t.execution_id
     LEFT JOIN webhook_policy w ON t.vendor_type IN ('WEBHOOK', 'SLACK') AND w.id = e.vendor_id WHERE t.id = $1`,
    [id],
  );
  return found !== undefined && isVendorType(found.vendor_type) ? { id, type: found.vendor_type, owner: found.owner } : undefined;
}

/** Begins the task, when it is due, waits, is asked to stop by nobody, its queue is not paused, and none runs that it may not run beside. */
export async function claimTask(database: Database, { id, type }: Pick<TaskOrigin, 'id' | 'type'>, pool?: string): Promise<ClaimedTask | undefined> {
  if (vendorOf(type).exclusive !== true) return claim(database, id, pool);
  return database.transaction(async (transaction) => {
    await transaction.query('SELECT pg_advisory_xact_lock($1, hashtext($2))', [ALONE_LOCK, type]);
    const others = await transaction.query(`SELECT 1 FROM task WHERE vendor_type = $1 AND ended_at IS NULL AND status = 'Running' AND id <> $2 LIMIT 1`, [type, id]);
    if (others.length === 0) return claim(transaction, id, pool);
    // The queue is told of it again soon, and not only once it has waited for long.
    await transaction.execute(`UPDATE task SET queued_at = NULL WHERE id = $1 AND status IN ('Pending', 'Scheduled')`, [id]);
    return undefined;
  });
}

async function claim(database: Queryable, id: number, pool: string | undefined): Promise<ClaimedTask | undefined> {
  const [row] = await database.query<Row>(
    `UPDATE task t SET status = 'Running', attempts = attempts + 1, pool_id = $2, status_revision = ${REVISION}, heartbeat_at = now(), updated_at = now(), started_at = coalesce(t.started_at, now())
     FROM execution e
     WHERE t.id = $1 AND e.id = t.execution_id AND t.status IN ('Pending', 'Scheduled') AND t.due_at <= now() AND e.stop_requested_at IS NULL
       AND NOT EXISTS (SELECT 1 FROM queue_pause p WHERE p.job_type = t.vendor_type)
     RETURNING t.id, t.execution_id, t.vendor_type, e.vendor_id, e.trigger, t.attempts, t.failures, t.extra_attrs, e.extra_attrs AS execution_attrs`,
    [id, pool ?? null],
  );
  if (row === undefined || !isVendorType(row.vendor_type)) return undefined;
  return {
    id: Number(row.id), executionId: Number(row.execution_id), vendorType: row.vendor_type, vendorId: Number(row.vendor_id), trigger: row.trigger,
    attempt: row.attempts, failures: row.failures, attributes: row.extra_attrs, executionAttributes: row.execution_attrs,
  };
}

/** Says that the worker lives; learns whether the task is still its own, and whether it should stop. */
export async function beat(database: Database, { id, attempt }: ClaimedTask): Promise<Beat> {
  const [row] = await database.query<{ stop: boolean }>(
    `UPDATE task t SET heartbeat_at = now() FROM execution e WHERE t.id = $1 AND t.attempts = $2 AND t.status = 'Running' AND e.id = t.execution_id
     RETURNING e.stop_requested_at IS NOT NULL AS stop`,
    [id, attempt],
  );
  if (row === undefined) return 'lost';
  return row.stop ? 'stop' : 'working';
}

/** Adds to the task's attributes; false when it is lost. */
export async function addAttributes(database: Queryable, { id, attempt }: ClaimedTask, attributes: Attributes): Promise<boolean> {
  return (await database.execute(
    `UPDATE task SET extra_attrs = extra_attrs || $3::jsonb, updated_at = now() WHERE id = $1 AND attempts = $2 AND status = 'Running'`,
    [id, attempt, JSON.stringify(attributes)],
  )) > 0;
}

/** Ends the claim and works out the execution's status, together; false when the task is lost. */
export async function endClaim(database: Database, { id, executionId, attempt }: ClaimedTask, end: ClaimEnd): Promise<boolean> {
  const final = end.status !== 'Scheduled';
  const [delayMs, failed] = end.status === 'Scheduled' ? [end.delayMs, end.failed] : [0, end.status === 'Error'];
  return database.transaction(async (transaction) => {
    if (!(await lockExecution(transaction, executionId))) return false;
    const changed = await transaction.execute(
      `UPDATE task SET status = $3, status_message = $4, status_revision = ${REVISION}, updated_at = now(), failures = failures + $5, queued_at = NULL, heartbeat_at = NULL,
         due_at = now() + $6 * interval '1 millisecond', ended_at = CASE WHEN $7 THEN now() END
       WHERE id = $1 AND attempts = $2 AND status = 'Running'`,
      [id, attempt, end.status, end.message, failed ? 1 : 0, delayMs, final],
    );
    await refreshExecution(transaction, executionId);
    return changed > 0;
  });
}
