import { Injectable } from '@nestjs/common';
import type { Page } from '@haven/api';
import { Database } from '@haven/database';
import type { Digest } from '@haven/oci';
import { selectPageIds, type ListWanted } from '../listing/select-page.js';
import { orderBy, SqlConditions } from '../listing/sql-conditions.js';
import { ARTIFACT_COLUMNS, restrictByParts, restrictToBase } from './artifact-columns.js';

export interface ArtifactRow {
  readonly id: number;
  readonly repositoryId: number;
  /** With its project's name. */
  readonly repository: string;
  readonly digest: Digest;
  readonly kind: 'image' | 'index' | 'other';
  readonly manifestMediaType: string;
  /** The config's media type, of an index its own. */
  readonly mediaType: string;
  readonly artifactType: string;
  readonly type: string;
  /** Bytes, with everything it names. */
  readonly size: number;
  readonly annotations: Record<string, string> | null;
  readonly extraAttributes: Record<string, unknown>;
  /** The layer with its own icon. */
  readonly icon: string | null;
  readonly pushedAt: Date;
  readonly pulledAt: Date | null;
}

/** A tag, or a digest. */
export type ArtifactReference = { readonly tag: string } | { readonly digest: string };

export interface ArtifactList extends ListWanted {
}

interface Row {
  readonly id: string;
  readonly repository_id: string;
  readonly repository: string;
  readonly digest: Digest;
  readonly kind: ArtifactRow['kind'];
  readonly media_type: string;
  readonly config_media_type: string;
  readonly artifact_type: string;
  readonly type: string;
  readonly total_size: string;
  readonly annotations: Record<string, string> | null;
  readonly extra_attrs: Record<string, unknown>;
  readonly icon: string | null;
  readonly pushed_at: Date;
  readonly pulled_at: Date | null;
}

const FIELDS = `a.id, a.repository_id, r.name AS repository, a.digest, a.kind, a.media_type, a.config_media_type, a.artifact_type, a.type, a.total_size,
  a.annotations, a.extra_attrs, a.icon, a.pushed_at, a.pulled_at`;
const SOURCE = 'manifest a JOIN repository r ON r.id = a.repository_id';
const NEWEST = 'a.pushed_at DESC';
const LAST = 'a.id DESC';

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

  async listOfRepository(repositoryId: number, list: ArtifactList): Promise<Page<ArtifactRow>> {
    const conditions = new SqlConditions();
    const repository = conditions.value(repositoryId);
    restrictToBase(conditions, list.terms, repository);
    restrictByParts(conditions, list.terms, repository);
    return this.#list(conditions, list);
  }

  /** @param latest only the newest match in each repository */
  async listOfProject(projectId: number, list: ArtifactList, latest: boolean): Promise<Page<ArtifactRow>> {
    const conditions = new SqlConditions();
    conditions.add(`r.project_id = ${conditions.value(projectId)} AND r.deleted_at IS NULL`);
    restrictToBase(conditions, list.terms);
    restrictByParts(conditions, list.terms);
    return this.#list(conditions, list, latest);
  }

  async find(repositoryId: number, reference: ArtifactReference): Promise<ArtifactRow | undefined> {
    const [row] = 'tag' in reference
      ? await this.database.query<Row>(
        `SELECT ${FIELDS} FROM tag t JOIN manifest a ON a.id = t.manifest_id JOIN repository r ON r.id = a.repository_id
         WHERE t.repository_id = $1 AND t.name = $2 AND a.deleted_at IS NULL`,
        [repositoryId, reference.tag],
      )
      : await this.database.query<Row>(`SELECT ${FIELDS} FROM ${SOURCE} WHERE a.repository_id = $1 AND a.digest = $2 AND a.deleted_at IS NULL`, [repositoryId, reference.digest]);
    return row && artifactRow(row);
  }

  async #list(conditions: SqlConditions, { terms, sort, page, size }: ArtifactList, latest = false): Promise<Page<ArtifactRow>> {
    conditions.query(terms, ARTIFACT_COLUMNS);
    const order = orderBy(sort, ARTIFACT_COLUMNS, NEWEST, LAST);
    const wanted = latest ? newestOfEach(conditions) : conditions;
    const { items: ids, total } = await selectPageIds(this.database, { id: 'a.id', from: SOURCE, conditions: wanted, order, page, size });
    return { items: await this.#rows(ids), total };
  }

  /** The artifacts with these ids, in their order. */
  async #rows(ids: readonly string[]): Promise<ArtifactRow[]> {
    if (ids.length === 0) return [];
    const rows = await this.database.query<Row>(`SELECT ${FIELDS} FROM ${SOURCE} WHERE a.id = ANY($1::bigint[])`, [ids]);
    const byId = new Map(rows.map((row) => [row.id, artifactRow(row)]));
    return ids.flatMap((id) => byId.get(id) ?? []);
  }
}

/** The conditions that are true for the newest artifact of each repository among those that these are true for. */
function newestOfEach(conditions: SqlConditions): SqlConditions {
  const matching = conditions.toSql();
  const newest = new SqlConditions();
  for (const value of conditions.parameters) newest.value(value);
  newest.add(`a.id IN (SELECT DISTINCT ON (a.repository_id) a.id FROM ${SOURCE} WHERE ${matching} ORDER BY a.repository_id, ${NEWEST}, ${LAST})`);
  return newest;
}

function artifactRow(row: Row): ArtifactRow {
  return {
    id: Number(row.id), repositoryId: Number(row.repository_id), repository: row.repository, digest: row.digest, kind: row.kind, manifestMediaType: row.media_type,
    mediaType: row.kind === 'index' || row.config_media_type === '' ? row.media_type : row.config_media_type,
    artifactType: row.artifact_type, type: row.type, size: Number(row.total_size), annotations: row.annotations,
    extraAttributes: row.extra_attrs, icon: row.icon, pushedAt: row.pushed_at, pulledAt: row.pulled_at,
  };
}
