import { Injectable, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import type { Database, Outbox } from '@haven/database';
import type { JobPayload, Messages } from '@haven/messages';
import { retryWithJitter, type Health, type RootLogger } from '@haven/runtime';
import type { AuditWork } from '../audit/audit-work.js';
import { isUnfit, type Subscribers } from '../event/subscribers.js';
import type { ExecutionRunner } from '../execution/execution-runner.js';
import { Routine } from '../execution/routine.js';
import type { GarbageWork } from '../garbage/garbage-work.js';
import { HandledEvents } from '../event/handled-events.js';
import { purgeEvents } from '../event/purge-events.js';
import type { RegistryHealth } from '../registry/registry-health.js';
import type { Relay } from '../relay/relay.js';
import type { UploadPurge } from '../upload/purge-uploads.js';

const MINUTE_MS = 60_000;
/** How soon it is noticed that Redis lost its data while it stayed reachable. */
const NOTICE_MS = 5000;
const RETRY = { baseMs: 200, maxMs: 5000, attempts: Infinity };

/** What this service works with. */
export class WorkParts {
  constructor(
    readonly database: Database,
    readonly messages: Messages,
    readonly outbox: Outbox,
    readonly relay: Relay,
    readonly subscribers: Subscribers,
    readonly uploadPurge: UploadPurge,
    readonly garbage: GarbageWork,
    readonly audit: AuditWork,
    readonly executions: ExecutionRunner,
    readonly registryHealth: RegistryHealth,
    readonly logger: RootLogger,
    readonly health: Health,
  ) {}
}

/** Starts the relay and the workers once the database is ready, and stops them in order. */
@Injectable()
export class WorkService implements OnApplicationBootstrap, BeforeApplicationShutdown {
  readonly #parts: WorkParts;
  readonly #handled: HandledEvents;
  readonly #stop = new AbortController();
  readonly #notice: Routine;
  #starting: Promise<void> = Promise.resolve();
  #scheduling: Promise<void> | undefined;

  constructor(parts: WorkParts) {
    this.#parts = parts;
    this.#handled = new HandledEvents(parts.outbox, parts.logger);
    this.#notice = new Routine({ name: 'noticing that Redis lost its data', everyMs: NOTICE_MS, work: () => this.#makeGood(), logger: parts.logger });
    parts.health.add('database', () => this.#schemaIsCurrent());
    parts.health.add('redis', () => parts.messages.ping());
  }

  onApplicationBootstrap(): void {
    const { messages, logger } = this.#parts;
    logger.addSink(messages.logShipper.sink);
    const workers = messages.workers(undefined, { unfit: isUnfit });
    workers.handle('deliver-event', (event) => this.#deliver(event));
    workers.handle('purge-uploads', () => this.#parts.uploadPurge.run());
    workers.handle('purge-events', async () => { await purgeEvents(this.#parts.outbox, logger); });
    this.#parts.garbage.register(workers);
    this.#parts.audit.register(workers);
    this.#parts.executions.register(workers);
    this.#starting = this.#whenReady(() => {
      workers.start();
      this.#parts.relay.start();
      this.#parts.executions.start();
      this.#parts.registryHealth.start();
      messages.broadcasts.on('queues-resumed', () => { this.#parts.executions.look(); });
      this.#schedule(); // Redis may have been there all the time.
      // Redis may have lost its data together with its connection.
      messages.broadcasts.onReconnect(() => {
        this.#schedule();
        this.#parts.executions.tellAllSoon();
      });
    });
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.#stop.abort();
    await this.#starting;
    await this.#scheduling;
    await this.#notice.stop();
    this.#parts.garbage.stop();
    await this.#parts.registryHealth.stop();
    await this.#parts.executions.stop();
    await this.#parts.relay.stop();
    await this.#parts.messages.close();
    await this.#parts.audit.close();
    await this.#handled.flush();
    await this.#parts.database.close();
  }

  /** The row learns of it last: until it has, the event is handed out again, whatever becomes of the queue's data. */
  async #deliver(event: JobPayload<'deliver-event'>): Promise<void> {
    await this.#parts.subscribers.deliver(event);
    this.#handled.add(event.id);
  }

  /** Core brings the schema up to date; until then this service is up, but not ready. */
  async #whenReady(start: () => void): Promise<void> {
    const onRetry = (error: unknown, attempt: number): void => {
      if (attempt === 1) this.#parts.logger.warn('work begins once the database is ready', { error });
    };
    await this.#untilStopped(() => retryWithJitter(() => this.#schemaIsCurrent(), { ...RETRY, signal: this.#stop.signal, onRetry }));
    if (!this.#stop.signal.aborted) start();
  }

  #schedule(): void {
    this.#scheduling ??= this.#untilStopped(() => retryWithJitter(() => this.#scheduleAll(), { ...RETRY, signal: this.#stop.signal }))
      .then(() => { this.#notice.start(); })
      .finally(() => { this.#scheduling = undefined; });
  }

  /** Without waiting until somebody misses something: what is regular begins anew, and what waits is told of again. */
  async #makeGood(): Promise<void> {
    const lost = await this.#parts.messages.jobs.whenEmptied(async () => {
      await this.#scheduleAll();
      await this.#parts.executions.tellAll();
    });
    if (lost) this.#parts.logger.info('the job queue was empty; it has been told again of everything that waits');
  }

  async #scheduleAll(): Promise<void> {
    await this.#parts.messages.jobs.schedule('purge-uploads', {}, 10 * MINUTE_MS);
    await this.#parts.messages.jobs.schedule('purge-events', {}, 60 * MINUTE_MS);
    await this.#parts.garbage.schedule(this.#parts.messages.jobs);
    await this.#parts.audit.schedule(this.#parts.messages.jobs);
  }

  async #schemaIsCurrent(): Promise<void> {
    if (!(await this.#parts.database.schemaIsCurrent())) throw new Error('the database schema is not current; core brings it up to date when it starts');
  }

  async #untilStopped(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!this.#stop.signal.aborted) throw error;
    }
  }
}
