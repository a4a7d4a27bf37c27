import type { Database } from '@haven/database';
import { unlinkUnused, unnamedLinks } from './blob-links.js';
import { removeBlobs, type BlobsToRemove, type RemovedBlobs } from './garbage-blobs.js';

export interface GarbageToCollect extends BlobsToRemove {
  /** What was used within `graceSeconds` is left alone: a push may be relying on it. Entries that went into the bin before this moment are removed for good. */
  readonly binBefore: Date;
  /** Told what was given up, before the first blob goes. */
  readonly onGivenUp?: ((givenUp: GivenUp) => Promise<void>) | undefined;
}

export interface GivenUp {
  /** Uploads that no manifest came for, taken out of their repositories. */
  readonly unlinked: number;
  readonly purged: PurgedBin;
}

export interface CollectedGarbage extends RemovedBlobs, GivenUp {}

export interface PurgedBin {
  readonly entries: number;
  readonly manifests: number;
  readonly repositories: number;
}

const BATCH = 500;

/**
 * Removes what nobody needs, while pushes and pulls go on: uploads that no manifest names, what is in the bin for too
 * long, and then the bytes of blobs that no repository holds. It may be killed at any point and goes on from there the
 * next time. What it costs depends on how much was uploaded, unlinked and deleted since the last time, not on what there is.
 */
export async function collectGarbage(database: Database, wanted: GarbageToCollect): Promise<CollectedGarbage> {
  const unlinked = await unlinkAbandoned(database, wanted);
  const purged = await purgeAll(database, wanted);
  await wanted.onGivenUp?.({ unlinked, purged });
  const removed = await removeBlobs(database, wanted);
  return { unlinked, purged, ...removed };
}

/** Each link is looked at once, when it has the age of the grace time; those that are in use then are given up only by deletions. */
async function unlinkAbandoned(database: Database, { graceSeconds, signal }: GarbageToCollect): Promise<number> {
  let unlinked = 0;
  for (;;) {
    const span = signal?.aborted === true ? undefined : await nextSpan(database, graceSeconds);
    if (!span) return unlinked;
    for (const [repositoryId, digests] of byRepository(await unnamedLinks(database, span.from, span.to))) {
      unlinked += await database.transaction(async (transaction) => {
        await transaction.query('SELECT id FROM repository WHERE id = $1 FOR NO KEY UPDATE', [repositoryId]);
        return unlinkUnused(transaction, repositoryId, digests, graceSeconds);
      });
    }
    await database.execute('UPDATE garbage_progress SET links_checked_until = $1::timestamptz', [span.to]);
  }
}

interface Span {
  readonly from: string;
  readonly to: string;
}

/** The times, as text because they are exact to the microsecond, between which the next batch of links was made. */
async function nextSpan(database: Database, graceSeconds: number): Promise<Span | undefined> {
  const [row] = await database.query<{ from: string; to: string | null }>(
    `SELECT g.links_checked_until::text AS from, (
       SELECT max(created_at)::text FROM (
         SELECT created_at FROM repository_blob WHERE created_at > g.links_checked_until AND created_at < now() - make_interval(secs => $1)
         ORDER BY created_at LIMIT $2) AS batch) AS to
     FROM garbage_progress g`,
    [graceSeconds, BATCH],
  );
  return row?.to ? { from: row.from, to: row.to } : undefined;
}

function byRepository(links: readonly { readonly repositoryId: string; readonly digest: string }[]): Map<string, string[]> {
  const groups = new Map<string, string[]>();
  for (const { repositoryId, digest } of links) {
    const digests = groups.get(repositoryId);
    if (digests) digests.push(digest);
    else groups.set(repositoryId, [digest]);
  }
  return groups;
}

async function purgeAll(database: Database, { binBefore, signal }: GarbageToCollect): Promise<PurgedBin> {
  const total = { entries: 0, manifests: 0, repositories: 0 };
  for (;;) {
    const purged = await purgeBin(database, binBefore, BATCH);
    total.entries += purged.entries;
    total.manifests += purged.manifests;
    total.repositories += purged.repositories;
    if (Math.max(purged.entries, purged.manifests, purged.repositories) < BATCH || signal?.aborted === true) return total;
  }
}

/**
 * Removes at most `limit` entries that went into the bin before `before`, at most as many manifests that were deleted
 * before it and are in no entry, and repositories of which nothing is left. From then on nothing brings them back.
 */
export async function purgeBin(database: Database, before: Date, limit: number): Promise<PurgedBin> {
  const entries = await database.execute(
    `DELETE FROM bin_entry WHERE id IN (SELECT id FROM bin_entry WHERE deleted_at < $1 ORDER BY deleted_at LIMIT $2 FOR UPDATE SKIP LOCKED)`, [before, limit]);
  const manifests = await purgeManifests(database, before, limit);
  const repositories = await database.execute(
    `DELETE FROM repository WHERE id IN (
       SELECT id FROM repository r WHERE r.deleted_at < $1
         AND NOT EXISTS (SELECT 1 FROM manifest m WHERE m.repository_id = r.id) AND NOT EXISTS (SELECT 1 FROM bin_entry e WHERE e.repository_id = r.id)
       ORDER BY deleted_at LIMIT $2 FOR UPDATE SKIP LOCKED)`,
    [before, limit],
  );
  return { entries, manifests, repositories };
}

/** What they named may be garbage now: it is noted in the same transaction. */
async function purgeManifests(database: Database, before: Date, limit: number): Promise<number> {
  return database.transaction(async (transaction) => {
    const rows = await transaction.query<{ id: string }>(
      `SELECT m.id FROM manifest m WHERE m.deleted_at < $1 AND NOT EXISTS (SELECT 1 FROM bin_manifest bm WHERE bm.manifest_id = m.id)
       ORDER BY m.deleted_at, m.id LIMIT $2 FOR UPDATE SKIP LOCKED`,
      [before, limit],
    );
    if (rows.length === 0) return 0;
    const ids = rows.map((row) => row.id);
    await transaction.execute(
      `INSERT INTO unlinked_blob (digest)
       SELECT digest FROM manifest WHERE id = ANY($1::bigint[]) UNION SELECT digest FROM manifest_blob WHERE manifest_id = ANY($1::bigint[]) ORDER BY digest
       ON CONFLICT (digest) DO UPDATE SET unlinked_at = clock_timestamp()`,
      [ids],
    );
    return transaction.execute('DELETE FROM manifest WHERE id = ANY($1::bigint[])', [ids]);
  });
}
