import { expect, test } from '@jest/globals';
import { Batches } from './batches.js';

test('what comes during a batch is done together, next, in parts that are not too large', async () => {
  const done: number[][] = [];
  const batches = new Batches<number>(async (items) => {
    await new Promise((resolve) => { setImmediate(resolve); });
    done.push([...items]);
  }, 3);
  await Promise.all([1, 2, 3, 4, 5].map((item) => batches.add(item)));
  expect(done).toEqual([[1], [2, 3, 4], [5]]);
});

test('one that fails is told so, and holds up nobody', async () => {
  const batches = new Batches<number>((items) => (items.includes(2) ? Promise.reject(new Error(`not ${items.join()}`)) : Promise.resolve()), 10);
  const outcomes = await Promise.allSettled([0, 1, 2, 3].map((item) => batches.add(item)));
  expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled']);
  expect(outcomes[2]).toMatchObject({ reason: new Error('not 2') });
});
