import { isOutOfReach } from '@haven/database';
import { EVENTS, isEventName, type DeliveredEvent, type EventName, type JobPayload } from '@haven/messages';

/** Does something about events. It may see an event more than once, also after others: it is idempotent by the event's id. */
export interface EventSubscriber {
  readonly name: string;
  readonly events: readonly EventName[];
  handle(event: DeliveredEvent): Promise<void>;
}

/** Some subscribers failed; the event is delivered again to all of them. */
export class DeliveryError extends AggregateError {
  override readonly name = 'DeliveryError';
}

/** Whether a job failed because this process cannot reach the database, also where it was one of several subscribers that could not. */
export function isUnfit(error: unknown): boolean {
  return isOutOfReach(error) || (error instanceof DeliveryError && error.errors.some(isOutOfReach));
}

/** Everyone in this process who wants to know about events. */
export class Subscribers {
  readonly #subscribers: readonly EventSubscriber[];

  constructor(subscribers: readonly EventSubscriber[]) {
    this.#subscribers = subscribers;
  }

  /** Hands the event to everyone who wants it, also when some fail. Rejects with DeliveryError naming those. */
  async deliver(job: JobPayload<'deliver-event'>): Promise<void> {
    const event = eventOf(job);
    const wanting = this.#subscribers.filter((subscriber) => subscriber.events.includes(event.type));
    const outcomes = await Promise.allSettled(wanting.map((subscriber) => subscriber.handle(event)));
    const errors = outcomes.flatMap((outcome) => outcome.status === 'rejected' ? [outcome.reason as unknown] : []);
    if (errors.length === 0) return;
    const failed = wanting.filter((_subscriber, index) => outcomes[index]?.status === 'rejected').map((subscriber) => subscriber.name);
    throw new DeliveryError(errors, `event ${event.id} (${event.type}) was not taken by ${failed.join(', ')}`);
  }
}

function eventOf({ id, type, payload, actor, origin, createdAt }: JobPayload<'deliver-event'>): DeliveredEvent {
  if (!isEventName(type)) throw new Error(`this build knows no event called ${type}; a newer one will deliver it`);
  return { id, type, payload: EVENTS[type].parse(payload), actor, origin, createdAt: new Date(createdAt) };
}
