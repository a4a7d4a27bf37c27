import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { digestOf, type Digest } from '@haven/oci';
import type { CollectedGarbage, GarbageToCollect } from './garbage.js';
import { CatalogFixture } from './testing/catalog-fixture.js';

const GRACE = 7200;

let fixture: CatalogFixture;
let stored: Set<Digest>;
let failures: Digest[];
beforeEach(async () => {
  fixture = await CatalogFixture.open();
  stored = new Set();
  failures = [];
});
afterEach(() => fixture.close());

const remove = (digest: Digest): Promise<boolean> => Promise.resolve(stored.delete(digest));

function collect(options: Partial<GarbageToCollect> = {}): Promise<CollectedGarbage> {
  return fixture.catalog.collectGarbage({ graceSeconds: GRACE, binBefore: new Date(0), removeBytes: remove, onFailure: (digest) => failures.push(digest), ...options });
}

/** Blobs that nothing needs, each of 10 bytes, given up long ago. */
async function garbage(count: number): Promise<void> {
  const digests = Array.from({ length: count }, (_, index) => digestOf(Buffer.from(`garbage ${index}`)));
  await fixture.database.execute(`INSERT INTO blob (digest, size, used_at) SELECT digest, 10, now() - interval '1 day' FROM unnest($1::text[]) AS digest`, [digests]);
  await fixture.database.execute(`INSERT INTO unlinked_blob (digest, unlinked_at) SELECT digest, now() - interval '1 day' FROM unnest($1::text[]) AS digest`, [digests]);
  for (const digest of digests) stored.add(digest);
}

async function left(): Promise<number> {
  const [row] = await fixture.database.query<{ count: number }>('SELECT count(*)::int AS count FROM blob');
  return row?.count ?? 0;
}

/** Fails for three of ten blobs, always the same. */
function unreliable(digest: Digest): Promise<boolean> {
  return Number.parseInt(digest.slice(-8), 16) % 10 < 3 ? Promise.reject(new Error('no answer')) : remove(digest);
}

describe('a collection', () => {
  test('counts only what storage confirms, names what failed once, and the next one clears it', async () => {
    await garbage(500);
    const calls: Digest[] = [];
    const first = await collect({ removeBytes: (digest) => (calls.push(digest), unreliable(digest)) });
    expect(first.blobs + first.failed).toBe(500);
    expect(first.failed).toBeGreaterThan(100);
    expect(first.bytes).toBe(10 * first.blobs);
    expect([failures.length, new Set(failures).size]).toEqual([first.failed, first.failed]);
    expect(calls.length).toBe(500 + first.failed);
    expect([stored.size, await left()]).toEqual([first.failed, first.failed]);
    expect(await collect()).toMatchObject({ blobs: first.failed, bytes: 10 * first.failed, failed: 0 });
    expect([stored.size, await left()]).toEqual([0, 0]);
  });

  test('gives up on storage that does not remove anything, before everything is marked', async () => {
    await garbage(1000);
    const { failed, blobs } = await collect({ removeBytes: () => Promise.reject(new Error('gone')) });
    expect([blobs, failures.length]).toEqual([0, failed]);
    const [row] = await fixture.database.query<{ count: number }>(`SELECT count(*)::int AS count FROM blob WHERE state = 'deleting'`);
    expect(row?.count).toBe(failed);
    expect(failed).toBeLessThan(500);
  });

  test('deletes as many bytes at once as it was told, and says how far it is', async () => {
    await garbage(300);
    let [now, most] = [0, 0];
    const progress: number[] = [];
    await collect({
      workers: 7,
      removeBytes: async (digest) => {
        most = Math.max(most, ++now);
        await sleep(1);
        now -= 1;
        return remove(digest);
      },
      onProgress: async ({ blobs }) => { progress.push(blobs); },
    });
    expect(most).toBe(7);
    expect(progress.at(-1)).toBe(300);
    expect(progress).toEqual([...progress].sort((a, b) => a - b));
    expect(progress.length).toBeLessThan(20);
  });

  test('that is stopped leaves nothing marked, and the next one repeats nothing', async () => {
    await garbage(1000);
    const stop = new AbortController();
    const tried: Digest[] = [];
    const removeBytes = (digest: Digest): Promise<boolean> => {
      if (tried.push(digest) === 400) stop.abort();
      return remove(digest);
    };
    const { blobs } = await collect({ removeBytes, signal: stop.signal });
    expect(blobs).toBeGreaterThanOrEqual(400);
    expect(blobs).toBeLessThan(1000);
    expect(await fixture.database.query(`SELECT 1 FROM blob WHERE state = 'deleting'`)).toEqual([]);
    expect((await collect({ removeBytes })).blobs).toBe(1000 - blobs);
    expect([tried.length, new Set(tried).size]).toEqual([1000, 1000]);
  });

  test('does not wait for a blob that a push holds just now', async () => {
    await garbage(10);
    const held = digestOf(Buffer.from('garbage 3'));
    await fixture.database.transaction(async (transaction) => {
      await transaction.query('SELECT 1 FROM blob WHERE digest = $1 FOR KEY SHARE', [held]);
      expect((await collect()).blobs).toBe(9);
    });
    expect(stored).toEqual(new Set([held]));
    expect((await collect()).blobs).toBe(1);
  });

  test('leaves no blob marked that somebody who read the mark held meanwhile', async () => {
    await garbage(3);
    const [held] = [...stored] as [Digest];
    await fixture.database.execute(`UPDATE blob SET state = 'deleting' WHERE digest = $1`, [held]);
    let collected: Promise<CollectedGarbage> | undefined;
    await fixture.database.transaction(async (transaction) => {
      await transaction.query('SELECT 1 FROM blob WHERE digest = $1 FOR KEY SHARE', [held]);
      collected = collect();
      while ((await left()) > 1) await sleep(10);
    });
    expect(await collected).toMatchObject({ blobs: 3, bytes: 30, failed: 0 });
    expect([stored.size, await left()]).toEqual([0, 0]);
  });

  test('that waits in vain for storage gives up after some seconds, and leaves that blob alone, but counts its neighbours', async () => {
    await garbage(30);
    const stuck = [...stored].toSorted()[3] as Digest;
    const stop = new AbortController();
    const settled: Digest[] = [];
    const begun = performance.now();
    const { blobs, bytes, failed } = await collect({
      signal: stop.signal,
      removeBytes: (digest) => {
        if (digest !== stuck) return remove(digest);
        stop.abort();
        return new Promise<boolean>(() => undefined);
      },
      settleBytes: async (digests) => {
        await sleep(20);
        settled.push(...digests);
      },
    });
    expect(performance.now() - begun).toBeLessThan(15_000);
    expect([blobs > 1, bytes, failed]).toEqual([true, 10 * blobs, 1]);
    expect([settled.length, settled.includes(stuck)]).toEqual([blobs, false]);
    expect(failures).toEqual([stuck]);
    expect([stored.has(stuck), stored.size, await left()]).toEqual([true, 30 - blobs, 30 - blobs]);
    expect(await fixture.database.query(`SELECT digest FROM blob WHERE state = 'deleting'`)).toEqual([{ digest: stuck }]);
  });

  test('that waits in vain for deletions to become durable counts none of them, and gives up after some seconds', async () => {
    await garbage(30);
    const stop = new AbortController();
    const settleBytes = (): Promise<void> => {
      stop.abort();
      return new Promise<void>(() => undefined);
    };
    const begun = performance.now();
    const { blobs, bytes, failed } = await collect({ signal: stop.signal, settleBytes });
    expect(performance.now() - begun).toBeLessThan(8_000);
    expect([blobs, bytes, failed > 0, failures.length]).toEqual([0, 0, true, failed]);
    expect(await left()).toBe(30);
  });
});

describe('before a collection', () => {
  test('it can be told what would go, and what stays until when', async () => {
    await garbage(3);
    expect(await fixture.catalog.hasGarbage({ graceSeconds: GRACE, binBefore: new Date(0) })).toBe(true);
    await fixture.blob('alpha/a', 'an upload');
    const kept = await fixture.image('alpha/a', ['layer'], ['1']);
    const binned = await fixture.image('alpha/b', ['binned'], ['1']);
    await fixture.deleteArtifact('alpha/b', binned);
    await fixture.catalog.removeBlob('alpha/a', digestOf(Buffer.from('an upload')));
    const preview = await fixture.catalog.previewGarbage({ graceSeconds: GRACE, binBefore: new Date(0) });
    expect(preview).toEqual({
      due: { blobs: 3, bytes: 30 }, young: { blobs: 1, bytes: 'an upload'.length, until: expect.any(Date) }, bin: { entries: 1, manifests: 1, oldest: expect.any(Date) }, overdue: { entries: 0, manifests: 0 },
    });
    expect(Math.abs((preview.young.until?.getTime() ?? 0) - Date.now() - GRACE * 1000)).toBeLessThan(60_000);
    expect(await collect()).toMatchObject({ blobs: 3, bytes: 30 });
    expect(await fixture.catalog.hasGarbage({ graceSeconds: GRACE, binBefore: new Date(0) })).toBe(false);
    expect(await fixture.catalog.hasGarbage({ graceSeconds: GRACE, binBefore: new Date(Date.now() + 1000) })).toBe(true);
    expect((await fixture.catalog.previewGarbage({ graceSeconds: GRACE, binBefore: new Date(Date.now() + 1000) })).due).toEqual({ blobs: 0, bytes: 0 });
    expect((await fixture.catalog.findManifest('alpha/a', { tag: '1' }))?.digest).toBe(kept.digest);
  });

  test('artifacts are untagged when no tag, no index and no subject keeps them, and they are not young', async () => {
    const single = await fixture.image('alpha/a', ['single']);
    await fixture.image('alpha/a', ['tagged'], ['1']);
    const child = await fixture.image('alpha/a', ['child']);
    await fixture.index('alpha/a', [child], ['2']);
    const orphan = await fixture.image('alpha/b', ['orphan']);
    const index = await fixture.index('alpha/b', [orphan]);
    await fixture.image('alpha/a', ['signature'], [], { subject: single });
    await fixture.database.execute(`UPDATE manifest SET pushed_at = pushed_at - interval '1 day'`);
    await fixture.image('alpha/a', ['young']);
    const found = await fixture.catalog.untaggedArtifacts({ graceSeconds: GRACE });
    expect(found.artifacts.map(({ digest }) => digest)).toEqual([single.digest, index.digest]);
    expect(found.next).toBeUndefined();
  });

  test('an artifact that gets a tag meanwhile is not deleted as untagged', async () => {
    const image = await fixture.image('alpha/a', ['layer']);
    await fixture.catalog.createTag({ repository: 'alpha/a', digest: image.digest, tag: '1', actor: '' });
    const wanted = { repository: 'alpha/a', digest: image.digest, actor: '', cascade: true, onlyUntagged: true };
    await expect(fixture.catalog.deleteArtifact(wanted)).rejects.toMatchObject({ code: 'tag-exists' });
    await fixture.catalog.deleteTag({ repository: 'alpha/a', tag: '1', actor: '' });
    await fixture.catalog.deleteArtifact(wanted);
    expect(await fixture.catalog.findManifest('alpha/a', { digest: image.digest })).toBeUndefined();
  });
});
