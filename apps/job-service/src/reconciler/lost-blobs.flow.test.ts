import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Digest } from '@haven/oci';
import { ReconcilerWorld } from '../testing/reconciler-world.js';

let world: ReconcilerWorld;
beforeEach(async () => { world = await ReconcilerWorld.open('files'); });
afterEach(() => world.close());

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
    await world.worker(world.storageWith({ stat: async () => undefined })).run(task);
    expect(await world.found(id)).toEqual([]);
    expect(await world.states()).toMatchObject({ [layer]: 'present' });
    await world.fixture.database.execute('UPDATE task SET due_at = now()');
    await world.worker().run(task);
    expect(await world.found(id)).toMatchObject([{ kind: 'missing', name: layer, outcome: 'marked' }]);
  });

  test('is marked a few at a time: while storage is asked about them, there are connections for everything else', async () => {
    for (let index = 0; index < 4; index += 1) await world.image(randomBytes(50));
    const digests = Object.keys(await world.states()) as Digest[];
    for (const digest of digests) await world.storage.delete(digest);
    const { id, task } = await world.plan({ mark_lost: 'all' });
    const open: number[] = [];
    const looks = new Map<Digest, number>();
    await world.worker(world.storageWith({
      async stat(wanted) {
        looks.set(wanted, (looks.get(wanted) ?? 0) + 1);
        if (looks.get(wanted) === 2) {
          await sleep(50);
          const [row] = await world.fixture.database.query<{ count: number }>(`SELECT count(*)::int AS count FROM pg_stat_activity WHERE datname = current_database() AND state = 'idle in transaction'`);
          open.push(row?.count ?? 0);
        }
        return world.storage.stat(wanted);
      },
    })).run(task);
    expect((await world.found(id)).map(({ outcome }) => outcome)).toEqual(digests.map(() => 'marked'));
    expect([open.length, Math.min(...open) > 0, Math.max(...open) <= 2]).toEqual([digests.length, true, true]);
  });

  test('is not marked when it is pushed just before its row is locked', async () => {
    const bytes = randomBytes(99);
    const { layer } = await world.image(bytes);
    await world.storage.delete(layer);
    const { id, task } = await world.plan();
    let looks = 0;
    await world.worker(world.storageWith({
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
    await world.worker(world.storageWith({
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
    await world.worker(world.storageWith({
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

async function* each(chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array, void, undefined> {
  yield* chunks;
}
