import type { Digest } from '@haven/oci';
import type { Database, Queryable, Transaction } from '@haven/database';
import { linkBlobs } from './blob-links.js';
import { CatalogError } from './catalog-error.js';
import { changeRepository, openRepository, type RepositoryToOpen } from './repositories.js';

export interface BlobInRepository {
  readonly repositoryId: string;
  readonly size: number;
}

export interface BlobToAdd extends RepositoryToOpen {
  readonly digest: Digest;
  /** Bytes. */
  readonly size: number;
  /** The upload session that brought it, forgotten in the same transaction. */
  readonly upload?: string;
}

export interface BlobToMount extends RepositoryToOpen {
  readonly digest: Digest;
  /**
   * The repository to mount from, which the caller may pull from. Without it any repository of the same project will
   * do: roles are held on projects, so whoever may pull from one of its repositories may pull from all.
   */
  readonly from?: string;
}

/** A blob used within this time is refreshed no further; garbage collection's grace window is a multiple of it. */
const USE_REFRESH = '10 minutes';

/** Whether `repository` may serve `digest`; a digest alone opens nothing. */
export async function findBlob(database: Queryable, repository: string, digest: Digest): Promise<BlobInRepository | undefined> {
  const [row] = await database.query<{ repository_id: string; size: string; stale: boolean }>(
    `SELECT rb.repository_id, b.size, b.used_at < now() - $3::interval AS stale
     FROM repository r JOIN project p ON p.id = r.project_id
     JOIN repository_blob rb ON rb.repository_id = r.id JOIN blob b ON b.digest = rb.digest
     WHERE r.name = $1 AND rb.digest = $2 AND r.deleted_at IS NULL AND p.deleted_at IS NULL AND b.state = 'present'`,
    [repository, digest, USE_REFRESH],
  );
  if (!row) return undefined;
  // A client that was told "exists" will not upload it: keep it from garbage collection until its manifest arrives. It may
  // have come to this very blob since the first look, so there is a second one.
  if (row.stale) return (await refreshed(database, digest)) ? findBlob(database, repository, digest) : undefined;
  return { repositoryId: row.repository_id, size: Number(row.size) };
}

/**
 * Marks a blob as just used, which keeps garbage collection away from it for the grace window. Must come before the
 * bytes are put in place: bytes stored after this call cannot be taken for the old ones and removed.
 * Resolves to false when there is no such blob yet, and rejects with 'blob-deleting' while it is being removed. A lost one
 * is claimed, too: its row is what the bytes that are to come belong to.
 */
export async function claimBlob(database: Queryable, digest: Digest): Promise<boolean> {
  const [row] = await database.query<{ state: string; stale: boolean }>(
    'SELECT state, used_at < now() - $2::interval AS stale FROM blob WHERE digest = $1',
    [digest, USE_REFRESH],
  );
  if (!row) return false;
  if (row.state === 'deleting') throw blobDeleting(digest);
  if (!row.stale) return true;
  const refreshed = await database.execute(
    `WITH relaxed AS (SELECT set_config('synchronous_commit', 'off', true))
     UPDATE blob SET used_at = now() FROM relaxed WHERE digest = $1 AND state <> 'deleting'`,
    [digest],
  );
  if (refreshed === 0) throw blobDeleting(digest);
  return true;
}

/** Makes stored bytes part of a repository, which is made on its first push. */
export async function addBlob(database: Database, blob: BlobToAdd): Promise<void> {
  if (await addToExisting(database, blob)) return;
  await database.transaction(async (transaction) => {
    const repository = await openRepository(transaction, blob);
    await recordBlob(transaction, blob.digest, blob.size);
    await linkBlobs(transaction, repository.id, [blob.digest]);
    if (blob.upload !== undefined) await transaction.execute('DELETE FROM upload WHERE id = $1', [blob.upload]);
  });
}

/**
 * The same in one statement, for a repository that exists. A blob that is not present is left to the slow way, which says
 * that it is being removed, or makes a lost one present; `claimBlob` came before, so none starts to be removed meanwhile.
 * The lock waits for whoever is just marking it as lost, and sees that it is (see loseBlob).
 */
async function addToExisting(database: Database, blob: BlobToAdd): Promise<boolean> {
  const rows = await database.query(
    `WITH held AS (SELECT digest FROM blob WHERE digest = $3 AND state = 'present' FOR KEY SHARE),
     target AS (
       SELECT r.id FROM repository r JOIN project p ON p.id = r.project_id
       WHERE r.name = $1 AND r.deleted_at IS NULL AND p.id = $2 AND p.deleted_at IS NULL
         AND (NOT EXISTS (SELECT 1 FROM blob WHERE digest = $3) OR EXISTS (SELECT 1 FROM held))
       FOR KEY SHARE OF r, p),
     recorded AS (INSERT INTO blob (digest, size) SELECT $3, $4 FROM target ON CONFLICT (digest) DO NOTHING),
     linked AS (INSERT INTO repository_blob (repository_id, digest) SELECT id, $3 FROM target ON CONFLICT DO NOTHING),
     finished AS (DELETE FROM upload WHERE id = $5 AND EXISTS (SELECT 1 FROM target))
     SELECT id FROM target`,
    [blob.repository, blob.projectId, blob.digest, blob.size, blob.upload ?? null],
  );
  return rows.length > 0;
}

/** Lets a repository serve a blob that another one holds; resolves to false when none does. */
export async function mountBlob(database: Database, mount: BlobToMount): Promise<boolean> {
  return database.transaction(async (transaction) => {
    const [held] = await transaction.query<{ digest: string }>(
      `SELECT b.digest FROM blob b
       WHERE b.digest = $1 AND b.state = 'present' AND EXISTS (
         SELECT 1 FROM repository_blob rb JOIN repository r ON r.id = rb.repository_id JOIN project p ON p.id = r.project_id
         WHERE rb.digest = b.digest AND r.deleted_at IS NULL AND p.deleted_at IS NULL
           AND CASE WHEN $2::text IS NULL THEN r.project_id = $3 ELSE r.name = $2 END)
       FOR KEY SHARE OF b`,
      [mount.digest, mount.from ?? null, mount.projectId],
    );
    if (!held) return false;
    const repository = await openRepository(transaction, mount);
    await transaction.execute('UPDATE blob SET used_at = now() WHERE digest = $1 AND used_at < now() - $2::interval', [mount.digest, USE_REFRESH]);
    await linkBlobs(transaction, repository.id, [mount.digest]);
    return true;
  });
}

/** Takes a blob out of a repository. Refused while one of its manifests names it; the bytes stay for garbage collection. */
export async function removeBlob(database: Database, repository: string, digest: Digest): Promise<void> {
  await database.transaction(async (transaction) => {
    const held = await changeRepository(transaction, repository);
    const [link] = held ? await transaction.query('SELECT digest FROM repository_blob WHERE repository_id = $1 AND digest = $2 FOR UPDATE', [held.id, digest]) : [];
    if (!held || !link) throw new CatalogError('blob-unknown', `${repository} holds no blob ${digest}`);
    const users = await transaction.query<{ digest: string }>(
      `SELECT m.digest FROM manifest_blob mb JOIN manifest m ON m.id = mb.manifest_id
       WHERE mb.digest = $1 AND mb.repository_id = $2 AND m.deleted_at IS NULL
       UNION ALL SELECT digest FROM manifest WHERE repository_id = $2 AND digest = $1 AND deleted_at IS NULL LIMIT 10`,
      [digest, held.id],
    );
    if (users.length > 0) throw new CatalogError('referenced', `manifests of ${repository} still need blob ${digest}`, users.map((user) => user.digest));
    await transaction.execute('DELETE FROM repository_blob WHERE repository_id = $1 AND digest = $2', [held.id, digest]);
  });
}

/** Writes the row of bytes that are durably stored, or keeps the one that is there from garbage collection. */
async function recordBlob(transaction: Transaction, digest: Digest, size: number): Promise<void> {
  const created = await transaction.execute('INSERT INTO blob (digest, size) VALUES ($1, $2) ON CONFLICT (digest) DO NOTHING', [digest, size]);
  if (created === 0) await keepStored(transaction, digest);
}

/**
 * Keeps a blob whose bytes were just put into storage from garbage collection. One that was lost is present again, in every
 * repository that holds it, and so are the artifacts that name it. Rejects with 'blob-deleting'.
 */
export async function keepStored(transaction: Transaction, digest: Digest): Promise<void> {
  const [held] = await transaction.query<{ state: string }>(`SELECT state FROM blob WHERE digest = $1 AND state <> 'deleting' FOR KEY SHARE`, [digest]);
  if (!held) throw blobDeleting(digest);
  if (held.state === 'lost') await healBlob(transaction, digest);
}

async function healBlob(database: Queryable, digest: Digest): Promise<void> {
  await database.execute(`UPDATE blob SET state = 'present', used_at = now() WHERE digest = $1 AND state = 'lost'`, [digest]);
}

/**
 * Bytes that are stored but whose blob was refused have no row, so nobody would ever find them: they get one, for garbage
 * collection. A blob that has a row is left as it is, but for one that was lost: its bytes are there again.
 */
export async function abandonBlob(database: Queryable, digest: Digest, size: number): Promise<void> {
  await database.execute(
    `WITH recorded AS (INSERT INTO blob (digest, size) VALUES ($1, $2) ON CONFLICT (digest) DO NOTHING RETURNING digest)
     INSERT INTO unlinked_blob (digest) SELECT digest FROM recorded ON CONFLICT (digest) DO UPDATE SET unlinked_at = clock_timestamp()`,
    [digest, size],
  );
  await healBlob(database, digest);
}

async function refreshed(database: Queryable, digest: Digest): Promise<boolean> {
  try {
    return await claimBlob(database, digest);
  } catch (error) {
    if (error instanceof CatalogError && error.code === 'blob-deleting') return false;
    throw error;
  }
}

export function blobDeleting(digest: Digest): CatalogError {
  return new CatalogError('blob-deleting', `blob ${digest} is being removed just now; upload it again in a moment`, [digest]);
}
