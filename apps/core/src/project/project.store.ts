import { Injectable } from '@nestjs/common';
import { Database, type Transaction } from '@haven/database';
import type { Page } from '@haven/api';
import { restrictToVisible, rolesSql, type VisibleProjects } from '../authorization/role-sql.js';
import { selectPage } from '../listing/select-page.js';
import { orderBy, SqlConditions, type QueryColumns } from '../listing/sql-conditions.js';
import type { ProjectList } from './project-list.js';
import { storageUsedSql } from './storage-used.js';

export interface ProjectRow {
  readonly id: number;
  readonly name: string;
  readonly public: boolean;
  readonly ownerId: number;
  readonly ownerName: string;
  readonly metadata: Readonly<Record<string, unknown>>;
  /** Bytes; -1 for no limit. */
  readonly storageLimit: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  readonly repositories: number;
  /** The id of its retention policy, when it has one. */
  readonly retentionId: number | undefined;
  /** The caller's roles in it, by their numbers. */
  readonly roles: readonly number[];
}

interface Row {
  readonly id: number;
  readonly name: string;
  readonly public: boolean;
  readonly owner_id: number;
  readonly owner_name: string;
  readonly metadata: Record<string, unknown>;
  readonly storage_limit: string;
  readonly created_at: Date;
  readonly updated_at: Date;
  readonly repositories: number;
  readonly retention_id: number | null;
  readonly roles: number[];
}

/** A project that nobody else changes until the transaction ends. */
export interface LockedProject {
  readonly name: string;
  readonly public: boolean;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly retentionId: number | undefined;
}

const COLUMNS: QueryColumns = new Map([
  ['name', { sql: 'p.name', type: 'text' }],
  ['project_id', { sql: 'p.id', type: 'number' }],
  ['owner_id', { sql: 'p.owner_id', type: 'number' }],
  ['owner', { sql: 'o.username', type: 'text' }],
  ['owner_name', { sql: 'o.username', type: 'text' }],
  ['public', { sql: 'p.public', type: 'boolean' }],
  ['creation_time', { sql: 'p.created_at', type: 'time' }],
  ['update_time', { sql: 'p.updated_at', type: 'time' }],
]);

/** $1 is the caller's user id. */
const FIELDS = `p.id, p.name, p.public, p.owner_id, o.username AS owner_name, p.metadata, p.storage_limit, p.created_at, p.updated_at,
  (SELECT count(*)::int FROM repository r WHERE r.project_id = p.id AND r.deleted_at IS NULL) AS repositories,
  (SELECT t.id FROM retention_policy t WHERE t.project_id = p.id) AS retention_id,
  ${rolesSql('p.id', '$1')} AS roles`;

const TABLES = 'project p JOIN haven_user o ON o.id = p.owner_id';

@Injectable()
export class ProjectStore {
  constructor(private readonly database: Database) {}

  async find(id: number, userId: number): Promise<ProjectRow | undefined> {
    return (await this.#rows([{ id }], userId))[0];
  }

  async exists(name: string): Promise<boolean> {
    return (await this.database.query('SELECT 1 FROM project WHERE name = $1 AND deleted_at IS NULL', [name])).length > 0;
  }

  async list(wanted: ProjectList): Promise<Page<ProjectRow>> {
    const conditions = new SqlConditions();
    conditions.add('p.deleted_at IS NULL');
    restrictToVisible(conditions, wanted.visible);
    if (wanted.public !== undefined) conditions.add(`p.public = ${conditions.value(wanted.public)}`);
    if (wanted.name !== undefined) conditions.contains('p.name', wanted.name);
    if (wanted.owner !== undefined) conditions.add(`o.username = ${conditions.value(wanted.owner)}`);
    conditions.query(wanted.terms, COLUMNS);
    const order = orderBy(wanted.sort, COLUMNS, 'p.name', 'p.id');
    const page = await selectPage<{ id: number }>(this.database, { fields: 'p.id', from: TABLES, conditions, order, page: wanted.page, size: wanted.size });
    return { items: await this.#rows(page.items, wanted.userId), total: page.total };
  }

  /** The first projects, by name, whose name holds the text. */
  async named(text: string, { visible, userId, most }: { readonly visible: VisibleProjects; readonly userId: number; readonly most: number }): Promise<ProjectRow[]> {
    const conditions = new SqlConditions();
    conditions.add('p.deleted_at IS NULL');
    conditions.contains('p.name', text);
    restrictToVisible(conditions, visible);
    const found = await this.database.query<{ id: number }>(`SELECT p.id FROM project p WHERE ${conditions.toSql()} ORDER BY p.name LIMIT ${most}`, conditions.parameters);
    return this.#rows(found, userId);
  }

  /** People in each role of a project, by the role's number. */
  async memberCounts(id: number): Promise<ReadonlyMap<number, number>> {
    const rows = await this.database.query<{ role: number; count: number }>('SELECT role, count(*)::int AS count FROM member WHERE project_id = $1 GROUP BY role', [id]);
    return new Map(rows.map((row) => [row.role, row.count]));
  }

  /** Bytes of everything that the project's repositories hold, each blob counted once. */
  async storageUsed(id: number): Promise<number> {
    const [row] = await this.database.query<{ used: string }>(`SELECT ${storageUsedSql('p')} AS used FROM project p WHERE p.id = $1`, [id]);
    return Number(row?.used ?? 0);
  }

  /** The whole rows of these projects, in their order; counting for a page alone costs no more on its last one than on its first. */
  async #rows(ids: readonly { readonly id: number }[], userId: number): Promise<ProjectRow[]> {
    if (ids.length === 0) return [];
    const rows = await this.database.query<Row>(`SELECT ${FIELDS} FROM ${TABLES} WHERE p.id = ANY($2::int[]) AND p.deleted_at IS NULL`, [userId, ids.map(({ id }) => id)]);
    const byId = new Map(rows.map((row) => [row.id, projectRow(row)]));
    return ids.flatMap(({ id }) => byId.get(id) ?? []);
  }
}

/** Locks the project against pushes into it; undefined when it is gone. */
export async function lockProject(transaction: Transaction, id: number): Promise<LockedProject | undefined> {
  const [row] = await transaction.query<{ name: string; public: boolean; metadata: Record<string, unknown> }>(
    'SELECT name, public, metadata FROM project WHERE id = $1 AND deleted_at IS NULL FOR UPDATE', [id]);
  if (row === undefined) return undefined;
  const [policy] = await transaction.query<{ id: number }>('SELECT id FROM retention_policy WHERE project_id = $1', [id]);
  return { ...row, retentionId: policy?.id };
}

function projectRow(row: Row): ProjectRow {
  return {
    id: row.id, name: row.name, public: row.public, ownerId: row.owner_id, ownerName: row.owner_name, metadata: row.metadata,
    storageLimit: Number(row.storage_limit), createdAt: row.created_at, updatedAt: row.updated_at, repositories: row.repositories,
    retentionId: row.retention_id ?? undefined, roles: row.roles,
  };
}
