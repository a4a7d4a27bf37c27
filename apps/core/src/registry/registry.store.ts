import { Injectable } from '@nestjs/common';
import type { Page } from '@haven/api';
import { Database, databaseFault, type Transaction } from '@haven/database';
import { mapPage, selectPage, type ListWanted } from '../listing/select-page.js';
import { orderBy, SqlConditions, type QueryColumns } from '../listing/sql-conditions.js';
import type { RegistryDescription } from './registry-rules.js';
import type { RegistryType } from './registry-types.js';

/** A registry as it is stored: its secret sealed. */
export interface RegistryRow extends Omit<RegistryDescription, 'accessSecret'> {
  readonly id: number;
  readonly sealedSecret: string | undefined;
  readonly healthy: boolean;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** What is written of a registry. */
export type RegistryToStore = Omit<RegistryRow, 'id' | 'createdAt' | 'updatedAt'>;

export interface RegistryList extends ListWanted {
  readonly name: string | undefined;
}

interface Row {
  readonly id: number;
  readonly name: string;
  readonly description: string;
  readonly type: RegistryType;
  readonly url: string;
  readonly insecure: boolean;
  readonly ca_certificate: string;
  readonly credential_type: string;
  readonly access_key: string;
  readonly access_secret: string | null;
  readonly status: string;
  readonly created_at: Date;
  readonly updated_at: Date;
}

const FIELDS = 'r.id, r.name, r.description, r.type, r.url, r.insecure, r.ca_certificate, r.credential_type, r.access_key, r.access_secret, r.status, r.created_at, r.updated_at';

/** Credentials are nothing to filter by: that would tell about them. */
const COLUMNS: QueryColumns = new Map([
  ['id', { sql: 'r.id', type: 'number' }],
  ['name', { sql: 'r.name', type: 'text' }],
  ['description', { sql: 'r.description', type: 'text' }],
  ['type', { sql: 'r.type', type: 'text' }],
  ['url', { sql: 'r.url', type: 'text' }],
  ['status', { sql: 'r.status', type: 'text' }],
  ['creation_time', { sql: 'r.created_at', type: 'time' }],
  ['update_time', { sql: 'r.updated_at', type: 'time' }],
]);

@Injectable()
export class RegistryStore {
  constructor(private readonly database: Database) {}

  async list({ name, terms, sort, page, size }: RegistryList): Promise<Page<RegistryRow>> {
    const conditions = new SqlConditions();
    if (name !== undefined && name !== '') conditions.contains('r.name', name);
    conditions.query(terms, COLUMNS);
    const order = orderBy(sort, COLUMNS, 'r.name', 'r.id');
    return mapPage(await selectPage<Row>(this.database, { fields: FIELDS, from: 'registry r', conditions, order, page, size }), registryRow);
  }

  async find(id: number): Promise<RegistryRow | undefined> {
    const [row] = await this.database.query<Row>(`SELECT ${FIELDS} FROM registry r WHERE r.id = $1`, [id]);
    return row && registryRow(row);
  }

  async isNameTaken(name: string): Promise<boolean> {
    return (await this.database.query('SELECT 1 FROM registry WHERE name = $1', [name])).length > 0;
  }
}

/** The id of the next registry: its secret is sealed for it before there is a row. */
export async function nextRegistryId(transaction: Transaction): Promise<number> {
  const [row] = await transaction.query<{ id: string }>(`SELECT nextval(pg_get_serial_sequence('registry', 'id')) AS id`);
  return Number(row?.id);
}

/** False when the name is taken. */
export async function insertRegistry(transaction: Transaction, id: number, registry: RegistryToStore): Promise<boolean> {
  const inserted = await transaction.execute(
    `INSERT INTO registry (id, name, description, type, url, insecure, ca_certificate, credential_type, access_key, access_secret, status, checked_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, now()) ON CONFLICT (name) DO NOTHING`,
    [id, ...columnsOf(registry)],
  );
  return inserted > 0;
}

/** @param before when it was changed last: 'gone' also for one that somebody else changed since */
export async function updateRegistry(transaction: Transaction, id: number, before: Date, registry: RegistryToStore): Promise<'updated' | 'gone' | 'taken'> {
  try {
    const updated = await transaction.execute(
      `UPDATE registry SET name = $2, description = $3, type = $4, url = $5, insecure = $6, ca_certificate = $7, credential_type = $8, access_key = $9, access_secret = $10, status = $11,
         checked_at = now(), updated_at = clock_timestamp() WHERE id = $1 AND date_trunc('milliseconds', updated_at) = $12`,
      [id, ...columnsOf(registry), before],
    );
    return updated > 0 ? 'updated' : 'gone';
  } catch (error) {
    if (databaseFault(error) === 'duplicate') return 'taken';
    throw error;
  }
}

/** 'used' when something refers to it. */
export async function deleteRegistry(transaction: Transaction, id: number): Promise<'deleted' | 'gone' | 'used'> {
  try {
    return (await transaction.execute('DELETE FROM registry WHERE id = $1', [id])) > 0 ? 'deleted' : 'gone';
  } catch (error) {
    if (databaseFault(error) === 'missing-reference') return 'used';
    throw error;
  }
}

function columnsOf({ name, description, type, url, insecure, caCertificate, credentialType, accessKey, sealedSecret, healthy }: RegistryToStore): unknown[] {
  return [name, description, type, url, insecure, caCertificate, credentialType, accessKey, sealedSecret ?? null, statusOf(healthy)];
}

function statusOf(healthy: boolean): string {
  return healthy ? 'healthy' : 'unhealthy';
}

function registryRow(row: Row): RegistryRow {
  return {
    id: row.id, name: row.name, description: row.description, type: row.type, url: row.url, insecure: row.insecure, caCertificate: row.ca_certificate,
    credentialType: row.credential_type, accessKey: row.access_key, sealedSecret: row.access_secret ?? undefined, healthy: row.status === 'healthy',
    createdAt: row.created_at, updatedAt: row.updated_at,
  };
}
