import { versionKey } from '@haven/oci';
import type { Database, NewEvent, Queryable, Transaction } from '@haven/database';
import { appendEvents } from '@haven/database';
import { putIntoBin } from './bin-entries.js';
import { CatalogError } from './catalog-error.js';
import { requireDeletable, requireMovable, rulesColumn, type Rules } from './immutability.js';
import { isLost } from './lost.js';
import { holdRepository, type Repository } from './repositories.js';

export interface TagTarget {
  readonly manifestId: string;
  readonly digest: string;
}

export interface TagToDelete {
  readonly repository: string;
  readonly tag: string;
  readonly actor: string;
}

export interface TagToCreate extends TagToDelete {
  /** What it names: a manifest of the repository. */
  readonly digest: string;
}

interface HeldTag {
  readonly id: string;
  readonly digest: string;
  readonly rules: Rules;
}

/**
 * Points `tag` at a manifest and writes its history. Resolves to the event when the tag was made or moved; pushing
 * what it already names only renews its push time. Rejects with 'immutable' when a rule protects the existing tag,
 * also when it names that manifest already. A new tag's history begins with `kind`.
 */
export async function pointTag(
  transaction: Transaction, repository: Repository, tag: string, target: TagTarget, actor: string, kind: 'create' | 'restore' = 'create',
): Promise<NewEvent[]> {
  if (await insertTag(transaction, repository.id, tag, target, actor, kind)) return [tagEvent('tag.created', repository, tag, { digest: target.digest }, actor)];
  const held = await lockTag(transaction, repository, tag);
  // Deleted between the two statements: it can be made now.
  if (!held) return pointTag(transaction, repository, tag, target, actor, kind);
  requireMovable(held.rules, repository.name, tag);
  await transaction.execute(
    `WITH moved AS (UPDATE tag SET manifest_id = $2, pushed_at = now() WHERE id = $1)
     INSERT INTO tag_event (repository_id, tag, kind, from_digest, to_digest, actor) SELECT $3, $4, 'move', $5, $6, $7 WHERE $5::text <> $6`,
    [held.id, target.manifestId, repository.id, tag, held.digest, target.digest, actor],
  );
  return held.digest === target.digest ? [] : [tagEvent('tag.moved', repository, tag, { from: held.digest, digest: target.digest }, actor)];
}

/** Gives a manifest a new tag. Rejects with 'repository-unknown', 'manifest-unknown', also when its bytes are lost, or 'tag-exists'. */
export async function createTag(database: Database, wanted: TagToCreate): Promise<void> {
  await database.transaction(async (transaction) => {
    const repository = await holdRepository(transaction, wanted.repository);
    const [manifest] = await transaction.query<{ id: string }>(
      `SELECT id FROM manifest WHERE repository_id = $1 AND digest = $2 AND deleted_at IS NULL AND NOT ${isLost('manifest.digest')} FOR KEY SHARE`, [repository.id, wanted.digest]);
    if (!manifest) throw new CatalogError('manifest-unknown', `${wanted.repository} holds no manifest ${wanted.digest}`);
    if (!(await insertTag(transaction, repository.id, wanted.tag, { manifestId: manifest.id, digest: wanted.digest }, wanted.actor, 'create'))) {
      throw new CatalogError('tag-exists', `${wanted.repository} has a tag ${wanted.tag} already`, [], { tags: [wanted.tag] });
    }
    await appendEvents(transaction, [tagEvent('tag.created', repository, wanted.tag, { digest: wanted.digest }, wanted.actor)]);
  });
}

/** Puts a tag into the bin; what it named stays. Rejects with 'tag-unknown' or 'immutable'. */
export async function deleteTag(database: Database, wanted: TagToDelete): Promise<void> {
  await database.transaction(async (transaction) => {
    const repository = await holdRepository(transaction, wanted.repository, 'tag-unknown');
    const [row] = await transaction.query<TagToDrop & { readonly manifest_id: string; readonly rules: Rules }>(
      `SELECT t.id, t.name, t.manifest_id, m.digest, t.pushed_at, t.pulled_at, ${rulesColumn('$3')} FROM tag t JOIN manifest m ON m.id = t.manifest_id
       WHERE t.repository_id = $1 AND t.name = $2 FOR UPDATE OF t`,
      [repository.id, wanted.tag, repository.projectId],
    );
    if (!row) throw new CatalogError('tag-unknown', `${wanted.repository} has no tag ${wanted.tag}`);
    requireDeletable(row.rules, repository.name, [row.name]);
    await putIntoBin(transaction, { kind: 'tag', repository, tag: row.name, digest: row.digest, tags: [row], manifestIds: [row.manifest_id], actor: wanted.actor });
    await appendEvents(transaction, await dropTags(transaction, repository, [row], wanted.actor));
  });
}

export interface TagToDrop {
  readonly id: string;
  readonly name: string;
  readonly digest: string;
  readonly pushed_at: Date;
  readonly pulled_at: Date | null;
}

/** Removes locked tag rows with their history; resolves to the events. */
export async function dropTags(transaction: Transaction, repository: Repository, tags: readonly TagToDrop[], actor: string): Promise<NewEvent[]> {
  if (tags.length === 0) return [];
  await transaction.execute('DELETE FROM tag WHERE id = ANY($1::bigint[])', [tags.map((tag) => tag.id)]);
  await transaction.execute(
    `INSERT INTO tag_event (repository_id, tag, kind, from_digest, actor)
     SELECT $1, name, 'delete', digest, $4 FROM unnest($2::text[], $3::text[]) AS dropped (name, digest)`,
    [repository.id, tags.map((tag) => tag.name), tags.map((tag) => tag.digest), actor],
  );
  return tags.map((tag) => tagEvent('tag.deleted', repository, tag.name, { digest: tag.digest }, actor));
}

/** At most `limit` tag names after `last` in byte order (OCI Distribution 1.1, "Listing Tags"). */
export async function listTags(database: Queryable, repositoryId: string, last: string, limit: number): Promise<string[]> {
  const rows = await database.query<{ name: string }>(
    'SELECT name FROM tag WHERE repository_id = $1 AND name > $2 ORDER BY name LIMIT $3',
    [repositoryId, last, limit],
  );
  return rows.map((row) => row.name);
}

async function lockTag(transaction: Transaction, repository: Repository, tag: string): Promise<HeldTag | undefined> {
  const [row] = await transaction.query<HeldTag>(
    `SELECT t.id, m.digest, ${rulesColumn('$3')} FROM tag t JOIN manifest m ON m.id = t.manifest_id
     WHERE t.repository_id = $1 AND t.name = $2 FOR UPDATE OF t`,
    [repository.id, tag, repository.projectId],
  );
  return row;
}

/**
 * Makes the tag with the first line of its history, unless there is one. When two pushes make the same tag at once the
 * second waits here for the first to commit.
 */
async function insertTag(transaction: Transaction, repositoryId: string, tag: string, target: TagTarget, actor: string, kind: 'create' | 'restore'): Promise<boolean> {
  const created = await transaction.execute(
    `WITH created AS (
       INSERT INTO tag (repository_id, name, manifest_id, version_key) VALUES ($1, $2, $3, $6) ON CONFLICT (repository_id, name) DO NOTHING RETURNING id)
     INSERT INTO tag_event (repository_id, tag, kind, to_digest, actor) SELECT $1, $2, $7, $4, $5 FROM created`,
    [repositoryId, tag, target.manifestId, target.digest, actor, versionKey(tag), kind],
  );
  return created > 0;
}

export function tagEvent(type: 'tag.created' | 'tag.moved' | 'tag.deleted', repository: Repository, tag: string, detail: object, actor: string): NewEvent {
  return { type, payload: { project: repository.projectId, repository: repository.name, tag, ...detail }, actor };
}
