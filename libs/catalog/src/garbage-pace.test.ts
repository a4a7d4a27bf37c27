import { describe, expect, test } from '@jest/globals';
import { Pace } from './garbage-pace.js';

async function timed(work: Promise<void>): Promise<number> {
  const begun = performance.now();
  await work;
  return performance.now() - begun;
}

describe('the pace of a collection', () => {
  test('batches grow while they are quick, to a hundred, and shrink while they are slow, to one', () => {
    const pace = new Pace(1);
    const sizes = [10, 10, 10, 500].map((took) => {
      pace.took(took);
      return pace.size;
    });
    expect(sizes).toEqual([50, 100, 100, 100]);
    for (let count = 0; count < 10; count += 1) pace.took(1500);
    expect(pace.size).toBe(1);
  });

  test('one worker rests as long as it works, four a quarter of that, and nobody for long', async () => {
    const [one, four, long] = [await timed(new Pace(1).rest(240, undefined)), await timed(new Pace(4).rest(240, undefined)), await timed(new Pace(1).rest(60_000, undefined))];
    expect(one).toBeGreaterThanOrEqual(239);
    expect(four).toBeGreaterThanOrEqual(59);
    expect(four).toBeLessThan(239);
    expect(long).toBeLessThan(5000);
  });

  test('a rest ends at once when the collection is to stop', async () => {
    const stop = new AbortController();
    const resting = timed(new Pace(1).rest(60_000, stop.signal));
    stop.abort();
    expect(await resting).toBeLessThan(200);
    expect(await timed(new Pace(1).rest(60_000, stop.signal))).toBeLessThan(200);
  });
});
