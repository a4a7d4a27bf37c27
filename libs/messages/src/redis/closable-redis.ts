import { Redis, type RedisOptions } from 'ioredis';

type Options = Omit<RedisOptions, 'replyMapping'>;

/** The options in `redis://user:password@host:port/database`, or `rediss://` for TLS. */
export function optionsOf(address: string): Options {
  const url = new URL(address);
  const database = url.pathname.slice(1);
  return {
    host: url.hostname.replace(/^\[|\]$/g, '') || '127.0.0.1',
    port: Number(url.port || 6379),
    ...(url.username === '' ? {} : { username: decodeURIComponent(url.username) }),
    ...(url.password === '' ? {} : { password: decodeURIComponent(url.password) }),
    ...(/^\d{1,5}$/.test(database) ? { db: Number(database) } : {}),
    ...(url.protocol === 'rediss:' ? { tls: {} } : {}),
  };
}

/**
 * A connection that always ends when it is told to. One of ioredis itself that is told to disconnect while it pauses
 * between two attempts to connect cancels the next one without ever saying `end`, and whoever waits for that (BullMQ's
 * workers when they close) waits for ever.
 */
export class ClosableRedis extends Redis {
  readonly #opened: (redis: ClosableRedis) => void;

  /** @param opened told about this connection and everyone made from it by `duplicate`. */
  constructor(options: Options, opened: (redis: ClosableRedis) => void) {
    super(options);
    this.#opened = opened;
    opened(this);
  }

  override disconnect(reconnect = false): void {
    // In the state `wait` (not connected, nothing under way) disconnecting does end a connection.
    if (this.status === 'reconnecting' && !reconnect) this.status = 'wait';
    super.disconnect(reconnect);
  }

  // The declared type computes the reply shapes from the options; ours never change them.
  override readonly duplicate = ((override: Options = {}) => new ClosableRedis({ ...this.options, ...override } as Options, this.#opened)) as Redis['duplicate'];
}
