import { expect, test } from '@jest/globals';
import type { CollectedGarbage, GarbageToCollect } from '@haven/catalog';
import { FakeJobQueue } from '@haven/messages';
import { digestOf } from '@haven/oci';
import { FakeLogger, Metrics } from '@haven/runtime';
import { MemoryBlobStorage } from '@haven/storage';
import { GarbageWork } from './garbage-work.js';

const NOTHING: CollectedGarbage = { unlinked: 0, purged: { entries: 0, manifests: 0, repositories: 0 }, blobs: 0, bytes: 0, failed: 0 };

class FakeCatalog {
  asked: GarbageToCollect | undefined;
  folds: number[] = [];
  collect: (wanted: GarbageToCollect) => Promise<CollectedGarbage> = () => Promise.resolve(NOTHING);

  collectGarbage(wanted: GarbageToCollect): Promise<CollectedGarbage> {
    this.asked = wanted;
    return this.collect(wanted);
  }

  foldQuotaChanges(): Promise<number> {
    return Promise.resolve(this.folds.shift() ?? 0);
  }
}

interface Settings {
  readonly bin_retention_days: number;
  readonly read_only: boolean;
}

function set(current: () => Settings = () => ({ bin_retention_days: 3, read_only: false })): { work: GarbageWork; catalog: FakeCatalog; storage: MemoryBlobStorage; logger: FakeLogger; metrics: Metrics } {
  const parts = { catalog: new FakeCatalog(), storage: new MemoryBlobStorage(), logger: new FakeLogger(), metrics: new Metrics() };
  return { ...parts, work: new GarbageWork({ ...parts, configuration: { current: () => Promise.resolve(current()) } }) };
}

test('the bin keeps for the days that are set, and bytes go from storage', async () => {
  const { work, catalog, storage, logger, metrics } = set();
  const content = Buffer.from('garbage');
  await storage.put(digestOf(content), content);
  catalog.collect = async ({ removeBytes }) => ({ ...NOTHING, blobs: 1, bytes: (await removeBytes(digestOf(content))) ? 7 : 0 });
  await work.collect(new Date('2026-01-08T00:00:00Z'));
  expect(catalog.asked).toMatchObject({ graceSeconds: 7200, binBefore: new Date('2026-01-05T00:00:00Z') });
  expect(await storage.stat(digestOf(content))).toBeUndefined();
  expect(logger.messages('info')).toEqual(['garbage was collected']);
  expect(await metrics.text()).toContain('haven_garbage_bytes_total 7');
});

test('F-12: nothing is collected in read-only mode, and a collection ends with the step that is under way', async () => {
  let readOnly = true;
  const { work, catalog, storage } = set(() => ({ bin_retention_days: 3, read_only: readOnly }));
  await work.collect();
  expect(catalog.asked).toBeUndefined();
  readOnly = false;
  let wanted: GarbageToCollect | undefined;
  catalog.collect = async (asked) => {
    wanted = asked;
    const content = Buffer.from('claimed for removal');
    await storage.put(digestOf(content), content);
    expect(asked.signal?.aborted).toBe(false);
    readOnly = true;
    await asked.removeBytes(digestOf(content));
    expect(await storage.stat(digestOf(content))).toBeUndefined();
    return NOTHING;
  };
  await work.collect();
  expect(wanted?.signal?.aborted).toBe(true);
});

test('a collection that finds nothing says nothing', async () => {
  const { work, logger } = set();
  await work.collect();
  expect(logger.messages('info')).toEqual([]);
});

test('failures are named one by one and end the job as failed', async () => {
  const { work, catalog, logger, metrics } = set();
  catalog.collect = ({ onFailure }) => {
    onFailure(digestOf(Buffer.from('stubborn')), new Error('busy'));
    return Promise.resolve({ ...NOTHING, blobs: 4, failed: 1 });
  };
  await expect(work.collect()).rejects.toThrow('1 blobs could not be removed');
  expect(logger.messages('warn')).toEqual(['a blob could not be removed; it stays until the next collection']);
  expect(await metrics.text()).toContain('haven_garbage_blobs_total{outcome="removed"} 4');
});

test('stopping ends the collection that is under way', async () => {
  const { work, catalog } = set();
  await work.collect();
  work.stop();
  expect(catalog.asked?.signal?.aborted).toBe(true);
});

test('quota changes are folded until few are left', async () => {
  const { work, catalog } = set();
  catalog.folds = [5000, 5000, 12, 5000];
  await work.fold();
  expect(catalog.folds).toEqual([5000]);
});

test('both jobs are done and scheduled', async () => {
  const { work } = set();
  const queue = new FakeJobQueue();
  const workers = queue.workers(['collect-garbage', 'fold-quota']);
  work.register(workers);
  workers.start();
  await work.schedule(queue);
  expect([...queue.scheduled]).toEqual([['collect-garbage', 3_600_000], ['fold-quota', 30_000]]);
  await workers.close();
});
