import type { Database, NewEvent, Queryable, Transaction } from '@haven/database';
import { appendEvents } from '@haven/database';
import { CatalogError } from './catalog-error.js';
import type { Repository } from './repositories.js';

export interface TagTarget {
  readonly manifestId: string;
  readonly digest: string;
}

export interface TagToDelete {
  readonly repository: string;
  readonly tag: string;
  readonly actor: string;
}

interface HeldTag {
  readonly id: string;
  readonly digest: string;
}

/**
 * Points `tag` at a manifest and writes its history. Resolves to the event when the tag was made or moved; pushing
 * what it already names only renews its push time.
 */
export async function pointTag(transaction: Transaction, repository: Repository, tag: string, target: TagTarget, actor: string): Promise<NewEvent[]> {
  if (await createTag(transaction, repository.id, tag, target, actor)) return [tagEvent('tag.created', repository, tag, { digest: target.digest }, actor)];
  const held = await lockTag(transaction, repository.id, tag);
  // Deleted between the two statements: it can be made now.
  if (!held) return pointTag(transaction, repository, tag, target, actor);
  await transaction.execute('UPDATE tag SET manifest_id = $2, pushed_at = now() WHERE id = $1', [held.id, target.manifestId]);
  if (held.digest === target.digest) return [];
  await transaction.execute(
    `INSERT INTO tag_event (repository_id, tag, kind, from_digest, to_digest, actor) VALUES ($1, $2, 'move', $3, $4, $5)`,
    [repository.id, tag, held.digest, target.digest, actor],
  );
  return [tagEvent('tag.moved', repository, tag, { from: held.digest, digest: target.digest }, actor)];
}

/** Removes a tag; what it named stays. Rejects with 'tag-unknown'. */
export async function deleteTag(database: Database, wanted: TagToDelete): Promise<void> {
  await database.transaction(async (transaction) => {
    const [row] = await transaction.query<{ id: string; repository_id: string; project_id: number; digest: string }>(
      `SELECT t.id, t.repository_id, r.project_id, m.digest FROM tag t
       JOIN repository r ON r.id = t.repository_id JOIN manifest m ON m.id = t.manifest_id
       WHERE r.name = $1 AND t.name = $2 AND r.deleted_at IS NULL FOR UPDATE OF t`,
      [wanted.repository, wanted.tag],
    );
    if (!row) throw new CatalogError('tag-unknown', `${wanted.repository} has no tag ${wanted.tag}`);
    const repository = { id: row.repository_id, projectId: row.project_id, name: wanted.repository };
    const events = await dropTags(transaction, repository, [{ id: row.id, name: wanted.tag, digest: row.digest }], wanted.actor);
    await appendEvents(transaction, events);
  });
}

export interface TagToDrop {
  readonly id: string;
  readonly name: string;
  readonly digest: string;
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

async function lockTag(transaction: Transaction, repositoryId: string, tag: string): Promise<HeldTag | undefined> {
  const [row] = await transaction.query<HeldTag>(
    `SELECT t.id, m.digest FROM tag t JOIN manifest m ON m.id = t.manifest_id
     WHERE t.repository_id = $1 AND t.name = $2 FOR UPDATE OF t`,
    [repositoryId, tag],
  );
  return row;
}

/**
 * Makes the tag with the first line of its history, unless there is one. When two pushes make the same tag at once the
 * second waits here for the first to commit.
 */
async function createTag(transaction: Transaction, repositoryId: string, tag: string, target: TagTarget, actor: string): Promise<boolean> {
  const created = await transaction.execute(
    `WITH created AS (
       INSERT INTO tag (repository_id, name, manifest_id) VALUES ($1, $2, $3) ON CONFLICT (repository_id, name) DO NOTHING RETURNING id)
     INSERT INTO tag_event (repository_id, tag, kind, to_digest, actor) SELECT $1, $2, 'create', $4, $5 FROM created`,
    [repositoryId, tag, target.manifestId, target.digest, actor],
  );
  return created > 0;
}

function tagEvent(type: string, repository: Repository, tag: string, detail: object, actor: string): NewEvent {
  return { type, payload: { project: repository.projectId, repository: repository.name, tag, ...detail }, actor };
}
