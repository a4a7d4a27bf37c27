import { Injectable, type OnApplicationBootstrap, type OnApplicationShutdown, type OnModuleDestroy } from '@nestjs/common';
import type { LogReader, Messages } from '@haven/messages';
import type { Counter, Gauge, Health, Metrics, RootLogger } from '@haven/runtime';
import type { LogStore } from '../file/log-store.js';
import { parseLine, type ParsedLine } from './parse-line.js';

const LAG_INTERVAL_MS = 5000;

/** Moves log lines from the stream into files. A line leaves the stream only once it is on disk. */
@Injectable()
export class CollectorService implements OnApplicationBootstrap, OnModuleDestroy, OnApplicationShutdown {
  readonly #messages: Messages;
  readonly #store: LogStore;
  readonly #logger: RootLogger;
  readonly #reader: LogReader;
  readonly #received: Counter;
  readonly #written: Counter;
  readonly #dropped: Counter<'reason'>;
  readonly #lag: Gauge;
  #lagTimer: NodeJS.Timeout | undefined;
  #storeFault: unknown;

  constructor(messages: Messages, store: LogStore, logger: RootLogger, metrics: Metrics, health: Health) {
    this.#messages = messages;
    this.#store = store;
    this.#logger = logger;
    this.#reader = messages.logReader(store.consumer);
    this.#received = metrics.counter({ name: 'haven_log_lines_received_total', help: 'Log lines taken from the stream' });
    this.#written = metrics.counter({ name: 'haven_log_lines_written_total', help: 'Log lines that are on disk' });
    this.#dropped = metrics.counter({ name: 'haven_log_lines_dropped_total', help: 'Log lines that were not stored', labelNames: ['reason'] });
    this.#lag = metrics.gauge({ name: 'haven_log_lag_lines', help: 'Log lines that wait in the stream; absent when Redis cannot tell' });
    health.add('redis', () => messages.ping());
    health.add('files', () => this.#storeFault === undefined ? Promise.resolve() : Promise.reject(this.#storeFault));
  }

  onApplicationBootstrap(): void {
    this.#logger.addSink(this.#messages.logShipper.sink);
    this.#reader.start((lines) => this.#take(lines));
    this.#lagTimer = setInterval(() => { void this.#measureLag(); }, LAG_INTERVAL_MS);
    this.#lagTimer.unref();
  }

  async onModuleDestroy(): Promise<void> {
    clearInterval(this.#lagTimer);
    await this.#reader.close();
  }

  async onApplicationShutdown(): Promise<void> {
    await this.#messages.close();
    await this.#store.close();
  }

  async #take(lines: readonly string[]): Promise<void> {
    this.#received.inc(lines.length);
    const parsed: ParsedLine[] = [];
    for (const line of lines) {
      const one = parseLine(line);
      if (one === undefined) this.#dropped.inc({ reason: 'too-long' });
      else parsed.push(one);
    }
    try {
      await this.#store.append(parsed);
      this.#storeFault = undefined;
    } catch (error) {
      this.#storeFault = error;
      throw error;
    }
    this.#written.inc(parsed.length);
  }

  async #measureLag(): Promise<void> {
    const lines = await this.#reader.lag().catch(() => undefined); // When Redis does not answer, its health check says so.
    if (lines === undefined) this.#lag.remove();
    else this.#lag.set(lines);
  }
}
