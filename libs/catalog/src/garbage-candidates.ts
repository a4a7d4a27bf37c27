import type { Digest } from '@haven/oci';
import type { Queryable, Transaction } from '@haven/database';

/** A blob that somebody gave up. */
export interface Candidate {
  readonly digest: Digest;
  /** As text, exact to the microsecond. */
  readonly unlinkedAt: string;
}

/** What is due and comes after `after`, in the order in which it was given up. */
export async function nextCandidates(database: Queryable, graceSeconds: number, after: Candidate | undefined, limit: number): Promise<Candidate[]> {
  const rows = await database.query<{ digest: Digest; unlinked_at: string }>(
    // Ordered by the column: a bare name would mean the text, which no index has.
    `SELECT u.digest, u.unlinked_at::text FROM unlinked_blob u
     WHERE u.unlinked_at < now() - make_interval(secs => $1) AND u.unlinked_at >= $2::timestamptz AND (u.unlinked_at, u.digest) > ($2::timestamptz, $3)
     ORDER BY u.unlinked_at, u.digest LIMIT $4`,
    [graceSeconds, after?.unlinkedAt ?? '-infinity', after?.digest ?? '', limit],
  );
  return rows.map((row) => ({ digest: row.digest, unlinkedAt: row.unlinked_at }));
}

/** Whether a repository holds the blob, or something in the bin is it or names it. */
export function isHeld(digest: string): string {
  return `(EXISTS (SELECT 1 FROM repository_blob rb WHERE rb.digest = ${digest})
    OR EXISTS (SELECT 1 FROM manifest m WHERE m.digest = ${digest} AND m.deleted_at IS NOT NULL)
    OR EXISTS (SELECT 1 FROM manifest_blob mb JOIN manifest m ON m.id = mb.manifest_id WHERE mb.digest = ${digest} AND m.deleted_at IS NOT NULL))`;
}

/**
 * Marks blobs as being deleted, unless something needs them. What a repository or the bin holds is no candidate any more:
 * whoever gives it up makes it one again. What was used a moment ago is looked at next time, and so is what somebody works
 * on at this very moment. Resolves to those that are marked.
 */
export async function markUnneeded(transaction: Transaction, candidates: readonly Candidate[], graceSeconds: number): Promise<Digest[]> {
  const digests = candidates.map((candidate) => candidate.digest);
  // From here on nobody can begin to rely on these; whoever did before has committed, which the next statement sees.
  const rows = await transaction.query<{ digest: Digest }>('SELECT digest FROM blob WHERE digest = ANY($1) ORDER BY digest FOR UPDATE SKIP LOCKED', [digests]);
  const locked = new Set(rows.map((row) => row.digest));
  const passedOver = digests.filter((digest) => !locked.has(digest));
  const marked = await transaction.query<{ digest: Digest }>(MARK_SQL, [[...locked], graceSeconds, digests, candidates.map(({ unlinkedAt }) => unlinkedAt), passedOver]);
  return marked.map((row) => row.digest);
}

/** Left as candidates: what was used, and what is locked. The rest is marked, held, being deleted, or no blob at all. */
const MARK_SQL = `WITH looked AS MATERIALIZED (
    SELECT b.digest, b.state <> 'deleting' AND NOT ${isHeld('b.digest')} AS unneeded, b.used_at > now() - make_interval(secs => $2) AS used
    FROM blob b WHERE b.digest = ANY($1)),
  marked AS (
    UPDATE blob b SET state = 'deleting' FROM looked WHERE b.digest = looked.digest AND looked.unneeded AND NOT looked.used RETURNING b.digest),
  settled AS (
    DELETE FROM unlinked_blob u USING unnest($3::text[], $4::timestamptz[]) AS candidate (digest, unlinked_at)
    WHERE u.digest = candidate.digest AND u.unlinked_at = candidate.unlinked_at AND candidate.digest <> ALL (ARRAY(
      SELECT looked.digest FROM looked WHERE looked.unneeded AND looked.used UNION ALL SELECT b.digest FROM blob b WHERE b.digest = ANY($5))))
  SELECT digest FROM marked ORDER BY digest`;
