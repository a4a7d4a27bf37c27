import { z } from 'zod';
import { Timestamp } from './fields.js';

/** A process that does jobs. */
export const WorkerPool = z.object({
  pid: z.number().int(),
  worker_pool_id: z.string(),
  start_at: Timestamp,
  heartbeat_at: Timestamp,
  concurrency: z.number().int(),
  host: z.string(),
}).meta({ id: 'WorkerPool' });
export type WorkerPool = z.infer<typeof WorkerPool>;

/** A job that is being done. */
export const Worker = z.object({
  id: z.string(),
  pool_id: z.string(),
  job_name: z.string(),
  job_id: z.string(),
  start_at: Timestamp.nullable(),
  check_in: z.string(),
  checkin_at: Timestamp.nullable(),
}).meta({ id: 'Worker' });
export type Worker = z.infer<typeof Worker>;

/** Jobs of a kind that wait; `latency` is for how many seconds the first of them does. */
export const JobQueue = z.object({ job_type: z.string(), count: z.number().int(), latency: z.number().int(), paused: z.boolean() }).meta({ id: 'JobQueue' });
export type JobQueue = z.infer<typeof JobQueue>;

/** Body of PUT /jobservice/queues/{job_type}: stop drops what waits, pause keeps it waiting. */
export const ActionRequest = z.object({ action: z.enum(['stop', 'pause', 'resume']) }).meta({ id: 'ActionRequest' });
export type ActionRequest = z.infer<typeof ActionRequest>;
