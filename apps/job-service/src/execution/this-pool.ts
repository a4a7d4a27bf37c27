import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { VENDOR_TYPES, vendorOf, type WorkerPool } from '@haven/execution';
import { JOBS } from '@haven/messages';

/** What this process tells others about itself. */
export function thisPool(): WorkerPool {
  const queues = new Set(VENDOR_TYPES.map((type) => vendorOf(type).job));
  return { id: randomUUID(), host: hostname(), pid: process.pid, concurrency: [...queues].reduce((sum, job) => sum + JOBS[job].concurrency, 0) };
}
