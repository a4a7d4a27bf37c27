import type { Database, Queryable, Transaction } from '@haven/database';
import type { Broadcasts } from '@haven/messages';
import { jitteredDelay, type Counter, type Logger, type Metrics } from '@haven/runtime';
import type { Attributes } from './execution.js';
import { OwnerTurns } from './owner-turns.js';
import { addAttributes, beat, claimTask, endClaim, originOf, type ClaimedTask, type ClaimEnd, type TaskOrigin } from './task-claim.js';
import { TaskLog } from './task-log.js';
import { vendorOf, type VendorType } from './vendor.js';

/** Why a task's signal is aborted. */
export type Interruption = 'stop' | 'lost' | 'release';

/** A handler was interrupted; thrown by `TaskContext.check`. */
export class TaskInterrupted extends Error {
  override readonly name = 'TaskInterrupted';

  constructor(readonly why: Interruption) {
    super({ stop: 'the task was asked to stop', lost: 'another worker has the task now', release: 'this worker is shutting down' }[why]);
  }
}

/** The task cannot be done, for a reason that whoever asked for it may read. */
export class TaskFailure extends Error {
  override readonly name = 'TaskFailure';
}

/** What a handler works with. */
export interface TaskContext {
  readonly task: ClaimedTask;
  readonly log: TaskLog;
  /** Aborted when the handler should end: it is asked to stop, has lost its task, or the process ends. */
  readonly signal: AbortSignal;
  /** Throws TaskInterrupted once the signal is aborted: call it between steps. */
  check(): void;
  /** Adds to what the task says about itself. Rejects when another worker has the task. */
  progress(attributes: Attributes): Promise<void>;
  /** As `progress`, in a transaction of the handler: it is said when, and only when, that commits. */
  progressIn(transaction: Transaction, attributes: Attributes): Promise<void>;
}

/**
 * Does a task. It may be called again for one that was begun before, also while a worker that lost it still runs for some
 * seconds, so every step must be harmless when it is done twice. Resolves to what the task says at its end, if anything.
 */
export type TaskHandler = (context: TaskContext) => Promise<string | void>;

export interface WorkerParts {
  readonly database: Database;
  readonly broadcasts: Broadcasts;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** The id of this process in WorkerPools; left out: nobody is told what it does. */
  readonly pool?: string;
  /** How often a worker says that it lives, in milliseconds; a stop that nobody heard of is noticed by then. */
  readonly heartbeatMs?: number;
  /** A worker that could not say so for this long gives its task up, in milliseconds. Less than TaskSweep's lostAfterMs. */
  readonly giveUpMs?: number;
}

const HEARTBEAT_MS = 4000;
const GIVE_UP_MS = 40_000;
const MOST_BACKOFF_MS = 60 * 60 * 1000;
const UNKNOWN_FAILURE = 'the task failed for a reason that only the log of the job service tells';

/** Does the tasks that the queue tells this process of. */
export class TaskWorker {
  readonly #parts: WorkerParts;
  readonly #handlers = new Map<VendorType, TaskHandler>();
  readonly #running = new Map<number, RunningTask>();
  readonly #turns = new OwnerTurns();
  readonly #finished: Counter<'vendor' | 'status'>;
  readonly #unsubscribe: () => void;
  #releasing = false;

  constructor(parts: WorkerParts) {
    this.#parts = parts;
    this.#finished = parts.metrics.counter({ name: 'haven_tasks_finished_total', help: 'Tasks that this process ended, by how', labelNames: ['vendor', 'status'] });
    // Heard is not believed: the row says whether to stop.
    this.#unsubscribe = parts.broadcasts.on('execution-stopped', ({ execution }) => {
      for (const task of this.#running.values()) if (task.executionId === execution) task.look();
    });
  }

  handle(vendor: VendorType, handler: TaskHandler): void {
    if (this.#handlers.has(vendor)) throw new Error(`${vendor} tasks have two handlers`);
    this.#handlers.set(vendor, handler);
  }

  /**
   * Does a task, if it is there to be done, or has it done by one that ends, where its owner has its share of the workers
   * already. A failure of the task is written into its row; rejects only when the database fails.
   */
  async run(id: number): Promise<void> {
    if (this.#releasing) return;
    const origin = await originOf(this.#parts.database, id);
    if (origin === undefined) return;
    const { type, owner } = origin;
    const { share = Infinity } = vendorOf(type);
    if (!this.#turns.enter(owner, id, share)) return;
    try {
      for (let next: number | undefined = id; next !== undefined && !this.#releasing; next = this.#turns.next(owner)) await this.#runOne({ id: next, type });
    } finally {
      this.#turns.leave(owner);
    }
  }

  async #runOne(origin: Pick<TaskOrigin, 'id' | 'type'>): Promise<void> {
    const task = await claimTask(this.#parts.database, origin, this.#parts.pool);
    if (task === undefined) return;
    const handler = this.#handlers.get(task.vendorType);
    if (handler === undefined) throw new Error(`${task.vendorType} tasks have no handler`);
    const end = await this.#do(task, handler);
    if (end === 'lost') this.#parts.logger.warn('a task was lost to another worker', fieldsOf(task));
    else this.#finished.inc({ vendor: task.vendorType, status: end.status });
  }

  /** Puts back what is being done, for other workers to go on with; call it before the queue's workers are closed. */
  release(): void {
    this.#releasing = true;
    this.#unsubscribe();
    for (const task of this.#running.values()) task.interrupt('release');
  }

  async #do(task: ClaimedTask, handler: TaskHandler): Promise<ClaimEnd | 'lost'> {
    const controller = new AbortController();
    const interrupt = (why: Interruption): void => { controller.abort(new TaskInterrupted(why)); };
    const heart = this.#startHeart(task, interrupt);
    this.#running.set(task.id, { executionId: task.executionId, interrupt, look: heart.look });
    const log = new TaskLog(this.#parts.database, task, (error) => { this.#parts.logger.warn('a part of a task log was lost', { ...fieldsOf(task), error }); });
    if (this.#releasing) interrupt('release');
    try {
      const end = await this.#attempt(task, handler, log, controller.signal);
      await log.flush();
      if (end === 'lost') return end;
      return (await endClaim(this.#parts.database, task, end)) ? end : 'lost';
    } finally {
      heart.stop();
      this.#running.delete(task.id);
    }
  }

  async #attempt(task: ClaimedTask, handler: TaskHandler, log: TaskLog, signal: AbortSignal): Promise<ClaimEnd | 'lost'> {
    const tell = async (database: Queryable, attributes: Attributes): Promise<void> => {
      if (!(await addAttributes(database, task, attributes))) throw new TaskInterrupted('lost');
    };
    const context: TaskContext = {
      task, log, signal,
      check: () => { signal.throwIfAborted(); },
      progress: (attributes) => tell(this.#parts.database, attributes),
      progressIn: tell,
    };
    try {
      context.check();
      if (task.attempt > 1) await log.line(`begun again (attempt ${task.attempt})`);
      const message = await handler(context);
      return { status: 'Success', message: message ?? '' };
    } catch (error) {
      return this.#endOf(task, log, error instanceof Error && signal.aborted ? (signal.reason as unknown) : error);
    }
  }

  async #endOf(task: ClaimedTask, log: TaskLog, error: unknown): Promise<ClaimEnd | 'lost'> {
    if (error instanceof TaskInterrupted) {
      if (error.why === 'lost') return 'lost';
      await log.line(error.message);
      if (error.why === 'stop') return { status: 'Stopped', message: '' };
      return { status: 'Scheduled', message: '', delayMs: 0, failed: false };
    }
    const message = error instanceof TaskFailure ? error.message : UNKNOWN_FAILURE;
    this.#parts.logger[error instanceof TaskFailure ? 'warn' : 'error']('a task failed', { ...fieldsOf(task), error });
    await log.line(`failed: ${message}`);
    const { retried, failures, backoffMs, mostBackoffMs = MOST_BACKOFF_MS } = vendorOf(task.vendorType);
    if (!retried || task.failures + 1 >= failures) return { status: 'Error', message };
    return { status: 'Scheduled', message, delayMs: jitteredDelay(task.failures + 1, { baseMs: backoffMs, maxMs: mostBackoffMs }), failed: true };
  }

  #startHeart(task: ClaimedTask, interrupt: (why: Interruption) => void): { look(): void; stop(): void } {
    const { database, heartbeatMs = HEARTBEAT_MS, giveUpMs = GIVE_UP_MS } = this.#parts;
    let last = performance.now();
    const look = (): void => {
      const asked = performance.now();
      // Noticed by the clock alone as well: while the database is away its answer may never come.
      if (asked - last > giveUpMs) interrupt('lost');
      beat(database, task).then((answer) => {
        last = asked;
        if (answer !== 'working') interrupt(answer);
      }, (error: unknown) => { this.#parts.logger.warn('a worker could not say that it lives', { ...fieldsOf(task), error }); });
    };
    const timer = setInterval(look, heartbeatMs);
    return { look, stop: () => { clearInterval(timer); } };
  }
}

interface RunningTask {
  readonly executionId: number;
  interrupt(why: Interruption): void;
  /** Asks the row at once whether the task is to stop. */
  look(): void;
}

function fieldsOf({ id, executionId, vendorType, attempt }: ClaimedTask): Readonly<Record<string, unknown>> {
  return { task: id, execution: executionId, vendor_type: vendorType, attempt };
}
