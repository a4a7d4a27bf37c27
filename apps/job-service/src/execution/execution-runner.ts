import type { ScheduleClock, TaskSweep, TaskWorker, WorkerPool, WorkerPools } from '@haven/execution';
import { VENDOR_TYPES, vendorOf } from '@haven/execution';
import type { Workers } from '@haven/messages';
import type { Logger } from '@haven/runtime';
import type { UntoldDeletions } from '../retention/untold-deletions.store.js';
import type { WebhookSender } from '../webhook/webhook-sender.js';
import { Routine } from './routine.js';

const CLOCK_MS = 1000;
const BEAT_MS = 5000;
const SWEEP_MS = 15_000;
const FORGET_MS = 60 * 60 * 1000;

export interface RunnerParts {
  readonly worker: Pick<TaskWorker, 'run' | 'release'>;
  readonly sweep: Pick<TaskSweep, 'recoverLost' | 'requeueUnfinished' | 'forgetOld' | 'forgetLogs'>;
  readonly clock: Pick<ScheduleClock, 'tick'>;
  readonly webhooks: Pick<WebhookSender, 'repair'>;
  readonly untold: Pick<UntoldDeletions, 'announceLeft'>;
  readonly pools: Pick<WorkerPools, 'beat' | 'leave'>;
  /** This process. */
  readonly pool: WorkerPool;
  /** Logs of jobs that ended so many days ago are removed. */
  readonly logDays: number;
  readonly logger: Logger;
}

/** This process' share in the executions: it does tasks, starts what is due, and repairs what others left behind. */
export class ExecutionRunner {
  readonly #parts: RunnerParts;
  readonly #sweep: Routine;
  readonly #routines: readonly Routine[];
  #everythingAgain = true;

  constructor(parts: RunnerParts) {
    this.#parts = parts;
    const { logger } = parts;
    this.#sweep = new Routine({ name: 'looking for tasks that wait', everyMs: SWEEP_MS, work: () => this.#lookForTasks(), logger });
    this.#routines = [
      this.#sweep,
      new Routine({ name: 'starting what is due', everyMs: CLOCK_MS, work: () => parts.clock.tick(), logger }),
      new Routine({ name: 'saying that this process lives', everyMs: BEAT_MS, work: () => parts.pools.beat(parts.pool), logger }),
      new Routine({ name: 'ending webhook deliveries that nobody does any more', everyMs: SWEEP_MS, work: () => parts.webhooks.repair(), logger }),
      new Routine({ name: 'telling what ended retention runs deleted', everyMs: SWEEP_MS, work: () => parts.untold.announceLeft(), logger }),
      new Routine({ name: 'forgetting old executions', everyMs: FORGET_MS, work: () => parts.sweep.forgetOld(), logger }),
      new Routine({ name: 'removing old job logs', everyMs: FORGET_MS, work: () => parts.sweep.forgetLogs(parts.logDays), logger }),
    ];
  }

  /** Tells the queue's workers what to do with the tasks they hear of. */
  register(workers: Workers): void {
    for (const type of VENDOR_TYPES) workers.handle(vendorOf(type).job, ({ task }) => this.#parts.worker.run(task));
  }

  start(): void {
    for (const routine of this.#routines) routine.start();
  }

  /** Redis has lost its data: resolves once the queue has been told of every task that waits. */
  async tellAll(): Promise<void> {
    await this.#parts.sweep.requeueUnfinished({ all: true });
  }

  /** Redis may have lost its data: the queue is told of every task that waits soon, and as soon as it can be reached. */
  tellAllSoon(): void {
    this.#everythingAgain = true;
    this.#sweep.hurry();
  }

  /** Looks at once for tasks that nobody has been told of, for instance because their queue was paused. */
  look(): void {
    this.#sweep.hurry();
  }

  /** Puts back what is being done. The queue's workers end after it. */
  async stop(): Promise<void> {
    this.#parts.worker.release();
    await Promise.all(this.#routines.map((routine) => routine.stop()));
    await this.#leave();
  }

  /** Whoever looks would notice it by the silence, too. */
  async #leave(): Promise<void> {
    try {
      await this.#parts.pools.leave(this.#parts.pool);
    } catch (error) {
      this.#parts.logger.warn('this process could not say that it ends', { error });
    }
  }

  async #lookForTasks(): Promise<void> {
    const all = this.#everythingAgain;
    // What is asked for while it looks is for the next time: it may have passed by already what was lost since.
    this.#everythingAgain = false;
    try {
      await this.#parts.sweep.recoverLost();
      await this.#parts.sweep.requeueUnfinished({ all });
    } catch (error) {
      if (all) this.#everythingAgain = true;
      throw error;
    }
  }
}
