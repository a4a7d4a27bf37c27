import { Injectable } from '@nestjs/common';
import type { Page, QueryTerm } from '@haven/api';
import { Database } from '@haven/database';
import type { ArtifactList } from '../artifact/artifact.store.js';
import { orderBy, SqlConditions, type QueryColumns } from '../listing/sql-conditions.js';

export interface TagRow {
  readonly id: number;
  readonly name: string;
  readonly repositoryId: number;
  readonly artifactId: number;
  readonly digest: string;
  readonly type: string;
  readonly mediaType: string;
  /** Bytes, with everything the artifact names. */
  readonly size: number;
  readonly pushedAt: Date;
  readonly pulledAt: Date | null;
}

interface Row {
  readonly id: string;
  readonly name: string;
  readonly repository_id: string;
  readonly manifest_id: string;
  readonly digest: string;
  readonly type: string;
  readonly media_type: string;
  readonly total_size: string;
  readonly pushed_at: Date;
  readonly pulled_at: Date | null;
}

/** Columns of the tag itself. Versions sort as people read them, and those that read the same by their names. */
const TAG_COLUMNS: QueryColumns = new Map([
  ['id', { sql: 't.id', type: 'number' }],
  ['name', { sql: 't.name', type: 'text', ascii: true }],
  ['version', { sql: 't.version_key', type: 'text' }],
  ['push_time', { sql: 't.pushed_at', type: 'time' }],
  ['pull_time', { sql: 't.pulled_at', type: 'time' }],
]);

/** Columns of what the tag names; a list that needs them has to look at every artifact. */
const ARTIFACT_COLUMNS: QueryColumns = new Map([
  ['digest', { sql: 'm.digest', type: 'text' }],
  ['type', { sql: 'm.type', type: 'text' }],
  ['size', { sql: 'm.total_size', type: 'number' }],
]);

const COLUMNS: QueryColumns = new Map([...TAG_COLUMNS, ...ARTIFACT_COLUMNS]);

const FIELDS = `t.id, t.name, t.repository_id, t.manifest_id, m.digest, m.type, m.total_size, t.pushed_at, t.pulled_at,
  CASE WHEN m.kind = 'index' OR m.config_media_type = '' THEN m.media_type ELSE m.config_media_type END AS media_type`;
const SIGNED = `('signature.cosign', 'signature.notation')`;

/** The tags of a repository. */
@Injectable()
export class TagStore {
  constructor(private readonly database: Database) {}

  /** Picks the page among the tags alone wherever that is possible, and only then looks at what they name. */
  async list(repositoryId: number, { terms, sort, page, size }: ArtifactList): Promise<Page<TagRow>> {
    const conditions = new SqlConditions();
    conditions.add(`t.repository_id = ${conditions.value(repositoryId)}`);
    conditions.query(terms.filter(({ key }) => key !== 'version'), COLUMNS);
    const source = (keys: readonly { readonly key: string }[]): string => (needsArtifacts(keys) ? 'tag t JOIN manifest m ON m.repository_id = t.repository_id AND m.id = t.manifest_id' : 'tag t');
    const [count] = await this.database.queryAnew<{ total: number }>(`SELECT count(*)::int AS total FROM ${source(terms)} WHERE ${conditions.toSql()}`, conditions.parameters);
    const total = count?.total ?? 0;
    if ((page - 1) * size >= total) return { items: [], total };
    const order = orderBy(sort, COLUMNS, 't.pushed_at DESC', lastOf(sort));
    const rows = await this.database.queryAnew<Row>(
      `SELECT ${FIELDS} FROM (
         SELECT t.id FROM ${source([...terms, ...sort])} WHERE ${conditions.toSql()} ORDER BY ${order} LIMIT ${size} OFFSET ${(page - 1) * size}) page
       JOIN tag t ON t.id = page.id JOIN manifest m ON m.id = t.manifest_id ORDER BY ${order}`,
      conditions.parameters,
    );
    return { items: rows.map(tagRow), total };
  }

  /** Those of the digests that have a signature in the repository. */
  async signed(repositoryId: number, digests: readonly string[]): Promise<ReadonlySet<string>> {
    const rows = await this.database.query<{ digest: string }>(
      `SELECT DISTINCT x.subject_digest AS digest FROM accessory x JOIN manifest m ON m.id = x.manifest_id AND m.deleted_at IS NULL
       WHERE x.repository_id = $1 AND x.subject_digest = ANY($2) AND x.type IN ${SIGNED}`,
      [repositoryId, digests],
    );
    return new Set(rows.map(({ digest }) => digest));
  }

  /** Who let each tag name what it names now, as a subject such as `user:3`. */
  async pushers(repositoryId: number, tags: readonly string[]): Promise<ReadonlyMap<string, string>> {
    const rows = await this.database.query<{ tag: string; actor: string }>(
      `SELECT wanted.tag, last.actor FROM unnest($2::text[]) AS wanted (tag)
       CROSS JOIN LATERAL (SELECT e.actor FROM tag_event e WHERE e.repository_id = $1 AND e.tag = wanted.tag ORDER BY e.id DESC LIMIT 1) AS last`,
      [repositoryId, tags],
    );
    return new Map(rows.map(({ tag, actor }) => [tag, actor]));
  }

  /** Whether an artifact is there, and not in the bin. */
  async hasArtifact(repositoryId: number, digest: string): Promise<boolean> {
    return (await this.database.query('SELECT 1 FROM manifest WHERE repository_id = $1 AND digest = $2 AND deleted_at IS NULL', [repositoryId, digest])).length > 0;
  }
}

function needsArtifacts(keys: readonly Pick<QueryTerm, 'key'>[]): boolean {
  return keys.some(({ key }) => ARTIFACT_COLUMNS.has(key));
}

/** What makes the order total; in the direction of the first key, so that an index can be read either way. */
function lastOf(sort: ArtifactList['sort']): string {
  const first = sort.find(({ key }) => COLUMNS.has(key));
  if (first === undefined) return 't.id DESC';
  const direction = first.descending ? 'DESC' : 'ASC';
  return first.key === 'version' ? `t.name ${direction}` : `t.id ${direction}`;
}

function tagRow(row: Row): TagRow {
  return {
    id: Number(row.id), name: row.name, repositoryId: Number(row.repository_id), artifactId: Number(row.manifest_id), digest: row.digest, type: row.type,
    mediaType: row.media_type, size: Number(row.total_size), pushedAt: row.pushed_at, pulledAt: row.pulled_at,
  };
}
