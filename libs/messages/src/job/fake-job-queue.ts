import { randomUUID } from 'node:crypto';
import { checkedId, checkedPayload, JobHandlers } from './job-handlers.js';
import { JobQueue, JobsUnavailable, Workers, type JobHandler, type JobToAdd } from './job-queue.js';
import { JOB_NAMES, JOBS, type JobDefinition, type JobName, type JobPayload } from './jobs.js';

export interface FakeJob {
  readonly job: JobName;
  readonly id: string;
  readonly payload: object;
}

/** A queue in memory, without pauses between tries. Remembers every job, schedule and job that was given up. */
export class FakeJobQueue extends JobQueue {
  readonly added: FakeJob[] = [];
  readonly scheduled = new Map<JobName, number>();
  readonly givenUp: { readonly job: FakeJob; readonly error: unknown }[] = [];
  /** Set to true for a queue that lost its data. */
  emptied = true;
  /** Set to false to have adding rejected, as when Redis is down. */
  available = true;
  readonly #waiting: FakeJob[] = [];
  #workers: FakeWorkers | undefined;

  override async add<J extends JobName>(job: J, payload: JobPayload<J>, { id }: { readonly id?: string } = {}): Promise<void> {
    await this.addAll(job, [id === undefined ? { payload } : { payload, id }]);
  }

  override async addAll<J extends JobName>(job: J, jobs: readonly JobToAdd<J>[]): Promise<void> {
    const checked = jobs.map(({ payload, id }) => ({ job, id: id === undefined ? randomUUID() : checkedId(id), payload: checkedPayload(job, payload) }));
    if (!this.available) throw new JobsUnavailable('the job queue cannot be reached');
    for (const one of checked) {
      const forgetful = (JOBS[job] as JobDefinition).forget === true;
      if ((forgetful ? this.#waiting : this.added).some((other) => other.job === job && other.id === one.id)) continue;
      this.added.push(one);
      this.#waiting.push(one);
    }
    this.#workers?.wake();
  }

  override async schedule<J extends JobName>(job: J, payload: JobPayload<J>, everyMs: number): Promise<void> {
    checkedPayload(job, payload);
    if (!this.available) throw new JobsUnavailable('the job queue cannot be reached');
    this.scheduled.set(job, everyMs);
  }

  override async whenEmptied(work: () => Promise<void>): Promise<boolean> {
    if (!this.available) throw new JobsUnavailable('the job queue cannot be reached');
    if (!this.emptied) return false;
    await work();
    this.emptied = false;
    return true;
  }

  workers(jobs: readonly JobName[] = JOB_NAMES): Workers {
    this.#workers = new FakeWorkers(jobs, () => this.#waiting.shift(), (job, error) => { this.givenUp.push({ job, error }); });
    return this.#workers;
  }
}

class FakeWorkers extends Workers {
  readonly #handlers: JobHandlers;
  readonly #next: () => FakeJob | undefined;
  readonly #giveUp: (job: FakeJob, error: unknown) => void;
  #running = false;
  #work: Promise<void> = Promise.resolve();

  constructor(jobs: readonly JobName[], next: () => FakeJob | undefined, giveUp: (job: FakeJob, error: unknown) => void) {
    super();
    this.#handlers = new JobHandlers(jobs);
    this.#next = next;
    this.#giveUp = giveUp;
  }

  override handle<J extends JobName>(job: J, handler: JobHandler<J>): void {
    this.#handlers.add(job, handler);
  }

  override start(): void {
    this.#handlers.requireAll();
    this.#running = true;
    this.wake();
  }

  override async close(): Promise<void> {
    this.#running = false;
    await this.#work;
  }

  wake(): void {
    this.#work = this.#work.then(() => this.#drain());
  }

  async #drain(): Promise<void> {
    for (let job = this.#running ? this.#next() : undefined; job !== undefined; job = this.#running ? this.#next() : undefined) await this.#try(job);
  }

  async #try(job: FakeJob): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#handlers.run(job.job, job.payload, { id: job.id, attempt });
      } catch (error) {
        if (attempt >= JOBS[job.job].attempts) return this.#giveUp(job, error);
      }
    }
  }
}
