import { Injectable } from '@nestjs/common';
import type { Page } from '@haven/api';
import { Database, databaseFault, type Queryable, type Transaction } from '@haven/database';
import { mapPage, selectPage, type ListWanted } from '../listing/select-page.js';
import { orderBy, SqlConditions, type QueryColumns } from '../listing/sql-conditions.js';

export interface UserRow {
  readonly id: number;
  readonly username: string;
  readonly email: string;
  readonly realname: string;
  readonly comment: string;
  readonly sysadmin: boolean;
  /** Made a system administrator by who vouches for the account. */
  readonly sourceAdmin: boolean;
  /** Who vouches for the account: "local", "ldap", "oidc". */
  readonly source: string;
  readonly passwordHash: string | undefined;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  readonly lastLoginAt: Date | undefined;
}

interface Row {
  readonly id: number;
  readonly username: string;
  readonly email: string | null;
  readonly realname: string;
  readonly comment: string;
  readonly sysadmin: boolean;
  readonly source_admin: boolean;
  readonly source: string;
  readonly password_hash: string | null;
  readonly created_at: Date;
  readonly updated_at: Date;
  readonly last_login_at: Date | null;
}

export interface NewUser {
  readonly username: string;
  readonly email: string | undefined;
  readonly realname: string;
  readonly comment: string;
  readonly passwordHash: string;
}

export interface ProfileChange {
  readonly email?: string | undefined;
  readonly realname?: string | undefined;
  readonly comment?: string | undefined;
}

export interface UserList extends ListWanted {
}

/** Lists leave out user 1, as the Harbor API does: it is nobody's colleague. */
const BUILT_IN = 1;

const FIELDS = 'id, username, email, realname, comment, sysadmin, source_admin, source, password_hash, created_at, updated_at, last_login_at';

/** What lists can be asked and sorted by. */
export const USER_COLUMNS: QueryColumns = new Map([
  ['user_id', { sql: 'id', type: 'number' }],
  ['username', { sql: 'username', type: 'text' }],
  ['email', { sql: 'email', type: 'text' }],
  ['realname', { sql: 'realname', type: 'text' }],
  ['sysadmin_flag', { sql: 'sysadmin', type: 'boolean' }],
  ['creation_time', { sql: 'created_at', type: 'time' }],
  ['update_time', { sql: 'updated_at', type: 'time' }],
  ['last_login_time', { sql: 'last_login_at', type: 'time' }],
]);

@Injectable()
export class UserStore {
  constructor(private readonly database: Database) {}

  async list(wanted: UserList): Promise<Page<UserRow>> {
    const conditions = new SqlConditions();
    conditions.add(`deleted_at IS NULL AND id <> ${BUILT_IN}`);
    conditions.query(wanted.terms, USER_COLUMNS);
    const order = orderBy(wanted.sort, USER_COLUMNS, 'username', 'id');
    const rows = await selectPage<Row>(this.database, { fields: FIELDS, from: 'haven_user', conditions, order, page: wanted.page, size: wanted.size });
    return mapPage(rows, userRow);
  }

  /** Accounts whose name begins so. */
  async search(beginning: string, page: number, size: number): Promise<Page<UserRow>> {
    const conditions = new SqlConditions();
    conditions.add(`deleted_at IS NULL AND id <> ${BUILT_IN}`);
    conditions.startsWith('username', beginning);
    return mapPage(await selectPage<Row>(this.database, { fields: FIELDS, from: 'haven_user', conditions, order: 'username, id', page, size }), userRow);
  }

  find(id: number): Promise<UserRow | undefined> {
    return findUser(this.database, id, '');
  }
}

/** The account, locked until the transaction ends. */
export function lockUser(transaction: Transaction, id: number): Promise<UserRow | undefined> {
  return findUser(transaction, id, 'FOR UPDATE');
}

/** The new account's id, or which of its names is taken. */
export async function insertUser(transaction: Transaction, user: NewUser): Promise<number | 'taken'> {
  const [row] = await transaction.query<{ id: number }>(
    `INSERT INTO haven_user (external_id, username, email, realname, comment, password_hash) VALUES ($1, $1, $2, $3, $4, $5)
     ON CONFLICT DO NOTHING RETURNING id`,
    [user.username, user.email ?? null, user.realname, user.comment, user.passwordHash],
  );
  return row?.id ?? 'taken';
}

/** Changes what the change names. Answers 'taken' when somebody else has that email address; the transaction is lost then. */
export async function updateProfile(transaction: Transaction, id: number, { email, realname, comment }: ProfileChange): Promise<'done' | 'taken'> {
  try {
    await transaction.execute(
      `UPDATE haven_user SET email = CASE WHEN $2::text IS NULL THEN email ELSE nullif($2, '') END,
         realname = coalesce($3, realname), comment = coalesce($4, comment), updated_at = now() WHERE id = $1`,
      [id, email ?? null, realname ?? null, comment ?? null],
    );
    return 'done';
  } catch (error) {
    if (databaseFault(error) === 'duplicate') return 'taken';
    throw error;
  }
}

export async function updatePassword(transaction: Transaction, id: number, passwordHash: string): Promise<void> {
  await transaction.execute('UPDATE haven_user SET password_hash = $2, updated_at = now() WHERE id = $1', [id, passwordHash]);
}

export async function updateSysadmin(transaction: Transaction, id: number, sysadmin: boolean): Promise<void> {
  await transaction.execute('UPDATE haven_user SET sysadmin = $2, updated_at = now() WHERE id = $1', [id, sysadmin]);
}

/** The row stays, so that history keeps its author; secrets, memberships and groups go. Name and address are free again. */
export async function binUser(transaction: Transaction, id: number): Promise<void> {
  await transaction.execute('UPDATE haven_user SET deleted_at = now(), updated_at = now(), password_hash = NULL, cli_secret = NULL, cli_secret_expires_at = NULL WHERE id = $1', [id]);
  await transaction.execute('DELETE FROM user_group_member WHERE user_id = $1', [id]);
  await transaction.execute('DELETE FROM member WHERE user_id = $1', [id]);
  await transaction.execute('DELETE FROM oidc_account WHERE user_id = $1', [id]);
}

async function findUser(queryable: Queryable, id: number, lock: '' | 'FOR UPDATE'): Promise<UserRow | undefined> {
  const [row] = await queryable.query<Row>(`SELECT ${FIELDS} FROM haven_user WHERE id = $1 AND deleted_at IS NULL ${lock}`, [id]);
  return row && userRow(row);
}

function userRow(row: Row): UserRow {
  return {
    id: row.id, username: row.username, email: row.email ?? '', realname: row.realname, comment: row.comment, sysadmin: row.sysadmin, sourceAdmin: row.source_admin, source: row.source,
    passwordHash: row.password_hash ?? undefined, createdAt: row.created_at, updatedAt: row.updated_at, lastLoginAt: row.last_login_at ?? undefined,
  };
}
