import { Injectable } from '@nestjs/common';
import { NEVER, type Accessory, type Page, type Reference, type Tag } from '@haven/api';
import { Database } from '@haven/database';
import { iconOfAccessoryType } from '../icon/built-in-icons.js';
import { groupedBy, mapPage, selectPage } from '../listing/select-page.js';
import { orderBy, SqlConditions, type QueryColumns } from '../listing/sql-conditions.js';
import type { ArtifactList } from './artifact.store.js';

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
  /** What it belongs to. */
  readonly subject_id: string;
  readonly subject_digest: string;
  readonly repository: string;
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
  ['size', { sql: 'm.total_size', type: 'number' }],
  ['creation_time', { sql: 'x.created_at', type: 'time' }],
]);

const TAG_FIELDS = 't.id, t.repository_id, t.manifest_id, t.name, t.pushed_at, t.pulled_at';
const ACCESSORY_FIELDS = 'x.id, x.manifest_id, s.id AS subject_id, x.subject_digest, r.name AS repository, m.digest, m.total_size, x.type, x.created_at';
/** Accessories `x` with their own manifest `m`, of the artifact `s`. */
const ACCESSORIES = `manifest s JOIN accessory x ON x.repository_id = s.repository_id AND x.subject_digest = s.digest
  JOIN manifest m ON m.id = x.manifest_id AND m.deleted_at IS NULL JOIN repository r ON r.id = s.repository_id`;
/** Tags and accessories of one artifact that are shown with it, at most, by how many artifacts are shown; lists of their own have all of them, page by page. */
const MOST_SHOWN = { few: 1000, many: 100 };
const FEW = 10;
const SIGNATURE = `('signature.cosign', 'signature.notation')`;

/** Tags, accessories and index entries: for a whole page of artifacts in one query each, or of one artifact page by page. */
@Injectable()
export class ArtifactPartsStore {
  constructor(private readonly database: Database) {}

  /** The newest tags by artifact id, newest first. */
  async tagsOf(artifactIds: readonly number[]): Promise<ReadonlyMap<number, Tag[]>> {
    const rows = await this.database.query<TagRow>(
      `SELECT t.* FROM unnest($1::bigint[]) AS a (id)
       CROSS JOIN LATERAL (SELECT ${TAG_FIELDS} FROM tag t WHERE t.manifest_id = a.id ORDER BY t.pushed_at DESC, t.id DESC LIMIT $2) AS t ORDER BY t.pushed_at DESC, t.id DESC`,
      [artifactIds, mostShown(artifactIds)],
    );
    return groupedBy(rows.map(tagOf), (tag) => tag.artifact_id);
  }

  async listTags(artifactId: number, { terms, sort, page, size }: ArtifactList): Promise<Page<Tag>> {
    const conditions = new SqlConditions();
    conditions.add(`t.manifest_id = ${conditions.value(artifactId)}`);
    conditions.query(terms, TAG_COLUMNS);
    const order = orderBy(sort, TAG_COLUMNS, 't.pushed_at DESC', 't.id DESC');
    return mapPage(await selectPage<TagRow>(this.database, { fields: TAG_FIELDS, from: 'tag t', conditions, order, page, size }), tagOf);
  }

  /** Accessories by the id of the artifact that they belong to. */
  async accessoriesOf(artifactIds: readonly number[]): Promise<ReadonlyMap<number, Accessory[]>> {
    const rows = await this.database.query<AccessoryRow>(
      `SELECT x.* FROM unnest($1::bigint[]) AS a (id) CROSS JOIN LATERAL (SELECT ${ACCESSORY_FIELDS} FROM ${ACCESSORIES} WHERE s.id = a.id ORDER BY x.id LIMIT $2) AS x ORDER BY x.id`,
      [artifactIds, mostShown(artifactIds)],
    );
    return accessoriesBy(rows, (row) => row.subject_id);
  }

  async listAccessories(artifactId: number, { terms, sort, page, size }: ArtifactList): Promise<Page<Accessory>> {
    const conditions = new SqlConditions();
    conditions.add(`s.id = ${conditions.value(artifactId)}`);
    conditions.query(terms, ACCESSORY_COLUMNS);
    const order = orderBy(sort, ACCESSORY_COLUMNS, 'x.created_at DESC', 'x.id DESC');
    return mapPage(await selectPage<AccessoryRow>(this.database, { fields: ACCESSORY_FIELDS, from: ACCESSORIES, conditions, order, page, size }), accessoryOf);
  }

  /** Signatures of the indexes that name an artifact which has none of its own, by the artifact's id. */
  async inheritedOf(artifactIds: readonly number[]): Promise<ReadonlyMap<number, Accessory[]>> {
    const rows = await this.database.query<AccessoryRow & { readonly child_id: string }>(
      `SELECT DISTINCT c.id AS child_id, ${ACCESSORY_FIELDS} FROM manifest c
       JOIN manifest_reference ref ON ref.repository_id = c.repository_id AND ref.child_digest = c.digest
       JOIN (${ACCESSORIES}) ON s.id = ref.parent_id AND s.deleted_at IS NULL AND x.type IN ${SIGNATURE}
       WHERE c.id = ANY($1::bigint[]) AND NOT EXISTS (
         SELECT 1 FROM accessory own JOIN manifest signature ON signature.id = own.manifest_id AND signature.deleted_at IS NULL
         WHERE own.repository_id = c.repository_id AND own.subject_digest = c.digest AND own.type IN ${SIGNATURE})
       ORDER BY x.id`,
      [artifactIds],
    );
    return accessoriesBy(rows, (row) => row.child_id);
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

function mostShown(artifactIds: readonly number[]): number {
  return artifactIds.length > FEW ? MOST_SHOWN.many : MOST_SHOWN.few;
}

function tagOf(row: TagRow): Tag {
  return {
    id: Number(row.id), repository_id: Number(row.repository_id), artifact_id: Number(row.manifest_id), name: row.name,
    push_time: row.pushed_at.toISOString(), pull_time: row.pulled_at?.toISOString() ?? NEVER,
  };
}

function accessoriesBy<Row extends AccessoryRow>(rows: readonly Row[], id: (row: Row) => string): ReadonlyMap<number, Accessory[]> {
  return new Map([...groupedBy(rows, (row) => Number(id(row)))].map(([of, accessories]) => [of, accessories.map(accessoryOf)]));
}

function accessoryOf(row: AccessoryRow): Accessory {
  return {
    id: Number(row.id), artifact_id: Number(row.manifest_id), subject_artifact_id: Number(row.subject_id), subject_artifact_digest: row.subject_digest,
    subject_artifact_repo: row.repository, size: Number(row.total_size), digest: row.digest, type: row.type, icon: iconOfAccessoryType(row.type),
    creation_time: row.created_at.toISOString(),
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
