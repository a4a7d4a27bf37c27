import { randomUUID } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import type { OutboxEvent } from '@haven/database';
import { FakeJobQueue } from '@haven/messages';
import { FakeLogger, Metrics } from '@haven/runtime';
import { Relay } from './relay.js';

/** As the real one: what `deliver` rejects stays. */
class FakeOutbox {
  waiting: OutboxEvent[] = [];
  broken = false;

  async relay(limit: number, deliver: (events: readonly OutboxEvent[]) => Promise<void>): Promise<number> {
    if (this.broken) throw new Error('the database cannot be reached');
    const events = this.waiting.slice(0, limit);
    if (events.length === 0) return 0;
    await deliver(events);
    this.waiting = this.waiting.slice(events.length);
    return events.length;
  }

  lagSeconds(): Promise<number> {
    return Promise.resolve(this.waiting.length);
  }
}

function tagCreated(tag: string): OutboxEvent {
  return { id: randomUUID(), type: 'tag.created', payload: { project: 1, repository: 'a/b', tag, digest: 'sha256:0' }, actor: 'user:3', origin: {}, createdAt: new Date('2026-01-01T00:00:00Z') };
}

function parts() {
  const [outbox, jobs, logger, metrics] = [new FakeOutbox(), new FakeJobQueue(), new FakeLogger(), new Metrics()];
  return { outbox, jobs, logger, metrics, relay: new Relay({ outbox, jobs, logger, metrics }) };
}

async function eventually(what: string, condition: () => boolean): Promise<void> {
  for (const deadline = Date.now() + 10_000; !condition();) {
    if (Date.now() > deadline) throw new Error(`${what} did not happen`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

describe('the relay', () => {
  test('makes a job of each event, with the event\'s id', async () => {
    const { outbox, jobs, relay, metrics } = parts();
    const event = tagCreated('one');
    outbox.waiting = [event];
    expect(await relay.relayOnce()).toBe(1);
    expect(jobs.added).toEqual([{ job: 'deliver-event', id: event.id, payload: { ...event, createdAt: '2026-01-01T00:00:00.000Z' } }]);
    expect(outbox.waiting).toEqual([]);
    expect(await metrics.text()).toContain('haven_outbox_relayed_total 1');
  });

  test('leaves events in the outbox while the queue cannot be reached', async () => {
    const { outbox, jobs, relay } = parts();
    outbox.waiting = [tagCreated('one')];
    jobs.available = false;
    await expect(relay.relayOnce()).rejects.toThrow('the job queue cannot be reached');
    expect(outbox.waiting).toHaveLength(1);
    jobs.available = true;
    await relay.relayOnce();
    expect(jobs.added).toHaveLength(1);
  });

  test('reports events that nobody can deliver, and passes over them', async () => {
    const { outbox, jobs, relay, logger, metrics } = parts();
    const [unknown, wrong, good] = [{ ...tagCreated('one'), type: 'tag.lost' }, { ...tagCreated('two'), payload: { tag: 1 } }, tagCreated('three')];
    outbox.waiting = [unknown, wrong, good];
    await relay.relayOnce();
    expect(jobs.added.map((job) => job.id)).toEqual([good.id]);
    expect(outbox.waiting).toEqual([]);
    expect(logger.lines.filter((line) => line.level === 'error').map((line) => line.fields['eventId'])).toEqual([unknown.id, wrong.id]);
    expect(await metrics.text()).toContain('haven_outbox_refused_total 2');
  });

  test('goes on by itself: in order, without pause while there is more, and after failures, which it reports once', async () => {
    const { outbox, jobs, relay, logger, metrics } = parts();
    outbox.waiting = Array.from({ length: 350 }, (_, index) => tagCreated(`t${index}`));
    outbox.broken = true;
    relay.start();
    await eventually('the failure being reported', () => logger.lines.length === 1);
    await new Promise((resolve) => setTimeout(resolve, 700));
    outbox.broken = false;
    await eventually('all events being relayed', () => jobs.added.length === 350);
    expect(jobs.added.map((job) => (job.payload as { payload: { tag: string } }).payload.tag)).toEqual(Array.from({ length: 350 }, (_, index) => `t${index}`));
    await relay.stop();
    expect(logger.messages()).toEqual(['events cannot be relayed; they wait in the outbox', 'events are relayed again']);
    expect(await metrics.text()).toContain('haven_outbox_lag_seconds 350');
    outbox.waiting = [tagCreated('late')];
    await new Promise((resolve) => setTimeout(resolve, 600));
    expect(outbox.waiting).toHaveLength(1);
  });
});
