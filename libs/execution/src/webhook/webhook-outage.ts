import type { Transaction } from '@haven/database';
import type { DueTasks } from '../execution.js';
import type { VendorType } from '../vendor.js';

/** A target of a policy, by its place. */
export interface WebhookTarget {
  readonly policyId: number;
  readonly target: number;
}

/** From so many failures in a row a target counts as one that takes nothing; before, it may be the fault of the notification. */
const CERTAIN = 3;
const BACKOFF_SECONDS = 5;
const MOST_BACKOFF_SECONDS = 600;
/** The others wait so much longer than the one that is tried next: longer than it takes to be found and tried. */
const OTHERS_LATER = '30 seconds';
/**
 * While something waits for a target, it is tried every ten minutes at least. When nothing was for so long, the queue was
 * paused or no worker was there: that says nothing about the target.
 */
export const OUTAGE_UNTRIED = '1 hour';

/**
 * Writes down that a target took nothing. When that happens again and again, not everything for it is tried in vain, which
 * would keep workers from other targets: of what waits, one delivery is tried next, after a pause that grows, and the others
 * only after that. The delivery that failed has its own pause.
 */
export async function noteOutage(transaction: Transaction, { policyId, target }: WebhookTarget, failedTask: number): Promise<void> {
  const [counted] = await transaction.query<{ failures: number }>(
    `INSERT INTO webhook_outage AS o (policy_id, target, next_at) VALUES ($1, $2, now())
     ON CONFLICT (policy_id, target) DO UPDATE SET failures = o.failures + 1, since = CASE WHEN o.next_at < now() - interval '${OUTAGE_UNTRIED}' THEN now() ELSE o.since END,
       next_at = CASE WHEN o.failures + 1 < ${CERTAIN} THEN now() ELSE now() + least($4, $3 * 2 ^ least(o.failures + 1 - ${CERTAIN}, 16)) * interval '1 second' END
       WHERE o.next_at <= now()
     RETURNING failures`,
    [policyId, target, BACKOFF_SECONDS, MOST_BACKOFF_SECONDS],
  );
  // Several are under way when a target goes down: while nothing is to be tried, their failures say nothing new.
  if (counted === undefined || counted.failures < CERTAIN) return;
  await transaction.execute(
    `WITH waiting AS (
       SELECT t.id, row_number() OVER (ORDER BY t.due_at, d.id) AS place FROM webhook_delivery d JOIN task t ON t.id = d.task_id
       WHERE d.policy_id = $1 AND d.target = $2 AND d.state = 'waiting' AND t.id <> $3 AND t.status IN ('Pending', 'Scheduled') AND t.due_at <> 'infinity')
     UPDATE task t SET queued_at = NULL, due_at = greatest(t.due_at, o.next_at + CASE WHEN waiting.place = 1 THEN interval '0' ELSE interval '${OTHERS_LATER}' END)
     FROM waiting, webhook_outage o WHERE t.id = waiting.id AND o.policy_id = $1 AND o.target = $2 AND t.status IN ('Pending', 'Scheduled')`,
    [policyId, target, failedTask],
  );
}

/** Has tasks that are about to be done wait for their targets, when these take nothing; resolves to those tasks. */
export async function waitForTargets(transaction: Transaction, tasks: readonly number[]): Promise<number[]> {
  const rows = await transaction.query<{ id: string }>(
    `UPDATE task t SET queued_at = NULL, due_at = o.next_at + interval '${OTHERS_LATER}' FROM webhook_delivery d JOIN webhook_outage o ON o.policy_id = d.policy_id AND o.target = d.target
     WHERE d.task_id = t.id AND t.id = ANY($1::bigint[]) AND t.due_at <> 'infinity' AND o.next_at > now() RETURNING t.id`,
    [tasks],
  );
  return rows.map((row) => Number(row.id));
}

/** The target takes something again; resolves to the tasks that waited for it and are due now. */
export async function releaseTarget(transaction: Transaction, { policyId, target }: WebhookTarget): Promise<DueTasks[]> {
  const rows = await transaction.query<DueRow>(
    `WITH over AS (DELETE FROM webhook_outage WHERE policy_id = $1 AND target = $2 RETURNING failures)
     UPDATE task t SET due_at = now(), queued_at = now() FROM over, webhook_delivery d
     WHERE d.policy_id = $1 AND d.target = $2 AND d.state = 'waiting' AND t.id = d.task_id AND t.status IN ('Pending', 'Scheduled')
       AND t.due_at > now() AND t.due_at <> 'infinity' AND (t.failures = 0 OR over.failures >= ${CERTAIN}) RETURNING t.id, t.vendor_type`,
    [policyId, target],
  );
  return rows.map(dueTasksOf);
}

/** Nothing is known about the targets of the policy any more, because they are others now; resolves to the tasks that are due. */
export async function releaseTargets(transaction: Transaction, policyId: number): Promise<DueTasks[]> {
  const released: DueTasks[] = [];
  const rows = await transaction.query<{ target: number }>('SELECT target FROM webhook_outage WHERE policy_id = $1 ORDER BY target FOR UPDATE', [policyId]);
  for (const { target } of rows) released.push(...(await releaseTarget(transaction, { policyId, target })));
  return released;
}

/** A task that is due now, with its kind: a target that was changed can have tasks of both. */
export interface DueRow {
  readonly id: string;
  readonly vendor_type: VendorType;
}

export function dueTasksOf({ id, vendor_type: vendorType }: DueRow): DueTasks {
  return { vendorType, taskIds: [Number(id)] };
}
