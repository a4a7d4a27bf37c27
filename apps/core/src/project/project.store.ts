import { Injectable } from '@nestjs/common';
import { Database, type Transaction } from '@haven/database';
import type { Page } from '@haven/api';
import { restrictToVisible, rolesSql } from '../authorization/role-sql.js';
import { mapPage, selectPage } from '../listing/select-page.js';
import { orderBy, SqlConditions, type QueryColumns } from '../listing/sql-conditions.js';
import type { ProjectList } from './project-list.js';

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
  readonly roles: number[];
}

export interface NewProject {
  readonly name: string;
  readonly public: boolean;
  readonly ownerId: number;
  readonly metadata: Readonly<Record<string, string>>;
  readonly storageLimit: number;
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

const FIELDS = `p.id, p.name, p.public, p.owner_id, o.username AS owner_name, p.metadata, p.storage_limit, p.created_at, p.updated_at,
  (SELECT count(*)::int FROM repository r WHERE r.project_id = p.id AND r.deleted_at IS NULL) AS repositories,
  ${rolesSql('p.id', 'caller.id')} AS roles`;

/** The tables behind FIELDS, with the caller's user id as the one row of `caller`. */
function tables(user: string): string {
  return `project p JOIN haven_user o ON o.id = p.owner_id CROSS JOIN (SELECT ${user}::int AS id) caller`;
}

@Injectable()
export class ProjectStore {
  constructor(private readonly database: Database) {}

  async find(id: number, userId: number): Promise<ProjectRow | undefined> {
    const [row] = await this.database.query<Row>(
      `SELECT ${FIELDS} FROM ${tables('$2')} WHERE p.id = $1 AND p.deleted_at IS NULL`,
      [id, userId],
    );
    return row && projectRow(row);
  }

  async exists(name: string): Promise<boolean> {
    return (await this.database.query('SELECT 1 FROM project WHERE name = $1 AND deleted_at IS NULL', [name])).length > 0;
  }

  async list(wanted: ProjectList): Promise<Page<ProjectRow>> {
    const conditions = new SqlConditions();
    const from = tables(conditions.value(wanted.userId));
    conditions.add('p.deleted_at IS NULL');
    restrictToVisible(conditions, wanted.visible);
    if (wanted.public !== undefined) conditions.add(`p.public = ${conditions.value(wanted.public)}`);
    if (wanted.name !== undefined) conditions.contains('p.name', wanted.name);
    if (wanted.owner !== undefined) conditions.add(`o.username = ${conditions.value(wanted.owner)}`);
    conditions.query(wanted.terms, COLUMNS);
    const order = orderBy(wanted.sort, COLUMNS, 'p.name', 'p.id');
    return mapPage(await selectPage<Row>(this.database, { fields: FIELDS, from, conditions, order, page: wanted.page, size: wanted.size }), projectRow);
  }

  /** People in each role of a project, by the role's number. */
  async memberCounts(id: number): Promise<ReadonlyMap<number, number>> {
    const rows = await this.database.query<{ role: number; count: number }>('SELECT role, count(*)::int AS count FROM member WHERE project_id = $1 GROUP BY role', [id]);
    return new Map(rows.map((row) => [row.role, row.count]));
  }

  /** Bytes of everything that the project's repositories hold, each blob counted once. */
  async storageUsed(id: number): Promise<number> {
    const [row] = await this.database.query<{ used: string }>(
      `SELECT coalesce(sum(b.size), 0) AS used FROM blob b WHERE b.digest IN (
         SELECT rb.digest FROM repository_blob rb JOIN repository r ON r.id = rb.repository_id WHERE r.project_id = $1 AND r.deleted_at IS NULL)`,
      [id],
    );
    return Number(row?.used ?? 0);
  }
}

/** Inserts the project with its creator as administrator; undefined when the name is taken. */
export async function insertProject(transaction: Transaction, project: NewProject): Promise<number | undefined> {
  const [row] = await transaction.query<{ id: number }>(
    `INSERT INTO project (name, public, owner_id, metadata, storage_limit) VALUES ($1, $2, $3, $4, $5)
     ON CONFLICT (name) WHERE deleted_at IS NULL DO NOTHING RETURNING id`,
    [project.name, project.public, project.ownerId, JSON.stringify(project.metadata), project.storageLimit],
  );
  if (row === undefined) return undefined;
  await transaction.execute('INSERT INTO member (project_id, user_id, role) VALUES ($1, $2, 1)', [row.id, project.ownerId]);
  return row.id;
}

/** Who owns what robots make: the system administrator who has been there longest. */
export async function firstAdministrator(transaction: Transaction): Promise<number> {
  const [row] = await transaction.query<{ id: number }>('SELECT id FROM haven_user WHERE sysadmin AND deleted_at IS NULL ORDER BY id LIMIT 1 FOR KEY SHARE');
  if (row === undefined) throw new Error('there is no system administrator');
  return row.id;
}

/** Locks the project against pushes into it and answers whether it is public; undefined when it is gone. */
export async function lockProject(transaction: Transaction, id: number): Promise<{ readonly name: string; readonly public: boolean } | undefined> {
  const [row] = await transaction.query<{ name: string; public: boolean }>('SELECT name, public FROM project WHERE id = $1 AND deleted_at IS NULL FOR UPDATE', [id]);
  return row;
}

export async function hasRepositories(transaction: Pick<Transaction, 'query'>, id: number): Promise<boolean> {
  return (await transaction.query('SELECT 1 FROM repository WHERE project_id = $1 AND deleted_at IS NULL LIMIT 1', [id])).length > 0;
}

/** Adds these settings to the project's. */
export async function updateProject(transaction: Transaction, id: number, isPublic: boolean, metadata: Readonly<Record<string, string>>): Promise<void> {
  await transaction.execute('UPDATE project SET public = $2, metadata = metadata || $3::jsonb, updated_at = now() WHERE id = $1', [id, isPublic, JSON.stringify(metadata)]);
}

/** Takes the project, its members and its robots away; resolves to the robots' ids. */
export async function binProject(transaction: Transaction, id: number): Promise<number[]> {
  await transaction.execute('UPDATE project SET deleted_at = now(), updated_at = now() WHERE id = $1', [id]);
  await transaction.execute('DELETE FROM member WHERE project_id = $1', [id]);
  await transaction.execute('DELETE FROM robot_permission WHERE project_id = $1', [id]);
  const robots = await transaction.query<{ id: number }>('DELETE FROM robot WHERE project_id = $1 RETURNING id', [id]);
  return robots.map((robot) => robot.id);
}

function projectRow(row: Row): ProjectRow {
  return {
    id: row.id, name: row.name, public: row.public, ownerId: row.owner_id, ownerName: row.owner_name, metadata: row.metadata,
    storageLimit: Number(row.storage_limit), createdAt: row.created_at, updatedAt: row.updated_at, repositories: row.repositories, roles: row.roles,
  };
}
