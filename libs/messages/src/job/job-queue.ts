import type { JobName, JobPayload } from './jobs.js';

/** Jobs cannot be queued now, because Redis is down. What they are about is in the database: queue them later. */
export class JobsUnavailable extends Error {
  override readonly name = 'JobsUnavailable';
}

export interface JobToAdd<J extends JobName> {
  readonly payload: JobPayload<J>;
  /** While a job of this id is known, adding it again does nothing. Letters, digits, `.`, `_` and `-`, up to 128. */
  readonly id?: string;
}

/** Asks for work that some process will do, at least once. */
export abstract class JobQueue {
  /**
   * Resolves once the queue holds the job.
   * @throws JobsUnavailable within a second, when Redis is down; whether the job was queued is then unknown.
   * @throws TypeError for a payload or id that does not fit the job.
   */
  abstract add<J extends JobName>(job: J, payload: JobPayload<J>, options?: { readonly id?: string }): Promise<void>;

  /** As add, for several jobs in one round trip. */
  abstract addAll<J extends JobName>(job: J, jobs: readonly JobToAdd<J>[]): Promise<void>;

  /** Has the job done regularly, once per interval however many processes ask for it. Asking again changes the interval. */
  abstract schedule<J extends JobName>(job: J, payload: JobPayload<J>, everyMs: number): Promise<void>;

  /**
   * Does the work when the queue holds nothing of what it was told before: at first, and whenever its data was lost. Once
   * the work has resolved, nobody does it again. Several processes may do it at the same time. Resolves to whether it did.
   * @throws JobsUnavailable when Redis is down.
   */
  abstract whenEmptied(work: () => Promise<void>): Promise<boolean>;
}

export interface JobContext {
  readonly id: string;
  /** 1 for the first try. */
  readonly attempt: number;
}

/** Does a job. Rejecting has it tried again later, until its attempts are used up. It may run more than once for one id. */
export type JobHandler<J extends JobName> = (payload: JobPayload<J>, context: JobContext) => Promise<void>;

/** The jobs that this process does. */
export abstract class Workers {
  /** @throws Error when the job has a handler already, or is not one of this process. */
  abstract handle<J extends JobName>(job: J, handler: JobHandler<J>): void;
  /** @throws Error naming every job without a handler. */
  abstract start(): void;
  /** Takes no new jobs, waits for those being done. */
  abstract close(): Promise<void>;
}
