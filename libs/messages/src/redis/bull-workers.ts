import { setTimeout as sleep } from 'node:timers/promises';
import { jitteredDelay, type Logger } from '@haven/runtime';
import { UnrecoverableError, Worker, type Job } from 'bullmq';
import type { Redis } from 'ioredis';
import { InvalidJob, JobHandlers } from '../job/job-handlers.js';
import { Workers, type JobHandler } from '../job/job-queue.js';
import { JOBS, type JobName } from '../job/jobs.js';
import { queueName, queuePrefix } from './bull-job-queue.js';
import type { RedisLink } from './redis-link.js';

/** How long closing waits for Redis after the last job was done, in milliseconds. */
const CLOSE_TIMEOUT_MS = 3000;
/** How long a process that can do nothing takes no jobs; longer each time in a row. */
const REST = { baseMs: 1000, maxMs: 30_000 };

export interface WorkersOptions {
  /**
   * Whether a handler failed because this process can do no job at all now, although others may: its database is out of its
   * reach. It then takes no jobs for a while. Failing at once makes it the first to ask again: without a rest it would take
   * most jobs from those that can do them.
   */
  readonly unfit?: (error: unknown) => boolean;
}

/** Workers on BullMQ: one for each job. They wait for Redis when it is down, at the start as later. */
export class BullWorkers extends Workers {
  readonly #link: RedisLink;
  readonly #logger: Logger;
  readonly #prefix: string;
  readonly #handlers: JobHandlers;
  readonly #unfit: (error: unknown) => boolean;
  readonly #workers = new Map<JobName, Worker>();
  readonly #doing = new Set<Promise<void>>();
  readonly #stop = new AbortController();
  #connection: Redis | undefined;
  #rest: NodeJS.Timeout | undefined;
  #restsInARow = 0;

  constructor(link: RedisLink, logger: Logger, prefix: string, jobs: readonly JobName[], { unfit = () => false }: WorkersOptions = {}) {
    super();
    this.#link = link;
    this.#logger = logger;
    this.#prefix = queuePrefix(prefix);
    this.#handlers = new JobHandlers(jobs);
    this.#unfit = unfit;
  }

  override handle<J extends JobName>(job: J, handler: JobHandler<J>): void {
    this.#handlers.add(job, handler);
  }

  override start(): void {
    this.#handlers.requireAll();
    if (this.#connection !== undefined) throw new Error('the workers were started already');
    this.#connection = this.#link.open({ maxRetriesPerRequest: null });
    for (const job of this.#handlers.jobs) void this.#keepWorking(job, this.#connection);
  }

  override async close(): Promise<void> {
    this.#stop.abort();
    clearTimeout(this.#rest);
    const closing = Promise.allSettled([...this.#workers.values()].map((worker) => this.#closeWorker(worker)));
    await Promise.allSettled(this.#doing);
    // What is left is telling Redis, which may be gone by now.
    const closed = await Promise.race([closing.then(() => true), sleep(CLOSE_TIMEOUT_MS, false, { ref: false })]);
    if (!closed) this.#logger.warn('Redis did not take the last results in time; those jobs are done again');
    this.#connection?.disconnect();
  }

  /** BullMQ's worker survives lost connections, but not a first contact that fails half-way: then it is made anew. */
  async #keepWorking(job: JobName, connection: Redis): Promise<void> {
    for (let attempt = 1; !this.#stop.signal.aborted; attempt++) {
      const worker = this.#createWorker(job, connection);
      this.#workers.set(job, worker);
      try {
        await worker.waitUntilReady();
        void worker.run().catch((error: unknown) => { this.#link.reportError(error); });
        return;
      } catch (error) {
        this.#link.reportError(error);
        this.#workers.delete(job);
        await worker.close(true).catch((closing: unknown) => { this.#link.reportError(closing); });
        await sleep(jitteredDelay(attempt, { baseMs: 200, maxMs: 5000 }), undefined, { signal: this.#stop.signal }).catch(() => undefined);
      }
    }
  }

  #createWorker(job: JobName, connection: Redis): Worker {
    const worker = new Worker(queueName(job), (bullJob) => this.#work(job, bullJob), {
      connection,
      prefix: this.#prefix,
      concurrency: JOBS[job].concurrency,
      autorun: false,
      lockDuration: 60_000,
      maxStalledCount: JOBS[job].attempts,
    });
    worker.on('error', (error) => { this.#link.reportError(error); });
    worker.on('failed', (bullJob, error) => {
      const attempt = bullJob?.attemptsMade ?? 0;
      const final = attempt >= JOBS[job].attempts || error instanceof UnrecoverableError;
      this.#logger[final ? 'error' : 'warn'](final ? 'a job was given up' : 'a job failed and is tried again', { job, jobId: bullJob?.id, attempt, error });
    });
    return worker;
  }

  async #work(job: JobName, bullJob: Job): Promise<void> {
    const doing = this.#do(job, bullJob);
    this.#doing.add(doing);
    try {
      await doing;
    } finally {
      this.#doing.delete(doing);
    }
  }

  async #do(job: JobName, bullJob: Job): Promise<void> {
    try {
      await this.#handlers.run(job, bullJob.data, { id: bullJob.id ?? '', attempt: bullJob.attemptsMade + 1 });
      this.#restsInARow = 0;
    } catch (error) {
      if (this.#unfit(error)) this.#takeRest(error);
      if (error instanceof InvalidJob) throw new UnrecoverableError(error.message);
      throw error;
    }
  }

  #takeRest(error: unknown): void {
    if (this.#rest !== undefined || this.#stop.signal.aborted) return;
    this.#restsInARow += 1;
    const restMs = jitteredDelay(this.#restsInARow, REST);
    this.#logger.warn('this process can do no jobs now and takes none for a while', { error, rest_ms: restMs });
    const resting = [...this.#workers.values()];
    for (const worker of resting) worker.pause(true).catch((pausing: unknown) => { this.#link.reportError(pausing); });
    this.#rest = setTimeout(() => {
      this.#rest = undefined;
      for (const worker of resting) worker.resume().catch((resuming: unknown) => { this.#link.reportError(resuming); });
    }, restMs);
  }

  /** Without Redis a worker cannot finish its jobs properly: they are done again later. */
  async #closeWorker(worker: Worker): Promise<void> {
    await worker.close(this.#link.commands.status !== 'ready');
  }
}
