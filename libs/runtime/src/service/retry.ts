import { setTimeout as sleep } from 'node:timers/promises';

export interface Backoff {
  /** The first pause, at most, in milliseconds. */
  readonly baseMs: number;
  /** No pause is longer, in milliseconds. */
  readonly maxMs: number;
}

export interface RetryOptions extends Backoff {
  /** How often the work is tried altogether; Infinity is allowed together with a signal. */
  readonly attempts: number;
  readonly signal?: AbortSignal;
  /** Whether this failure is worth another try; all are by default. */
  readonly retryIf?: (error: unknown) => boolean;
  /** Told before each pause. */
  readonly onRetry?: (error: unknown, attempt: number, delayMs: number) => void;
}

/** A random pause that doubles with each attempt (1, 2, …), between half and all of the bound, so that replicas do not retry in step. */
export function jitteredDelay(attempt: number, { baseMs, maxMs }: Backoff, random: () => number = Math.random): number {
  const bound = Math.min(maxMs, baseMs * 2 ** Math.min(attempt - 1, 30));
  return Math.round(bound / 2 + (random() * bound) / 2);
}

/** Repeats work that fails, with growing random pauses. Rejects with the last failure, or with the signal's reason. */
export async function retryWithJitter<T>(work: (attempt: number) => Promise<T>, options: RetryOptions): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    options.signal?.throwIfAborted();
    try {
      return await work(attempt);
    } catch (error) {
      if (attempt >= options.attempts || options.retryIf?.(error) === false) throw error;
      const delayMs = jitteredDelay(attempt, options);
      options.onRetry?.(error, attempt, delayMs);
      await sleep(delayMs, undefined, options.signal === undefined ? {} : { signal: options.signal });
    }
  }
}
