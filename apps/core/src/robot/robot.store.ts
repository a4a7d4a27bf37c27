import { Injectable } from '@nestjs/common';
import type { RobotGrant } from '@haven/access';
import type { Page } from '@haven/api';
import { Database, type Queryable, type Transaction } from '@haven/database';
import { mapPage, selectPage, type ListWanted } from '../listing/select-page.js';
import { orderBy, SqlConditions, type QueryColumns } from '../listing/sql-conditions.js';
import type { NamedGrant } from './robot-permissions.js';
import type { RobotLevel } from './robot-rules.js';

export interface RobotRow {
  readonly id: number;
  readonly name: string;
  readonly level: RobotLevel;
  /** The project of a robot of a project. */
  readonly project: { readonly id: number; readonly name: string } | undefined;
  readonly description: string;
  readonly disabled: boolean;
  /** Days; -1 for ever. */
  readonly duration: number;
  readonly expiresAt: Date | undefined;
  /** A subject: "user:3". */
  readonly creator: string;
  readonly lastUsedAt: Date | undefined;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  readonly grants: readonly NamedGrant[];
}

interface Row {
  readonly id: number;
  readonly name: string;
  readonly level: RobotLevel;
  readonly project_id: number | null;
  readonly project_name: string | null;
  readonly description: string;
  readonly disabled: boolean;
  readonly duration: number;
  readonly expires_at: Date | null;
  readonly creator: string;
  readonly last_used_at: Date | null;
  readonly created_at: Date;
  readonly updated_at: Date;
  readonly grants: readonly (readonly [kind: 'system' | 'project', project: number | null, projectName: string | null, resource: string, action: string])[];
}

export interface RobotList extends ListWanted {
  /** Of this project, or of the system. */
  readonly projectId: number | undefined;
}

export interface NewRobot {
  readonly name: string;
  readonly level: RobotLevel;
  readonly projectId: number | undefined;
  readonly description: string;
  readonly disabled: boolean;
  readonly secretHash: string;
  readonly duration: number;
  readonly expiresAt: Date | undefined;
  readonly creator: string;
  readonly createdAt: Date;
}

const FULL_NAME = `CASE WHEN p.name IS NULL THEN r.name ELSE p.name || '+' || r.name END`;
const FIELDS = `r.id, r.name, r.level, r.project_id, p.name AS project_name, r.description, r.disabled, r.duration, r.expires_at, r.creator, r.last_used_at, r.created_at, r.updated_at,
  (SELECT coalesce(json_agg(json_build_array(g.kind, g.project_id, gp.name, g.resource, g.action) ORDER BY g.id), '[]')
   FROM robot_permission g LEFT JOIN project gp ON gp.id = g.project_id WHERE g.robot_id = r.id) AS grants`;
const TABLES = 'robot r LEFT JOIN project p ON p.id = r.project_id';

/** What lists can be asked and sorted by; `name` is without the prefix, which is a setting. */
export const ROBOT_COLUMNS: QueryColumns = new Map([
  ['id', { sql: 'r.id', type: 'number' }],
  ['name', { sql: FULL_NAME, type: 'text' }],
  ['description', { sql: 'r.description', type: 'text' }],
  ['disable', { sql: 'r.disabled', type: 'boolean' }],
  ['disabled', { sql: 'r.disabled', type: 'boolean' }],
  ['duration', { sql: 'r.duration', type: 'number' }],
  ['expires_at', { sql: 'coalesce(extract(epoch FROM r.expires_at)::bigint, -1)', type: 'number' }],
  ['creation_time', { sql: 'r.created_at', type: 'time' }],
  ['update_time', { sql: 'r.updated_at', type: 'time' }],
]);

@Injectable()
export class RobotStore {
  constructor(private readonly database: Database) {}

  async list(wanted: RobotList): Promise<Page<RobotRow>> {
    const conditions = new SqlConditions();
    conditions.add(wanted.projectId === undefined ? 'r.project_id IS NULL' : `r.project_id = ${conditions.value(wanted.projectId)}`);
    conditions.add('r.visible');
    conditions.query(wanted.terms, ROBOT_COLUMNS);
    const order = orderBy(wanted.sort, ROBOT_COLUMNS, FULL_NAME, 'r.id');
    return mapPage(await selectPage<Row>(this.database, { fields: FIELDS, from: TABLES, conditions, order, page: wanted.page, size: wanted.size }), robotRow);
  }

  find(id: number): Promise<RobotRow | undefined> {
    return findRobot(this.database, id, '');
  }
}

/** The robot, locked until the transaction ends. */
export function lockRobot(transaction: Transaction, id: number): Promise<RobotRow | undefined> {
  return findRobot(transaction, id, 'FOR UPDATE OF r');
}

/** The new robot's id; undefined when another one there has the name. */
export async function insertRobot(transaction: Transaction, robot: NewRobot): Promise<number | undefined> {
  const [row] = await transaction.query<{ id: number }>(
    `INSERT INTO robot (name, level, project_id, description, disabled, secret_hash, duration, expires_at, creator, created_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING RETURNING id`,
    [robot.name, robot.level, robot.projectId ?? null, robot.description, robot.disabled, robot.secretHash, robot.duration, robot.expiresAt ?? null, robot.creator, robot.createdAt],
  );
  return row?.id;
}

/** Adds rights. Answers false when one of the projects is gone; the transaction is lost then. */
export async function insertGrants(transaction: Transaction, id: number, grants: readonly RobotGrant[]): Promise<boolean> {
  const projects = grants.map((grant) => (grant.kind === 'project' && grant.project !== '*' ? grant.project : null));
  const named = [...new Set(projects.filter((project) => project !== null))];
  const held = await transaction.query('SELECT 1 FROM project WHERE id = ANY($1::int[]) AND deleted_at IS NULL FOR KEY SHARE', [named]);
  if (held.length !== named.length) return false;
  await transaction.execute(
    `INSERT INTO robot_permission (robot_id, kind, project_id, resource, action)
     SELECT $1, kind, project_id, resource, action FROM unnest($2::text[], $3::int[], $4::text[], $5::text[]) AS g (kind, project_id, resource, action)`,
    [id, grants.map((grant) => grant.kind), projects, grants.map((grant) => grant.resource), grants.map((grant) => grant.action)],
  );
  return true;
}

/** When the robot that makes another one ends itself; it is held meanwhile. */
export async function creatorExpiry(transaction: Transaction, id: number): Promise<Date | undefined | 'gone'> {
  const [row] = await transaction.query<{ expires_at: Date | null }>('SELECT expires_at FROM robot WHERE id = $1 AND NOT disabled FOR SHARE', [id]);
  return row === undefined ? 'gone' : (row.expires_at ?? undefined);
}

export async function deleteGrants(transaction: Transaction, id: number): Promise<void> {
  await transaction.execute('DELETE FROM robot_permission WHERE robot_id = $1', [id]);
}

export async function updateRobot(transaction: Transaction, id: number, { description, disabled, duration, expiresAt }: Pick<NewRobot, 'description' | 'disabled' | 'duration' | 'expiresAt'>): Promise<void> {
  await transaction.execute(
    'UPDATE robot SET description = $2, disabled = $3, duration = $4, expires_at = $5, updated_at = now() WHERE id = $1',
    [id, description, disabled, duration, expiresAt ?? null],
  );
}

export async function updateSecret(transaction: Transaction, id: number, secretHash: string): Promise<void> {
  await transaction.execute('UPDATE robot SET secret_hash = $2, updated_at = now() WHERE id = $1', [id, secretHash]);
}

export async function deleteRobot(transaction: Transaction, id: number): Promise<void> {
  await transaction.execute('DELETE FROM robot WHERE id = $1', [id]);
}

async function findRobot(queryable: Queryable, id: number, lock: '' | 'FOR UPDATE OF r'): Promise<RobotRow | undefined> {
  const [row] = await queryable.query<Row>(`SELECT ${FIELDS} FROM ${TABLES} WHERE r.id = $1 AND r.visible AND p.deleted_at IS NULL ${lock}`, [id]);
  return row && robotRow(row);
}

function robotRow(row: Row): RobotRow {
  return {
    id: row.id, name: row.name, level: row.level, description: row.description, disabled: row.disabled, duration: row.duration, creator: row.creator,
    project: row.project_id === null || row.project_name === null ? undefined : { id: row.project_id, name: row.project_name },
    expiresAt: row.expires_at ?? undefined, lastUsedAt: row.last_used_at ?? undefined, createdAt: row.created_at, updatedAt: row.updated_at,
    grants: row.grants.map(([kind, project, projectName, resource, action]) => (
      kind === 'system' ? { kind, resource, action } : { kind, project: project ?? '*', projectName: projectName ?? undefined, resource, action })),
  };
}
