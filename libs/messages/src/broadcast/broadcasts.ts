import type { BroadcastName, BroadcastPayload } from './broadcast-list.js';

export interface BroadcastSender {
  /** Whether this very process sent it. */
  readonly own: boolean;
}

export type BroadcastHandler<N extends BroadcastName> = (payload: BroadcastPayload<N>, sender: BroadcastSender) => void;

/** Tells every process, this one included, at most once and as soon as possible. */
export abstract class Broadcasts {
  /** Never throws and never waits. What cannot be sent now is lost. */
  abstract publish<N extends BroadcastName>(name: N, payload: BroadcastPayload<N>): void;

  /** Calls the handler for each broadcast of this name, until the answer is called. What a handler throws is logged. */
  abstract on<N extends BroadcastName>(name: N, handler: BroadcastHandler<N>): () => void;

  /** Called each time listening (re)starts, when broadcasts may have been missed: drop what they keep fresh. */
  abstract onReconnect(listener: () => void): () => void;
}
