import type { Page } from '@haven/api';
import { databaseFault, appendEvents, type Database, type NewEvent, type Queryable, type Transaction } from '@haven/database';
import { versionKey } from '@haven/oci';
import type { BinKind, BinnedTag } from './bin-entries.js';
import { CatalogError } from './catalog-error.js';
import { selectPage, type PageWanted } from './page.js';
import type { Repository } from './repositories.js';
import { artifactRestored, reviveManifests } from './reviving.js';
import { tagEvent } from './tags.js';

export interface BinQuery extends PageWanted {
  readonly projectId: number;
  readonly kind?: BinKind | undefined;
  /** With its project. */
  readonly repository?: string | undefined;
}

/** One deletion that can still be undone. */
export interface BinEntry {
  readonly id: string;
  readonly kind: BinKind;
  readonly repository: string;
  /** Of a deleted tag. */
  readonly tag?: string;
  /** What the tag named, or the deleted artifact. */
  readonly digest?: string;
  /** The first hundred of the tags that went. */
  readonly tags: readonly BinnedTag[];
  readonly tagCount: number;
  /** Artifacts that come back with it, or the one that the tag named. */
  readonly artifactCount: number;
  readonly deletedBy: string;
  readonly deletedAt: Date;
}

interface BinEntryRow {
  readonly id: string;
  readonly kind: BinKind;
  readonly repository: string;
  readonly tag: string | null;
  readonly digest: string | null;
  readonly tags: readonly BinnedTag[];
  readonly tag_count: number;
  readonly artifact_count: number;
  readonly deleted_by: string;
  readonly deleted_at: Date;
}

const FIELDS = `e.id, e.kind, e.repository, e.tag, e.digest, jsonb_path_query_array(e.tags, '$[0 to 99]') AS tags, jsonb_array_length(e.tags) AS tag_count,
  (SELECT count(*)::int FROM bin_manifest bm WHERE bm.entry_id = e.id) AS artifact_count, e.deleted_by, e.deleted_at`;

/** What was deleted in a project, newest first. */
export async function listBin(database: Queryable, wanted: BinQuery): Promise<Page<BinEntry>> {
  const { rows, total } = await selectPage<BinEntryRow>(database, {
    fields: FIELDS,
    from: 'bin_entry e WHERE e.project_id = $1 AND ($2::text IS NULL OR e.kind = $2) AND ($3::text IS NULL OR e.repository = $3)',
    order: 'e.deleted_at DESC, e.id DESC',
    parameters: [wanted.projectId, wanted.kind ?? null, wanted.repository ?? null],
  }, wanted);
  return { items: rows.map(entryOf), total };
}

/** What came back, and what did not. */
export interface Restored {
  readonly kind: BinKind;
  readonly repository: string;
  /** The artifacts that were deleted and live again. */
  readonly digests: readonly string[];
  readonly tags: readonly string[];
  /** Tags that have been made anew since and go on naming `digest`. */
  readonly kept: readonly { readonly tag: string; readonly digest: string }[];
}

interface EntryToRestore {
  readonly id: string;
  readonly kind: BinKind;
  readonly repository_id: string;
  readonly digest: string | null;
  readonly tags: readonly BinnedTag[];
}

/**
 * Undoes a deletion: artifacts with their accessories, tags, or a repository with all of them. A tag that exists again
 * keeps its new meaning; a deleted tag whose name is taken stays in the bin. Rejects with 'bin-entry-unknown',
 * 'quota-exceeded', or 'restore-conflict' when the repository's name is taken, the repository itself is in the bin, or
 * content is gone or lost.
 */
export async function restore(database: Database, entryId: string, projectId: number, actor: string): Promise<Restored> {
  try {
    return await database.transaction((transaction) => restoreEntry(transaction, entryId, projectId, actor));
  } catch (error) {
    // A repository of that name was made at the same moment.
    if (databaseFault(error) === 'duplicate') throw new CatalogError('restore-conflict', 'there is a repository of that name again; delete it first');
    throw error;
  }
}

/** The name of the repository that an entry of the bin is about. */
export async function repositoryInBin(database: Queryable, entryId: string): Promise<string | undefined> {
  const [row] = await database.query<{ repository: string }>('SELECT repository FROM bin_entry WHERE id = $1', [entryId]);
  return row?.repository;
}

async function restoreEntry(transaction: Transaction, entryId: string, projectId: number, actor: string): Promise<Restored> {
  const [found] = await transaction.query<{ repository_id: string }>('SELECT repository_id FROM bin_entry WHERE id = $1 AND project_id = $2', [entryId, projectId]);
  // The repository is locked before the entry, as everywhere.
  const repository = found && (await lockRepository(transaction, found.repository_id));
  const [entry] = repository ? await transaction.query<EntryToRestore>('SELECT id, kind, repository_id, digest, tags FROM bin_entry WHERE id = $1 FOR UPDATE', [entryId]) : [];
  if (!repository || !entry) throw new CatalogError('bin-entry-unknown', 'there is nothing of that number in the bin');
  if (entry.kind === 'repository') await reviveRepository(transaction, repository);
  if (entry.kind !== 'repository' && repository.deleted) throw new CatalogError('restore-conflict', `the repository ${repository.name} is in the bin; restore that first`);
  if (entry.kind === 'tag') {
    const kept = await otherMeanings(transaction, repository, entry.tags);
    if (kept.length > 0) return { kind: entry.kind, repository: repository.name, digests: [], tags: [], kept };
  }
  const manifests = await transaction.query<{ manifest_id: string }>('SELECT manifest_id FROM bin_manifest WHERE entry_id = $1', [entry.id]);
  const revived = await reviveManifests(transaction, repository, manifests.map((row) => row.manifest_id));
  const created = await restoreTags(transaction, repository, entry.tags, actor);
  const kept = created.length < entry.tags.length ? await otherMeanings(transaction, repository, entry.tags) : [];
  if (created.length < entry.tags.length) await requireNoneLost(transaction, repository, entry.tags);
  await transaction.execute('DELETE FROM bin_entry WHERE id = $1', [entry.id]);
  const tags = new Set(created);
  await appendEvents(transaction, [
    ...restoredEvents(entry, repository, revived.map((manifest) => manifest.digest), actor),
    ...entry.tags.filter((tag) => tags.has(tag.name)).map((tag) => tagEvent('tag.created', repository, tag.name, { digest: tag.digest }, actor)),
  ]);
  return { kind: entry.kind, repository: repository.name, digests: revived.map((manifest) => manifest.digest), tags: created, kept };
}

/** One event for the whole; when what was deleted lives again already, it tells of what came back of the rest. */
function restoredEvents(entry: EntryToRestore, repository: Repository, revived: readonly string[], actor: string): NewEvent[] {
  if (entry.kind === 'repository') return [{ type: 'repository.restored', payload: { project: repository.projectId, repository: repository.name }, actor }];
  const digest = revived.find((candidate) => candidate === entry.digest) ?? revived[0];
  return digest === undefined ? [] : [artifactRestored(repository, digest, actor)];
}

/** The repository of an entry, live or deleted, while its project lives. */
async function lockRepository(transaction: Transaction, id: string): Promise<(Repository & { readonly deleted: boolean }) | undefined> {
  const [row] = await transaction.query<{ id: string; project_id: number; name: string; deleted: boolean }>(
    `SELECT r.id, r.project_id, r.name, r.deleted_at IS NOT NULL AS deleted FROM repository r JOIN project p ON p.id = r.project_id
     WHERE r.id = $1 AND p.deleted_at IS NULL FOR NO KEY UPDATE OF r FOR KEY SHARE OF p`,
    [id],
  );
  return row && { id: row.id, projectId: row.project_id, name: row.name, deleted: row.deleted };
}

async function reviveRepository(transaction: Transaction, repository: Repository): Promise<void> {
  const [other] = await transaction.query('SELECT id FROM repository WHERE name = $1 AND deleted_at IS NULL', [repository.name]);
  if (other) throw new CatalogError('restore-conflict', `there is a repository ${repository.name} again; delete it first`);
  await transaction.execute('UPDATE repository SET deleted_at = NULL, updated_at = now() WHERE id = $1', [repository.id]);
}

async function restoreTags(transaction: Transaction, repository: Repository, tags: readonly BinnedTag[], actor: string): Promise<string[]> {
  const names = tags.map((tag) => tag.name);
  const created = await transaction.query<{ name: string }>(
    `WITH wanted AS (
       SELECT * FROM unnest($2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::timestamptz[]) AS wanted (name, digest, version_key, pushed_at, pulled_at)),
     created AS (
       INSERT INTO tag (repository_id, name, manifest_id, version_key, pushed_at, pulled_at)
       SELECT $1, w.name, m.id, w.version_key, w.pushed_at, w.pulled_at FROM wanted w
       JOIN manifest m ON m.repository_id = $1 AND m.digest = w.digest AND m.deleted_at IS NULL ORDER BY w.name
       ON CONFLICT (repository_id, name) DO NOTHING RETURNING name),
     recorded AS (
       INSERT INTO tag_event (repository_id, tag, kind, to_digest, actor)
       SELECT $1, w.name, 'restore', w.digest, $7 FROM created JOIN wanted w ON w.name = created.name)
     SELECT name FROM created`,
    [repository.id, names, tags.map((tag) => tag.digest), names.map(versionKey), tags.map((tag) => tag.pushedAt), tags.map((tag) => tag.pulledAt ?? null), actor],
  );
  return created.map((row) => row.name);
}

/** Which of these tags exist and name something else by now. */
async function otherMeanings(transaction: Transaction, repository: Repository, tags: readonly BinnedTag[]): Promise<{ tag: string; digest: string }[]> {
  const rows = await transaction.query<{ name: string; digest: string }>(
    'SELECT t.name, m.digest FROM tag t JOIN manifest m ON m.id = t.manifest_id WHERE t.repository_id = $1 AND t.name = ANY($2) ORDER BY t.name',
    [repository.id, tags.map((tag) => tag.name)],
  );
  const before = new Map(tags.map((tag) => [tag.name, tag.digest]));
  return rows.filter((row) => before.get(row.name) !== row.digest).map((row) => ({ tag: row.name, digest: row.digest }));
}

/** A tag that could not be made is there already, or its artifact was removed for good. */
async function requireNoneLost(transaction: Transaction, repository: Repository, tags: readonly BinnedTag[]): Promise<void> {
  const rows = await transaction.query<{ name: string }>('SELECT name FROM tag WHERE repository_id = $1 AND name = ANY($2)', [repository.id, tags.map((tag) => tag.name)]);
  const there = new Set(rows.map((row) => row.name));
  const lost = tags.filter((tag) => !there.has(tag.name));
  if (lost.length > 0) throw new CatalogError('restore-conflict', `what tag ${lost[0]?.name} named was removed for good`, lost.map((tag) => tag.digest));
}

function entryOf(row: BinEntryRow): BinEntry {
  return {
    id: row.id, kind: row.kind, repository: row.repository, tags: row.tags, tagCount: row.tag_count, artifactCount: row.artifact_count,
    deletedBy: row.deleted_by, deletedAt: row.deleted_at,
    ...(row.tag === null ? {} : { tag: row.tag }), ...(row.digest === null ? {} : { digest: row.digest }),
  };
}
