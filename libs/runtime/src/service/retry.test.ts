import { describe, expect, test } from '@jest/globals';
import { jitteredDelay, retryWithJitter } from './retry.js';

const FAST = { baseMs: 1, maxMs: 2 };

describe('jitteredDelay', () => {
  test('doubles up to its bound, and lies between half and all of it', () => {
    const backoff = { baseMs: 100, maxMs: 1000 };
    expect([1, 2, 3, 9, 5000].map((attempt) => jitteredDelay(attempt, backoff, () => 1))).toEqual([100, 200, 400, 1000, 1000]);
    expect([1, 2, 3, 9, 5000].map((attempt) => jitteredDelay(attempt, backoff, () => 0))).toEqual([50, 100, 200, 500, 500]);
  });
});

describe('retryWithJitter', () => {
  test('repeats until it works', async () => {
    const told: number[] = [];
    const work = (attempt: number) => attempt < 3 ? Promise.reject(new Error('not yet')) : Promise.resolve(attempt);
    expect(await retryWithJitter(work, { ...FAST, attempts: 5, onRetry: (_error, attempt) => told.push(attempt) })).toBe(3);
    expect(told).toEqual([1, 2]);
  });

  test('gives up with the last failure after its attempts, or at once when it is not worth it', async () => {
    let calls = 0;
    const work = () => Promise.reject(new Error(`failure ${++calls}`));
    await expect(retryWithJitter(work, { ...FAST, attempts: 3 })).rejects.toThrow('failure 3');
    await expect(retryWithJitter(work, { ...FAST, attempts: 3, retryIf: () => false })).rejects.toThrow('failure 4');
  });

  test('ends when the signal says so', async () => {
    const stop = new AbortController();
    const endless = retryWithJitter(() => Promise.reject(new Error('never')), { baseMs: 60_000, maxMs: 60_000, attempts: Infinity, signal: stop.signal });
    setTimeout(() => { stop.abort(); }, 5);
    await expect(endless).rejects.toThrow(/abort/i);
  });
});
