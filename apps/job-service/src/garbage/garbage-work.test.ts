import { expect, test } from '@jest/globals';
import { FakeJobQueue } from '@haven/messages';
import { GarbageWork, type GarbageParts } from './garbage-work.js';

const UNUSED = (): never => { throw new Error('not to be called'); };

function set(parts: Partial<{ readOnly: boolean; garbage: boolean; folds: number[] }> = {}): GarbageWork {
  const { readOnly = false, garbage = false, folds = [] } = parts;
  return new GarbageWork({
    database: { transaction: UNUSED } as unknown as GarbageParts['database'],
    catalog: { hasGarbage: () => Promise.resolve(garbage), foldQuotaChanges: () => Promise.resolve(folds.shift() ?? 0), now: () => Promise.resolve(new Date()) },
    executions: { startIn: UNUSED, wake: UNUSED },
    configuration: { current: () => Promise.resolve({ bin_retention_days: 3, read_only: readOnly }) },
  });
}

test('no collection begins by itself when there is nothing to collect', async () => {
  expect(await set().startCollection()).toBe(false);
});

test('F-12: no collection begins by itself in read-only mode', async () => {
  expect(await set({ readOnly: true, garbage: true }).startCollection()).toBe(false);
});

test('quota changes are folded until few are left', async () => {
  const folds = [5000, 5000, 12, 5000];
  await set({ folds }).fold();
  expect(folds).toEqual([5000]);
});

test('folding ends when the process does', async () => {
  const folds = [5000, 5000];
  const work = set({ folds });
  work.stop();
  await work.fold();
  expect(folds).toEqual([5000, 5000]);
});

test('both jobs are done and scheduled', async () => {
  const work = set();
  const queue = new FakeJobQueue();
  const workers = queue.workers(['collect-garbage', 'fold-quota']);
  work.register(workers);
  workers.start();
  await work.schedule(queue);
  expect([...queue.scheduled]).toEqual([['collect-garbage', 3_600_000], ['fold-quota', 30_000]]);
  await workers.close();
});
