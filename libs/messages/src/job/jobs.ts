import { z } from 'zod';

export interface JobDefinition {
  readonly payload: z.ZodObject;
  /** How often a job is tried before it is given up. */
  readonly attempts: number;
  /** The pause before the second try, in milliseconds; it doubles with each further one. */
  readonly backoffMs: number;
  /** How many of them one process works on at once. */
  readonly concurrency: number;
  /** Forgotten as soon as it was done or given up, so that a job of the same id can be added again at once. */
  readonly forget?: boolean;
}

/** Every job there is. A job's id and payload are all that travels; the truth is read from the database. */
export const JOBS = {
  /** Hands one committed event to its subscribers. */
  'deliver-event': {
    payload: z.object({
      id: z.uuid(),
      type: z.string().min(1).max(100),
      payload: z.record(z.string(), z.unknown()),
      actor: z.string().max(255),
      origin: z.object({ name: z.string().optional(), address: z.string().optional(), requestId: z.string().optional() }).default({}),
      createdAt: z.iso.datetime(),
    }),
    attempts: 12,
    backoffMs: 1000,
    // Events that are handled at the same time become lines of the audit trail in one statement.
    concurrency: 32,
  },
  /** Removes upload sessions that nobody continues, and what crashed uploads left in storage. */
  'purge-uploads': { payload: z.object({}), attempts: 3, backoffMs: 10_000, concurrency: 1 },
  /** Removes events that were delivered long ago from the outbox. */
  'purge-events': { payload: z.object({}), attempts: 3, backoffMs: 10_000, concurrency: 1 },
  /** Starts a garbage collection when there is something to collect and no schedule says when. */
  'collect-garbage': { payload: z.object({}), attempts: 2, backoffMs: 60_000, concurrency: 1 },
  /** Adds waiting changes to what projects are charged for, so that reading that stays cheap. */
  'fold-quota': { payload: z.object({}), attempts: 1, backoffMs: 1000, concurrency: 1 },
  /** Keeps a partition of the audit trail ready for each month. */
  'audit-partitions': { payload: z.object({}), attempts: 3, backoffMs: 10_000, concurrency: 1 },
  /** Does a task of a retention execution. The task's row decides whether there is something to do, and about further tries. */
  'run-retention': { payload: z.object({ task: z.int().positive() }), attempts: 1, backoffMs: 1000, concurrency: 4, forget: true },
  /** Does the task of a garbage collection. */
  'run-garbage-collection': { payload: z.object({ task: z.int().positive() }), attempts: 1, backoffMs: 1000, concurrency: 1, forget: true },
  /** Does the task of a purge of the audit trail. */
  'run-audit-purge': { payload: z.object({ task: z.int().positive() }), attempts: 1, backoffMs: 1000, concurrency: 1, forget: true },
  /** Does the task of a comparison of storage with the catalog. */
  'run-reconciliation': { payload: z.object({ task: z.int().positive() }), attempts: 1, backoffMs: 1000, concurrency: 1, forget: true },
  /** Tells a receiver of webhooks; as run-retention. */
  'run-webhook': { payload: z.object({ task: z.int().positive() }), attempts: 1, backoffMs: 1000, concurrency: 32, forget: true },
  /** Tells a Slack channel; as run-retention. */
  'run-slack': { payload: z.object({ task: z.int().positive() }), attempts: 1, backoffMs: 1000, concurrency: 16, forget: true },
  /** Does the task of a scan of everything; as run-retention. */
  'run-scan-all': { payload: z.object({ task: z.int().positive() }), attempts: 1, backoffMs: 1000, concurrency: 1, forget: true },
  /** Does the task of an export of vulnerabilities; as run-retention. */
  'run-scan-data-export': { payload: z.object({ task: z.int().positive() }), attempts: 1, backoffMs: 1000, concurrency: 2, forget: true },
} as const satisfies Record<string, JobDefinition>;

export type JobName = keyof typeof JOBS;
export type JobPayload<J extends JobName = JobName> = z.infer<(typeof JOBS)[J]['payload']>;

export const JOB_NAMES = Object.keys(JOBS) as JobName[];
