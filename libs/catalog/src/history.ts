import type { Page } from '@haven/api';
import { appendEvents, type Database, type Queryable, type Transaction } from '@haven/database';
import { CatalogError } from './catalog-error.js';
import { selectPage, type PageWanted } from './page.js';
import { changeRepository } from './repositories.js';
import { artifactRestored, reviveManifests } from './reviving.js';
import { pointTag, type TagTarget } from './tags.js';

/** One thing that happened to a tag. */
export interface TagChange {
  readonly id: string;
  readonly tag: string;
  readonly kind: 'create' | 'move' | 'delete' | 'restore';
  /** What it named before; missing when it did not exist. */
  readonly from?: string;
  /** What it names since; missing when it was deleted. */
  readonly to?: string;
  /** Who did it, e.g. 'user:3'; '' for the platform itself. */
  readonly actor: string;
  readonly at: Date;
}

interface TagChangeRow {
  readonly id: string;
  readonly tag: string;
  readonly kind: TagChange['kind'];
  readonly from_digest: string | null;
  readonly to_digest: string | null;
  readonly actor: string;
  readonly at: Date;
}

const FIELDS = 'id, tag, kind, from_digest, to_digest, actor, at';

/** What happened to one tag, newest first, also while it does not exist. */
export async function tagHistory(database: Queryable, repositoryId: string, tag: string, page: PageWanted): Promise<Page<TagChange>> {
  const { rows, total } = await selectPage<TagChangeRow>(
    database, { fields: FIELDS, from: 'tag_event WHERE repository_id = $1 AND tag = $2', order: 'id DESC', parameters: [repositoryId, tag] }, page);
  return { items: rows.map(changeOf), total };
}

/** What happened to all the tags of a repository, newest first. */
export async function repositoryHistory(database: Queryable, repositoryId: string, page: PageWanted): Promise<Page<TagChange>> {
  const { rows, total } = await selectPage<TagChangeRow>(
    database, { fields: FIELDS, from: 'tag_event WHERE repository_id = $1', order: 'at DESC, id DESC', parameters: [repositoryId] }, page);
  return { items: rows.map(changeOf), total };
}

/** The digest that a tag named at a moment; undefined when there was no such tag then. */
export async function tagAt(database: Queryable, repositoryId: string, tag: string, time: Date): Promise<string | undefined> {
  const [row] = await database.query<{ to_digest: string | null }>(
    'SELECT to_digest FROM tag_event WHERE repository_id = $1 AND tag = $2 AND at <= $3 ORDER BY id DESC LIMIT 1',
    [repositoryId, tag, time],
  );
  return row?.to_digest ?? undefined;
}

export interface RollBack {
  readonly repository: string;
  readonly tag: string;
  /** Something that the tag once named. */
  readonly digest: string;
  readonly actor: string;
}

/**
 * Lets a tag name again what it named before; an artifact that is in the bin comes back for it. Rejects with
 * 'repository-unknown', 'tag-unknown' when the tag never named that, 'immutable', 'quota-exceeded', or
 * 'restore-conflict' when the artifact was removed for good, or storage has lost content of it.
 */
export async function rollBackTag(database: Database, wanted: RollBack): Promise<void> {
  await database.transaction(async (transaction) => {
    const repository = await changeRepository(transaction, wanted.repository);
    if (!repository) throw new CatalogError('repository-unknown', `there is no repository ${wanted.repository}`);
    const past = await transaction.query('SELECT 1 FROM tag_event WHERE repository_id = $1 AND tag = $2 AND to_digest = $3 LIMIT 1', [repository.id, wanted.tag, wanted.digest]);
    if (past.length === 0) throw new CatalogError('tag-unknown', `tag ${wanted.tag} of ${wanted.repository} never named ${wanted.digest}`);
    const target = await findTarget(transaction, repository.id, wanted.digest);
    if (!target) throw new CatalogError('restore-conflict', `${wanted.digest} was removed for good`, [wanted.digest]);
    const events = await pointTag(transaction, repository, wanted.tag, target, wanted.actor, 'restore');
    const revived = await reviveManifests(transaction, repository, [target.manifestId]);
    if (revived.length > 0) events.push(artifactRestored(repository, wanted.digest, wanted.actor));
    await appendEvents(transaction, events);
  });
}

async function findTarget(transaction: Transaction, repositoryId: string, digest: string): Promise<TagTarget | undefined> {
  const [row] = await transaction.query<{ id: string }>('SELECT id FROM manifest WHERE repository_id = $1 AND digest = $2 FOR KEY SHARE', [repositoryId, digest]);
  return row && { manifestId: row.id, digest };
}

function changeOf(row: TagChangeRow): TagChange {
  return {
    id: row.id, tag: row.tag, kind: row.kind, actor: row.actor, at: row.at,
    ...(row.from_digest === null ? {} : { from: row.from_digest }), ...(row.to_digest === null ? {} : { to: row.to_digest }),
  };
}
