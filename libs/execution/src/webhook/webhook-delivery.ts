import type { Transaction } from '@haven/database';
import type { DueTasks, NewExecution, StartedExecution } from '../execution.js';
import type { Executions } from '../executions.js';
import { dueTasksOf, releaseTarget, waitForTargets, type DueRow } from './webhook-outage.js';
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

/** A delivery that was given up and is done again. */
export interface DeliveryToRestart extends Pick<DeliveryToStart, 'policyId' | 'targetType' | 'notification'> {
  readonly id: number;
}

/** Keeps whoever else starts or ends deliveries about the subjects waiting until the transaction ends. */
export async function lockSubjects(transaction: Transaction, subjects: Iterable<string>): Promise<void> {
  // One order of locking for all, so that two of them never wait for each other.
  const inOrder = [...new Set(subjects)].sort();
  await transaction.query(`SELECT pg_advisory_xact_lock(hashtextextended('webhook ' || subject, 0)) FROM unnest($1::text[]) AS subject`, [inOrder]);
}

/**
 * Starts the executions that do deliveries; do it with their subjects locked, in the order of the events. Behind another
 * delivery that waits one is not due until that has ended. Resolves to what to wake.
 */
export async function startDeliveries(transaction: Transaction, executions: Executions, wanted: readonly DeliveryToStart[]): Promise<StartedExecution[]> {
  const started = await executions.startAllIn(transaction, wanted.map(executionFor));
  const tasks = started.map(({ taskIds }) => taskIds[0]);
  await transaction.execute(
    `INSERT INTO webhook_delivery (policy_id, target, event_id, part, event_type, subject, payload, execution_id, task_id)
     SELECT policy_id, target, event_id, part, event_type, subject, payload, execution_id, task_id
     FROM unnest($1::int[], $2::int[], $3::uuid[], $4::int[], $5::text[], $6::text[], $7::jsonb[], $8::bigint[], $9::bigint[]) WITH ORDINALITY
       AS w (policy_id, target, event_id, part, event_type, subject, payload, execution_id, task_id, place) ORDER BY place`,
    [
      wanted.map((one) => one.policyId), wanted.map((one) => one.target), wanted.map((one) => one.eventId), wanted.map((one) => one.part), wanted.map((one) => one.notification.type),
      wanted.map((one) => one.subject), wanted.map((one) => JSON.stringify(one.notification)), started.map(({ id }) => id), tasks,
    ],
  );
  return due(transaction, started);
}

/** Does deliveries again that were given up, as startDeliveries does new ones; in the order of their ids. */
export async function restartDeliveries(transaction: Transaction, executions: Executions, wanted: readonly DeliveryToRestart[]): Promise<StartedExecution[]> {
  const started = await executions.startAllIn(transaction, wanted.map(executionFor));
  await transaction.execute(
    `UPDATE webhook_delivery d SET state = 'waiting', fault = '', ended_at = NULL, execution_id = w.execution_id, task_id = w.task_id
     FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) AS w (id, execution_id, task_id) WHERE d.id = w.id`,
    [wanted.map(({ id }) => id), started.map(({ id }) => id), started.map(({ taskIds }) => taskIds[0])],
  );
  return due(transaction, started);
}

/** What is to be known of a delivery to end it. */
export interface DeliveryToEnd {
  readonly id: number;
  readonly policyId: number;
  readonly target: number;
  /** Whether its target was known to take nothing. */
  readonly outage: boolean;
}

/** What came of ending a delivery. */
export interface EndOfDelivery {
  /** False when it had ended before, or is gone. */
  readonly ended: boolean;
  /** What is due now: wake it once that is committed. */
  readonly due: readonly DueTasks[];
}

/**
 * Ends a delivery, with its subject locked. Due are then the next one about the same subject and, when the target takes
 * something again, all that waited for that.
 */
export async function endDelivery(transaction: Transaction, { id, policyId, target, outage }: DeliveryToEnd, state: 'delivered' | 'dead', fault = ''): Promise<EndOfDelivery> {
  const [ended] = await transaction.query<{ subject: string }>(
    `UPDATE webhook_delivery d SET state = $2, fault = $3, ended_at = now(), attempts = d.attempts + coalesce((SELECT t.attempts FROM task t WHERE t.id = d.task_id), 0)
     WHERE d.id = $1 AND d.state = 'waiting' RETURNING d.subject`,
    [id, state, fault],
  );
  const next = ended === undefined ? [] : await transaction.query<DueRow>(
    `UPDATE task SET due_at = now(), queued_at = now() WHERE due_at = 'infinity' AND id =
       (SELECT d.task_id FROM webhook_delivery d WHERE d.policy_id = $1 AND d.target = $2 AND d.subject = $3 AND d.state = 'waiting' ORDER BY d.id LIMIT 1)
     RETURNING id, vendor_type`,
    [policyId, target, ended.subject],
  );
  const released = outage && state === 'delivered' ? await releaseTarget(transaction, { policyId, target }) : [];
  return { ended: ended !== undefined, due: [...next.map(dueTasksOf), ...released] };
}

function executionFor({ policyId, targetType, notification }: Pick<DeliveryToStart, 'policyId' | 'targetType' | 'notification'>): NewExecution {
  const { type, occur_at, operator, event_data } = notification;
  return {
    vendorType: webhookVendorOf(targetType), vendorId: policyId, trigger: 'EVENT', startedBy: '',
    attributes: { event_type: type, payload: JSON.stringify({ type, occur_at, operator, event_data }) }, tasks: [{ event_type: type }],
  };
}

/** Holds what has to wait for another delivery about its subject, or for its target; resolves to the others. */
async function due(transaction: Transaction, started: readonly StartedExecution[]): Promise<StartedExecution[]> {
  const tasks = started.flatMap(({ taskIds }) => taskIds);
  const held = await transaction.query<{ id: string }>(
    `UPDATE task t SET due_at = 'infinity' FROM webhook_delivery d WHERE d.task_id = t.id AND t.id = ANY($1::bigint[]) AND EXISTS
       (SELECT FROM webhook_delivery o WHERE o.policy_id = d.policy_id AND o.target = d.target AND o.subject = d.subject AND o.state = 'waiting'
          AND o.id <> d.id AND (o.id < d.id OR o.task_id <> ALL($1::bigint[])))
     RETURNING t.id`,
    [tasks],
  );
  const waiting = new Set([...held.map(({ id }) => Number(id)), ...(await waitForTargets(transaction, tasks))]);
  return started.filter(({ taskIds }) => taskIds.every((id) => !waiting.has(id)));
}
