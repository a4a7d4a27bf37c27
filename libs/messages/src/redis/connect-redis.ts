import type { Logger } from '@haven/runtime';
import type { Broadcasts } from '../broadcast/broadcasts.js';
import type { JobQueue, Workers } from '../job/job-queue.js';
import { JOB_NAMES, type JobName } from '../job/jobs.js';
import { BullJobQueue } from './bull-job-queue.js';
import { BullWorkers, type WorkersOptions } from './bull-workers.js';
import { LogReader } from './log-reader.js';
import { LogShipper } from './log-shipper.js';
import { RedisBroadcasts } from './redis-broadcasts.js';
import { RedisLink } from './redis-link.js';

export interface MessagesOptions {
  /** Every key and channel starts with it; `haven` by default. Tests use their own. */
  readonly prefix?: string;
}

/** What a process says to and hears from the others. */
export class Messages {
  readonly broadcasts: Broadcasts;
  readonly jobs: JobQueue;
  readonly logShipper: LogShipper;
  readonly #link: RedisLink;
  readonly #logger: Logger;
  readonly #prefix: string;
  readonly #queue: BullJobQueue;
  readonly #closers: (() => Promise<void>)[] = [];
  #closing: Promise<void> | undefined;

  constructor(url: string, logger: Logger, { prefix = 'haven' }: MessagesOptions = {}) {
    this.#logger = logger;
    this.#prefix = prefix;
    this.#link = new RedisLink(url, logger);
    this.broadcasts = new RedisBroadcasts(this.#link, logger, prefix);
    this.#queue = new BullJobQueue(this.#link, prefix);
    this.jobs = this.#queue;
    this.logShipper = new LogShipper(this.#link.commands, { stream: `${prefix}:logs` });
  }

  /** The workers of these jobs, all by default. Give each its handler, then start them. Closed by close. */
  workers(jobs: readonly JobName[] = JOB_NAMES, options: WorkersOptions = {}): Workers {
    const workers = new BullWorkers(this.#link, this.#logger, this.#prefix, jobs, options);
    this.#closers.push(() => workers.close());
    return workers;
  }

  /** Reads what every process's logShipper sent. `consumer` names this reader and stays the same when it restarts. */
  logReader(consumer: string): LogReader {
    const reader = new LogReader(this.#link, this.#logger, { stream: `${this.#prefix}:logs`, consumer });
    this.#closers.push(() => reader.close());
    return reader;
  }

  /** Rejects, within a second, when Redis does not answer. */
  ping(): Promise<void> {
    return this.#link.ping();
  }

  /** Finishes running jobs, sends the last log lines, then disconnects. Repeated calls answer the same promise. */
  close(): Promise<void> {
    this.#closing ??= this.#closeAll();
    return this.#closing;
  }

  async #closeAll(): Promise<void> {
    await Promise.allSettled(this.#closers.map((close) => close()));
    await this.#queue.close();
    await this.logShipper.close();
    this.#link.close();
  }
}

/** Connects in the background: answers at once, and whether Redis is there is reported by ping and the log. */
export function connectRedis(url: string, logger: Logger, options: MessagesOptions = {}): Messages {
  return new Messages(url, logger, options);
}
