import { Injectable } from '@nestjs/common';
import type { Page } from '@haven/api';
import { Database, type Transaction } from '@haven/database';
import type { Notification, StoredTarget, VendorType } from '@haven/execution';
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

export interface DeadRow {
  readonly id: string;
  readonly event_id: string;
  readonly event_type: string;
  readonly address: string | null;
  readonly fault: string;
  readonly created_at: Date;
  readonly ended_at: Date;
}

export interface DeadDelivery {
  readonly id: number;
  readonly target: number;
  readonly eventId: string;
  readonly part: number;
  readonly subject: string;
  readonly notification: Notification;
  readonly stored: StoredTarget | undefined;
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

  dead(policyId: number, page: number, size: number): Promise<Page<DeadRow>> {
    const conditions = new SqlConditions();
    conditions.add(`d.state = 'dead' AND d.policy_id = ${conditions.value(policyId)}`);
    const fields = `d.id, d.event_id, d.event_type, w.targets -> d.target ->> 'address' AS address, d.fault, d.created_at, d.ended_at`;
    return selectPage<DeadRow>(this.database, { fields, from: 'webhook_delivery d JOIN webhook_policy w ON w.id = d.policy_id', conditions, order: 'd.id', page, size });
  }
}

/** Dead letters in the order of their events, locked; all when no ids are given, as many as a transaction should take. */
export async function lockDead(transaction: Transaction, policyId: number, ids: readonly number[] | undefined, limit: number): Promise<DeadDelivery[]> {
  const rows = await transaction.query<{ id: string; target: number; event_id: string; part: number; subject: string; payload: Notification; stored: StoredTarget | null }>(
    `SELECT d.id, d.target, d.event_id, d.part, d.subject, d.payload, w.targets -> d.target AS stored FROM webhook_delivery d JOIN webhook_policy w ON w.id = d.policy_id
     WHERE d.policy_id = $1 AND d.state = 'dead' AND ($2::bigint[] IS NULL OR d.id = ANY($2)) ORDER BY d.id LIMIT $3 FOR UPDATE OF d`,
    [policyId, ids ?? null, limit],
  );
  return rows.map((row) => ({ id: Number(row.id), target: row.target, eventId: row.event_id, part: row.part, subject: row.subject, notification: row.payload, stored: row.stored ?? undefined }));
}
