import type { Transaction } from '@haven/database';
import type { StartedExecution } from '../execution.js';
import type { Executions } from '../executions.js';
import { webhookVendorOf, type Notification, type WebhookTargetType } from './webhook-policy.js';

/** A notification on its way to one target. */
export interface DeliveryToStart {
  readonly policyId: number;
  readonly target: number;
  readonly targetType: WebhookTargetType;
  readonly eventId: string;
  /** An event can be told in parts, one for each tag. */
  readonly part: number;
  /** What must stay in order: deliveries to a target about the same subject are done one after the other. */
  readonly subject: string;
  readonly notification: Notification;
}

/** Keeps whoever else starts or ends deliveries about the subject waiting until the transaction ends. */
export async function lockSubject(transaction: Transaction, subject: string): Promise<void> {
  await transaction.query(`SELECT pg_advisory_xact_lock(hashtextextended('webhook ' || $1, 0))`, [subject]);
}

/**
 * Starts the execution that does a delivery; do it with the subject locked, in the order of the events. Behind another
 * delivery that waits it is not due until `releaseNext`. Resolves to what to wake; undefined while it is not due.
 *
 * @param deliveryId of a delivery that was given up and is done again
 */
export async function startDelivery(transaction: Transaction, executions: Executions, wanted: DeliveryToStart, deliveryId?: number): Promise<StartedExecution | undefined> {
  const { policyId, target, targetType, eventId, part, subject, notification } = wanted;
  const started = await executions.startIn(transaction, {
    vendorType: webhookVendorOf(targetType), vendorId: policyId, trigger: 'EVENT', startedBy: '',
    attributes: { event_type: notification.type, payload: JSON.stringify({ type: notification.type, occur_at: notification.occur_at, operator: notification.operator, event_data: notification.event_data }) },
    tasks: [{ event_type: notification.type }],
  });
  const [taskId] = started.taskIds;
  const [row] = deliveryId === undefined
    ? await transaction.query<{ id: string }>(
      `INSERT INTO webhook_delivery (policy_id, target, event_id, part, event_type, subject, payload, execution_id, task_id) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) RETURNING id`,
      [policyId, target, eventId, part, notification.type, subject, JSON.stringify(notification), started.id, taskId],
    )
    : await transaction.query<{ id: string }>(
      `UPDATE webhook_delivery SET state = 'waiting', fault = '', ended_at = NULL, execution_id = $2, task_id = $3 WHERE id = $1 RETURNING id`,
      [deliveryId, started.id, taskId],
    );
  const held = await transaction.execute(
    `UPDATE task SET due_at = 'infinity' WHERE id = $1 AND EXISTS
       (SELECT FROM webhook_delivery WHERE policy_id = $2 AND target = $3 AND subject = $4 AND state = 'waiting' AND id <> $5 AND ($6 OR id < $5))`,
    [taskId, policyId, target, subject, row?.id, deliveryId !== undefined],
  );
  return held > 0 ? undefined : started;
}

/** Ends a delivery; resolves to the tasks of the next one about the same subject, which is due now. */
export async function endDelivery(transaction: Transaction, id: number, state: 'delivered' | 'dead', fault = ''): Promise<number[]> {
  const [ended] = await transaction.query<{ policy_id: number; target: number; subject: string }>(
    `UPDATE webhook_delivery SET state = $2, fault = $3, ended_at = now() WHERE id = $1 AND state = 'waiting' RETURNING policy_id, target, subject`,
    [id, state, fault],
  );
  if (ended === undefined) return [];
  const rows = await transaction.query<{ id: string }>(
    `UPDATE task SET due_at = now(), queued_at = now() WHERE due_at = 'infinity' AND id =
       (SELECT d.task_id FROM webhook_delivery d WHERE d.policy_id = $1 AND d.target = $2 AND d.subject = $3 AND d.state = 'waiting' ORDER BY d.id LIMIT 1) RETURNING id`,
    [ended.policy_id, ended.target, ended.subject],
  );
  return rows.map((row) => Number(row.id));
}
