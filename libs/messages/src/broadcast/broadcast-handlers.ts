import type { Logger } from '@haven/runtime';
import { BROADCASTS, type BroadcastName } from './broadcast-list.js';
import type { BroadcastHandler } from './broadcasts.js';

/** Who listens to what inside one process. */
export class BroadcastHandlers {
  readonly #handlers = new Map<BroadcastName, Set<BroadcastHandler<BroadcastName>>>();
  readonly #listeners = new Set<() => void>();
  readonly #logger: Logger;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  add<N extends BroadcastName>(name: N, handler: BroadcastHandler<N>): () => void {
    const handlers = this.#handlers.get(name) ?? new Set();
    this.#handlers.set(name, handlers);
    const added: BroadcastHandler<BroadcastName> = (payload, sender) => { (handler as BroadcastHandler<BroadcastName>)(payload, sender); };
    handlers.add(added);
    return () => { handlers.delete(added); };
  }

  addReconnect(listener: () => void): () => void {
    const added = (): void => { listener(); };
    this.#listeners.add(added);
    return () => { this.#listeners.delete(added); };
  }

  /** Checks the payload and calls every handler; one that throws does not keep the others from hearing it. */
  dispatch(name: BroadcastName, received: unknown, own: boolean): void {
    const payload = BROADCASTS[name].safeParse(received);
    if (!payload.success) {
      this.#logger.warn('a broadcast with a wrong payload was ignored', { broadcast: name, issues: payload.error.issues });
      return;
    }
    for (const handler of this.#handlers.get(name) ?? []) this.#guard(name, () => { handler(payload.data, { own }); });
  }

  reconnected(): void {
    for (const listener of this.#listeners) this.#guard('reconnect', listener);
  }

  #guard(broadcast: string, call: () => void): void {
    try {
      call();
    } catch (error) {
      this.#logger.error('a broadcast handler failed', { broadcast, error });
    }
  }
}

/** The payload as it may be sent, or undefined (and an error in the log) when it is wrong. */
export function sendablePayload(name: BroadcastName, payload: unknown, logger: Logger): object | undefined {
  const result = BROADCASTS[name].safeParse(payload);
  if (result.success) return result.data;
  logger.error('a broadcast with a wrong payload was not sent', { broadcast: name, issues: result.error.issues });
  return undefined;
}
