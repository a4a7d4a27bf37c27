import type { Digest } from '@haven/oci';
import type { Queryable, Transaction } from '@haven/database';

/**
 * Whether a live manifest of a repository is this blob or names it: then, and only then, the repository must keep it.
 *
 * The answer holds in the statement that asks. For it to hold until a commit, whoever names a blob locks its link FOR KEY
 * SHARE, and whoever unlinks holds the repository's row (changeRepository), locks the links FOR UPDATE, and asks once more
 * in a statement of its own, which sees what committed while the locks were waited for.
 *
 * Of the manifests that name a blob, the newest are looked at first (an index has equal entries in the order of their rows,
 * and a range, unlike an equation, makes it be read from its end): those that were deleted are mostly the oldest, so a layer
 * that thousands of images share does not cost more with each of them that goes into the bin.
 */
function isNamed(repositoryId: string, digest: string): string {
  return `(EXISTS (SELECT 1 FROM manifest own WHERE own.repository_id = ${repositoryId} AND own.digest = ${digest} AND own.deleted_at IS NULL)
    OR (SELECT true FROM manifest_blob mb JOIN manifest naming ON naming.id = mb.manifest_id
        WHERE mb.digest = ${digest} AND mb.repository_id BETWEEN ${repositoryId} AND ${repositoryId} AND naming.deleted_at IS NULL
        ORDER BY mb.repository_id DESC LIMIT 1) IS TRUE)`;
}

/** A push that began before an artifact was deleted may still rely on its blobs for this long. */
const RECALL = '1 hour';

/** Lets a repository serve these blobs. Rejects with SQLSTATE HVQ01 when its project has no room for them. */
export async function linkBlobs(transaction: Transaction, repositoryId: string, digests: readonly string[]): Promise<void> {
  await transaction.execute(
    `INSERT INTO repository_blob (repository_id, digest) SELECT $1, digest FROM unnest($2::text[]) AS wanted (digest) ORDER BY digest ON CONFLICT DO NOTHING`,
    [repositoryId, digests],
  );
}

/**
 * Notes what of the content that these manifests name their repository does not hold, before its links go: neither a restore
 * nor a push may take that for something that was there.
 */
export async function noteAbsent(transaction: Transaction, repositoryId: string, manifestIds: readonly string[]): Promise<void> {
  await transaction.execute(
    `UPDATE manifest_blob mb SET absent = NOT mb.absent WHERE mb.manifest_id = ANY($2::bigint[])
       AND mb.absent = EXISTS (SELECT 1 FROM repository_blob rb WHERE rb.repository_id = $1 AND rb.digest = mb.digest)`,
    [repositoryId, manifestIds],
  );
}

/** Takes out of a repository what these manifests, which are deleted by now, were or named, and no live one names. */
export async function unlinkContentOf(transaction: Transaction, repositoryId: string, manifestIds: readonly string[]): Promise<void> {
  const rows = await transaction.query<{ digest: string }>(
    `SELECT rb.digest FROM repository_blob rb
     WHERE rb.repository_id = $1 AND NOT ${isNamed('rb.repository_id', 'rb.digest')} AND rb.digest IN (
       SELECT digest FROM manifest WHERE id = ANY($2::bigint[]) UNION ALL SELECT digest FROM manifest_blob WHERE manifest_id = ANY($2::bigint[]))
     ORDER BY rb.digest FOR UPDATE`,
    [repositoryId, manifestIds],
  );
  const digests = rows.map((row) => row.digest);
  // Also what a push brought since noteAbsent looked: its link is locked only now.
  if (digests.length > 0) await transaction.execute('UPDATE manifest_blob SET absent = false WHERE manifest_id = ANY($1::bigint[]) AND digest = ANY($2) AND absent', [manifestIds, digests]);
  await unlinkUnnamed(transaction, repositoryId, digests);
}

/**
 * Takes out of a repository those of these blobs that no live manifest names and nobody has used for a while; an upload
 * whose manifest is still to come is in use. Those that were used are looked at again when they are as old again.
 * Resolves to how many went.
 */
export async function unlinkUnused(transaction: Transaction, repositoryId: string, digests: readonly string[], graceSeconds: number): Promise<number> {
  const rows = await transaction.query<{ digest: string; used: boolean }>(
    `SELECT rb.digest, b.used_at > now() - make_interval(secs => $3) AS used FROM repository_blob rb JOIN blob b ON b.digest = rb.digest
     WHERE rb.repository_id = $1 AND rb.digest = ANY($2) ORDER BY rb.digest FOR UPDATE OF rb FOR NO KEY UPDATE OF b`,
    [repositoryId, digests, graceSeconds],
  );
  const used = rows.filter((row) => row.used).map((row) => row.digest);
  if (used.length > 0) await transaction.execute('UPDATE repository_blob SET created_at = now() WHERE repository_id = $1 AND digest = ANY($2)', [repositoryId, used]);
  return unlinkUnnamed(transaction, repositoryId, rows.filter((row) => !row.used).map((row) => row.digest));
}

/** Which of the links that were made in a span of time, from after `from` to `to`, no live manifest names just now. */
export async function unnamedLinks(database: Queryable, from: string, to: string): Promise<{ readonly repositoryId: string; readonly digest: string }[]> {
  const rows = await database.query<{ repository_id: string; digest: string }>(
    `SELECT rb.repository_id, rb.digest FROM repository_blob rb
     WHERE rb.created_at > $1::timestamptz AND rb.created_at <= $2::timestamptz AND NOT ${isNamed('rb.repository_id', 'rb.digest')}
     ORDER BY rb.repository_id, rb.digest`,
    [from, to],
  );
  return rows.map((row) => ({ repositoryId: row.repository_id, digest: row.digest }));
}

/** The links are locked. */
async function unlinkUnnamed(transaction: Transaction, repositoryId: string, digests: readonly string[]): Promise<number> {
  if (digests.length === 0) return 0;
  return transaction.execute(
    `DELETE FROM repository_blob rb WHERE rb.repository_id = $1 AND rb.digest = ANY($2) AND NOT ${isNamed('rb.repository_id', 'rb.digest')}`,
    [repositoryId, digests],
  );
}

export interface RecalledBlob {
  readonly digest: Digest;
  readonly size: number;
}

/**
 * Links blobs again that an artifact took along when it was deleted a moment ago. A client that was told "exists" before
 * does not upload them, and it is nothing that it could know of: without this its push would fail, and so would that of
 * everybody who shares layers with an artifact that retention deletes meanwhile. It gives no access: the repository held
 * them within the hour. What is itself a manifest stays gone; it must be pushed to live again.
 * Resolves to those that the repository holds now.
 */
export async function recallBlobs(transaction: Transaction, repositoryId: string, digests: readonly string[]): Promise<RecalledBlob[]> {
  // Nothing is unlinked from the repository until the transaction ends.
  await transaction.query('SELECT id FROM repository WHERE id = $1 FOR NO KEY UPDATE', [repositoryId]);
  const rows = await transaction.query<{ digest: Digest; size: string }>(
    `SELECT b.digest, b.size FROM blob b WHERE b.digest = ANY($2) AND b.state = 'present' AND (
       EXISTS (SELECT 1 FROM repository_blob rb WHERE rb.repository_id = $1 AND rb.digest = b.digest) OR ${wasNamed('$1', 'b.digest')})
     ORDER BY b.digest FOR KEY SHARE`,
    [repositoryId, digests],
  );
  if (rows.length > 0) await linkBlobs(transaction, repositoryId, rows.map((row) => row.digest));
  return rows.map((row) => ({ digest: row.digest, size: Number(row.size) }));
}

/** The size of a blob that recallBlobs would link again. */
export async function findRecallable(database: Queryable, repository: string, digest: Digest): Promise<number | undefined> {
  const [row] = await database.query<{ size: string }>(
    `SELECT b.size FROM repository r JOIN blob b ON b.digest = $2 AND b.state = 'present'
     WHERE r.name = $1 AND r.deleted_at IS NULL AND ${wasNamed('r.id', 'b.digest')}`,
    [repository, digest],
  );
  return row && Number(row.size);
}

function wasNamed(repositoryId: string, digest: string): string {
  return `(EXISTS (SELECT 1 FROM manifest_blob mb JOIN manifest m ON m.id = mb.manifest_id
           WHERE mb.digest = ${digest} AND mb.repository_id = ${repositoryId} AND NOT mb.absent AND m.deleted_at > now() - interval '${RECALL}')
    AND NOT EXISTS (SELECT 1 FROM manifest own WHERE own.repository_id = ${repositoryId} AND own.digest = ${digest}))`;
}
