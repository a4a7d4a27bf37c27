import { Injectable } from '@nestjs/common';
import { NEVER, type Accessory, type Page, type QueryTerm, type Reference, type SortTerm, type Tag } from '@haven/api';
import { Database } from '@haven/database';
import { groupedBy, mapPage, selectPage } from '../listing/select-page.js';
import { orderBy, SqlConditions, type QueryColumns } from '../listing/sql-conditions.js';

interface TagRow {
  readonly id: string;
  readonly repository_id: string;
  readonly manifest_id: string;
  readonly name: string;
  readonly pushed_at: Date;
  readonly pulled_at: Date | null;
}

interface AccessoryRow {
  readonly id: string;
  readonly manifest_id: string;
  readonly subject_id: string | null;
  readonly subject_digest: string;
  readonly digest: string;
  readonly total_size: string;
  readonly type: string;
  readonly created_at: Date;
}

interface ReferenceRow {
  readonly parent_id: string;
  readonly child_id: string | null;
  readonly child_digest: string;
  readonly platform: Reference['platform'] | null;
  readonly annotations: Record<string, string> | null;
  readonly urls: string[] | null;
}

/** Which page of the parts of one artifact. */
export interface PartList {
  readonly terms: readonly QueryTerm[];
  readonly sort: readonly SortTerm[];
  readonly page: number;
  readonly size: number;
}

const TAG_COLUMNS: QueryColumns = new Map([
  ['id', { sql: 't.id', type: 'number' }],
  ['name', { sql: 't.name', type: 'text' }],
  ['push_time', { sql: 't.pushed_at', type: 'time' }],
  ['pull_time', { sql: 't.pulled_at', type: 'time' }],
]);

const ACCESSORY_COLUMNS: QueryColumns = new Map([
  ['id', { sql: 'x.id', type: 'number' }],
  ['type', { sql: 'x.type', type: 'text' }],
  ['digest', { sql: 'm.digest', type: 'text' }],
  ['creation_time', { sql: 'x.created_at', type: 'time' }],
]);

const TAG_FIELDS = 't.id, t.repository_id, t.manifest_id, t.name, t.pushed_at, t.pulled_at';
const ACCESSORY_FIELDS = 'x.id, x.manifest_id, s.id AS subject_id, x.subject_digest, m.digest, m.total_size, x.type, x.created_at';
const ACCESSORY_SOURCE = `accessory x JOIN manifest m ON m.id = x.manifest_id AND m.deleted_at IS NULL
  LEFT JOIN manifest s ON s.repository_id = x.repository_id AND s.digest = x.subject_digest AND s.deleted_at IS NULL`;

/** Tags, accessories and index entries: for a whole page of artifacts in one query each, or of one artifact page by page. */
@Injectable()
export class ArtifactPartsStore {
  constructor(private readonly database: Database) {}

  /** Tags by artifact id, newest first. */
  async tagsOf(artifactIds: readonly number[]): Promise<ReadonlyMap<number, Tag[]>> {
    const rows = await this.database.query<TagRow>(`SELECT ${TAG_FIELDS} FROM tag t WHERE t.manifest_id = ANY($1::bigint[]) ORDER BY t.pushed_at DESC, t.id DESC`, [artifactIds]);
    return groupedBy(rows.map(tagOf), (tag) => tag.artifact_id);
  }

  async listTags(artifactId: number, { terms, sort, page, size }: PartList): Promise<Page<Tag>> {
    const conditions = new SqlConditions();
    conditions.add(`t.manifest_id = ${conditions.value(artifactId)}`);
    conditions.query(terms, TAG_COLUMNS);
    const order = orderBy(sort, TAG_COLUMNS, 't.pushed_at DESC', 't.id DESC');
    return mapPage(await selectPage<TagRow>(this.database, { fields: TAG_FIELDS, from: 'tag t', conditions, order, page, size }), tagOf);
  }

  /** Accessories by the digest of what they belong to. */
  async accessoriesOf(repository: { readonly id: number; readonly name: string }, digests: readonly string[]): Promise<ReadonlyMap<string, Accessory[]>> {
    const rows = await this.database.query<AccessoryRow>(
      `SELECT ${ACCESSORY_FIELDS} FROM ${ACCESSORY_SOURCE} WHERE x.repository_id = $1 AND x.subject_digest = ANY($2::text[]) ORDER BY x.id`,
      [repository.id, digests],
    );
    return groupedBy(rows.map((row) => accessoryOf(row, repository.name)), (accessory) => accessory.subject_artifact_digest);
  }

  async listAccessories(repository: { readonly id: number; readonly name: string }, digest: string, { terms, sort, page, size }: PartList): Promise<Page<Accessory>> {
    const conditions = new SqlConditions();
    conditions.add(`x.repository_id = ${conditions.value(repository.id)} AND x.subject_digest = ${conditions.value(digest)}`);
    conditions.query(terms, ACCESSORY_COLUMNS);
    const order = orderBy(sort, ACCESSORY_COLUMNS, 'x.created_at DESC', 'x.id DESC');
    const rows = await selectPage<AccessoryRow>(this.database, { fields: ACCESSORY_FIELDS, from: ACCESSORY_SOURCE, conditions, order, page, size });
    return mapPage(rows, (row) => accessoryOf(row, repository.name));
  }

  /** The entries of indexes, by the index's id, in their order. */
  async referencesOf(artifactIds: readonly number[]): Promise<ReadonlyMap<number, Reference[]>> {
    const rows = await this.database.query<ReferenceRow>(
      `SELECT ref.parent_id, child.id AS child_id, ref.child_digest, ref.platform, ref.annotations, ref.urls FROM manifest_reference ref
       LEFT JOIN manifest child ON child.repository_id = ref.repository_id AND child.digest = ref.child_digest AND child.deleted_at IS NULL
       WHERE ref.parent_id = ANY($1::bigint[]) ORDER BY ref.parent_id, ref.position`,
      [artifactIds],
    );
    return groupedBy(rows.map(referenceOf), (reference) => reference.parent_id);
  }
}

function tagOf(row: TagRow): Tag {
  return {
    id: Number(row.id), repository_id: Number(row.repository_id), artifact_id: Number(row.manifest_id), name: row.name,
    push_time: row.pushed_at.toISOString(), pull_time: row.pulled_at?.toISOString() ?? NEVER,
  };
}

function accessoryOf(row: AccessoryRow, repository: string): Accessory {
  return {
    id: Number(row.id), artifact_id: Number(row.manifest_id), subject_artifact_digest: row.subject_digest, subject_artifact_repo: repository,
    size: Number(row.total_size), digest: row.digest, type: row.type, creation_time: row.created_at.toISOString(),
    ...(row.subject_id === null ? {} : { subject_artifact_id: Number(row.subject_id) }),
  };
}

function referenceOf(row: ReferenceRow): Reference {
  return {
    parent_id: Number(row.parent_id), child_digest: row.child_digest,
    ...(row.child_id === null ? {} : { child_id: Number(row.child_id) }),
    ...(row.platform === null ? {} : { platform: row.platform }),
    ...(row.annotations === null ? {} : { annotations: row.annotations }),
    ...(row.urls === null ? {} : { urls: row.urls }),
  };
}
