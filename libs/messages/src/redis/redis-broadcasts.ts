import { randomUUID } from 'node:crypto';
import type { Logger } from '@haven/runtime';
import type { Redis } from 'ioredis';
import { z } from 'zod';
import { BroadcastHandlers, sendablePayload } from '../broadcast/broadcast-handlers.js';
import { BROADCAST_NAMES, type BroadcastName, type BroadcastPayload } from '../broadcast/broadcast-list.js';
import { Broadcasts, type BroadcastHandler } from '../broadcast/broadcasts.js';
import type { RedisLink } from './redis-link.js';

const MAX_MESSAGE = 64 * 1024;
const SUBSCRIBE_TIMEOUT_MS = 2000;
const message = z.object({ from: z.string().max(64), payload: z.unknown() });

/** Broadcasts over Redis publish/subscribe: one channel for each, `<prefix>:broadcast:<name>`. */
export class RedisBroadcasts extends Broadcasts {
  readonly #link: RedisLink;
  readonly #logger: Logger;
  readonly #handlers: BroadcastHandlers;
  readonly #processId = randomUUID();
  readonly #channels: ReadonlyMap<string, BroadcastName>;
  readonly #prefix: string;
  #subscriber: Redis | undefined;

  constructor(link: RedisLink, logger: Logger, prefix: string) {
    super();
    this.#link = link;
    this.#logger = logger;
    this.#handlers = new BroadcastHandlers(logger);
    this.#prefix = `${prefix}:broadcast:`;
    this.#channels = new Map(BROADCAST_NAMES.map((name) => [this.#prefix + name, name]));
  }

  override publish<N extends BroadcastName>(name: N, payload: BroadcastPayload<N>): void {
    const sent = sendablePayload(name, payload, this.#logger);
    if (sent === undefined) return;
    // Lost while Redis is down, as promised; the link has said so in the log.
    this.#link.commands.publish(this.#prefix + name, JSON.stringify({ from: this.#processId, payload: sent })).catch((error: unknown) => {
      this.#logger.debug('a broadcast was lost', { broadcast: name, error });
    });
  }

  override on<N extends BroadcastName>(name: N, handler: BroadcastHandler<N>): () => void {
    this.#listen();
    return this.#handlers.add(name, handler);
  }

  override onReconnect(listener: () => void): () => void {
    this.#listen();
    return this.#handlers.addReconnect(listener);
  }

  #listen(): void {
    if (this.#subscriber !== undefined) return;
    const subscriber = this.#link.open({ autoResubscribe: false, autoResendUnfulfilledCommands: false, maxRetriesPerRequest: 0, enableOfflineQueue: false, commandTimeout: SUBSCRIBE_TIMEOUT_MS });
    this.#subscriber = subscriber;
    subscriber.on('message', (channel: string, text: string) => { this.#receive(channel, text); });
    // Subscribing by hand tells when the subscription really stands: only then may caches rely on it again.
    subscriber.on('ready', () => {
      subscriber.subscribe(...this.#channels.keys()).then(
        () => { this.#handlers.reconnected(); },
        (error: unknown) => {
          this.#link.reportError(error);
          subscriber.disconnect(true);
        },
      );
    });
  }

  #receive(channel: string, text: string): void {
    const name = this.#channels.get(channel);
    if (name === undefined) return;
    const received = text.length > MAX_MESSAGE ? undefined : parse(text);
    if (received === undefined) this.#logger.warn('a broadcast that is not one of ours was ignored', { broadcast: name, length: text.length });
    else this.#handlers.dispatch(name, received.payload, received.from === this.#processId);
  }
}

function parse(text: string): z.infer<typeof message> | undefined {
  try {
    return message.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
