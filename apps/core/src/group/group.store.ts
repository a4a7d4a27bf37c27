import { Injectable } from '@nestjs/common';
import type { Page } from '@haven/api';
import { Database, databaseFault, type Queryable, type Transaction } from '@haven/database';
import { mapPage, selectPage } from '../listing/select-page.js';
import { SqlConditions } from '../listing/sql-conditions.js';
import type { GroupIdentity } from './group-rules.js';

export interface GroupRow {
  readonly id: number;
  readonly name: string;
  /** 1 LDAP, 2 HTTP, 3 OIDC. */
  readonly type: number;
  /** Of LDAP groups. */
  readonly dn: string | undefined;
}

interface Row {
  readonly id: number;
  readonly name: string;
  readonly type: number;
  readonly ldap_group_dn: string | null;
}

export interface GroupList {
  readonly types: readonly number[];
  /** A part of the name. */
  readonly name: string | undefined;
  readonly dnKey: string | undefined;
  readonly page: number;
  readonly size: number;
}

const FIELDS = 'id, name, type, ldap_group_dn';

@Injectable()
export class GroupStore {
  constructor(private readonly database: Database) {}

  async list(wanted: GroupList): Promise<Page<GroupRow>> {
    const conditions = new SqlConditions();
    conditions.add(`type = ANY(${conditions.value(wanted.types)}::int[])`);
    if (wanted.name !== undefined) conditions.contains('name', wanted.name);
    if (wanted.dnKey !== undefined) conditions.add(`dn_key = ${conditions.value(wanted.dnKey)}`);
    return mapPage(await selectPage<Row>(this.database, { fields: FIELDS, from: 'user_group', conditions, order: 'name, id', page: wanted.page, size: wanted.size }), groupRow);
  }

  find(id: number): Promise<GroupRow | undefined> {
    return findGroup(this.database, id, '');
  }
}

/** The group, locked until the transaction ends. */
export function lockGroup(transaction: Transaction, id: number): Promise<GroupRow | undefined> {
  return findGroup(transaction, id, 'FOR UPDATE');
}

/** The group, held so that it is not deleted meanwhile. */
export function holdGroup(transaction: Transaction, id: number): Promise<GroupRow | undefined> {
  return findGroup(transaction, id, 'FOR KEY SHARE');
}

/** The group that this identifies, held so that it is not deleted meanwhile. */
export async function holdIdentified(transaction: Transaction, { type, name, dnKey }: Pick<GroupIdentity, 'type' | 'name' | 'dnKey'>): Promise<GroupRow | undefined> {
  const [row] = await transaction.query<Row>(
    `SELECT ${FIELDS} FROM user_group WHERE type = $1 AND ${dnKey === undefined ? 'name' : 'dn_key'} = $2 FOR KEY SHARE`,
    [type, dnKey ?? name],
  );
  return row && groupRow(row);
}

/** The new group's id; undefined when it is there already. */
export async function insertGroup(transaction: Transaction, { type, name, dn, dnKey }: GroupIdentity): Promise<number | undefined> {
  const [row] = await transaction.query<{ id: number }>(
    'INSERT INTO user_group (name, type, ldap_group_dn, dn_key) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING RETURNING id',
    [name, type, dn ?? null, dnKey ?? null],
  );
  return row?.id;
}

/** Answers 'taken' when another group of its type has the name; the transaction is lost then. */
export async function renameGroup(transaction: Transaction, id: number, name: string): Promise<'done' | 'taken'> {
  try {
    await transaction.execute('UPDATE user_group SET name = $2, updated_at = now() WHERE id = $1', [id, name]);
    return 'done';
  } catch (error) {
    if (databaseFault(error) === 'duplicate') return 'taken';
    throw error;
  }
}

/** Deletes the group with what it gave its people in projects. */
export async function deleteGroup(transaction: Transaction, id: number): Promise<void> {
  await transaction.execute('DELETE FROM user_group WHERE id = $1', [id]);
}

/** The people in the group, as subjects: "user:3". */
export async function subjectsIn(transaction: Transaction, id: number): Promise<string[]> {
  const rows = await transaction.query<{ user_id: number }>('SELECT user_id FROM user_group_member WHERE group_id = $1', [id]);
  return rows.map((row) => `user:${row.user_id}`);
}

async function findGroup(queryable: Queryable, id: number, lock: '' | 'FOR UPDATE' | 'FOR KEY SHARE'): Promise<GroupRow | undefined> {
  const [row] = await queryable.query<Row>(`SELECT ${FIELDS} FROM user_group WHERE id = $1 ${lock}`, [id]);
  return row && groupRow(row);
}

function groupRow(row: Row): GroupRow {
  return { id: row.id, name: row.name, type: row.type, dn: row.ldap_group_dn ?? undefined };
}
