import { Injectable } from '@nestjs/common';
import type { Page } from '@haven/api';
import { Database, type Queryable, type Transaction } from '@haven/database';
import { mapPage, selectPage } from '../listing/select-page.js';
import { SqlConditions } from '../listing/sql-conditions.js';

/** Who is a member: a user or a group. */
export interface Entity {
  readonly kind: 'user' | 'group';
  readonly id: number;
  readonly name: string;
}

export interface MemberRow {
  readonly id: number;
  readonly projectId: number;
  readonly entity: Entity;
  /** The role's number. */
  readonly role: number;
}

interface Row {
  readonly id: number;
  readonly project_id: number;
  readonly user_id: number | null;
  readonly group_id: number | null;
  readonly entity_name: string;
  readonly role: number;
}

const NAME = 'coalesce(u.username, g.name)';
const FIELDS = `m.id, m.project_id, m.user_id, m.group_id, ${NAME} AS entity_name, m.role`;
const TABLES = 'member m LEFT JOIN haven_user u ON u.id = m.user_id LEFT JOIN user_group g ON g.id = m.group_id';

@Injectable()
export class MemberStore {
  constructor(private readonly database: Database) {}

  async list(projectId: number, name: string | undefined, page: number, size: number): Promise<Page<MemberRow>> {
    const conditions = new SqlConditions();
    conditions.add(`m.project_id = ${conditions.value(projectId)} AND u.deleted_at IS NULL`);
    if (name !== undefined) conditions.contains(NAME, name);
    return mapPage(await selectPage<Row>(this.database, { fields: FIELDS, from: TABLES, conditions, order: 'entity_name, m.id', page, size }), memberRow);
  }

  find(projectId: number, id: number): Promise<MemberRow | undefined> {
    return findMember(this.database, projectId, id, '');
  }
}

/** The account, held so that it is not deleted meanwhile. */
export async function lockUser(
  transaction: Transaction, user: { readonly id?: number | undefined; readonly username?: string | undefined },
): Promise<{ readonly id: number; readonly username: string } | undefined> {
  const [row] = await transaction.query<{ id: number; username: string }>(
    `SELECT id, username FROM haven_user WHERE deleted_at IS NULL AND ${user.id === undefined ? 'username' : 'id'} = $1 FOR SHARE`,
    [user.id ?? user.username],
  );
  return row;
}

/** Whether the project is still there, held so that it is not deleted meanwhile. */
export async function holdProject(transaction: Transaction, projectId: number): Promise<boolean> {
  return (await transaction.query('SELECT 1 FROM project WHERE id = $1 AND deleted_at IS NULL FOR KEY SHARE', [projectId])).length > 0;
}

/** The new member's id; undefined when the user or group is a member already. */
export async function insertMember(transaction: Transaction, projectId: number, { kind, id }: Entity, role: number): Promise<number | undefined> {
  const [row] = await transaction.query<{ id: number }>(
    `INSERT INTO member (project_id, ${kind === 'user' ? 'user_id' : 'group_id'}, role) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING RETURNING id`,
    [projectId, id, role],
  );
  return row?.id;
}

/** The member, locked until the transaction ends. */
export function lockMember(transaction: Transaction, projectId: number, id: number): Promise<MemberRow | undefined> {
  return findMember(transaction, projectId, id, 'FOR UPDATE OF m');
}

export async function updateRole(transaction: Transaction, id: number, role: number): Promise<void> {
  await transaction.execute('UPDATE member SET role = $2, updated_at = now() WHERE id = $1', [id, role]);
}

export async function deleteMember(transaction: Transaction, id: number): Promise<void> {
  await transaction.execute('DELETE FROM member WHERE id = $1', [id]);
}

async function findMember(queryable: Queryable, projectId: number, id: number, lock: '' | 'FOR UPDATE OF m'): Promise<MemberRow | undefined> {
  const [row] = await queryable.query<Row>(`SELECT ${FIELDS} FROM ${TABLES} WHERE m.project_id = $1 AND m.id = $2 AND u.deleted_at IS NULL ${lock}`, [projectId, id]);
  return row && memberRow(row);
}

function memberRow(row: Row): MemberRow {
  const entity: Entity = row.user_id === null ? { kind: 'group', id: row.group_id ?? 0, name: row.entity_name } : { kind: 'user', id: row.user_id, name: row.entity_name };
  return { id: row.id, projectId: row.project_id, entity, role: row.role };
}
