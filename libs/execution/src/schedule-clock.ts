import type { Database, Transaction } from '@haven/database';
import { nextTimes } from '@haven/policy';
import type { Logger } from '@haven/runtime';
import type { NewExecution, StartedExecution } from './execution.js';
import type { Executions } from './executions.js';
import { SCHEDULE_FIELDS, scheduleOf, SCHEDULER, type Schedule, type ScheduleRow } from './schedules.js';
import { isVendorType, type VendorType } from './vendor.js';

/** Says what a schedule starts now; undefined when what it belongs to is gone, which removes the schedule. */
export type ScheduleStarter = (transaction: Transaction, schedule: Schedule) => Promise<NewExecution | undefined>;

export interface ClockParts {
  readonly database: Database;
  readonly executions: Executions;
  /** By the kinds of executions that schedules can start. */
  readonly starters: Readonly<Partial<Record<VendorType, ScheduleStarter>>>;
  readonly logger: Logger;
}

/** How long a schedule that could not be started waits for its next try. */
const RETRY_SECONDS = 60;

/**
 * Starts what is due, once for each time however many processes look: whoever locks the row starts the execution in the
 * same transaction that sets the next time. Times that went by while nobody looked are made good by starting once.
 */
export class ScheduleClock {
  readonly #parts: ClockParts;

  constructor(parts: ClockParts) {
    this.#parts = parts;
  }

  /** Starts everything that is due; resolves to how many executions that were. */
  async tick(): Promise<number> {
    let started = 0;
    for (;;) {
      const outcome = await this.#startNext();
      if (outcome === 'nothing') return started;
      if (outcome === 'removed') continue;
      await this.#parts.executions.wake(outcome);
      started += 1;
    }
  }

  async #startNext(): Promise<StartedExecution | 'removed' | 'nothing'> {
    const id = await this.#firstDue();
    if (id === undefined) return 'nothing';
    try {
      return await this.#parts.database.transaction((transaction) => this.#startIn(transaction, id));
    } catch (error) {
      this.#parts.logger.error('a schedule could not be started; it is tried again in a minute', { error, schedule: id });
      // A broken schedule must not keep the others from their time.
      await this.#parts.database.execute(`UPDATE schedule SET next_due_at = now() + $2 * interval '1 second' WHERE id = $1 AND next_due_at <= now()`, [id, RETRY_SECONDS]);
      return 'removed';
    }
  }

  async #firstDue(): Promise<number | undefined> {
    const [row] = await this.#parts.database.query<{ id: string }>(
      'SELECT id FROM schedule WHERE next_due_at <= now() AND NOT EXISTS (SELECT 1 FROM queue_pause WHERE job_type = $1) ORDER BY next_due_at LIMIT 1',
      [SCHEDULER],
    );
    return row && Number(row.id);
  }

  async #startIn(transaction: Transaction, id: number): Promise<StartedExecution | 'removed'> {
    const [row] = await transaction.query<ScheduleRow & { readonly now: Date }>(`SELECT ${SCHEDULE_FIELDS}, now() AS now FROM schedule WHERE id = $1 AND next_due_at <= now() FOR UPDATE`, [id]);
    if (row === undefined) return 'removed'; // Somebody else has started it, or taken it away.
    if (!isVendorType(row.vendor_type)) throw new Error(`this build knows no executions of type ${String(row.vendor_type)}`);
    const schedule = scheduleOf(row);
    const starter = this.#parts.starters[schedule.vendorType];
    if (starter === undefined) throw new Error(`no schedule starts executions of type ${schedule.vendorType}`);
    const wanted = await starter(transaction, schedule);
    if (wanted === undefined) {
      await transaction.execute('DELETE FROM schedule WHERE id = $1', [id]);
      return 'removed';
    }
    // By the database's clock, which said that it is due: by one that is behind, the same time would come again.
    const [next] = nextTimes(schedule.cron, 1, row.now);
    await transaction.execute('UPDATE schedule SET next_due_at = $2 WHERE id = $1', [id, next]);
    return this.#parts.executions.startIn(transaction, wanted);
  }
}
