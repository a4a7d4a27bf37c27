import type { Queryable } from '@haven/database';
import { CatalogError } from './catalog-error.js';

/** An upload session: who sends which blob into which repository, and how far it got. */
export interface Upload {
  readonly id: string;
  readonly repository: string;
  readonly projectId: number;
  /** Who started it, e.g. 'user:3'; nobody else may go on with it. */
  readonly subject: string;
  /** What the storage driver needs to go on; opaque here. */
  readonly state: object;
  /** Bytes received. */
  readonly received: number;
  /** Grows with every write; a writer that saw an older one loses. */
  readonly version: number;
  /** Bytes that its project could take when this was read; undefined where there is no limit. The exact check comes with the blob. */
  readonly room: number | undefined;
}

export type NewUpload = Omit<Upload, 'received' | 'version' | 'room'>;

export interface StaleUploads {
  readonly uploads: number;
  readonly bytes: number;
}

interface UploadRow {
  readonly id: string;
  readonly repository: string;
  readonly project_id: number;
  readonly subject: string;
  readonly state: object;
  readonly received: string;
  readonly version: number;
  readonly room: string | null;
}

const COLUMNS = 'id, repository, project_id, subject, state, received, version, project_room(project_id) AS room';

// A session lost with the last fraction of a second before a power cut is uploaded again; it need not wait for the disk.
const RELAXED = `WITH relaxed AS (SELECT set_config('synchronous_commit', 'off', true))`;

export async function createUpload(database: Queryable, upload: NewUpload): Promise<Upload> {
  const [row] = await database.query<Pick<UploadRow, 'room'>>(
    `${RELAXED} INSERT INTO upload (id, repository, project_id, subject, state)
     SELECT $1, $2, $3, $4, $5 FROM relaxed RETURNING project_room(project_id) AS room`,
    [upload.id, upload.repository, upload.projectId, upload.subject, JSON.stringify(upload.state)],
  );
  return { ...upload, received: 0, version: 0, room: roomOf(row?.room) };
}

export async function findUpload(database: Queryable, id: string): Promise<Upload | undefined> {
  const [row] = await database.query<UploadRow>(`SELECT ${COLUMNS} FROM upload WHERE id = $1`, [id]);
  return row && uploadOf(row);
}

/** The right to write to an upload; `contested` when an earlier writer never reported back and may still be writing. */
export interface UploadClaim {
  readonly upload: Upload;
  readonly contested: boolean;
}

/**
 * Reserves the upload for one writer, durably: a claim that a crash undid would let a second writer in beside the first.
 * Whoever claimed it before and has not saved yet has lost it; as that one may still
 * hold the file open, the new writer must continue on a copy when the claim is `contested`.
 * Rejects with 'upload-changed' when another request wrote since `upload` was read, 'upload-unknown' when it is gone.
 */
export async function claimUpload(database: Queryable, upload: Upload): Promise<UploadClaim> {
  const [row] = await database.query<{ contested: boolean }>(
    `WITH before AS (SELECT id, writing FROM upload WHERE id = $1)
     UPDATE upload SET version = version + 1, writing = true, updated_at = now() FROM before
     WHERE upload.id = before.id AND version = $2 RETURNING before.writing AS contested`,
    [upload.id, upload.version],
  );
  if (!row) throw await lostUpload(database, upload);
  return { upload: { ...upload, version: upload.version + 1 }, contested: row.contested };
}

/** Records how far the upload got; same errors as claimUpload. */
export async function saveUpload(database: Queryable, upload: Upload, state: object, received: number): Promise<Upload> {
  const rows = await database.execute(
    `${RELAXED} UPDATE upload SET state = $3, received = $4, version = version + 1, writing = false, updated_at = now()
     FROM relaxed WHERE id = $1 AND version = $2`,
    [upload.id, upload.version, JSON.stringify(state), received],
  );
  if (rows === 0) throw await lostUpload(database, upload);
  return { ...upload, state, received, version: upload.version + 1 };
}

/** Resolves to false when it was gone already. */
export async function forgetUpload(database: Queryable, id: string): Promise<boolean> {
  return (await database.execute('DELETE FROM upload WHERE id = $1', [id])) > 0;
}

/** Sessions nobody wrote to since `before`, oldest first. */
export async function staleUploads(database: Queryable, before: Date, limit: number): Promise<Upload[]> {
  const rows = await database.query<UploadRow>(
    `SELECT ${COLUMNS} FROM upload WHERE updated_at < $1 ORDER BY updated_at LIMIT $2`,
    [before, limit],
  );
  return rows.map(uploadOf);
}

/** How many sessions nobody wrote to since `before`, and the bytes that they received. */
export async function countStaleUploads(database: Queryable, before: Date): Promise<StaleUploads> {
  const [row] = await database.query<{ uploads: number; bytes: string }>('SELECT count(*)::int AS uploads, coalesce(sum(received), 0) AS bytes FROM upload WHERE updated_at < $1', [before]);
  return { uploads: row?.uploads ?? 0, bytes: Number(row?.bytes ?? 0) };
}

/** Of these storage states (by their id), those that an upload session still uses. */
export async function uploadsInStorage(database: Queryable, stateIds: readonly string[]): Promise<Set<string>> {
  const rows = await database.query<{ id: string }>(`SELECT state->>'id' AS id FROM upload WHERE state->>'id' = ANY($1)`, [stateIds]);
  return new Set(rows.map((row) => row.id));
}

async function lostUpload(database: Queryable, upload: Upload): Promise<CatalogError> {
  return (await findUpload(database, upload.id))
    ? new CatalogError('upload-changed', 'another request is writing to this upload; ask for its status and go on from there')
    : new CatalogError('upload-unknown', 'this upload was finished, cancelled or has expired; start a new one');
}

function uploadOf(row: UploadRow): Upload {
  return {
    id: row.id,
    repository: row.repository,
    projectId: row.project_id,
    subject: row.subject,
    state: row.state,
    received: Number(row.received),
    version: row.version,
    room: roomOf(row.room),
  };
}

function roomOf(bytes: string | null | undefined): number | undefined {
  return bytes === null || bytes === undefined ? undefined : Number(bytes);
}
