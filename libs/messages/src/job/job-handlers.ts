import { JOBS, type JobName, type JobPayload } from './jobs.js';
import type { JobContext, JobHandler } from './job-queue.js';

/** A payload or id that cannot become right by trying again. */
export class InvalidJob extends TypeError {
  override readonly name = 'InvalidJob';
}

/** Exactly one handler for each job that a process does. */
export class JobHandlers {
  readonly jobs: readonly JobName[];
  readonly #handlers = new Map<JobName, JobHandler<JobName>>();

  constructor(jobs: readonly JobName[]) {
    this.jobs = jobs;
  }

  add<J extends JobName>(job: J, handler: JobHandler<J>): void {
    if (!this.jobs.includes(job)) throw new Error(`this process does not do ${job} jobs`);
    if (this.#handlers.has(job)) throw new Error(`${job} jobs have two handlers`);
    this.#handlers.set(job, handler as unknown as JobHandler<JobName>);
  }

  requireAll(): void {
    const missing = this.jobs.filter((job) => !this.#handlers.has(job));
    if (missing.length > 0) throw new Error(`these jobs have no handler: ${missing.join(', ')}`);
  }

  async run(job: JobName, payload: unknown, context: JobContext): Promise<void> {
    const handler = this.#handlers.get(job);
    if (handler === undefined) throw new InvalidJob(`${job} jobs have no handler`);
    await handler(checkedPayload(job, payload), context);
  }
}

/** @throws InvalidJob naming what is wrong with the payload. */
export function checkedPayload<J extends JobName>(job: J, payload: unknown): JobPayload<J> {
  const result = JOBS[job].payload.safeParse(payload);
  if (result.success) return result.data as JobPayload<J>;
  const faults = result.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; ');
  throw new InvalidJob(`this is not the payload of a ${job} job: ${faults}`);
}

/** BullMQ splits its keys at colons, so ids must not contain any. */
export function checkedId(id: string): string {
  if (!/^[A-Za-z0-9._-]{1,128}$/.test(id)) throw new InvalidJob('a job id consists of 1 to 128 letters, digits, dots, underscores and hyphens');
  return id;
}
