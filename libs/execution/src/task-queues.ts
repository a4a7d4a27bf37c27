import type { Database, Queryable, Transaction } from '@haven/database';
import { REVISION } from './execution-rows.js';
import { lockExecution, refreshExecution } from './execution-status.js';
import { SCHEDULER } from './schedules.js';
import { VENDOR_TYPES } from './vendor.js';

/** What waits of one kind. */
export interface TaskQueue {
  readonly type: string;
  readonly waiting: number;
  /** How long the first of them has been waiting, in seconds. */
  readonly latency: number;
  /** Nothing of it is begun. */
  readonly paused: boolean;
}

/** Every queue there is: one for each kind of execution, and that of the schedules. */
export const QUEUES: readonly string[] = [...VENDOR_TYPES, SCHEDULER];

const BATCH = 100;

/** What waits for a worker, by its kind. The rows are the truth: a pause holds for every process and outlives them. */
export class TaskQueues {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  async list(): Promise<TaskQueue[]> {
    const waiting = await this.#database.query<{ vendor_type: string; count: number; latency: number }>(
      `SELECT vendor_type, count(*)::int AS count, greatest(0, floor(extract(epoch FROM now() - min(due_at))))::int AS latency FROM task
       WHERE ended_at IS NULL AND status IN ('Pending', 'Scheduled') GROUP BY vendor_type`);
    const paused = new Set((await this.#database.query<{ job_type: string }>('SELECT job_type FROM queue_pause')).map((row) => row.job_type));
    return QUEUES.map((type) => {
      const found = waiting.find((row) => row.vendor_type === type);
      return { type, waiting: found?.count ?? 0, latency: found?.latency ?? 0, paused: paused.has(type) };
    });
  }

  async pauseIn(transaction: Transaction, types: readonly string[]): Promise<void> {
    await transaction.execute('INSERT INTO queue_pause (job_type) SELECT unnest($1::text[]) ON CONFLICT DO NOTHING', [types]);
  }

  /** What waits is begun within seconds. */
  async resumeIn(transaction: Transaction, types: readonly string[]): Promise<void> {
    await transaction.execute('DELETE FROM queue_pause WHERE job_type = ANY($1)', [types]);
    await transaction.execute(`UPDATE task SET queued_at = NULL WHERE vendor_type = ANY($1) AND ended_at IS NULL AND status IN ('Pending', 'Scheduled')`, [types]);
  }

  /** Ends what waits and was not begun; what runs goes on. Resolves to how many. */
  async dropWaiting(types: readonly string[]): Promise<number> {
    let dropped = 0;
    for (let after = 0; ;) {
      const executions = await waitingExecutions(this.#database, types, after);
      for (const id of executions) dropped += await this.#database.transaction((transaction) => drop(transaction, id));
      const last = executions.at(-1);
      if (last === undefined) return dropped;
      after = last;
    }
  }
}

async function waitingExecutions(database: Queryable, types: readonly string[], after: number): Promise<number[]> {
  const rows = await database.query<{ execution_id: string }>(
    `SELECT DISTINCT execution_id FROM task WHERE vendor_type = ANY($1) AND ended_at IS NULL AND status IN ('Pending', 'Scheduled') AND execution_id > $2 ORDER BY execution_id LIMIT ${BATCH}`,
    [types, after],
  );
  return rows.map((row) => Number(row.execution_id));
}

async function drop(transaction: Transaction, execution: number): Promise<number> {
  if (!(await lockExecution(transaction, execution))) return 0;
  const dropped = await transaction.execute(
    `UPDATE task SET status = 'Stopped', status_revision = ${REVISION}, updated_at = now(), ended_at = now() WHERE execution_id = $1 AND status IN ('Pending', 'Scheduled')`, [execution]);
  await refreshExecution(transaction, execution);
  return dropped;
}
