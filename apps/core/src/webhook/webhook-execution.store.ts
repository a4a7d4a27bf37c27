import { Injectable } from '@nestjs/common';
import type { Page } from '@haven/api';
import { Database } from '@haven/database';
import type { VendorType } from '@haven/execution';
import { selectPage, type ListWanted } from '../listing/select-page.js';
import { orderBy, SqlConditions, type QueryColumns } from '../listing/sql-conditions.js';

/** A notification for one target, as its execution tells. */
export interface WebhookExecutionRow {
  readonly id: string;
  readonly vendor_type: 'WEBHOOK' | 'SLACK';
  readonly status: string;
  readonly status_message: string;
  readonly trigger: string;
  readonly extra_attrs: Readonly<Record<string, unknown>>;
  readonly started_at: Date;
  readonly updated_at: Date;
  readonly ended_at: Date | null;
}

/** What was done to deliver it. */
export interface WebhookTaskRow {
  readonly id: string;
  readonly execution_id: string;
  readonly status: string;
  readonly status_message: string;
  readonly attempts: number;
  readonly extra_attrs: Readonly<Record<string, unknown>>;
  readonly created_at: Date;
  readonly updated_at: Date;
  readonly started_at: Date | null;
  readonly ended_at: Date | null;
}

/** By the names of executions, and by those of the older jobs. */
const EXECUTION_COLUMNS: QueryColumns = new Map([
  ['id', { sql: 'e.id', type: 'number' }],
  ['vendor_type', { sql: 'e.vendor_type', type: 'text' }],
  ['status', { sql: 'e.status', type: 'text' }],
  ['trigger', { sql: 'e.trigger', type: 'text' }],
  ['event_type', { sql: `e.extra_attrs->>'event_type'`, type: 'text' }],
  ['start_time', { sql: 'e.started_at', type: 'time' }],
  ['end_time', { sql: 'e.ended_at', type: 'time' }],
  ['creation_time', { sql: 'e.started_at', type: 'time' }],
  ['update_time', { sql: 'e.updated_at', type: 'time' }],
]);

const TASK_COLUMNS: QueryColumns = new Map([
  ['id', { sql: 't.id', type: 'number' }],
  ['status', { sql: 't.status', type: 'text' }],
  ['run_count', { sql: 't.attempts::bigint', type: 'number' }],
  ['creation_time', { sql: 't.created_at', type: 'time' }],
  ['update_time', { sql: 't.updated_at', type: 'time' }],
  ['start_time', { sql: 't.started_at', type: 'time' }],
  ['end_time', { sql: 't.ended_at', type: 'time' }],
]);

@Injectable()
export class WebhookExecutionStore {
  constructor(private readonly database: Database) {}

  /** The latest first, unless the caller wants another order. */
  list(policyId: number, statuses: readonly string[], { terms, sort, page, size }: ListWanted): Promise<Page<WebhookExecutionRow>> {
    const conditions = new SqlConditions();
    conditions.add(`e.vendor_type IN ('WEBHOOK', 'SLACK') AND e.vendor_id = ${conditions.value(policyId)}`);
    if (statuses.length > 0) conditions.add(`e.status = ANY(${conditions.value(statuses)})`);
    conditions.query(terms, EXECUTION_COLUMNS);
    const fields = 'e.id, e.vendor_type, e.status, e.status_message, e.trigger, e.extra_attrs, e.started_at, e.updated_at, e.ended_at';
    return selectPage<WebhookExecutionRow>(this.database, { fields, from: 'execution e', conditions, order: orderBy(sort, EXECUTION_COLUMNS, 'e.started_at DESC', 'e.id DESC'), page, size });
  }

  tasks(executionId: number, { terms, sort, page, size }: ListWanted): Promise<Page<WebhookTaskRow>> {
    const conditions = new SqlConditions();
    conditions.add(`t.execution_id = ${conditions.value(executionId)}`);
    conditions.query(terms, TASK_COLUMNS);
    const fields = 't.id, t.execution_id, t.status, t.status_message, t.attempts, t.extra_attrs, t.created_at, t.updated_at, t.started_at, t.ended_at';
    return selectPage<WebhookTaskRow>(this.database, { fields, from: 'task t', conditions, order: orderBy(sort, TASK_COLUMNS, 't.id', 't.id'), page, size });
  }

  /** The kind of the execution, when it is one of the policy's. */
  async vendorOf(policyId: number, id: number): Promise<VendorType | undefined> {
    const [row] = await this.database.query<{ vendor_type: VendorType }>(`SELECT vendor_type FROM execution WHERE id = $1 AND vendor_id = $2 AND vendor_type IN ('WEBHOOK', 'SLACK')`, [id, policyId]);
    return row?.vendor_type;
  }
}
