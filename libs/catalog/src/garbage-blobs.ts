import type { Digest } from '@haven/oci';
import type { Database, Queryable } from '@haven/database';

export interface BlobsToRemove {
  readonly graceSeconds: number;
  readonly removeBytes: (digest: Digest) => Promise<boolean>;
  readonly onFailure: (digest: Digest, error: unknown) => void;
  readonly signal?: AbortSignal;
}

export interface RemovedBlobs {
  readonly blobs: number;
  /** Only what storage confirmed. */
  readonly bytes: number;
  /** Blobs that stay until the next time because something failed. */
  readonly failed: number;
}

interface Candidate {
  readonly digest: Digest;
  /** As text, exact to the microsecond. */
  readonly unlinkedAt: string;
}

const BATCH = 200;

/**
 * Removes the bytes and rows of blobs that no repository holds and nothing in the bin names. Each goes through three
 * commits: the row says 'deleting', the bytes go, the row goes. A kill in between leaves a row that says 'deleting';
 * those come first the next time. Whoever wants to push such a blob meanwhile is told to wait.
 */
export async function removeBlobs(database: Database, wanted: BlobsToRemove): Promise<RemovedBlobs> {
  const total = { blobs: 0, bytes: 0, failed: 0 };
  await removeMarked(database, wanted, total);
  let after: Candidate = { digest: '' as Digest, unlinkedAt: '-infinity' };
  while (wanted.signal?.aborted !== true) {
    const candidates = await nextCandidates(database, wanted.graceSeconds, after);
    for (const candidate of candidates) {
      if (await attempt(wanted, total, candidate.digest, () => markUnneeded(database, candidate, wanted.graceSeconds))) await removeOne(database, wanted, total, candidate.digest);
    }
    const last = candidates.at(-1);
    if (!last || candidates.length < BATCH) break;
    after = last;
  }
  return total;
}

/** What an earlier collection marked and did not finish. */
async function removeMarked(database: Database, wanted: BlobsToRemove, total: Totals): Promise<void> {
  for (let after = ''; wanted.signal?.aborted !== true;) {
    const rows = await database.query<{ digest: Digest }>(`SELECT digest FROM blob WHERE state = 'deleting' AND digest > $1 ORDER BY digest LIMIT $2`, [after, BATCH]);
    for (const { digest } of rows) await removeOne(database, wanted, total, digest);
    const last = rows.at(-1);
    if (!last) return;
    after = last.digest;
  }
}

async function nextCandidates(database: Queryable, graceSeconds: number, after: Candidate): Promise<Candidate[]> {
  const rows = await database.query<{ digest: Digest; unlinked_at: string }>(
    `SELECT digest, unlinked_at::text FROM unlinked_blob
     WHERE unlinked_at < now() - make_interval(secs => $1) AND unlinked_at >= $2::timestamptz AND (unlinked_at, digest) > ($2::timestamptz, $3)
     ORDER BY unlinked_at, digest LIMIT $4`,
    [graceSeconds, after.unlinkedAt, after.digest, BATCH],
  );
  return rows.map((row) => ({ digest: row.digest, unlinkedAt: row.unlinked_at }));
}

/**
 * Marks a blob as being deleted, unless something needs it. What a repository or the bin holds is no candidate any more:
 * whoever gives it up makes it one again. What was used a moment ago is looked at next time.
 */
async function markUnneeded(database: Database, candidate: Candidate, graceSeconds: number): Promise<boolean> {
  return database.transaction(async (transaction) => {
    // From here on nobody can begin to rely on it; whoever did before has committed, which the next statement sees.
    await transaction.query('SELECT digest FROM blob WHERE digest = $1 FOR UPDATE', [candidate.digest]);
    const [blob] = await transaction.query<{ held: boolean; used: boolean }>(
      `SELECT EXISTS (SELECT 1 FROM repository_blob rb WHERE rb.digest = b.digest)
           OR EXISTS (SELECT 1 FROM manifest m WHERE m.digest = b.digest AND m.deleted_at IS NOT NULL)
           OR EXISTS (SELECT 1 FROM manifest_blob mb JOIN manifest m ON m.id = mb.manifest_id WHERE mb.digest = b.digest AND m.deleted_at IS NOT NULL) AS held,
         b.used_at > now() - make_interval(secs => $2) AS used
       FROM blob b WHERE b.digest = $1 AND b.state = 'present'`,
      [candidate.digest, graceSeconds],
    );
    if (blob && !blob.held && blob.used) return false;
    if (blob && !blob.held) await transaction.execute(`UPDATE blob SET state = 'deleting' WHERE digest = $1`, [candidate.digest]);
    await transaction.execute('DELETE FROM unlinked_blob WHERE digest = $1 AND unlinked_at = $2::timestamptz', [candidate.digest, candidate.unlinkedAt]);
    return blob !== undefined && !blob.held;
  });
}

interface Totals {
  blobs: number;
  bytes: number;
  failed: number;
}

/**
 * The row stays locked while its bytes go, so that of several collectors one does it. Another one that came later could
 * otherwise remove the bytes that somebody uploaded after the row was gone. Pushes do not wait for the lock: they read 'deleting'.
 */
async function removeOne(database: Database, wanted: BlobsToRemove, total: Totals, digest: Digest): Promise<void> {
  await attempt(wanted, total, digest, async () => {
    const size = await database.transaction(async (transaction) => {
      const [row] = await transaction.query<{ size: string }>(`SELECT size FROM blob WHERE digest = $1 AND state = 'deleting' FOR UPDATE`, [digest]);
      if (!row) return undefined;
      const confirmed = await wanted.removeBytes(digest);
      await transaction.execute('DELETE FROM blob WHERE digest = $1', [digest]);
      return confirmed ? Number(row.size) : 0;
    });
    if (size === undefined) return false;
    total.blobs += 1;
    total.bytes += size;
    return true;
  });
}

/** One blob that cannot be removed must not keep the others. */
async function attempt(wanted: BlobsToRemove, total: Totals, digest: Digest, work: () => Promise<boolean>): Promise<boolean> {
  try {
    return await work();
  } catch (error) {
    total.failed += 1;
    wanted.onFailure(digest, error);
    return false;
  }
}
