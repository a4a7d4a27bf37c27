import type { Queryable, Transaction } from '@haven/database';
import type { Notification, StoredTarget } from '@haven/execution';
import type { DeliveredEvent, EventName } from '@haven/messages';
import type { ToldRepository } from './notifications.js';

export interface PolicyRow {
  readonly id: number;
  readonly eventTypes: readonly string[];
  readonly targets: readonly StoredTarget[];
}

/** A delivery with the target that it goes to; undefined when the policy has it no more. */
export interface DeliveryRow {
  readonly id: number;
  readonly state: 'waiting' | 'delivered' | 'dead';
  readonly policyId: number;
  readonly projectId: number;
  readonly eventId: string;
  readonly part: number;
  readonly subject: string;
  readonly notification: Notification;
  readonly target: StoredTarget | undefined;
}

/** The policies of a project that are in force. */
export async function policiesFor(database: Queryable, projectId: number): Promise<PolicyRow[]> {
  const rows = await database.query<{ id: number; event_types: string[]; targets: StoredTarget[] }>(
    'SELECT w.id, w.event_types, w.targets FROM webhook_policy w JOIN project p ON p.id = w.project_id WHERE w.project_id = $1 AND w.enabled AND p.deleted_at IS NULL ORDER BY w.id',
    [projectId],
  );
  return rows.map(({ id, event_types: eventTypes, targets }) => ({ id, eventTypes, targets }));
}

/** Events of the repository that happened before this one and that nobody has handled yet, in their order. */
export async function eventsBefore(transaction: Transaction, eventId: string, repository: string, types: readonly EventName[]): Promise<DeliveredEvent[]> {
  const rows = await transaction.query<{ event_id: string; type: EventName; payload: DeliveredEvent['payload']; actor: string; origin: DeliveredEvent['origin']; created_at: Date }>(
    `SELECT event_id, type, payload, actor, origin, created_at FROM outbox
     WHERE handled_at IS NULL AND type = ANY($2) AND payload->>'repository' = $3 AND id < (SELECT o.id FROM outbox o WHERE o.event_id = $1) ORDER BY id`,
    [eventId, types, repository],
  );
  return rows.map(({ event_id: id, type, payload, actor, origin, created_at: createdAt }) => ({ id, type, payload, actor, origin, createdAt }));
}

/** What is planned already of these events: "policy event part target". */
export async function plannedKeys(transaction: Transaction, eventIds: readonly string[]): Promise<ReadonlySet<string>> {
  const rows = await transaction.query<{ key: string }>(
    `SELECT policy_id || ' ' || event_id || ' ' || part || ' ' || target AS key FROM webhook_delivery WHERE event_id = ANY($1::uuid[])`,
    [eventIds],
  );
  return new Set(rows.map(({ key }) => key));
}

export async function toldRepository(transaction: Transaction, projectId: number, fullName: string): Promise<ToldRepository> {
  const [row] = await transaction.query<{ public: boolean; created_at: Date | null }>(
    'SELECT p.public, r.created_at FROM project p LEFT JOIN repository r ON r.project_id = p.id AND r.name = $2 AND r.deleted_at IS NULL WHERE p.id = $1',
    [projectId, fullName],
  );
  return { fullName, public: row?.public ?? false, createdAt: row?.created_at ?? undefined };
}

export async function deliveryOfTask(database: Queryable, taskId: number): Promise<DeliveryRow | undefined> {
  const [row] = await database.query<{
    id: string; state: DeliveryRow['state']; policy_id: number; project_id: number; event_id: string; part: number; subject: string; payload: Notification; target: StoredTarget | null;
  }>(
    `SELECT d.id, d.state, d.policy_id, w.project_id, d.event_id, d.part, d.subject, d.payload, w.targets -> d.target AS target
     FROM webhook_delivery d JOIN webhook_policy w ON w.id = d.policy_id WHERE d.task_id = $1`,
    [taskId],
  );
  return row && {
    id: Number(row.id), state: row.state, policyId: row.policy_id, projectId: row.project_id, eventId: row.event_id, part: row.part, subject: row.subject,
    notification: row.payload, target: row.target ?? undefined,
  };
}

/** Deliveries whose task ended without a word, stopped or with its worker: nobody else will end them. */
export async function abandonedDeliveries(database: Queryable, limit: number): Promise<{ readonly id: number; readonly subject: string }[]> {
  const rows = await database.query<{ id: string; subject: string }>(
    `SELECT d.id, d.subject FROM webhook_delivery d LEFT JOIN task t ON t.id = d.task_id
     WHERE d.state = 'waiting' AND (t.id IS NULL OR t.ended_at < now() - interval '10 seconds') ORDER BY d.id LIMIT $1`,
    [limit],
  );
  return rows.map(({ id, subject }) => ({ id: Number(id), subject }));
}

/** Forgets what was told long ago: deliveries after 8 days, which is longer than their events stay; dead ones after 30. */
export async function forgetDeliveries(database: Pick<Transaction, 'execute'>, limit: number): Promise<number> {
  return database.execute(
    `DELETE FROM webhook_delivery WHERE id IN (SELECT id FROM webhook_delivery WHERE state <> 'waiting'
       AND ended_at < now() - CASE state WHEN 'dead' THEN interval '30 days' ELSE interval '8 days' END ORDER BY ended_at LIMIT $1)`,
    [limit],
  );
}
