import { Injectable } from '@nestjs/common';
import type { Page, QueryTerm, SortTerm } from '@haven/api';
import { Database } from '@haven/database';
import type { Digest } from '@haven/oci';
import { mapPage, selectPage } from '../listing/select-page.js';
import { orderBy, SqlConditions, type QueryColumns } from '../listing/sql-conditions.js';
import { anyArtifact, listedArtifact } from './listed-artifact.js';

export interface ArtifactRow {
  readonly id: number;
  readonly digest: Digest;
  readonly kind: 'image' | 'index' | 'other';
  readonly manifestMediaType: string;
  readonly configMediaType: string;
  readonly artifactType: string;
  readonly type: string;
  /** Bytes, with everything it names. */
  readonly size: number;
  readonly annotations: Record<string, string> | null;
  readonly extraAttributes: Record<string, unknown>;
  readonly pushedAt: Date;
  readonly pulledAt: Date | null;
}

/** A tag, or a digest. */
export type ArtifactReference = { readonly tag: string } | { readonly digest: string };

export interface ArtifactList {
  readonly repositoryId: number;
  readonly terms: readonly QueryTerm[];
  readonly sort: readonly SortTerm[];
  readonly page: number;
  readonly size: number;
}

interface Row {
  readonly id: string;
  readonly digest: Digest;
  readonly kind: ArtifactRow['kind'];
  readonly media_type: string;
  readonly config_media_type: string;
  readonly artifact_type: string;
  readonly type: string;
  readonly total_size: string;
  readonly annotations: Record<string, string> | null;
  readonly extra_attrs: Record<string, unknown>;
  readonly pushed_at: Date;
  readonly pulled_at: Date | null;
}

const FIELDS = `a.id, a.digest, a.kind, a.media_type, a.config_media_type, a.artifact_type, a.type, a.total_size, a.annotations, a.extra_attrs, a.pushed_at, a.pulled_at`;

const COLUMNS: QueryColumns = new Map([
  ['id', { sql: 'a.id', type: 'number' }],
  ['digest', { sql: 'a.digest', type: 'text' }],
  ['type', { sql: 'a.type', type: 'text' }],
  ['media_type', { sql: "CASE a.kind WHEN 'index' THEN a.media_type ELSE a.config_media_type END", type: 'text' }],
  ['manifest_media_type', { sql: 'a.media_type', type: 'text' }],
  ['artifact_type', { sql: 'a.artifact_type', type: 'text' }],
  ['size', { sql: 'a.total_size', type: 'number' }],
  ['push_time', { sql: 'a.pushed_at', type: 'time' }],
  ['pull_time', { sql: 'a.pulled_at', type: 'time' }],
]);

@Injectable()
export class ArtifactStore {
  constructor(private readonly database: Database) {}

  /** The repository's id, when it is there. */
  async findRepository(name: string): Promise<number | undefined> {
    const [row] = await this.database.query<{ id: string }>(
      'SELECT r.id FROM repository r JOIN project p ON p.id = r.project_id WHERE r.name = $1 AND r.deleted_at IS NULL AND p.deleted_at IS NULL',
      [name],
    );
    return row && Number(row.id);
  }

  async list({ repositoryId, terms, sort, page, size }: ArtifactList): Promise<Page<ArtifactRow>> {
    const conditions = new SqlConditions();
    const repository = conditions.value(repositoryId);
    const withChildren = terms.some(({ key, match }) => key === 'base' && match.kind === 'exact' && match.value === '*');
    conditions.add(withChildren ? anyArtifact(repository) : listedArtifact(repository));
    for (const term of terms) special(conditions, term);
    conditions.query(terms, COLUMNS);
    const order = orderBy(sort, COLUMNS, 'a.pushed_at DESC', 'a.id DESC');
    return mapPage(await selectPage<Row>(this.database, { fields: FIELDS, from: 'manifest a', conditions, order, page, size }), artifactRow);
  }

  async find(repositoryId: number, reference: ArtifactReference): Promise<ArtifactRow | undefined> {
    const [row] = 'tag' in reference
      ? await this.database.query<Row>(
        `SELECT ${FIELDS} FROM tag t JOIN manifest a ON a.id = t.manifest_id WHERE t.repository_id = $1 AND t.name = $2 AND a.deleted_at IS NULL`,
        [repositoryId, reference.tag],
      )
      : await this.database.query<Row>(
        `SELECT ${FIELDS} FROM manifest a WHERE a.repository_id = $1 AND a.digest = $2 AND a.deleted_at IS NULL`,
        [repositoryId, reference.digest],
      );
    return row && artifactRow(row);
  }
}

/** Terms that are no columns: `tags=*` (any), `tags=nil` (none), `tags=x`, `tags=~x`; and labels, which nothing has yet. */
function special(conditions: SqlConditions, { key, match }: QueryTerm): void {
  if (key === 'labels') return conditions.add('false');
  if (key !== 'tags') return;
  const tagged = 'EXISTS (SELECT 1 FROM tag q WHERE q.manifest_id = a.id';
  if (match.kind === 'fuzzy') return conditions.add(`${tagged} AND q.name ILIKE ${conditions.value(`%${match.value.replace(/[\\%_]/g, '\\$&')}%`)})`);
  if (match.kind === 'any') return conditions.add(`${tagged} AND q.name = ANY(${conditions.value(match.values.map(String))}))`);
  if (match.kind !== 'exact') return;
  if (match.value === '*') return conditions.add(`${tagged})`);
  if (match.value === 'nil') return conditions.add(`NOT ${tagged})`);
  conditions.add(`${tagged} AND q.name = ${conditions.value(match.value)})`);
}

function artifactRow(row: Row): ArtifactRow {
  return {
    id: Number(row.id), digest: row.digest, kind: row.kind, manifestMediaType: row.media_type, configMediaType: row.config_media_type,
    artifactType: row.artifact_type, type: row.type, size: Number(row.total_size), annotations: row.annotations,
    extraAttributes: row.extra_attrs, pushedAt: row.pushed_at, pulledAt: row.pulled_at,
  };
}
