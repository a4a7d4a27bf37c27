import { Queue, type JobsOptions } from 'bullmq';
import type { Redis } from 'ioredis';
import { checkedId, checkedPayload } from '../job/job-handlers.js';
import { JobQueue, JobsUnavailable, type JobToAdd } from '../job/job-queue.js';
import { JOBS, type JobDefinition, type JobName, type JobPayload } from '../job/jobs.js';
import type { RedisLink } from './redis-link.js';

const DAY_SECONDS = 24 * 60 * 60;
const TIMEOUT_MS = 1000;

/** A queue's name in BullMQ; `:` is its separator and not allowed in it. */
export function queueName(job: JobName): string {
  return job;
}

/** Where BullMQ keeps its keys. */
export function queuePrefix(prefix: string): string {
  return `${prefix}:jobs`;
}

function jobOptions(job: JobName): JobsOptions {
  const { attempts, backoffMs, forget = false }: JobDefinition = JOBS[job];
  return {
    attempts,
    backoff: { type: 'exponential', delay: backoffMs, jitter: 0.5 },
    removeOnComplete: forget || { count: 1000, age: DAY_SECONDS },
    removeOnFail: forget || { count: 5000, age: 14 * DAY_SECONDS },
  };
}

/** The job queue on BullMQ: one queue for each job. */
export class BullJobQueue extends JobQueue {
  readonly #link: RedisLink;
  readonly #prefix: string;
  /** A key that is there for as long as what was queued is. */
  readonly #witness: string;
  readonly #queues = new Map<JobName, Queue>();

  constructor(link: RedisLink, prefix: string) {
    super();
    this.#link = link;
    this.#prefix = queuePrefix(prefix);
    this.#witness = `${prefix}:jobs-kept`;
  }

  override async add<J extends JobName>(job: J, payload: JobPayload<J>, { id }: { readonly id?: string } = {}): Promise<void> {
    await this.addAll(job, [id === undefined ? { payload } : { payload, id }]);
  }

  override async addAll<J extends JobName>(job: J, jobs: readonly JobToAdd<J>[]): Promise<void> {
    const bulk = jobs.map(({ payload, id }) => ({
      name: job,
      data: checkedPayload(job, payload),
      opts: { ...jobOptions(job), ...(id === undefined ? {} : { jobId: checkedId(id) }) },
    }));
    await this.#reach(job, (queue) => queue.addBulk(bulk));
  }

  override async schedule<J extends JobName>(job: J, payload: JobPayload<J>, everyMs: number): Promise<void> {
    const data = checkedPayload(job, payload);
    await this.#reach(job, (queue) => queue.upsertJobScheduler(job, { every: everyMs }, { name: job, data, opts: jobOptions(job) }));
  }

  override async whenEmptied(work: () => Promise<void>): Promise<boolean> {
    if ((await this.#ask((redis) => redis.exists(this.#witness))) > 0) return false;
    await work();
    await this.#ask((redis) => redis.set(this.#witness, '1'));
    return true;
  }

  async close(): Promise<void> {
    await Promise.allSettled([...this.#queues.values()].map((queue) => queue.close()));
    this.#queues.clear();
  }

  /** The link gives a command up that gets no answer. */
  async #ask<T>(command: (redis: Redis) => Promise<T>): Promise<T> {
    try {
      return await command(this.#link.commands);
    } catch (error) {
      throw new JobsUnavailable('the job queue cannot be reached', { cause: error });
    }
  }

  async #reach(job: JobName, call: (queue: Queue) => Promise<unknown>): Promise<void> {
    if (this.#link.commands.status !== 'ready') throw new JobsUnavailable('the job queue cannot be reached');
    const queue = this.#queue(job);
    try {
      await within(TIMEOUT_MS, call(queue));
    } catch (error) {
      // BullMQ remembers a failed first contact for ever; a new queue makes a new one.
      this.#queues.delete(job);
      queue.close().catch((closing: unknown) => { this.#link.reportError(closing); });
      throw new JobsUnavailable('the job queue cannot be reached', { cause: error });
    }
  }

  #queue(job: JobName): Queue {
    const known = this.#queues.get(job);
    if (known !== undefined) return known;
    const queue = new Queue(queueName(job), { connection: this.#link.commands, prefix: this.#prefix, skipVersionCheck: true });
    queue.on('error', (error) => { this.#link.reportError(error); });
    this.#queues.set(job, queue);
    return queue;
  }
}

async function within<T>(milliseconds: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const expired = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => { reject(new Error(`no answer within ${milliseconds} ms`)); }, milliseconds);
  });
  try {
    return await Promise.race([work, expired]);
  } finally {
    clearTimeout(timer);
  }
}
