import type { Database, Transaction } from '@haven/database';
import { nextTimes } from '@haven/policy';
import type { Attributes, ExecutionOwner, Listed, PageOf } from './execution.js';
import type { VendorType } from './vendor.js';

/** What is started again and again. */
export interface Schedule extends ExecutionOwner {
  readonly id: number;
  /** A label that clients chose: Hourly, Daily, Weekly, Custom. */
  readonly cronType: string;
  /** Six fields in UTC, without a fault (cronFault of @haven/policy). */
  readonly cron: string;
  readonly parameters: Attributes;
  readonly nextDueAt: Date;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

export interface NewSchedule extends ExecutionOwner {
  readonly cronType: string;
  readonly cron: string;
  readonly parameters: Attributes;
}

export interface ScheduleRow {
  readonly id: string;
  readonly vendor_type: VendorType;
  readonly vendor_id: string;
  readonly cron_type: string;
  readonly cron: string;
  readonly parameters: Attributes;
  readonly next_due_at: Date;
  readonly created_at: Date;
  readonly updated_at: Date;
}

export const SCHEDULE_FIELDS = 'id, vendor_type, vendor_id, cron_type, cron, parameters, next_due_at, created_at, updated_at';

/** The queue whose pause keeps every schedule from firing, as in Harbor. */
export const SCHEDULER = 'SCHEDULER';

/** When which executions start by themselves: one schedule for each owner at most. ScheduleClock starts them. */
export class Schedules {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Sets the owner's schedule. Setting the same cron again does not shift its next time. */
  async setIn(transaction: Transaction, { vendorType, vendorId, cronType, cron, parameters }: NewSchedule): Promise<void> {
    const [next] = nextTimes(cron, 1, new Date());
    await transaction.execute(
      `INSERT INTO schedule (vendor_type, vendor_id, cron_type, cron, parameters, next_due_at) VALUES ($1, $2, $3, $4, $5, $6)
       ON CONFLICT (vendor_type, vendor_id) DO UPDATE SET cron_type = excluded.cron_type, cron = excluded.cron, parameters = excluded.parameters, updated_at = now(),
         next_due_at = CASE WHEN schedule.cron = excluded.cron THEN schedule.next_due_at ELSE excluded.next_due_at END`,
      [vendorType, vendorId, cronType, cron, JSON.stringify(parameters), next],
    );
  }

  /** Whether there was one. */
  async removeIn(transaction: Transaction, { vendorType, vendorId }: ExecutionOwner): Promise<boolean> {
    return (await transaction.execute('DELETE FROM schedule WHERE vendor_type = $1 AND vendor_id = $2', [vendorType, vendorId])) > 0;
  }

  async find({ vendorType, vendorId }: ExecutionOwner): Promise<Schedule | undefined> {
    const [row] = await this.#database.query<ScheduleRow>(`SELECT ${SCHEDULE_FIELDS} FROM schedule WHERE vendor_type = $1 AND vendor_id = $2`, [vendorType, vendorId]);
    return row && scheduleOf(row);
  }

  async list({ page, size }: PageOf): Promise<Listed<Schedule>> {
    const [count] = await this.#database.query<{ total: number }>('SELECT count(*)::int AS total FROM schedule');
    const rows = await this.#database.query<ScheduleRow>(`SELECT ${SCHEDULE_FIELDS} FROM schedule ORDER BY id LIMIT $1 OFFSET $2`, [size, (page - 1) * size]);
    return { items: rows.map(scheduleOf), total: count?.total ?? 0 };
  }

  /** Whether no schedule fires at present. */
  async arePaused(): Promise<boolean> {
    return (await this.#database.query('SELECT 1 FROM queue_pause WHERE job_type = $1', [SCHEDULER])).length > 0;
  }
}

export function scheduleOf(row: ScheduleRow): Schedule {
  return {
    id: Number(row.id), vendorType: row.vendor_type, vendorId: Number(row.vendor_id), cronType: row.cron_type, cron: row.cron, parameters: row.parameters,
    nextDueAt: row.next_due_at, createdAt: row.created_at, updatedAt: row.updated_at,
  };
}
