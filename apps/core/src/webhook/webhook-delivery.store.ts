import { Injectable } from '@nestjs/common';
import type { Page } from '@haven/api';
import { Database, type Transaction } from '@haven/database';
import type { DeliveryToRestart, Notification, WebhookTargetType } from '@haven/execution';
import { selectPage, type ListWanted } from '../listing/select-page.js';
import { orderBy, SqlConditions, type QueryColumns } from '../listing/sql-conditions.js';

export interface DeliveryRow {
  readonly id: string;
  readonly policy_id: number;
  readonly policy_name: string;
  readonly project_id: number | null;
  readonly event_id: string;
  readonly part: number;
  readonly event_type: string;
  readonly subject: string;
  readonly address: string | null;
  readonly state: string;
  readonly fault: string;
  readonly attempts: number;
  readonly next_at: Date | null;
  readonly execution_id: string;
  readonly task_id: string;
  readonly created_at: Date;
  readonly ended_at: Date | null;
}

/** A dead letter that can be delivered again. */
export interface DeadLetter extends DeliveryToRestart {
  readonly subject: string;
}

const ATTEMPTS = `(d.attempts + CASE d.state WHEN 'waiting' THEN coalesce(t.attempts, 0) ELSE 0 END)`;
const NEXT_AT = `(CASE WHEN d.state = 'waiting' AND t.status IN ('Pending', 'Scheduled') AND t.due_at <> 'infinity' THEN t.due_at END)`;
const FAULT = `(CASE d.state WHEN 'waiting' THEN coalesce(t.status_message, '') ELSE d.fault END)`;
const FIELDS = `d.id, d.policy_id, w.name AS policy_name, w.project_id, d.event_id, d.part, d.event_type, d.subject, w.targets -> d.target ->> 'address' AS address, d.state,
  ${FAULT} AS fault, ${ATTEMPTS} AS attempts, ${NEXT_AT} AS next_at, d.execution_id, d.task_id, d.created_at, d.ended_at`;

const COLUMNS: QueryColumns = new Map([
  ['id', { sql: 'd.id', type: 'number' }],
  ['policy_id', { sql: 'd.policy_id::bigint', type: 'number' }],
  ['policy_name', { sql: 'w.name', type: 'text' }],
  ['project_id', { sql: 'w.project_id::bigint', type: 'number' }],
  ['event_id', { sql: 'd.event_id::text', type: 'text' }],
  ['event_type', { sql: 'd.event_type', type: 'text' }],
  ['subject', { sql: 'd.subject', type: 'text' }],
  ['state', { sql: 'd.state', type: 'text' }],
  ['fault', { sql: FAULT, type: 'text' }],
  ['attempts', { sql: `${ATTEMPTS}::bigint`, type: 'number' }],
  ['next_attempt_time', { sql: NEXT_AT, type: 'time' }],
  ['creation_time', { sql: 'd.created_at', type: 'time' }],
  ['end_time', { sql: 'd.ended_at', type: 'time' }],
]);

@Injectable()
export class WebhookDeliveryStore {
  constructor(private readonly database: Database) {}

  /** Of a policy, or of all; the latest first, unless the caller wants another order. */
  list(policyId: number | undefined, { terms, sort, page, size }: ListWanted, state?: 'dead'): Promise<Page<DeliveryRow>> {
    const conditions = new SqlConditions();
    if (policyId !== undefined) conditions.add(`d.policy_id = ${conditions.value(policyId)}`);
    if (state !== undefined) conditions.add(`d.state = ${conditions.value(state)}`);
    conditions.query(terms, COLUMNS);
    const from = 'webhook_delivery d JOIN webhook_policy w ON w.id = d.policy_id LEFT JOIN task t ON t.id = d.task_id';
    return selectPage<DeliveryRow>(this.database, { fields: FIELDS, from, conditions, order: orderBy(sort, COLUMNS, 'd.id DESC', 'd.id'), page, size });
  }
}

/** Dead letters whose target is there, in the order of their events, locked; all when no ids are given, as many as a transaction should take. */
export async function lockDead(transaction: Transaction, policyId: number, ids: readonly number[] | undefined, limit: number): Promise<DeadLetter[]> {
  const rows = await transaction.query<{ id: string; subject: string; payload: Notification; type: WebhookTargetType }>(
    `SELECT d.id, d.subject, d.payload, w.targets -> d.target ->> 'type' AS type FROM webhook_delivery d JOIN webhook_policy w ON w.id = d.policy_id
     WHERE d.policy_id = $1 AND d.state = 'dead' AND w.targets -> d.target IS NOT NULL AND ($2::bigint[] IS NULL OR d.id = ANY($2)) ORDER BY d.id LIMIT $3 FOR UPDATE OF d`,
    [policyId, ids ?? null, limit],
  );
  return rows.map(({ id, subject, payload, type }) => ({ id: Number(id), policyId, targetType: type, subject, notification: payload }));
}
