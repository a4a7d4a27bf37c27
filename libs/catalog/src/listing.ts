import type { Digest } from '@haven/oci';
import { appendEvents, type Database, type NewEvent, type Queryable } from '@haven/database';
import { isLost } from './lost.js';

export interface Referrer {
  readonly digest: Digest;
  readonly mediaType: string;
  readonly artifactType: string;
  readonly size: number;
  readonly annotations?: Record<string, string>;
}

export interface ReferrerQuery {
  readonly subject: Digest;
  /** Only referrers of this artifact type. */
  readonly artifactType?: string;
  /** Only digests after this one; '' starts at the beginning. */
  readonly last: string;
  readonly limit: number;
}

export interface Pull {
  readonly repositoryId: string;
  readonly digest: string;
  /** Set when pulled by tag. */
  readonly tag?: string;
  readonly count: number;
  /** Undefined leaves the "last pulled" times as they are. */
  readonly at: Date | undefined;
}

/**
 * Manifests of the repository whose subject is the given digest (OCI Distribution 1.1, "Listing Referrers"); none whose bytes
 * are lost, so that whoever looks before signing puts the signature again.
 */
export async function listReferrers(database: Queryable, repositoryId: string, wanted: ReferrerQuery): Promise<Referrer[]> {
  const rows = await database.query<{ digest: Digest; media_type: string; artifact_type: string; size: string; annotations: Record<string, string> | null }>(
    `SELECT digest, media_type, artifact_type, size, annotations FROM manifest
     WHERE repository_id = $1 AND subject_digest = $2 AND deleted_at IS NULL AND digest > $3
       AND NOT ${isLost('manifest.digest')} AND ($4::text IS NULL OR artifact_type = $4)
     ORDER BY digest LIMIT $5`,
    [repositoryId, wanted.subject, wanted.last, wanted.artifactType ?? null, wanted.limit],
  );
  return rows.map((row) => ({
    digest: row.digest,
    mediaType: row.media_type,
    artifactType: row.artifact_type,
    size: Number(row.size),
    ...(row.annotations ? { annotations: row.annotations } : {}),
  }));
}

/** At most `limit` names after `last`, in byte order, of repositories that hold a tag. */
export async function listRepositories(database: Queryable, last: string, limit: number): Promise<string[]> {
  const rows = await database.query<{ name: string }>(
    `SELECT r.name FROM repository r JOIN project p ON p.id = r.project_id
     WHERE r.name > $1 AND r.deleted_at IS NULL AND p.deleted_at IS NULL
       AND EXISTS (SELECT 1 FROM tag t WHERE t.repository_id = r.id)
     ORDER BY r.name LIMIT $2`,
    [last, limit],
  );
  return rows.map((row) => row.name);
}

/**
 * Adds a batch of pulls to the counters and "last pulled" times, and tells of them with these events; a tag or artifact
 * that is gone by now is passed over.
 */
export async function recordPulls(database: Database, pulls: readonly Pull[], events: readonly NewEvent[] = []): Promise<void> {
  if (pulls.length === 0) return;
  const columns = [pulls.map((pull) => pull.repositoryId), pulls.map((pull) => pull.digest), pulls.map((pull) => pull.tag ?? ''), pulls.map((pull) => pull.count), pulls.map((pull) => pull.at)];
  const batch = `(SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[], $4::bigint[], $5::timestamptz[]) AS pull (repository_id, digest, tag, count, at))`;
  await database.transaction(async (transaction) => {
    await transaction.execute(
      `UPDATE repository r SET pull_count = r.pull_count + pulled.count FROM (
         SELECT repository_id, sum(count) AS count FROM ${batch} AS batch GROUP BY repository_id ORDER BY repository_id) AS pulled
       WHERE r.id = pulled.repository_id AND pulled.count > 0`,
      columns,
    );
    await transaction.execute(
      `UPDATE manifest m SET pulled_at = greatest(m.pulled_at, pulled.at) FROM (
         SELECT repository_id, digest, max(at) AS at FROM ${batch} AS batch GROUP BY repository_id, digest) AS pulled
       WHERE m.repository_id = pulled.repository_id AND m.digest = pulled.digest AND pulled.at IS NOT NULL`,
      columns,
    );
    await transaction.execute(
      `UPDATE tag t SET pulled_at = greatest(t.pulled_at, pulled.at) FROM (
         SELECT repository_id, tag, max(at) AS at FROM ${batch} AS batch WHERE tag <> '' GROUP BY repository_id, tag) AS pulled
       WHERE t.repository_id = pulled.repository_id AND t.name = pulled.tag AND pulled.at IS NOT NULL`,
      columns,
    );
    await appendEvents(transaction, events);
  });
}
