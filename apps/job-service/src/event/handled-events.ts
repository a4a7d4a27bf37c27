import type { Outbox } from '@haven/database';
import type { Logger } from '@haven/runtime';

const FLUSH_MS = 250;

/**
 * Tells the outbox which events are handled, many in one statement. What a crash or an unreachable database loses here is
 * handed out again by the relay, and handlers are idempotent.
 */
export class HandledEvents {
  readonly #outbox: Pick<Outbox, 'markHandled'>;
  readonly #logger: Logger;
  #ids: string[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(outbox: Pick<Outbox, 'markHandled'>, logger: Logger) {
    this.#outbox = outbox;
    this.#logger = logger;
  }

  add(id: string): void {
    this.#ids.push(id);
    this.#timer ??= setTimeout(() => void this.flush(), FLUSH_MS);
  }

  /** Tells now; call it before the database is closed. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const ids = this.#ids;
    this.#ids = [];
    if (ids.length === 0) return;
    try {
      await this.#outbox.markHandled(ids);
    } catch (error) {
      this.#logger.warn('handled events could not be noted; they will be delivered again', { error, events: ids.length });
    }
  }
}
