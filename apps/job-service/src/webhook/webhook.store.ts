import type { Queryable, Transaction } from '@haven/database';
import { OUTAGE_UNTRIED, type DeliveryToEnd, type Notification, type StoredTarget, type VendorType } from '@haven/execution';

/** A delivery with the target that it goes to; undefined when the policy has it no more. */
export interface DeliveryRow extends DeliveryToEnd {
  readonly state: 'waiting' | 'delivered' | 'dead';
  /** Undefined for a policy of the whole installation. */
  readonly projectId: number | undefined;
  readonly eventId: string;
  readonly part: number;
  readonly subject: string;
  readonly notification: Notification;
  readonly stored: StoredTarget | undefined;
}

export async function deliveryOfTask(database: Queryable, taskId: number): Promise<DeliveryRow | undefined> {
  const [row] = await database.query<{
    id: string; state: DeliveryRow['state']; policy_id: number; project_id: number | null; event_id: string; part: number; subject: string; payload: Notification; target: number; stored: StoredTarget | null; outage: boolean;
  }>(
    `SELECT d.id, d.state, d.policy_id, w.project_id, d.event_id, d.part, d.subject, d.payload, d.target, w.targets -> d.target AS stored, o.policy_id IS NOT NULL AS outage
     FROM webhook_delivery d JOIN webhook_policy w ON w.id = d.policy_id LEFT JOIN webhook_outage o ON o.policy_id = d.policy_id AND o.target = d.target WHERE d.task_id = $1`,
    [taskId],
  );
  return row && {
    id: Number(row.id), state: row.state, policyId: row.policy_id, projectId: row.project_id ?? undefined, eventId: row.event_id, part: row.part, subject: row.subject,
    notification: row.payload, target: row.target, stored: row.stored ?? undefined, outage: row.outage,
  };
}

export interface LeftDelivery extends DeliveryToEnd {
  readonly subject: string;
}

/** Deliveries whose task ended without a word, stopped or with its worker: nobody else will end them. */
export async function abandonedDeliveries(database: Queryable, limit: number): Promise<LeftDelivery[]> {
  const rows = await database.query<{ id: string; subject: string; policy_id: number; target: number }>(
    `SELECT d.id, d.subject, d.policy_id, d.target FROM webhook_delivery d LEFT JOIN task t ON t.id = d.task_id
     WHERE d.state = 'waiting' AND (t.id IS NULL OR t.ended_at < now() - interval '10 seconds') ORDER BY d.id LIMIT $1`,
    [limit],
  );
  return rows.map((row) => ({ id: Number(row.id), subject: row.subject, policyId: row.policy_id, target: row.target, outage: false }));
}

export interface ExpiredDelivery extends LeftDelivery {
  readonly executionId: number;
  readonly vendorType: VendorType;
}

/** What has been waiting for a day for a target that took nothing, though it was tried all the time. */
export async function expiredDeliveries(database: Queryable, limit: number): Promise<ExpiredDelivery[]> {
  const rows = await database.query<{ id: string; subject: string; policy_id: number; target: number; execution_id: string; vendor_type: VendorType }>(
    `SELECT d.id, d.subject, d.policy_id, d.target, d.execution_id, e.vendor_type
     FROM webhook_outage o JOIN webhook_delivery d ON d.policy_id = o.policy_id AND d.target = o.target JOIN execution e ON e.id = d.execution_id
     WHERE o.since < now() - interval '1 day' AND o.next_at > now() - interval '${OUTAGE_UNTRIED}' AND d.state = 'waiting' AND e.started_at < now() - interval '1 day'
       AND NOT EXISTS (SELECT FROM queue_pause p WHERE p.job_type = e.vendor_type) ORDER BY d.id LIMIT $1`,
    [limit],
  );
  return rows.map((row) => (
    { id: Number(row.id), subject: row.subject, policyId: row.policy_id, target: row.target, outage: true, executionId: Number(row.execution_id), vendorType: row.vendor_type }
  ));
}

/** How many deliveries wait, and for how long the first of them has, in seconds. */
export async function waitingDeliveries(database: Queryable): Promise<{ readonly count: number; readonly seconds: number }> {
  const [row] = await database.query<{ count: number; seconds: number | null }>(
    `SELECT count(*)::int AS count, extract(epoch FROM now() - min(created_at))::float8 AS seconds FROM webhook_delivery WHERE state = 'waiting'`);
  return { count: row?.count ?? 0, seconds: row?.seconds ?? 0 };
}

/** Forgets what was told long ago: deliveries after 8 days, which is longer than their events stay; dead ones after 30. */
export async function forgetDeliveries(database: Pick<Transaction, 'execute'>, limit: number): Promise<number> {
  // Left behind where nobody wanted the rest to be told any more.
  await database.execute(`DELETE FROM webhook_plan WHERE updated_at < now() - interval '8 days'
    AND NOT EXISTS (SELECT FROM outbox o WHERE o.event_id = webhook_plan.event_id AND o.handled_at IS NULL)`);
  return database.execute(
    `DELETE FROM webhook_delivery WHERE id IN (SELECT id FROM webhook_delivery WHERE state <> 'waiting'
       AND ended_at < now() - CASE state WHEN 'dead' THEN interval '30 days' ELSE interval '8 days' END ORDER BY ended_at LIMIT $1)`,
    [limit],
  );
}
