import { Injectable } from '@nestjs/common';
import type { Page } from '@haven/api';
import { Database, type Transaction } from '@haven/database';
import { mapPage, selectPage } from '../listing/select-page.js';
import { SqlConditions } from '../listing/sql-conditions.js';

export interface MemberRow {
  readonly id: number;
  readonly projectId: number;
  readonly userId: number;
  readonly username: string;
  /** The role's number. */
  readonly role: number;
}

interface Row {
  readonly id: number;
  readonly project_id: number;
  readonly user_id: number;
  readonly username: string;
  readonly role: number;
}

const FIELDS = 'm.id, m.project_id, m.user_id, u.username, m.role';

@Injectable()
export class MemberStore {
  constructor(private readonly database: Database) {}

  async list(projectId: number, name: string | undefined, page: number, size: number): Promise<Page<MemberRow>> {
    const conditions = new SqlConditions();
    conditions.add(`m.project_id = ${conditions.value(projectId)} AND u.deleted_at IS NULL`);
    if (name !== undefined) conditions.contains('u.username', name);
    const from = 'member m JOIN haven_user u ON u.id = m.user_id';
    return mapPage(await selectPage<Row>(this.database, { fields: FIELDS, from, conditions, order: 'u.username, m.id', page, size }), memberRow);
  }

  async find(projectId: number, id: number): Promise<MemberRow | undefined> {
    const [row] = await this.database.query<Row>(
      `SELECT ${FIELDS} FROM member m JOIN haven_user u ON u.id = m.user_id WHERE m.project_id = $1 AND m.id = $2 AND u.deleted_at IS NULL`,
      [projectId, id],
    );
    return row && memberRow(row);
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

/** The new member's id; undefined when the user is a member already. */
export async function insertMember(transaction: Transaction, projectId: number, userId: number, role: number): Promise<number | undefined> {
  const [row] = await transaction.query<{ id: number }>(
    'INSERT INTO member (project_id, user_id, role) VALUES ($1, $2, $3) ON CONFLICT (project_id, user_id) DO NOTHING RETURNING id',
    [projectId, userId, role],
  );
  return row?.id;
}

export async function lockMember(
  transaction: Transaction, projectId: number, id: number,
): Promise<{ readonly userId: number; readonly username: string; readonly role: number } | undefined> {
  const [row] = await transaction.query<{ user_id: number; username: string; role: number }>(
    'SELECT m.user_id, u.username, m.role FROM member m JOIN haven_user u ON u.id = m.user_id WHERE m.project_id = $1 AND m.id = $2 FOR UPDATE OF m',
    [projectId, id],
  );
  return row && { userId: row.user_id, username: row.username, role: row.role };
}

export async function updateRole(transaction: Transaction, id: number, role: number): Promise<void> {
  await transaction.execute('UPDATE member SET role = $2, updated_at = now() WHERE id = $1', [id, role]);
}

export async function deleteMember(transaction: Transaction, id: number): Promise<void> {
  await transaction.execute('DELETE FROM member WHERE id = $1', [id]);
}

function memberRow(row: Row): MemberRow {
  return { id: row.id, projectId: row.project_id, userId: row.user_id, username: row.username, role: row.role };
}
