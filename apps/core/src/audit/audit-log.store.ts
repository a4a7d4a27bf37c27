import { Injectable } from '@nestjs/common';
import type { Page, SortTerm } from '@haven/api';
import { Database } from '@haven/database';
import { orderBy, SqlConditions, type QueryColumns } from '../listing/sql-conditions.js';
import type { ListWanted } from '../listing/select-page.js';

export interface AuditRow {
  readonly id: number;
  readonly username: string;
  readonly resource: string;
  readonly resourceType: string;
  readonly operation: string;
  readonly description: string;
  readonly result: boolean;
  readonly at: Date;
}

/** Whose lines: all there are, those of any project, or those of some projects. */
export type AuditRange = { readonly kind: 'all' } | { readonly kind: 'every-project' } | { readonly kind: 'projects'; readonly ids: readonly number[] };

export interface AuditList extends ListWanted {
  readonly range: AuditRange;
}

interface Row {
  readonly id: string;
  readonly username: string;
  readonly resource: string;
  readonly resource_type: string;
  readonly operation: string;
  readonly operation_description: string;
  readonly operation_result: boolean;
  readonly op_time: Date;
}

/** What clients may ask for. */
export const AUDIT_COLUMNS: QueryColumns = new Map([
  ['id', { sql: 'e.id', type: 'number' }],
  ['username', { sql: 'e.username', type: 'text' }],
  ['resource', { sql: 'e.resource', type: 'text' }],
  ['resource_type', { sql: 'e.resource_type', type: 'text' }],
  ['operation', { sql: 'e.operation', type: 'text' }],
  ['operation_description', { sql: 'e.operation_description', type: 'text' }],
  ['operation_result', { sql: 'e.operation_result', type: 'boolean' }],
  ['op_time', { sql: 'e.op_time', type: 'time' }],
]);

/** What clients may sort by: the order that the trail is kept in. Another one would sort millions of lines for a page. */
const ORDERS: QueryColumns = new Map([['op_time', { sql: 'e.op_time', type: 'time' }], ['id', { sql: 'e.id', type: 'number' }]]);

/**
 * So many lines are found and then sorted. Left to itself the planner, which does not know how few there are, would walk
 * through the whole trail in its order until it has met a page of them.
 */
const FEW_LINES = 5_000;

const FIELDS = 'e.id, e.username, e.resource, e.resource_type, e.operation, e.operation_description, e.operation_result, e.op_time';

@Injectable()
export class AuditLogStore {
  constructor(private readonly database: Database) {}

  async list({ range, terms, sort, page, size }: AuditList): Promise<Page<AuditRow>> {
    const conditions = new SqlConditions();
    restrict(conditions, range);
    conditions.query(terms, AUDIT_COLUMNS);
    const total = await this.#count(range, terms.length > 0 ? conditions : undefined);
    const offset = (page - 1) * size;
    if (offset >= total) return { items: [], total };
    const inOrder = range.kind === 'all' || (range.kind === 'projects' && range.ids.length === 1);
    const source = total > FEW_LINES || (inOrder && terms.length === 0)
      ? `audit_event e WHERE ${conditions.toSql()}`
      : `(SELECT * FROM audit_event e WHERE ${conditions.toSql()} OFFSET 0) e`;
    const rows = await this.database.queryAnew<Row>(`SELECT ${FIELDS} FROM ${source} ORDER BY ${orderOf(sort)} LIMIT ${size} OFFSET ${offset}`, conditions.parameters);
    return { items: rows.map(auditRow), total };
  }

  /** The projects that the user has one of these roles in, by their numbers. */
  async projectsWith(userId: number, roles: readonly number[]): Promise<number[]> {
    const rows = await this.database.query<{ id: number }>(
      `SELECT DISTINCT r.project_id AS id FROM project_role r JOIN project p ON p.id = r.project_id AND p.deleted_at IS NULL
       WHERE r.user_id = $1 AND r.role = ANY($2::int[])`,
      [userId, roles],
    );
    return rows.map((row) => row.id);
  }

  /** Lines without any filter are counted while they are written. */
  async #count(range: AuditRange, filtered: SqlConditions | undefined): Promise<number> {
    const [row] = filtered === undefined
      ? await this.database.query<{ total: number }>(
        `SELECT coalesce(sum(events), 0)::int AS total FROM audit_count
         WHERE CASE $1 WHEN 'all' THEN true WHEN 'every-project' THEN project_id <> 0 ELSE project_id = ANY($2::integer[]) END`,
        [range.kind, range.kind === 'projects' ? range.ids : []],
      )
      : await this.database.queryAnew<{ total: number }>(`SELECT count(*)::int AS total FROM audit_event e WHERE ${filtered.toSql()}`, filtered.parameters);
    return row?.total ?? 0;
  }
}

function restrict(conditions: SqlConditions, range: AuditRange): void {
  if (range.kind === 'every-project') conditions.add('e.project_id IS NOT NULL');
  if (range.kind !== 'projects') return;
  // With an equals sign the index of a project's lines gives them in their order.
  conditions.add(range.ids.length === 1 ? `e.project_id = ${conditions.value(range.ids[0])}` : `e.project_id = ANY(${conditions.value(range.ids)}::integer[])`);
}

function orderOf(sort: readonly SortTerm[]): string {
  const descending = sort.find(({ key }) => ORDERS.has(key))?.descending ?? true;
  return orderBy(sort, ORDERS, 'e.op_time DESC', `e.id ${descending ? 'DESC' : 'ASC'}`);
}

function auditRow(row: Row): AuditRow {
  return {
    id: Number(row.id), username: row.username, resource: row.resource, resourceType: row.resource_type, operation: row.operation,
    description: row.operation_description, result: row.operation_result, at: row.op_time,
  };
}
