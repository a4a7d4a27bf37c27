import { Injectable } from '@nestjs/common';
import type { Page, SortTerm } from '@haven/api';
import { Database, type Transaction } from '@haven/database';
import { mapPage, selectPage } from '../listing/select-page.js';
import { orderBy, SqlConditions, type QueryColumns } from '../listing/sql-conditions.js';
import { storageUsedSql } from '../project/storage-used.js';

export interface QuotaRow {
  /** The project's id, which is the quota's as well. */
  readonly id: number;
  readonly project: string;
  readonly owner: string;
  /** Bytes; -1 for no limit. */
  readonly hard: number;
  readonly used: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

interface Row {
  readonly id: number;
  readonly name: string;
  readonly owner_name: string;
  readonly storage_limit: string;
  readonly used: string;
  readonly created_at: Date;
  readonly quota_updated_at: Date;
}

export interface QuotaList {
  /** One project's only. */
  readonly projectId: number | undefined;
  readonly sort: readonly SortTerm[];
  readonly page: number;
  readonly size: number;
}

const USED = storageUsedSql('p');
const COLUMNS: QueryColumns = new Map([
  ['id', { sql: 'p.id', type: 'number' }],
  ['hard.storage', { sql: 'p.storage_limit', type: 'number' }],
  ['used.storage', { sql: USED, type: 'number' }],
  ['creation_time', { sql: 'p.created_at', type: 'time' }],
  ['update_time', { sql: 'p.quota_updated_at', type: 'time' }],
]);
const FIELDS = `p.id, p.name, o.username AS owner_name, p.storage_limit, ${USED} AS used, p.created_at, p.quota_updated_at`;
const FROM = 'project p JOIN haven_user o ON o.id = p.owner_id';

@Injectable()
export class QuotaStore {
  constructor(private readonly database: Database) {}

  async list({ projectId, sort, page, size }: QuotaList): Promise<Page<QuotaRow>> {
    const conditions = new SqlConditions();
    conditions.add('p.deleted_at IS NULL');
    if (projectId !== undefined) conditions.add(`p.id = ${conditions.value(projectId)}`);
    const order = orderBy(sort, COLUMNS, 'p.id', 'p.id');
    return mapPage(await selectPage<Row>(this.database, { fields: FIELDS, from: FROM, conditions, order, page, size }), quotaRow);
  }

  async find(id: number): Promise<QuotaRow | undefined> {
    const [row] = await this.database.query<Row>(`SELECT ${FIELDS} FROM ${FROM} WHERE p.id = $1 AND p.deleted_at IS NULL`, [id]);
    return row && quotaRow(row);
  }
}

/**
 * Limits a project, after the pushes into it that are being charged and before all others: those wait for the project's
 * row. Resolves to its name and former limit; undefined when it is gone.
 */
export async function limitProject(transaction: Transaction, id: number, hard: number): Promise<{ readonly name: string; readonly former: number } | undefined> {
  const [row] = await transaction.query<{ name: string; storage_limit: string }>('SELECT name, storage_limit FROM project WHERE id = $1 AND deleted_at IS NULL FOR NO KEY UPDATE', [id]);
  if (row === undefined) return undefined;
  await transaction.execute('UPDATE project SET storage_limit = $2, quota_updated_at = now() WHERE id = $1', [id, hard]);
  return { name: row.name, former: Number(row.storage_limit) };
}

function quotaRow(row: Row): QuotaRow {
  return {
    id: row.id, project: row.name, owner: row.owner_name, hard: Number(row.storage_limit), used: Number(row.used), createdAt: row.created_at,
    updatedAt: row.quota_updated_at,
  };
}
