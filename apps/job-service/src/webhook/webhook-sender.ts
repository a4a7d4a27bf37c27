import { openSecret, SealedSecretError } from '@haven/access';
import type { Database } from '@haven/database';
import { endDelivery, lockSubjects, noteOutage, notificationId, TaskFailure, vendorOf, webhookSecretContext, type Executions, type StoredTarget, type TaskContext } from '@haven/execution';
import { OutboundError, type OutboundClient } from '@haven/outbound';
import type { Counter, Gauge, Metrics } from '@haven/runtime';
import { webhookRequest, type OpenTarget } from './webhook-request.js';
import { abandonedDeliveries, deliveryOfTask, expiredDeliveries, forgetDeliveries, waitingDeliveries, type DeliveryRow, type LeftDelivery } from './webhook.store.js';

export interface SenderParts {
  readonly database: Database;
  readonly executions: Executions;
  readonly outbound: OutboundClient;
  /** What secrets at rest are sealed under. */
  readonly secretKey: Buffer | undefined;
  readonly metrics: Metrics;
}

const LIMITS = { connectMs: 3000, totalMs: 5000, bodyBytes: 1024 };
const BATCH = 500;
const ABANDONED = 'the delivery was stopped, or its workers were lost';
const EXPIRED = 'the receiver took nothing for a day';

/** Why a delivery failed. */
interface Fault {
  /** For whoever may read the policy; never holds what the target said. */
  readonly text: string;
  /** Whether others for the same target would fail, too. */
  readonly outage: boolean;
}

/** Does deliveries: sends a notification to its target, once more after every failure until there were too many. */
export class WebhookSender {
  readonly #parts: SenderParts;
  readonly #ended: Counter<'state'>;
  readonly #waiting: Gauge;
  readonly #lag: Gauge;

  constructor(parts: SenderParts) {
    this.#parts = parts;
    this.#ended = parts.metrics.counter({ name: 'haven_webhook_deliveries_total', help: 'Deliveries of webhooks that this process ended, by how: delivered or dead', labelNames: ['state'] });
    this.#waiting = parts.metrics.gauge({ name: 'haven_webhook_deliveries_waiting', help: 'Deliveries of webhooks that wait, in the whole installation' });
    this.#lag = parts.metrics.gauge({ name: 'haven_webhook_lag_seconds', help: 'Age of the oldest delivery of a webhook that waits' });
  }

  async run(context: TaskContext): Promise<void> {
    const { task } = context;
    const delivery = await deliveryOfTask(this.#parts.database, task.id);
    if (delivery === undefined) throw new TaskFailure('the webhook policy is gone');
    if (delivery.state === 'delivered') return;
    const fault = await this.#send(context, delivery);
    const vendorType = task.vendorType === 'SLACK' ? 'SLACK' : 'WEBHOOK';
    if (fault === undefined) return void await this.#end(delivery, 'delivered', '');
    if (fault.outage) await this.#parts.database.transaction((transaction) => noteOutage(transaction, delivery, task.id));
    const { failures, retried } = vendorOf(vendorType);
    if (!retried || task.failures + 1 >= failures) await this.#end(delivery, 'dead', fault.text);
    throw new TaskFailure(fault.text);
  }

  /** Ends deliveries that nobody ends any more, so that those behind them go on; forgets old ones. Resolves to how many were ended. */
  async repair(): Promise<number> {
    const { database, executions } = this.#parts;
    let ended = 0;
    for (const one of await abandonedDeliveries(database, BATCH)) if (await this.#end(one, 'dead', ABANDONED)) ended += 1;
    for (const one of await expiredDeliveries(database, BATCH)) {
      await executions.stop({ vendorType: one.vendorType, vendorId: one.policyId }, one.executionId);
      if (await this.#end(one, 'dead', EXPIRED)) ended += 1;
    }
    await forgetDeliveries(database, BATCH);
    const { count, seconds } = await waitingDeliveries(database);
    this.#waiting.set(count);
    this.#lag.set(seconds);
    return ended;
  }

  async #send(context: TaskContext, delivery: DeliveryRow): Promise<Fault | undefined> {
    const { stored } = delivery;
    if (stored === undefined) return { text: 'the policy does not have this target any more', outage: false };
    const request = webhookRequest(this.#opened(stored, delivery.policyId), { ...delivery, id: notificationId(delivery.eventId, delivery.part) }, new Date());
    // Without path and query: these are the secret of many receivers.
    const sent = `POST ${new URL(stored.address).origin}, notification ${request.headers['webhook-id'] ?? ''}`;
    try {
      const { status } = await this.#parts.outbound.send({ url: stored.address, method: 'POST', ...request, tls: { verify: !stored.skip_cert_verify }, limits: LIMITS, signal: context.signal });
      await context.log.line(`${sent}: the receiver answered with status ${status}`);
      return status >= 200 && status < 300 ? undefined : { text: `the receiver answered with status ${status}`, outage: !isAboutThis(status) };
    } catch (error) {
      if (context.signal.aborted) await context.log.line(`${sent}: given up before it was answered`);
      context.check();
      if (!(error instanceof OutboundError)) throw error;
      await context.log.line(`${sent}: ${error.message}`);
      return { text: error.message, outage: true };
    }
  }

  #opened({ type, payload_format: payloadFormat, auth_header: authHeader, secret }: StoredTarget, policyId: number): OpenTarget {
    const open = (sealed: string | undefined): string | undefined => (sealed === undefined ? undefined : this.#open(sealed, policyId));
    return { type, payloadFormat, authHeader: open(authHeader), secret: open(secret) };
  }

  #open(sealed: string, policyId: number): string {
    const { secretKey } = this.#parts;
    if (secretKey === undefined) throw new TaskFailure('the job service has no HAVEN_SECRET_KEY, which the secrets of the webhook need');
    try {
      return openSecret(secretKey, sealed, webhookSecretContext(policyId));
    } catch (error) {
      if (error instanceof SealedSecretError) throw new TaskFailure('a secret of the webhook cannot be opened; set it again');
      throw error;
    }
  }

  /** False when it had ended already: several processes repair the same deliveries. */
  async #end(delivery: LeftDelivery, state: 'delivered' | 'dead', fault: string): Promise<boolean> {
    const { ended, due } = await this.#parts.database.transaction(async (transaction) => {
      await lockSubjects(transaction, [delivery.subject]);
      return endDelivery(transaction, delivery, state, fault);
    });
    if (ended) this.#ended.inc({ state });
    await this.#parts.executions.wakeAll(due);
    return ended;
  }
}

/**
 * An answer that says that the receiver does not want this very notification, or does not know the sender. A redirect is not:
 * nothing is told to where it leads, so whatever else is sent there is as lost.
 */
function isAboutThis(status: number): boolean {
  return status >= 400 && status < 500 && status !== 408 && status !== 429;
}
