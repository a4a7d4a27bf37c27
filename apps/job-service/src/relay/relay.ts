import { setTimeout as sleep } from 'node:timers/promises';
import type { Outbox, OutboxEvent } from '@haven/database';
import { EVENTS, isEventName, type JobPayload, type JobQueue } from '@haven/messages';
import { jitteredDelay, type Counter, type Gauge, type Logger, type Metrics } from '@haven/runtime';

const BATCH = 100;
const POLL_MS = 500;
const BACKOFF = { baseMs: 500, maxMs: 15_000 };
const LAG_INTERVAL_MS = 5000;

export interface RelayParts {
  readonly outbox: Pick<Outbox, 'relay' | 'lagSeconds'>;
  readonly jobs: JobQueue;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/**
 * Turns committed events into `deliver-event` jobs, at least once. A row is stamped only after the queue took its job,
 * and the job's id is the event's, so doing it twice queues it once. Events that the queue took and lost are handed over
 * again (Outbox.relay). Any number of relays may run.
 */
export class Relay {
  readonly #parts: RelayParts;
  readonly #relayed: Counter;
  readonly #refused: Counter;
  readonly #lag: Gauge;
  readonly #stop = new AbortController();
  #running: Promise<void> | undefined;
  #failures = 0;
  #lagMeasuredAt = -Infinity;

  constructor(parts: RelayParts) {
    this.#parts = parts;
    this.#relayed = parts.metrics.counter({ name: 'haven_outbox_relayed_total', help: 'Events handed to the job queue' });
    this.#refused = parts.metrics.counter({ name: 'haven_outbox_refused_total', help: 'Events that this build does not know or whose payload is wrong' });
    this.#lag = parts.metrics.gauge({ name: 'haven_outbox_lag_seconds', help: 'Age of the oldest event that waits for the job queue' });
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** Ends after the batch that is being handed over. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  /** One batch; resolves to the number of events handed over. */
  relayOnce(): Promise<number> {
    return this.#parts.outbox.relay(BATCH, (events) => this.#enqueue(events));
  }

  async #run(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      const delay = await this.#step();
      if (delay > 0) await sleep(delay, undefined, { signal: this.#stop.signal }).catch(() => undefined); // Rejects only when stopped.
    }
  }

  /** Resolves to the pause before the next batch, in milliseconds. */
  async #step(): Promise<number> {
    try {
      await this.#measureLag();
      const count = await this.relayOnce();
      if (this.#failures > 0) this.#parts.logger.info('events are relayed again', { failures: this.#failures });
      this.#failures = 0;
      return count === BATCH ? 0 : POLL_MS;
    } catch (error) {
      this.#failures++;
      if (this.#failures === 1) this.#parts.logger.warn('events cannot be relayed; they wait in the outbox', { error });
      return jitteredDelay(this.#failures, BACKOFF);
    }
  }

  async #measureLag(): Promise<void> {
    const now = performance.now();
    if (now - this.#lagMeasuredAt < LAG_INTERVAL_MS) return;
    this.#lag.set(await this.#parts.outbox.lagSeconds());
    this.#lagMeasuredAt = now;
  }

  async #enqueue(events: readonly OutboxEvent[]): Promise<void> {
    const known = events.filter((event) => this.#isKnown(event));
    if (known.length > 0) await this.#parts.jobs.addAll('deliver-event', known.map((event) => ({ id: event.id, payload: jobOf(event) })));
    this.#relayed.inc(known.length);
  }

  /** One event that no build can deliver must not hold up all the others: it is reported and passed over. */
  #isKnown(event: OutboxEvent): boolean {
    const fault = isEventName(event.type) ? EVENTS[event.type].safeParse(event.payload).error : new Error('no event has this name');
    if (fault === undefined) return true;
    this.#refused.inc();
    this.#parts.logger.error('an event cannot be delivered and was passed over', { eventId: event.id, type: event.type, error: fault });
    return false;
  }
}

function jobOf(event: OutboxEvent): JobPayload<'deliver-event'> {
  return { id: event.id, type: event.type, payload: { ...event.payload }, actor: event.actor, origin: event.origin, createdAt: event.createdAt.toISOString() };
}
