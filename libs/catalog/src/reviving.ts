import type { NewEvent, Transaction } from '@haven/database';
import { takeOutOfBin } from './bin-entries.js';
import { linkBlobs } from './blob-links.js';
import { CatalogError } from './catalog-error.js';
import type { Repository } from './repositories.js';

interface ManifestRow {
  readonly id: string;
  readonly digest: string;
}

/**
 * Brings those of these manifests that are deleted back to life, with the deleted manifests that they name, and lets the
 * repository, which the caller holds (changeRepository), serve their blobs again. Resolves to those that were deleted.
 * Rejects with 'restore-conflict' when content is gone, or when storage has lost something that one of these manifests needs,
 * deleted or live; or with SQLSTATE HVQ01 when the project has no room for it.
 */
export async function reviveManifests(transaction: Transaction, repository: Repository, manifestIds: readonly string[]): Promise<ManifestRow[]> {
  const manifests = await lockDeleted(transaction, repository.id, manifestIds);
  if (manifests.length > 0) await revive(transaction, repository, manifests);
  await requireNothingLost(transaction, repository, manifestIds);
  return manifests;
}

/**
 * Links what the repository held when they were deleted, and nothing else that they name: a sparse manifest opens nothing.
 * What is lost is linked, too: whether it may be so is asked at the end, of all that is needed.
 */
async function revive(transaction: Transaction, repository: Repository, manifests: readonly ManifestRow[]): Promise<void> {
  const ids = manifests.map((manifest) => manifest.id);
  const own = new Set(manifests.map((manifest) => manifest.digest));
  const named = await transaction.query<{ digest: string; absent: boolean }>(
    `SELECT digest, bool_and(absent) AND NOT EXISTS (SELECT 1 FROM repository_blob rb WHERE rb.repository_id = $2 AND rb.digest = mb.digest) AS absent
     FROM manifest_blob mb WHERE manifest_id = ANY($1::bigint[]) GROUP BY digest`, [ids, repository.id]);
  const wanted = [...new Set([...own, ...named.map((row) => row.digest)])];
  const absent = new Set(named.filter((row) => row.absent && !own.has(row.digest)).map((row) => row.digest));
  const blobs = await transaction.query<{ digest: string }>(
    `SELECT digest FROM blob WHERE digest = ANY($1) AND state <> 'deleting' ORDER BY digest FOR KEY SHARE`, [wanted.filter((digest) => !absent.has(digest))]);
  const held = new Set(blobs.map((row) => row.digest));
  const gone = wanted.filter((digest) => !held.has(digest));
  if (gone.some((digest) => own.has(digest)) || (gone.length > 0 && !(await allowsSparseManifests(transaction, repository.projectId)))) {
    throw new CatalogError('restore-conflict', `content of it was removed from ${repository.name} for good, or was never there`, gone);
  }
  await linkBlobs(transaction, repository.id, [...held]);
  await transaction.execute('UPDATE manifest SET deleted_at = NULL WHERE id = ANY($1::bigint[])', [ids]);
  await takeOutOfBin(transaction, ids);
}

/**
 * Refuses live manifests of which storage has lost something that the repository holds, be it of a manifest that they name.
 * Also in projects that allow sparse manifests: those leave out what they please, and this is not left out by anybody.
 */
async function requireNothingLost(transaction: Transaction, repository: Repository, manifestIds: readonly string[]): Promise<void> {
  const lost = await transaction.query<{ digest: string }>(
    `WITH RECURSIVE needed AS (
       SELECT id, digest FROM manifest WHERE id = ANY($2::bigint[])
       UNION
       SELECT m.id, m.digest FROM needed parent JOIN manifest_reference ref ON ref.parent_id = parent.id
       JOIN manifest m ON m.repository_id = $1 AND m.digest = ref.child_digest)
     SELECT digest FROM (SELECT digest FROM needed UNION SELECT mb.digest FROM manifest_blob mb JOIN needed ON needed.id = mb.manifest_id) AS content
     WHERE (SELECT state FROM blob WHERE blob.digest = content.digest) = 'lost'
       AND EXISTS (SELECT 1 FROM repository_blob rb WHERE rb.repository_id = $1 AND rb.digest = content.digest) ORDER BY digest`,
    [repository.id, manifestIds],
  );
  if (lost.length > 0) throw new CatalogError('restore-conflict', 'storage has lost content of it; push that again first', lost.map((row) => row.digest));
}

export function artifactRestored(repository: Repository, digest: string, actor: string): NewEvent {
  return { type: 'artifact.restored', payload: { project: repository.projectId, repository: repository.name, digest }, actor };
}

async function lockDeleted(transaction: Transaction, repositoryId: string, manifestIds: readonly string[]): Promise<ManifestRow[]> {
  const rows = await transaction.query<ManifestRow>(
    `WITH RECURSIVE returning_ AS (
       SELECT id FROM manifest WHERE id = ANY($2::bigint[]) AND repository_id = $1 AND deleted_at IS NOT NULL
       UNION
       SELECT m.id FROM returning_ parent JOIN manifest_reference ref ON ref.parent_id = parent.id
       JOIN manifest m ON m.repository_id = $1 AND m.digest = ref.child_digest AND m.deleted_at IS NOT NULL)
     SELECT id FROM returning_`,
    [repositoryId, manifestIds],
  );
  return transaction.query<ManifestRow>(
    'SELECT id, digest FROM manifest WHERE id = ANY($1::bigint[]) AND deleted_at IS NOT NULL ORDER BY digest FOR UPDATE', [rows.map((row) => row.id)]);
}

async function allowsSparseManifests(transaction: Transaction, projectId: number): Promise<boolean> {
  const [row] = await transaction.query<{ sparse: boolean }>(
    `SELECT coalesce(metadata->>'allow_sparse_manifests', 'false') = 'true' AS sparse FROM project WHERE id = $1`, [projectId]);
  return row?.sparse ?? false;
}
