import type { DeliveryToStart, Notification } from '@haven/execution';
import type { PolicyRow } from './webhook-plan.store.js';

/** How far the deliveries about an event are planned: up to this one, in the order of part, policy and target. */
export type PlannedUpTo = Pick<DeliveryToStart, 'part' | 'policyId' | 'target'>;

/** What is told of an event, and to whom. */
export interface EventToPlan {
  readonly eventId: string;
  readonly subject: string;
  /** From that part on, made one after the other. */
  readonly notifications: (from: number) => Iterable<Notification>;
  /** In the order of their ids. */
  readonly policies: readonly Pick<PolicyRow, 'id' | 'targetTypes'>[];
  /** Undefined when nothing about it is planned yet. */
  readonly planned: PlannedUpTo | undefined;
}

export interface SliceLimits {
  readonly deliveries: number;
  /** Of the notifications as JSON, each counted for every target; one alone may be larger. */
  readonly bytes: number;
}

export interface Slice {
  readonly deliveries: readonly DeliveryToStart[];
  /** How many events, from the first on, have all their deliveries with these. */
  readonly finished: number;
  /** How far the next one is planned with these, where it was begun. */
  readonly begun: { readonly eventId: string; readonly upTo: PlannedUpTo } | undefined;
}

/** As many deliveries about the events, in their order, as one transaction should plan; at least one. */
export function sliceOf(events: Iterable<EventToPlan>, limits: SliceLimits): Slice {
  const deliveries: DeliveryToStart[] = [];
  let [finished, bytes] = [0, 0];
  for (const event of events) {
    for (const { delivery, size } of deliveriesOf(event)) {
      if (deliveries.length > 0 && (deliveries.length >= limits.deliveries || bytes + size > limits.bytes)) return { deliveries, finished, begun: begunOf(event, deliveries) };
      deliveries.push(delivery);
      bytes += size;
    }
    finished += 1;
  }
  return { deliveries, finished, begun: undefined };
}

function begunOf({ eventId }: EventToPlan, deliveries: readonly DeliveryToStart[]): Slice['begun'] {
  const last = deliveries.at(-1);
  return last?.eventId === eventId ? { eventId, upTo: { part: last.part, policyId: last.policyId, target: last.target } } : undefined;
}

function* deliveriesOf({ eventId, subject, notifications, policies, planned }: EventToPlan): Generator<{ readonly delivery: DeliveryToStart; readonly size: number }> {
  let part = (planned?.part ?? 0) - 1;
  for (const notification of notifications(part + 1)) {
    part += 1;
    const size = Buffer.byteLength(JSON.stringify(notification));
    for (const { id: policyId, targetTypes } of policies) {
      for (const [target, targetType] of targetTypes.entries()) {
        if (planned === undefined || isAfter({ part, policyId, target }, planned)) yield { delivery: { policyId, target, targetType, eventId, part, subject, notification }, size };
      }
    }
  }
}

function isAfter(one: PlannedUpTo, other: PlannedUpTo): boolean {
  return (one.part - other.part || one.policyId - other.policyId || one.target - other.target) > 0;
}
