import { Injectable } from '@nestjs/common';
import type { Page } from '@haven/api';
import { Database, type Transaction } from '@haven/database';
import { mapPage, selectPage, type ListWanted } from '../listing/select-page.js';
import { orderBy, SqlConditions, type QueryColumns } from '../listing/sql-conditions.js';
import type { StoredRule } from './immutability-rules.js';

export interface ImmutabilityRow {
  readonly id: number;
  readonly disabled: boolean;
  readonly rule: StoredRule;
}

export interface ImmutabilityList extends ListWanted {
  readonly projectId: number;
}

const COLUMNS: QueryColumns = new Map([
  ['id', { sql: 'i.id', type: 'number' }],
  ['disabled', { sql: 'i.disabled', type: 'boolean' }],
  ['creation_time', { sql: 'i.created_at', type: 'time' }],
  ['update_time', { sql: 'i.updated_at', type: 'time' }],
]);

@Injectable()
export class ImmutabilityStore {
  constructor(private readonly database: Database) {}

  async list({ projectId, terms, sort, page, size }: ImmutabilityList): Promise<Page<ImmutabilityRow>> {
    const conditions = new SqlConditions();
    conditions.add(`i.project_id = ${conditions.value(projectId)}`);
    conditions.query(terms, COLUMNS);
    const order = orderBy(sort, COLUMNS, 'i.id', 'i.id');
    return mapPage(await selectPage<ImmutabilityRow>(this.database, { fields: 'i.id, i.disabled, i.rule', from: 'immutability_rule i', conditions, order, page, size }), (row) => row);
  }
}

/** Keeps pushes into the project, and other changes of its rules, waiting until the transaction ends; false when it is gone. */
export async function lockProjectRules(transaction: Transaction, projectId: number): Promise<boolean> {
  return (await transaction.query('SELECT 1 FROM project WHERE id = $1 AND deleted_at IS NULL FOR UPDATE', [projectId])).length > 0;
}

/** The new rule's id; undefined when the project has the very same rule already. */
export async function insertRule(transaction: Transaction, projectId: number, disabled: boolean, rule: StoredRule): Promise<number | undefined> {
  const [row] = await transaction.query<{ id: number }>(
    `INSERT INTO immutability_rule (project_id, disabled, rule) SELECT $1, $2, $3::jsonb
     WHERE NOT EXISTS (SELECT 1 FROM immutability_rule WHERE project_id = $1 AND rule = $3::jsonb) RETURNING id`,
    [projectId, disabled, JSON.stringify(rule)],
  );
  return row?.id;
}

export async function countRules(transaction: Transaction, projectId: number): Promise<number> {
  const [row] = await transaction.query<{ count: number }>('SELECT count(*)::int AS count FROM immutability_rule WHERE project_id = $1', [projectId]);
  return row?.count ?? 0;
}

/** The project's rule with this id, held until the transaction ends. */
export async function lockRule(transaction: Transaction, projectId: number, id: number): Promise<ImmutabilityRow | undefined> {
  const [row] = await transaction.query<ImmutabilityRow>('SELECT id, disabled, rule FROM immutability_rule WHERE project_id = $1 AND id = $2 FOR UPDATE', [projectId, id]);
  return row;
}

/** False when another rule of the project says the very same. */
export async function updateRule(transaction: Transaction, projectId: number, { id, disabled, rule }: ImmutabilityRow): Promise<boolean> {
  return (await transaction.execute(
    `UPDATE immutability_rule SET disabled = $3, rule = $4::jsonb, updated_at = now()
     WHERE id = $2 AND NOT EXISTS (SELECT 1 FROM immutability_rule other WHERE other.project_id = $1 AND other.id <> $2 AND other.rule = $4::jsonb)`,
    [projectId, id, disabled, JSON.stringify(rule)],
  )) > 0;
}

/** Whether the project had it. */
export async function deleteRule(transaction: Transaction, projectId: number, id: number): Promise<boolean> {
  return (await transaction.execute('DELETE FROM immutability_rule WHERE project_id = $1 AND id = $2', [projectId, id])) > 0;
}
