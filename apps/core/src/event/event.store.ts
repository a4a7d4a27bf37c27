import { Injectable } from '@nestjs/common';
import type { Page } from '@haven/api';
import { Database } from '@haven/database';
import { selectPage, type ListWanted } from '../listing/select-page.js';
import { orderBy, SqlConditions, type QueryColumns } from '../listing/sql-conditions.js';

export interface EventRow {
  readonly id: string;
  readonly event_id: string;
  readonly type: string;
  readonly project: string | null;
  readonly repository: string | null;
  readonly operator: string | null;
  readonly created_at: Date;
  readonly delivered_at: Date | null;
  readonly handled_at: Date | null;
}

export type DeliveryState = 'waiting' | 'delivered' | 'dead';

const STATE = `(CASE WHEN o.handled_at IS NOT NULL THEN 'handled' WHEN o.delivered_at IS NOT NULL THEN 'queued' ELSE 'waiting' END)`;
const FIELDS = `o.id, o.event_id, o.type, o.payload->>'project' AS project, o.payload->>'repository' AS repository, o.origin->>'name' AS operator, o.created_at, o.delivered_at, o.handled_at`;

const COLUMNS: QueryColumns = new Map([
  ['id', { sql: 'o.id', type: 'number' }],
  ['event_id', { sql: 'o.event_id::text', type: 'text' }],
  ['type', { sql: 'o.type', type: 'text' }],
  ['project_id', { sql: `(o.payload->>'project')::bigint`, type: 'number' }],
  ['repository', { sql: `(o.payload->>'repository')`, type: 'text' }],
  ['operator', { sql: `(o.origin->>'name')`, type: 'text' }],
  ['state', { sql: STATE, type: 'text' }],
  ['creation_time', { sql: 'o.created_at', type: 'time' }],
  ['queue_time', { sql: 'o.delivered_at', type: 'time' }],
  ['handle_time', { sql: 'o.handled_at', type: 'time' }],
]);

/** Reads the outbox, which keeps events for a week. */
@Injectable()
export class EventStore {
  constructor(private readonly database: Database) {}

  /** The latest first, unless the caller wants another order. */
  list({ terms, sort, page, size }: ListWanted): Promise<Page<EventRow>> {
    const conditions = new SqlConditions();
    conditions.query(terms, COLUMNS);
    return selectPage<EventRow>(this.database, { fields: FIELDS, from: 'outbox o', conditions, order: orderBy(sort, COLUMNS, 'o.id DESC', 'o.id'), page, size });
  }

  /** How many notifications of webhooks about each event stand where. */
  async deliveries(eventIds: readonly string[]): Promise<readonly { readonly eventId: string; readonly state: DeliveryState; readonly count: number }[]> {
    const rows = await this.database.query<{ event_id: string; state: DeliveryState; count: number }>(
      'SELECT event_id, state, count(*)::int AS count FROM webhook_delivery WHERE event_id = ANY($1::uuid[]) GROUP BY event_id, state', [eventIds]);
    return rows.map(({ event_id: eventId, state, count }) => ({ eventId, state, count }));
  }
}
