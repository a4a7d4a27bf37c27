import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Digest } from '@haven/oci';
import { StorageError } from '@haven/storage';
import { chunks, ReconcilerWorld } from '../testing/reconciler-world.js';

let world: ReconcilerWorld;
beforeEach(async () => { world = await ReconcilerWorld.open('files'); });
afterEach(() => world.close());

const kinds = async (id: number): Promise<string[]> => (await world.found(id)).map(({ kind }) => kind);

/** File systems and databases count time in different steps. */
const old = (): Promise<void> => sleep(30);

describe('beside pushes', () => {
  test('N-05: an orphan that is handed over while a push of it is under way is not lost to the push', async () => {
    const bytes = randomBytes(100);
    const digest = await world.orphan(bytes);
    await old();
    // The push asks first, and then takes its time; its bytes are there already, so that storing them changes nothing.
    expect(await world.catalog.claimBlob(digest)).toBe(false);
    const id = await world.compare({ reclaim: true });
    expect(await world.found(id)).toMatchObject([{ kind: 'orphan', outcome: 'handed-over' }]);
    expect(await world.collect()).toBe(0);
    await world.storage.put(digest, bytes);
    await world.catalog.addBlob({ repository: 'alpha/app', projectId: 1, actor: '', digest, size: 100 });
    expect(await world.collect()).toBe(0);
    await world.catalog.findBlob('alpha/app', digest);
    expect(await world.storage.readAll(digest, 100)).toEqual(bytes);
  });

  test('N-05: bytes that get their row between the first and the second look are nobody\'s', async () => {
    const bytes = randomBytes(50);
    const digest = await world.orphan(bytes);
    await old();
    const { id, task } = await world.plan({ reclaim: true });
    await world.worker(world.storageWith({
      async *staleUploads() {
        await world.catalog.addBlob({ repository: 'alpha/app', projectId: 1, actor: '', digest, size: 50 });
        yield* [];
      },
    })).run(task);
    expect(await world.found(id)).toEqual([]);
    expect(await world.catalog.findBlob('alpha/app', digest)).toMatchObject({ size: 50 });
  });

  test('N-05: a blob that is collected and pushed anew while it is looked at is not missing', async () => {
    const bytes = randomBytes(60);
    const digest = await world.blob(bytes);
    await world.storage.delete(digest);
    const { id, task } = await world.plan();
    let looks = 0;
    await world.worker(world.storageWith({
      async stat(wanted) {
        looks += 1;
        const found = await world.storage.stat(wanted);
        await world.fixture.database.execute('DELETE FROM repository_blob');
        await world.fixture.database.execute('DELETE FROM blob');
        await world.blob(bytes);
        return found;
      },
    })).run(task);
    expect([looks, await world.found(id)]).toEqual([1, []]);
    expect(await world.storage.stat(digest)).toMatchObject({ size: 60 });
  });

  test('what garbage collection is about to delete, or just deleted, is none of its business', async () => {
    const digests = [await world.blob(randomBytes(10)), await world.blob(randomBytes(11))];
    await world.fixture.database.execute(`UPDATE blob SET state = 'deleting'`);
    await world.storage.delete(digests[0] as Digest);
    await old();
    expect(await world.found(await world.compare({ rehash: true, reclaim: true }))).toEqual([]);
    expect(await world.stored()).toEqual([digests[1]]);
  });

  test('M-07: an upload that somebody continues stays, however old its bytes are; what no session names goes', async () => {
    const [kept, gone] = [await world.upload({ session: true }), await world.upload({ session: false })];
    await old();
    expect(await world.found(await world.compare({ reclaim: true }))).toMatchObject([{ kind: 'stale-upload', name: gone.id, outcome: 'removed' }]);
    const { state } = await world.storage.append(kept, chunks(Buffer.from('more')));
    expect(state.received).toBe(34);
  });

  test('M-07: an upload whose session is found before it is removed stays', async () => {
    const state = await world.upload({ session: false });
    await old();
    const { id, task } = await world.plan({ reclaim: true });
    let asked = 0;
    const { catalog } = world;
    const uploadsInStorage = catalog.uploadsInStorage.bind(catalog);
    catalog.uploadsInStorage = async (ids) => {
      asked += ids.length;
      if (asked === 3) await catalog.createUpload({ id: state.id, repository: 'alpha/app', projectId: 1, subject: '', state: { ...state } });
      return uploadsInStorage(ids);
    };
    await world.worker().run(task);
    expect([asked, await world.found(id)]).toEqual([3, []]);
    for await (const chunk of world.storage.readUpload(state)) expect(chunk.byteLength).toBe(30);
  });

  test('what is young is left alone, and counted', async () => {
    await world.orphan();
    await world.upload({ session: false });
    const id = await world.compare({ grace_seconds: 60, reclaim: true });
    expect([await world.found(id), (await world.task(id)).progress.young, (await world.stored()).length]).toEqual([[], 1, 1]);
  });
});

describe('an orphan that is not what its name says', () => {
  test('is kept and named: the catalog must not be told a size that no digest vouches for', async () => {
    const digest = await world.orphan(randomBytes(100));
    await world.overwrite(digest, randomBytes(70));
    await old();
    const id = await world.compare({ reclaim: true });
    expect(await world.found(id)).toMatchObject([{ kind: 'orphan', outcome: 'kept', details: { reason: expect.stringContaining('its bytes are not what its name says') } }]);
    expect((await world.task(id)).log).toContain('remove it by hand');
    expect(await world.fixture.database.query('SELECT 1 FROM blob')).toEqual([]);
  });

  test('that storage does not give out is kept, and the others go', async () => {
    const [bad, good] = [await world.orphan(), await world.orphan()];
    await old();
    const { id, task } = await world.plan({ reclaim: true });
    await world.worker(world.storageWith({ read: (digest) => (digest === bad ? Promise.reject(new StorageError('broken', 'The disk has a bad sector.')) : world.storage.read(digest)) })).run(task);
    expect(new Map((await world.found(id)).map(({ name, outcome }) => [name, outcome]))).toEqual(new Map([[bad, 'kept'], [good, 'handed-over']]));
  });
});

test('J-08: a blob that cannot be read counts as corrupted, and nothing is deleted from the catalog', async () => {
  const { layer } = await world.image(randomBytes(99));
  const { id, task } = await world.plan({ rehash: true, reclaim: true });
  await world.worker(world.storageWith({ read: (digest) => (digest === layer ? Promise.reject(new StorageError('broken', 'The disk has a bad sector.')) : world.storage.read(digest)) })).run(task);
  expect(await world.found(id)).toMatchObject([{ kind: 'corrupted', name: layer, outcome: 'marked' }]);
  expect(await world.states()).toMatchObject({ [layer]: 'lost' });
  expect(await world.catalog.findBlob('alpha/app', layer)).toBeUndefined();
});

describe('when it is interrupted', () => {
  test('N-09: goes on where it was, repeats little, and finds the same', async () => {
    for (let index = 0; index < 1200; index += 1) await world.orphan(Buffer.from(`orphan ${index}`));
    await old();
    const { id, task } = await world.plan();
    let listed = 0;
    await world.worker(world.storageWith({
      async *list(options) {
        for await (const blob of world.storage.list(options)) {
          listed += 1;
          if (listed === 1100) throw new StorageError('unavailable', 'The store is away.');
          yield blob;
        }
      },
    })).run(task);
    expect(await world.task(id)).toMatchObject({ status: 'Scheduled', progress: { phase: 'blobs', stored: { count: 1000 } } });
    await world.fixture.database.execute('UPDATE task SET due_at = now()');
    let again = 0;
    await world.worker(world.storageWith({
      async *list(options) {
        for await (const blob of world.storage.list(options)) {
          again += 1;
          yield blob;
        }
      },
    })).run(task);
    expect(again).toBe(200);
    expect(await world.task(id)).toMatchObject({ status: 'Success', progress: { phase: 'done', stored: { count: 1200 }, found: { orphan: { count: 1200 } } } });
    expect(await world.found(id)).toHaveLength(1200);
  });

  test('N-09: a kill in the middle of reclaiming loses nothing and does nothing twice', async () => {
    const orphans = new Set<string>();
    for (let index = 0; index < 60; index += 1) orphans.add(await world.orphan());
    await old();
    const { id, task } = await world.plan({ reclaim: true });
    let read = 0;
    await world.worker(world.storageWith({
      read: (digest) => {
        read += 1;
        return read > 30 ? Promise.reject(new StorageError('unavailable', 'The store is away.')) : world.storage.read(digest);
      },
    })).run(task);
    const handedOver = async (): Promise<number> => (await world.fixture.database.query('SELECT 1 FROM blob')).length;
    expect(await handedOver()).toBeGreaterThanOrEqual(30 - 8);
    await world.fixture.database.execute('UPDATE task SET due_at = now()');
    await world.worker().run(task);
    expect(await handedOver()).toBe(60);
    expect(new Set((await world.found(id)).map(({ name, outcome }) => `${outcome} ${name}`))).toEqual(new Set([...orphans].map((name) => `handed-over ${name}`)));
    expect((await world.task(id)).log.match(/handed over/g)).toHaveLength(60);
  });

  test('ends within five seconds of a stop, although storage does not answer, and touches nothing afterwards', async () => {
    const digest = await world.orphan();
    await old();
    const { id, task } = await world.plan({ reclaim: true });
    let asked = (): void => undefined;
    let answer = (): void => undefined;
    const hangs = new Promise<void>((resolve) => { asked = resolve; });
    const running = world.worker(world.storageWith({
      stat: async (wanted) => {
        asked();
        await new Promise<void>((resolve) => { answer = resolve; });
        return world.storage.stat(wanted);
      },
    })).run(task);
    await hangs;
    const begun = performance.now();
    await world.executions.stop({ vendorType: 'STORAGE_RECONCILIATION', vendorId: 0 }, id);
    await running;
    expect(performance.now() - begun).toBeLessThan(5000);
    expect((await world.task(id)).status).toBe('Stopped');
    answer();
    await sleep(200);
    expect([await world.found(id), await world.fixture.database.query('SELECT 1 FROM blob'), await world.stored()]).toEqual([[], [], [digest]]);
  });
});

test('F-12: reclaims nothing while the installation is read-only, and compares all the same', async () => {
  await world.orphan();
  await old();
  await world.fixture.database.execute(`INSERT INTO setting (key, value) VALUES ('read_only', 'true')`);
  const refused = await world.compare({ reclaim: true });
  expect([await world.found(refused), (await world.task(refused)).message]).toEqual([[], expect.stringContaining('read-only mode')]);
  expect(await kinds(await world.compare())).toEqual(['orphan']);
});

test('says so when nothing is wrong', async () => {
  await world.image(randomBytes(10));
  const { message, log, status } = await world.task(await world.compare({ rehash: true }));
  expect([status, message]).toEqual(['Success', expect.stringMatching(/^3 blobs with \d+ bytes in storage, 3 in the catalog, 3 read; nothing is wrong$/)]);
  expect(log).toBe(`${message}\n`);
  expect(world.logger.messages('info')).toContain('storage holds what the catalog says');
});

test('names some of each kind in the log of the service', async () => {
  const { layer } = await world.image(randomBytes(10));
  await world.storage.delete(layer);
  await world.compare();
  expect(world.logger.lines.filter(({ level }) => level === 'warn')).toMatchObject([{ fields: { found: { missing: { count: 1 } }, some: { missing: [layer] } } }]);
});
