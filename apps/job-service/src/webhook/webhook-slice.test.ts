import { expect, test } from '@jest/globals';
import type { DeliveryToStart, Notification } from '@haven/execution';
import { sliceOf, type EventToPlan, type SliceLimits } from './webhook-slice.js';

const POLICIES: EventToPlan['policies'] = [{ id: 3, targetTypes: ['http', 'slack'] }, { id: 5, targetTypes: ['http'] }];

function told(text: string): Notification {
  return { type: 'PUSH_ARTIFACT', occur_at: 1, operator: '', request_id: '', event_data: { text } };
}

function event(eventId: string, parts: number, planned?: EventToPlan['planned'], text = ''): EventToPlan {
  return { eventId, subject: 'a/b', notifications: (from) => Array.from({ length: Math.max(0, parts - from) }, () => told(text)), policies: POLICIES, planned };
}

const placeOf = ({ eventId, part, policyId, target }: DeliveryToStart): string => `${eventId} ${part} ${policyId} ${target}`;

/** Plans as the planner does: again and again from where the slice before was cut. */
function inSlices(events: readonly EventToPlan[], limits: SliceLimits): string[][] {
  const slices: string[][] = [];
  for (let left = events; left.length > 0;) {
    const { deliveries, finished, begun } = sliceOf(left, limits);
    slices.push(deliveries.map(placeOf));
    left = left.slice(finished).map((one) => (one.eventId === begun?.eventId ? { ...one, planned: begun.upTo } : one));
  }
  return slices;
}

test.each([1, 2, 3, 4, 5, 7, 100])('in slices of %i deliveries everything is there once, in its order', (most) => {
  const events = [event('one', 3), event('none', 0), event('two', 1), event('three', 2)];
  const whole = sliceOf(events, { deliveries: 1000, bytes: 1_000_000 });
  expect([whole.deliveries.length, whole.finished, whole.begun]).toEqual([18, 4, undefined]);
  const slices = inSlices(events, { deliveries: most, bytes: 1_000_000 });
  expect(slices.flat()).toEqual(whole.deliveries.map(placeOf));
  expect(Math.max(...slices.map(({ length }) => length))).toBeLessThanOrEqual(most);
});

test('large notifications make small slices, one that is too large a slice of its own', () => {
  const slices = inSlices([event('small', 1), event('large', 1, undefined, 'x'.repeat(5000)), event('last', 1)], { deliveries: 100, bytes: 1000 });
  expect(slices.map(({ length }) => length)).toEqual([3, 1, 1, 1, 3]);
});

test('what is planned already is left out, also when the policy that was last is gone', () => {
  expect(sliceOf([event('one', 2, { part: 0, policyId: 4, target: 7 })], { deliveries: 100, bytes: 10_000 }).deliveries.map(placeOf)).toEqual(['one 0 5 0', 'one 1 3 0', 'one 1 3 1', 'one 1 5 0']);
  expect(sliceOf([event('one', 1, { part: 3, policyId: 4, target: 7 })], { deliveries: 100, bytes: 10_000 })).toEqual({ deliveries: [], finished: 1, begun: undefined });
});
