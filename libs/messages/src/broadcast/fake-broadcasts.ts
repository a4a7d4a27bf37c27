import { FakeLogger, type Logger } from '@haven/runtime';
import { BroadcastHandlers, sendablePayload } from './broadcast-handlers.js';
import type { BroadcastName, BroadcastPayload } from './broadcast-list.js';
import { Broadcasts, type BroadcastHandler } from './broadcasts.js';

/** A wire that several FakeBroadcasts share, as processes share Redis. */
export class FakeWire {
  readonly members = new Set<FakeBroadcasts>();
}

/** Broadcasts inside one process, delivered before publish returns. Remembers what was published. */
export class FakeBroadcasts extends Broadcasts {
  readonly published: { name: BroadcastName; payload: object }[] = [];
  readonly #wire: FakeWire;
  readonly #logger: Logger;
  readonly #handlers: BroadcastHandlers;

  constructor({ wire = new FakeWire(), logger = new FakeLogger() }: { readonly wire?: FakeWire; readonly logger?: Logger } = {}) {
    super();
    this.#wire = wire;
    this.#logger = logger;
    this.#handlers = new BroadcastHandlers(logger);
    wire.members.add(this);
  }

  override publish<N extends BroadcastName>(name: N, payload: BroadcastPayload<N>): void {
    const sent = sendablePayload(name, payload, this.#logger);
    if (sent === undefined) return;
    this.published.push({ name, payload: sent });
    for (const member of this.#wire.members) member.#handlers.dispatch(name, sent, member === this);
  }

  override on<N extends BroadcastName>(name: N, handler: BroadcastHandler<N>): () => void {
    return this.#handlers.add(name, handler);
  }

  override onReconnect(listener: () => void): () => void {
    return this.#handlers.addReconnect(listener);
  }

  /** As if the connection had been lost and was back. */
  reconnect(): void {
    this.#handlers.reconnected();
  }
}
