import type { Configuration } from '@haven/api';
import type { Database, SettingsTable, Transaction } from '@haven/database';
import { lockSubject, startDelivery, type Executions, type StartedExecution } from '@haven/execution';
import { EVENTS, type DeliveredEvent } from '@haven/messages';
import type { EventSubscriber } from '../event/subscribers.js';
import { notificationsOf, TOLD_EVENTS, webhookTypeOf, type ToldEvent } from './notifications.js';
import { eventsBefore, plannedKeys, policiesFor, toldRepository, type PolicyRow } from './webhook.store.js';

export interface PlannerParts {
  readonly database: Database;
  readonly executions: Executions;
  readonly settings: Pick<SettingsTable<Configuration>, 'current'>;
  /** How clients reach the registry, without a scheme; '' when nobody said. */
  readonly host: string;
}

/** Turns events into deliveries, once for each policy, target and tag, in the order in which they happened. */
export class WebhookPlanner implements EventSubscriber {
  readonly name = 'webhooks';
  readonly events = TOLD_EVENTS;
  readonly #parts: PlannerParts;

  constructor(parts: PlannerParts) {
    this.#parts = parts;
  }

  async handle(event: DeliveredEvent): Promise<void> {
    if (!isTold(event) || !(await this.#parts.settings.current()).notification_enable) return;
    const { database, executions } = this.#parts;
    const policies = await policiesFor(database, event.payload.project);
    if (!policies.some(({ eventTypes }) => eventTypes.includes(webhookTypeOf(event.type)))) return;
    const started = await database.transaction((transaction) => this.#plan(transaction, event, policies));
    for (const one of started) await executions.wake(one);
  }

  /** Events of a repository come to several workers at once: whoever is first plans those before it, too. */
  async #plan(transaction: Transaction, event: DeliveredEvent<ToldEvent>, policies: readonly PolicyRow[]): Promise<StartedExecution[]> {
    const { repository } = event.payload;
    await lockSubject(transaction, repository);
    const before = await eventsBefore(transaction, event.id, repository, TOLD_EVENTS);
    const all = [...before.filter(({ id }) => id !== event.id), event].map((one) => ({ ...one, payload: EVENTS[one.type as ToldEvent].parse(one.payload) }) as DeliveredEvent<ToldEvent>);
    const planned = await plannedKeys(transaction, all.map(({ id }) => id));
    const told = await toldRepository(transaction, event.payload.project, repository);
    const started: StartedExecution[] = [];
    for (const one of all) {
      for (const [part, notification] of notificationsOf(one, told, this.#parts.host).entries()) {
        for (const policy of policies) {
          if (!policy.eventTypes.includes(notification.type)) continue;
          for (const [target, { type }] of policy.targets.entries()) {
            if (planned.has(`${policy.id} ${one.id} ${part} ${target}`)) continue;
            const due = await startDelivery(transaction, this.#parts.executions, { policyId: policy.id, target, targetType: type, eventId: one.id, part, subject: repository, notification });
            if (due !== undefined) started.push(due);
          }
        }
      }
    }
    return started;
  }
}

function isTold(event: DeliveredEvent): event is DeliveredEvent<ToldEvent> {
  return (TOLD_EVENTS as readonly string[]).includes(event.type);
}
