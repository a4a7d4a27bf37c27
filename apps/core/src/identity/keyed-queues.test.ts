import { expect, test } from '@jest/globals';
import { KeyedQueues } from './keyed-queues.js';
import { QueueFull } from './work-queue.js';

const soon = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

test('jobs of one key wait for each other, those of another key do not; nothing is kept afterwards', async () => {
  const queues = new KeyedQueues({ concurrency: 2, waiting: 2 });
  const ends: (() => void)[] = [];
  const begun: string[] = [];
  const run = (key: string, name: string): Promise<void> => queues.run(key, () => {
    begun.push(name);
    return new Promise((resolve) => void ends.push(resolve));
  });
  const jobs = [run('a', 'a1'), run('a', 'a2'), run('a', 'a3'), run('b', 'b1')];
  await soon();
  expect([begun, queues.size]).toEqual([['a1', 'a2', 'b1'], 2]);
  ends[0]?.();
  await soon();
  expect(begun).toEqual(['a1', 'a2', 'b1', 'a3']);
  for (const end of ends) end();
  await Promise.all(jobs);
  expect(queues.size).toBe(0);
});

test('too many of one key are refused at once, and failures leave nothing behind', async () => {
  const queues = new KeyedQueues({ concurrency: 1, waiting: 1 });
  const failing = [1, 2].map(() => queues.run('a', async () => { await soon(); throw new Error('wrong'); }));
  await expect(queues.run('a', soon)).rejects.toThrow(QueueFull);
  for (const one of await Promise.allSettled(failing)) expect(one).toMatchObject({ status: 'rejected', reason: new Error('wrong') });
  expect(queues.size).toBe(0);
});
