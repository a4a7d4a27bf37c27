import { openSecret, SealedSecretError } from '@haven/access';
import type { Database } from '@haven/database';
import { endDelivery, lockSubject, TaskFailure, vendorOf, webhookSecretContext, type Executions, type StoredTarget, type TaskContext } from '@haven/execution';
import { OutboundError, type OutboundClient } from '@haven/outbound';
import { notificationId, webhookRequest, type OpenTarget } from './webhook-request.js';
import { abandonedDeliveries, deliveryOfTask, forgetDeliveries, type DeliveryRow } from './webhook.store.js';

export interface SenderParts {
  readonly database: Database;
  readonly executions: Executions;
  readonly outbound: OutboundClient;
  /** What secrets at rest are sealed under. */
  readonly secretKey: Buffer | undefined;
}

const LIMITS = { connectMs: 3000, totalMs: 5000, bodyBytes: 1024 };
const BATCH = 500;
const ABANDONED = 'the delivery was stopped, or its workers were lost';

/** Does deliveries: sends a notification to its target, once more after every failure until there were too many. */
export class WebhookSender {
  readonly #parts: SenderParts;

  constructor(parts: SenderParts) {
    this.#parts = parts;
  }

  async run(context: TaskContext): Promise<void> {
    const { task } = context;
    const delivery = await deliveryOfTask(this.#parts.database, task.id);
    if (delivery === undefined) throw new TaskFailure('the webhook policy is gone');
    if (delivery.state === 'delivered') return;
    const fault = await this.#send(context, delivery);
    if (fault === undefined) return this.#end(context, delivery, 'delivered');
    const { failures, retried } = vendorOf(task.vendorType);
    if (!retried || task.failures + 1 >= failures) await this.#end(context, delivery, 'dead', fault);
    throw new TaskFailure(fault);
  }

  /** Ends deliveries that nobody ends any more, so that those behind them go on; forgets old ones. Resolves to how many were ended. */
  async repair(): Promise<number> {
    const abandoned = await abandonedDeliveries(this.#parts.database, BATCH);
    for (const { id, subject } of abandoned) await this.#endIn(id, subject, 'dead', ABANDONED);
    await forgetDeliveries(this.#parts.database, BATCH);
    return abandoned.length;
  }

  /** What went wrong, for whoever may read the policy; undefined when the target took it. Never holds what the target said. */
  async #send(context: TaskContext, delivery: DeliveryRow): Promise<string | undefined> {
    const { target } = delivery;
    if (target === undefined) return 'the policy does not have this target any more';
    const request = webhookRequest(this.#opened(target, delivery.policyId), { ...delivery, id: notificationId(delivery.eventId, delivery.part) }, new Date());
    // Without path and query: these are the secret of many receivers.
    await context.log.line(`POST ${new URL(target.address).origin}, notification ${request.headers['webhook-id'] ?? ''}`);
    try {
      const { status } = await this.#parts.outbound.send({ url: target.address, method: 'POST', ...request, tls: { verify: !target.skip_cert_verify }, limits: LIMITS, signal: context.signal });
      await context.log.line(`the receiver answered with status ${status}`);
      return status >= 200 && status < 300 ? undefined : `the receiver answered with status ${status}`;
    } catch (error) {
      context.check();
      if (error instanceof OutboundError) return error.message;
      throw error;
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

  async #end({ task }: TaskContext, { id, subject }: DeliveryRow, state: 'delivered' | 'dead', fault?: string): Promise<void> {
    await this.#endIn(id, subject, state, fault, task.vendorType === 'SLACK' ? 'SLACK' : 'WEBHOOK');
  }

  async #endIn(id: number, subject: string, state: 'delivered' | 'dead', fault?: string, vendorType: 'WEBHOOK' | 'SLACK' = 'WEBHOOK'): Promise<void> {
    const next = await this.#parts.database.transaction(async (transaction) => {
      await lockSubject(transaction, subject);
      return endDelivery(transaction, id, state, fault);
    });
    await this.#parts.executions.wake({ id: 0, vendorType, taskIds: next });
  }
}
