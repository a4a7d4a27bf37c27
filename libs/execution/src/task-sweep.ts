import type { Database } from '@haven/database';
import type { JobQueue } from '@haven/messages';
import type { Logger } from '@haven/runtime';
import { REVISION } from './execution-rows.js';
import { lockExecution, refreshExecution } from './execution-status.js';
import { queueIdOf } from './executions.js';
import { isVendorType, VENDOR_TYPES, vendorOf } from './vendor.js';

export interface SweepParts {
  readonly database: Database;
  readonly jobs: JobQueue;
  readonly logger: Logger;
  /** A task whose worker has been silent for so long is taken from it, in milliseconds. */
  readonly lostAfterMs?: number;
  /** A task that nobody began so long after the queue was told of it is told of again, in milliseconds. */
  readonly requeueAfterMs?: number;
}

const LOST_AFTER_MS = 60_000;
const REQUEUE_AFTER_MS = 60_000;
const BATCH = 500;
/** A log has up to 10 MB. */
const LOG_BATCH = 50;
const WORKER_LOST = 'its workers were lost or killed again and again';

interface Lost {
  readonly id: string;
  readonly execution_id: string;
  readonly vendor_type: string;
  readonly failures: number;
  readonly stopping: boolean;
}

interface Waiting {
  readonly id: string;
  readonly vendor_type: string;
  readonly attempts: number;
}

/** Repairs what crashes and an emptied queue leave behind. Any number of processes may do so at once. */
export class TaskSweep {
  readonly #parts: SweepParts;

  constructor(parts: SweepParts) {
    this.#parts = parts;
  }

  /** Takes tasks from workers that are silent: they wait again, or end when they failed too often or should have stopped. Resolves to how many. */
  async recoverLost(): Promise<number> {
    const { database, logger, lostAfterMs = LOST_AFTER_MS } = this.#parts;
    const rows = await database.query<Lost>(
      `SELECT t.id, t.execution_id, t.vendor_type, t.failures, e.stop_requested_at IS NOT NULL AS stopping FROM task t JOIN execution e ON e.id = t.execution_id
       WHERE t.ended_at IS NULL AND ((t.status = 'Running' AND t.heartbeat_at < now() - $1 * interval '1 millisecond') OR (t.status <> 'Running' AND e.stop_requested_at IS NOT NULL))
       ORDER BY t.id LIMIT ${BATCH}`,
      [lostAfterMs],
    );
    let recovered = 0;
    for (const row of rows) if (await this.#recover(row, lostAfterMs)) recovered += 1;
    if (recovered > 0) logger.warn('tasks of lost workers were taken back', { tasks: recovered });
    return recovered;
  }

  /** Tells the queue of every task that waits for too long; of all that wait, when `all` is set, for instance because Redis may have been emptied. Resolves to how many. */
  async requeueUnfinished({ all = false }: { readonly all?: boolean } = {}): Promise<number> {
    const { database, requeueAfterMs = REQUEUE_AFTER_MS } = this.#parts;
    // One moment for all batches, so that the loop ends however long it takes.
    const [moment] = await database.query<{ before: Date }>(`SELECT now() - $1 * interval '1 millisecond' AS before`, [all ? 0 : requeueAfterMs]);
    let queued = 0;
    for (;;) {
      const rows = await database.query<Waiting>(
        `UPDATE task SET queued_at = now() WHERE id IN (
           SELECT t.id FROM task t
           WHERE t.ended_at IS NULL AND t.status IN ('Pending', 'Scheduled') AND t.due_at <= now() AND NOT EXISTS (SELECT 1 FROM queue_pause p WHERE p.job_type = t.vendor_type)
             AND (t.queued_at IS NULL OR t.queued_at < $1) ORDER BY t.id LIMIT ${BATCH} FOR UPDATE SKIP LOCKED)
         RETURNING id, vendor_type, attempts`,
        [moment?.before],
      );
      await this.#queue(rows);
      queued += rows.length;
      if (rows.length < BATCH) return queued;
    }
  }

  /** Removes executions that have ended, but the latest of each owner. Resolves to how many. */
  async forgetOld(): Promise<number> {
    let removed = 0;
    for (const type of VENDOR_TYPES) {
      for (let count = BATCH; count === BATCH; removed += count) {
        count = await this.#parts.database.execute(
          `DELETE FROM execution WHERE id IN (
             SELECT id FROM (SELECT id, ended_at, row_number() OVER (PARTITION BY vendor_id ORDER BY started_at DESC, id DESC) AS place FROM execution WHERE vendor_type = $1) AS ranked
             WHERE place > $2 AND ended_at IS NOT NULL ORDER BY id LIMIT ${BATCH})`,
          [type, vendorOf(type).kept],
        );
      }
    }
    return removed;
  }

  /** Removes the logs of tasks that ended so many days ago; the tasks stay. Resolves to how many. */
  async forgetLogs(days: number): Promise<number> {
    let removed = 0;
    for (let count = LOG_BATCH; count === LOG_BATCH; removed += count) {
      const rows = await this.#parts.database.query(
        `WITH old AS (
           UPDATE task SET log_bytes = 0, log_removed = true WHERE id IN (
             SELECT id FROM task WHERE log_bytes > 0 AND ended_at < now() - $1 * interval '1 day' ORDER BY ended_at LIMIT ${LOG_BATCH} FOR UPDATE SKIP LOCKED)
           RETURNING id), gone AS (DELETE FROM task_log USING old WHERE task_log.task_id = old.id)
         SELECT id FROM old`,
        [days],
      );
      count = rows.length;
    }
    return removed;
  }

  async #recover({ id, execution_id: execution, vendor_type: type, failures, stopping }: Lost, lostAfterMs: number): Promise<boolean> {
    const given = isVendorType(type) && failures + 1 >= vendorOf(type).failures;
    const [status, message] = stopping ? ['Stopped', ''] : given ? ['Error', WORKER_LOST] : ['Pending', ''];
    return this.#parts.database.transaction(async (transaction) => {
      if (!(await lockExecution(transaction, Number(execution)))) return false;
      const changed = await transaction.execute(
        `UPDATE task SET status = $2, status_message = $3, status_revision = ${REVISION}, failures = failures + 1, queued_at = NULL, heartbeat_at = NULL, updated_at = now(),
           ended_at = CASE WHEN $2 = 'Pending' THEN NULL ELSE now() END
         WHERE id = $1 AND ended_at IS NULL AND failures = $4 AND ($5 OR (status = 'Running' AND heartbeat_at < now() - $6 * interval '1 millisecond'))
           AND (status <> 'Running' OR heartbeat_at < now() - $6 * interval '1 millisecond')`,
        [id, status, message, failures, stopping, lostAfterMs],
      );
      await refreshExecution(transaction, Number(execution));
      return changed > 0;
    });
  }

  async #queue(rows: readonly Waiting[]): Promise<void> {
    for (const type of VENDOR_TYPES) {
      const tasks = rows.filter((row) => row.vendor_type === type);
      if (tasks.length === 0) continue;
      await this.#parts.jobs.addAll(vendorOf(type).job, tasks.map(({ id, attempts }) => ({ payload: { task: Number(id) }, id: queueIdOf(Number(id), attempts) })));
    }
  }
}
