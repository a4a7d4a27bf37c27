import type { Queryable } from '@haven/database';

/** A process that does tasks. */
export interface WorkerPool {
  /** A UUID that the process chose when it started. */
  readonly id: string;
  readonly host: string;
  readonly pid: number;
  /** How many tasks it does at once, at most. */
  readonly concurrency: number;
}

export interface LivingPool extends WorkerPool {
  readonly startedAt: Date;
  readonly heartbeatAt: Date;
}

/** A task that is being done. */
export interface BusyWorker {
  readonly poolId: string;
  readonly taskId: number;
  readonly jobId: string;
  readonly vendorType: string;
  readonly startedAt: Date | undefined;
  readonly heartbeatAt: Date | undefined;
}

/** A process that was silent for so long is taken for gone. Longer than some beats. */
const SILENT = '30 seconds';

interface PoolRow {
  readonly id: string;
  readonly host: string;
  readonly pid: number;
  readonly concurrency: number;
  readonly started_at: Date;
  readonly heartbeat_at: Date;
}

interface WorkerRow {
  readonly pool_id: string;
  readonly id: string;
  readonly job_id: string;
  readonly vendor_type: string;
  readonly started_at: Date | null;
  readonly heartbeat_at: Date | null;
}

/** The processes that do tasks, as they say themselves. */
export class WorkerPools {
  readonly #database: Queryable;

  constructor(database: Queryable) {
    this.#database = database;
  }

  /** Says that the process lives; forgets those that have been silent for long. */
  async beat({ id, host, pid, concurrency }: WorkerPool): Promise<void> {
    await this.#database.execute(
      `INSERT INTO worker_pool (id, host, pid, concurrency) VALUES ($1, $2, $3, $4) ON CONFLICT (id) DO UPDATE SET heartbeat_at = now()`, [id, host, pid, concurrency]);
    await this.#database.execute(`DELETE FROM worker_pool WHERE heartbeat_at < now() - interval '1 hour'`);
  }

  async leave({ id }: Pick<WorkerPool, 'id'>): Promise<void> {
    await this.#database.execute('DELETE FROM worker_pool WHERE id = $1', [id]);
  }

  /** Those that live, in the order of their start. */
  async list(): Promise<LivingPool[]> {
    const rows = await this.#database.query<PoolRow>(
      `SELECT id, host, pid, concurrency, started_at, heartbeat_at FROM worker_pool WHERE heartbeat_at > now() - interval '${SILENT}' ORDER BY started_at, id LIMIT 1000`);
    return rows.map(({ started_at: startedAt, heartbeat_at: heartbeatAt, ...row }) => ({ ...row, startedAt, heartbeatAt }));
  }

  /** What is being done, by one process or by all of them. */
  async workers(pool?: string): Promise<BusyWorker[]> {
    const rows = await this.#database.query<WorkerRow>(
      `SELECT t.pool_id, t.id, t.job_id, t.vendor_type, t.started_at, t.heartbeat_at FROM task t JOIN worker_pool p ON p.id = t.pool_id
       WHERE t.ended_at IS NULL AND t.status = 'Running' AND p.heartbeat_at > now() - interval '${SILENT}' AND ($1::uuid IS NULL OR p.id = $1) ORDER BY t.id LIMIT 1000`,
      [pool ?? null],
    );
    return rows.map((row) => ({
      poolId: row.pool_id, taskId: Number(row.id), jobId: row.job_id, vendorType: row.vendor_type, startedAt: row.started_at ?? undefined, heartbeatAt: row.heartbeat_at ?? undefined,
    }));
  }
}
