import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { digestOf, type Digest } from '@haven/oci';
import type { CollectedGarbage, GarbageToCollect } from './garbage.js';
import { CatalogFixture, refusals } from './testing/catalog-fixture.js';

const GRACE = 7200;
const DAY = 24 * 3600 * 1000;

let fixture: CatalogFixture;
let stored: Map<Digest, number>;
let failures: Digest[];
beforeEach(async () => {
  fixture = await CatalogFixture.open();
  stored = new Map();
  failures = [];
});
afterEach(() => fixture.close());

/** Stands in for storage: what was uploaded is in `stored`. */
function collect(options: Partial<GarbageToCollect> = {}): Promise<CollectedGarbage> {
  return fixture.catalog.collectGarbage({
    graceSeconds: GRACE, binBefore: new Date(Date.now() - 7 * DAY), removeBytes: (digest) => Promise.resolve(stored.delete(digest)), onFailure: (digest) => failures.push(digest), ...options,
  });
}

/** Lets time pass for everything that is there. */
async function wait(seconds: number): Promise<void> {
  const columns = [['repository_blob', 'created_at'], ['blob', 'used_at'], ['unlinked_blob', 'unlinked_at'], ['bin_entry', 'deleted_at'], ['manifest', 'deleted_at'], ['repository', 'deleted_at'], ['garbage_progress', 'links_checked_until']];
  for (const [table, column] of columns) await fixture.database.execute(`UPDATE ${table} SET ${column} = ${column} - make_interval(secs => $1)`, [seconds]);
}

async function store(): Promise<void> {
  for (const row of await fixture.database.query<{ digest: Digest; size: string }>('SELECT digest, size FROM blob')) stored.set(row.digest, Number(row.size));
}

const digest = (content: string): Digest => digestOf(Buffer.from(content));
const nothing = { unlinked: 0, purged: { entries: 0, manifests: 0, repositories: 0 }, blobs: 0, bytes: 0, absent: 0, failed: 0 };

describe('garbage collection', () => {
  test('leaves alone what is in use, and what is young', async () => {
    await fixture.image('alpha/a', ['layer'], ['1']);
    await fixture.blob('alpha/a', 'young upload');
    await store();
    const before = new Set(stored.keys());
    expect(await collect()).toEqual(nothing);
    await wait(GRACE + 60);
    await fixture.catalog.findBlob('alpha/a', digest('young upload'));
    expect(await collect()).toEqual(nothing);
    expect(new Set(stored.keys())).toEqual(before);
  });

  test('removes uploads that no manifest came for, and counts what storage confirms', async () => {
    await fixture.image('alpha/a', ['layer'], ['1']);
    await fixture.blob('alpha/a', 'abandoned');
    await fixture.blob('alpha/b', 'abandoned');
    await fixture.blob('alpha/a', 'never stored');
    await store();
    stored.delete(digest('never stored'));
    await wait(GRACE + 60);
    expect(await collect()).toMatchObject({ unlinked: 3, blobs: 0 });
    expect((await fixture.catalog.usage(1)).used).toBe(await fixture.catalog.recomputeUsage(1));
    await wait(GRACE + 60);
    expect(await collect()).toEqual({ ...nothing, blobs: 2, bytes: 'abandoned'.length, absent: 1 });
    expect(stored.has(digest('abandoned'))).toBe(false);
    expect(stored.has(digest('layer'))).toBe(true);
    expect(await fixture.database.query('SELECT 1 FROM blob WHERE digest = ANY($1)', [[digest('abandoned'), digest('never stored')]])).toEqual([]);
    await fixture.blob('alpha/a', 'abandoned');
  });

  test('looks again at an upload that was used when it was looked at', async () => {
    await fixture.blob('alpha/a', 'used meanwhile');
    await wait(GRACE + 60);
    await fixture.catalog.findBlob('alpha/a', digest('used meanwhile'));
    expect((await collect()).unlinked).toBe(0);
    await wait(GRACE + 60);
    expect((await collect()).unlinked).toBe(1);
  });

  test('spares what the bin names until its window ends', async () => {
    const image = await fixture.image('alpha/a', ['binned'], ['1']);
    await fixture.image('alpha/b', ['other'], ['1']);
    await fixture.catalog.deleteRepository({ repository: 'alpha/b', actor: '' });
    await fixture.deleteArtifact('alpha/a', image);
    await store();
    await wait(2 * 24 * 3600);
    expect(await collect()).toEqual(nothing);
    await wait(6 * 24 * 3600);
    expect(await collect()).toMatchObject({ purged: { entries: 2, manifests: 2, repositories: 1 }, blobs: 0 });
    await wait(GRACE + 60);
    expect(await collect()).toMatchObject({ blobs: 5, failed: 0 });
    expect(stored.size).toBe(0);
    expect(await fixture.catalog.findRepository('alpha/a')).toBeDefined();
  });

  test('keeps a blob whose bytes cannot be removed and tries again', async () => {
    for (const content of ['stubborn', 'willing']) await fixture.blob('alpha/a', content);
    await store();
    await wait(GRACE + 60);
    await collect();
    await wait(GRACE + 60);
    const removeBytes = (blob: Digest): Promise<boolean> => (blob === digest('stubborn') ? Promise.reject(new Error('the disk is busy')) : Promise.resolve(stored.delete(blob)));
    expect(await collect({ removeBytes })).toEqual({ ...nothing, blobs: 1, bytes: 7, failed: 1 });
    expect(failures).toEqual([digest('stubborn')]);
    await expect(fixture.blob('alpha/a', 'stubborn')).rejects.toMatchObject({ code: 'blob-deleting' });
    expect(await collect()).toEqual({ ...nothing, blobs: 1, bytes: 8 });
    await fixture.blob('alpha/a', 'stubborn');
  });

  test('N-09: goes on where it was killed, wherever that was', async () => {
    await fixture.blob('alpha/a', 'kept').then(({ digest: kept }) => fixture.manifest('alpha/a', { mediaType: 'application/vnd.oci.image.manifest.v1+json', config: { mediaType: 'a/b', digest: kept, size: 4 }, layers: [] }, ['1']));
    for (let index = 0; index < 5; index += 1) await fixture.blob('alpha/a', `garbage ${index}`);
    await store();
    await wait(GRACE + 60);
    await collect();
    await wait(GRACE + 60);
    // Marked, bytes there; marked, bytes gone; and, with the process gone right after the first commit of the third, all the rest.
    await fixture.database.execute(`UPDATE blob SET state = 'deleting' WHERE digest = ANY($1)`, [[digest('garbage 0'), digest('garbage 1')]]);
    stored.delete(digest('garbage 1'));
    const killed = new Promise<boolean>(() => undefined);
    const abandoned = collect({ removeBytes: (blob) => (blob === digest('garbage 0') ? Promise.resolve(stored.delete(blob)) : Promise.race([killed, new Promise<boolean>((_, reject) => setTimeout(() => reject(new Error('killed')), 200))])) });
    expect((await abandoned).failed).toBe(4);
    expect(await collect()).toMatchObject({ blobs: 4, bytes: 27, absent: 1, failed: 0 });
    expect([...stored.keys()].sort()).toEqual((await fixture.database.query<{ digest: Digest }>('SELECT digest FROM blob ORDER BY digest')).map((row) => row.digest).filter((blob) => stored.has(blob)));
    expect(stored.has(digest('kept'))).toBe(true);
  });

  test('by several at once removes each blob once', async () => {
    for (let index = 0; index < 20; index += 1) await fixture.blob('alpha/a', `garbage ${index}`);
    await store();
    await wait(GRACE + 60);
    await collect();
    await wait(GRACE + 60);
    const removed: Digest[] = [];
    const removeBytes = async (blob: Digest): Promise<boolean> => {
      removed.push(blob);
      await new Promise((resolve) => setTimeout(resolve, 5));
      return stored.delete(blob);
    };
    const results = await Promise.all([collect({ removeBytes }), collect({ removeBytes }), collect({ removeBytes })]);
    expect(removed).toHaveLength(20);
    expect(results.reduce((sum, result) => sum + result.blobs, 0)).toBe(20);
    expect(stored.size).toBe(0);
  });

  test('N-05: never takes a blob from a push that runs beside it', async () => {
    for (let round = 0; round < 10; round += 1) {
      const content = `round ${round}`;
      await fixture.blob('alpha/a', content);
      await fixture.catalog.removeBlob('alpha/a', digest(content));
      await store();
      await wait(GRACE + 60);
      const outcomes = await Promise.allSettled([
        fixture.catalog.claimBlob(digest(content)).then(() => {
          stored.set(digest(content), content.length);
          return fixture.blob('alpha/b', content);
        }),
        collect(),
      ]);
      const pushed = outcomes[0].status === 'fulfilled';
      expect(refusals(outcomes)).toEqual(pushed ? [] : ['blob-deleting']);
      expect([(await fixture.catalog.findBlob('alpha/b', digest(content))) !== undefined, stored.has(digest(content))]).toEqual([pushed, pushed]);
    }
  });

  test('stops between two steps when it is told to', async () => {
    for (let index = 0; index < 5; index += 1) await fixture.blob('alpha/a', `garbage ${index}`);
    await wait(GRACE + 60);
    expect(await collect({ signal: AbortSignal.abort() })).toEqual(nothing);
    expect((await collect()).unlinked).toBe(5);
  });

  test('finds the bytes of what was refused', async () => {
    await fixture.limit(10);
    await expect(fixture.blob('alpha/a', 'more than ten bytes')).rejects.toMatchObject({ code: 'quota-exceeded' });
    await store();
    await wait(GRACE + 60);
    expect(await collect()).toMatchObject({ blobs: 1, bytes: 19 });
  });

  test('looks at garbage only, however many links, blobs and tags there are', async () => {
    await fixture.image('alpha/a', ['layer'], ['1']);
    await wait(GRACE + 60);
    await collect();
    await fixture.database.execute(`INSERT INTO blob (digest, size, used_at) SELECT 'sha256:' || i, 1, now() - interval '1 day' FROM generate_series(1, 20000) AS i`);
    await fixture.database.execute(`INSERT INTO repository_blob (repository_id, digest, created_at)
      SELECT (SELECT id FROM repository LIMIT 1), 'sha256:' || i, now() - interval '2 days' FROM generate_series(1, 20000) AS i`);
    await fixture.database.execute(`INSERT INTO tag (repository_id, name, manifest_id) SELECT repository_id, 't' || i, id FROM manifest, generate_series(1, 20000) AS i`);
    await fixture.database.execute(`UPDATE garbage_progress SET links_checked_until = now() - interval '1 day'`);
    for (const table of ['blob', 'repository_blob', 'tag']) await fixture.database.execute(`ANALYZE ${table}`);
    // One statement after the other runs on one connection, whose counts of rows this makes known.
    const touched = async (): Promise<number> => {
      await fixture.database.query('SELECT pg_stat_force_next_flush()');
      const [row] = await fixture.database.query<{ rows: string }>(
        `SELECT sum(seq_tup_read + idx_tup_fetch) AS rows FROM pg_stat_user_tables WHERE relname IN ('blob', 'repository_blob', 'tag', 'manifest_blob', 'manifest')`);
      return Number(row?.rows);
    };
    const before = await touched();
    await collect();
    const during = (await touched()) - before;
    await fixture.database.query('SELECT count(size) FROM blob');
    expect(during).toBeLessThan(1000);
    expect((await touched()) - before).toBeGreaterThan(20_000);
  });
});
