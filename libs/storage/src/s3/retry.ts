import { setTimeout as sleep } from 'node:timers/promises';
import { isTransient } from './failure.js';

/** How long to try again. */
export interface RetryPolicy {
  /** Calls in all. */
  readonly attempts: number;
  /** The longest possible wait after the first failure; doubles with each further one. In milliseconds. */
  readonly baseMs: number;
  /** No wait is longer. In milliseconds. */
  readonly capMs: number;
  /** After this time no further call is made. In milliseconds. */
  readonly totalMs: number;
}

/** About a minute at most, which outlasts a restart of a store or a leader election. */
export const RETRY: RetryPolicy = { attempts: 8, baseMs: 100, capMs: 5_000, totalMs: 60_000 };

/** Waits a random time up to the exponential limit ("full jitter"), so that many callers do not come back at once. */
export async function backOff(policy: RetryPolicy, failures: number): Promise<void> {
  await sleep(Math.random() * Math.min(policy.capMs, policy.baseMs * 2 ** (failures - 1)));
}

/** Calls `work`, which must be idempotent, until it succeeds, fails for good, or the policy ends. */
export async function retry<T>(policy: RetryPolicy, work: () => Promise<T>): Promise<T> {
  const started = performance.now();
  for (let failures = 1; ; failures += 1) {
    try {
      return await work();
    } catch (error) {
      if (!isTransient(error) || failures >= policy.attempts || performance.now() - started > policy.totalMs) throw error;
      await backOff(policy, failures);
    }
  }
}
