import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Digest } from '@haven/oci';
import { StorageError } from '@haven/storage';
import { chunks, ReconcilerWorld } from '../testing/reconciler-world.js';
import type { ComparedStorage } from './finding.js';

let world: ReconcilerWorld;
beforeEach(async () => { world = await ReconcilerWorld.open('files'); });
afterEach(() => world.close());

/** The world's storage, with some of its calls replaced. */
function storageWith(changes: Partial<ComparedStorage>): ComparedStorage {
  const { storage } = world;
  return {
    list: (options) => storage.list(options), stat: (digest) => storage.stat(digest), read: (digest) => storage.read(digest), staleUploads: (before) => storage.staleUploads(before),
    abort: (state) => storage.abort(state), unfinishedCommits: (before) => storage.unfinishedCommits(before), dropCommit: (commit) => storage.dropCommit(commit), ...changes,
  };
}

const kinds = async (id: number): Promise<string[]> => (await world.found(id)).map(({ kind }) => kind);

async function* each(chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array, void, undefined> {
  yield* chunks;
}

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
    await world.worker(storageWith({
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
    await world.worker(storageWith({
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
    await world.worker(storageWith({ read: (digest) => (digest === bad ? Promise.reject(new StorageError('broken', 'The disk has a bad sector.')) : world.storage.read(digest)) })).run(task);
    expect(new Map((await world.found(id)).map(({ name, outcome }) => [name, outcome]))).toEqual(new Map([[bad, 'kept'], [good, 'handed-over']]));
  });
});

test('J-08: a blob that cannot be read counts as corrupted, and nothing is deleted from the catalog', async () => {
  const { layer } = await world.image(randomBytes(99));
  const { id, task } = await world.plan({ rehash: true, reclaim: true });
  await world.worker(storageWith({ read: (digest) => (digest === layer ? Promise.reject(new StorageError('broken', 'The disk has a bad sector.')) : world.storage.read(digest)) })).run(task);
  expect(await world.found(id)).toMatchObject([{ kind: 'corrupted', name: layer, outcome: 'marked' }]);
  expect(await world.states()).toMatchObject({ [layer]: 'lost' });
  expect(await world.catalog.findBlob('alpha/app', layer)).toBeUndefined();
});

describe('what lacks its bytes', () => {
  const damages: readonly (readonly [string, string, (digest: Digest) => Promise<unknown>])[] = [
    ['missing', 'no bytes', (digest) => world.storage.delete(digest)],
    ['wrong-size', 'too few bytes', (digest) => world.overwrite(digest, randomBytes(3))],
    ['corrupted', 'other bytes', (digest) => world.overwrite(digest, randomBytes(99))],
  ];

  test.each(damages)('is told to nobody (%s: %s) until somebody pushes it, whatever the repository; then all is as before', async (kind, _what, damage) => {
    const bytes = randomBytes(99);
    const { layer, config, manifest } = await world.image(bytes);
    await damage(layer);
    const [usage] = await world.usage();
    const id = await world.compare({ rehash: true });
    expect(await world.found(id)).toMatchObject([{ kind, name: layer, outcome: 'marked', details: { needed_by_count: 1 } }]);
    expect((await world.task(id)).log).toContain('marked as lost until somebody pushes it');
    expect(world.broadcasts.published).toEqual([{ name: 'blobs-lost', payload: {} }]);
    expect(await world.states()).toEqual({ [layer]: 'lost', [config]: 'present', [manifest]: 'present' });
    expect(await world.catalog.findBlob('alpha/app', layer)).toBeUndefined();
    expect(await world.catalog.mountBlob({ repository: 'alpha/other', projectId: 1, actor: '', digest: layer, from: 'alpha/app' })).toBe(false);
    expect(await world.usage()).toEqual([usage]);
    // Once more: it is the same, and told again.
    expect(await world.found(await world.compare())).toMatchObject([{ kind, name: layer, outcome: 'marked' }]);
    await world.blob(bytes, 'alpha/other');
    expect(await world.catalog.findBlob('alpha/app', layer)).toMatchObject({ size: 99 });
    expect(await world.storage.readAll(layer, 99)).toEqual(bytes);
    expect([await world.usage(), await world.found(await world.compare({ rehash: true }))]).toEqual([[usage], []]);
  });

  test.each(damages)('is present again when a comparison finds its bytes (%s), put back from a backup', async (_kind, _what, damage) => {
    const bytes = randomBytes(99);
    const { layer } = await world.image(bytes);
    await damage(layer);
    await world.compare({ rehash: true });
    expect(await world.catalog.findBlob('alpha/app', layer)).toBeUndefined();
    await world.overwrite(layer, bytes);
    const id = await world.compare();
    expect(await world.found(id)).toMatchObject([{ kind: 'returned', name: layer, outcome: 'restored' }]);
    expect((await world.task(id)).message).toContain('restored: 1');
    expect(await world.catalog.findBlob('alpha/app', layer)).toMatchObject({ size: 99 });
    expect(await world.found(await world.compare({ rehash: true }))).toEqual([]);
  });

  test('stays lost as long as the bytes that are put back are wrong ones', async () => {
    const { layer } = await world.image(randomBytes(99));
    await world.storage.delete(layer);
    await world.compare();
    await world.overwrite(layer, randomBytes(99));
    expect(await world.found(await world.compare())).toMatchObject([{ kind: 'corrupted', name: layer, outcome: 'marked' }]);
    expect(await world.catalog.findBlob('alpha/app', layer)).toBeUndefined();
  });

  test('is only told when that is wanted', async () => {
    const { layer } = await world.image(randomBytes(99));
    await world.storage.delete(layer);
    const id = await world.compare({ mark_lost: 'none' });
    expect(await world.found(id)).toMatchObject([{ kind: 'missing', name: layer, outcome: '' }]);
    expect((await world.task(id)).progress.not_marked).toBeUndefined();
    expect([world.broadcasts.published, await world.catalog.findBlob('alpha/app', layer)]).toEqual([[], expect.objectContaining({ size: 99 })]);
  });

  test('is not marked in read-only mode, and what was marked is not restored', async () => {
    const bytes = randomBytes(99);
    const [{ layer }, { layer: other }] = [await world.image(bytes), await world.image(randomBytes(98))];
    await world.storage.delete(layer);
    await world.compare();
    await world.storage.put(layer, bytes);
    await world.storage.delete(other);
    await world.fixture.database.execute(`INSERT INTO setting (key, value) VALUES ('read_only', 'true')`);
    const id = await world.compare();
    expect((await world.found(id)).map(({ kind, outcome }) => [kind, outcome])).toEqual([['missing', ''], ['returned', '']]);
    expect((await world.task(id)).message).toContain('not marked as lost: the installation is in read-only mode');
    expect(await world.states()).toMatchObject({ [layer]: 'lost', [other]: 'present' });
  });

  test('is not marked when there is so much of it that storage looks wrong, unless that is wanted all the same', async () => {
    for (let index = 0; index < 4; index += 1) await world.image(randomBytes(50));
    const digests = Object.keys(await world.states()) as Digest[];
    // Seven of twelve: another installation's storage, of which some blobs are the same.
    for (const digest of digests.slice(0, 7)) await world.storage.delete(digest);
    const id = await world.compare();
    expect(new Set((await world.found(id)).map(({ outcome }) => outcome))).toEqual(new Set(['']));
    expect((await world.task(id)).message).toContain('not marked as lost: 7 of 12 blobs lack their bytes. That looks like a wrong storage');
    expect(new Set(Object.values(await world.states()))).toEqual(new Set(['present']));
    expect((await world.found(await world.compare({ mark_lost: 'all' }))).map(({ outcome }) => outcome)).toEqual(Array.from({ length: 7 }, () => 'marked'));
    expect(Object.values(await world.states()).filter((state) => state === 'lost')).toHaveLength(7);
  });

  test('counts only as far as it is new: what was marked before does not keep new damage from being marked', async () => {
    for (let index = 0; index < 2; index += 1) await world.image(randomBytes(50));
    const digests = Object.keys(await world.states()) as Digest[];
    for (const digest of digests) {
      await world.storage.delete(digest);
      await world.compare();
      if (digest === digests[4]) break;
    }
    expect(Object.values(await world.states()).filter((state) => state === 'lost')).toHaveLength(5);
  });

  test('is not believed when storage went away while it was compared', async () => {
    const { layer } = await world.image(randomBytes(99));
    await world.storage.delete(layer);
    const { id, task } = await world.plan();
    await world.worker(storageWith({ stat: async () => undefined })).run(task);
    expect(await world.found(id)).toEqual([]);
    expect(await world.states()).toMatchObject({ [layer]: 'present' });
    await world.fixture.database.execute('UPDATE task SET due_at = now()');
    await world.worker().run(task);
    expect(await world.found(id)).toMatchObject([{ kind: 'missing', name: layer, outcome: 'marked' }]);
  });

  test('is not marked when it is pushed just before its row is locked', async () => {
    const bytes = randomBytes(99);
    const { layer } = await world.image(bytes);
    await world.storage.delete(layer);
    const { id, task } = await world.plan();
    let looks = 0;
    await world.worker(storageWith({
      async stat(wanted) {
        const found = await world.storage.stat(wanted);
        if (wanted === layer && (looks += 1) === 1) await world.blob(bytes);
        return found;
      },
    })).run(task);
    expect([looks, await world.found(id), world.broadcasts.published.length]).toEqual([2, [], 1]);
    expect(await world.catalog.findBlob('alpha/app', layer)).toMatchObject({ size: 99 });
  });

  test.each(['alpha/app', 'alpha/other'])('is present after a push into %s whose bytes come while its row is locked', async (repository) => {
    const bytes = randomBytes(99);
    const { layer } = await world.image(bytes);
    await world.storage.delete(layer);
    const { task } = await world.plan();
    let [looks, pushing] = [0, Promise.resolve<unknown>(undefined)];
    await world.worker(storageWith({
      async stat(wanted) {
        const found = await world.storage.stat(wanted);
        if (wanted !== layer || (looks += 1) !== 2) return found;
        // The row is locked and storage has said no. The push stores its bytes, and waits for the row.
        pushing = world.blob(bytes, repository);
        await sleep(300);
        expect(await world.storage.stat(layer)).toMatchObject({ size: 99 });
        return found;
      },
    })).run(task);
    await pushing;
    expect([looks, await world.states()]).toMatchObject([2, { [layer]: 'present' }]);
    expect(await world.catalog.findBlob(repository, layer)).toMatchObject({ size: 99 });
  });

  test('is not marked when other bytes come into its place between reading and marking', async () => {
    const bytes = randomBytes(99);
    const { layer } = await world.image(bytes);
    await world.overwrite(layer, randomBytes(99));
    const { id, task } = await world.plan({ rehash: true });
    let reads = 0;
    await world.worker(storageWith({
      async read(wanted) {
        const chunks = await world.storage.read(wanted);
        if (wanted !== layer || (reads += 1) !== 2) return chunks;
        const held: Uint8Array[] = [];
        for await (const chunk of chunks) held.push(chunk);
        await world.storage.put(layer, bytes);
        return each(held);
      },
    })).run(task);
    expect([reads, await world.found(id), await world.states()]).toMatchObject([2, [], { [layer]: 'present' }]);
  });

  test('is collected when nothing holds it, and no bytes are counted that were not there', async () => {
    const { layer, manifest } = await world.image(randomBytes(99));
    await world.storage.delete(layer);
    await world.compare();
    await world.catalog.deleteArtifact({ repository: 'alpha/app', digest: manifest, actor: '', cascade: false });
    const emptied = { ...world.garbage(), binBefore: new Date(Date.now() + 60_000) };
    expect(await world.catalog.collectGarbage(emptied)).toMatchObject({ purged: { manifests: 1 }, blobs: 0 });
    await world.hoursPass();
    const left = await world.storedBytes();
    expect(await world.catalog.collectGarbage(emptied)).toMatchObject({ blobs: 3, absent: 1, bytes: left });
    expect(await world.states()).toEqual({});
  });
});

describe('when it is interrupted', () => {
  test('N-09: goes on where it was, repeats little, and finds the same', async () => {
    for (let index = 0; index < 1200; index += 1) await world.orphan(Buffer.from(`orphan ${index}`));
    await old();
    const { id, task } = await world.plan();
    let listed = 0;
    await world.worker(storageWith({
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
    await world.worker(storageWith({
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
    await world.worker(storageWith({
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
    const running = world.worker(storageWith({
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
