import { jitteredDelay, type Logger } from '@haven/runtime';
import type { Redis, RedisOptions } from 'ioredis';
import { ClosableRedis, optionsOf } from './closable-redis.js';

/** A command that gets no answer within this time has failed, in milliseconds. */
const COMMAND_TIMEOUT_MS = 1000;
type LinkOptions = Pick<RedisOptions, 'autoResendUnfulfilledCommands' | 'autoResubscribe' | 'commandTimeout' | 'enableOfflineQueue' | 'maxRetriesPerRequest'>;

const HEARTBEAT_MS = 10_000;
const OTHER_ERROR_INTERVAL_MS = 60_000;

/** The connections of one process to Redis, and the one place that says in the log whether Redis is there. */
export class RedisLink {
  /** For commands. Rejects at once while Redis is down, and never sends a command twice. */
  readonly commands: Redis;
  readonly #url: string;
  readonly #logger: Logger;
  readonly #connections = new Set<Redis>();
  readonly #heartbeat: NodeJS.Timeout;
  #state: 'unknown' | 'up' | 'down' = 'unknown';
  #otherError = { message: '', at: -OTHER_ERROR_INTERVAL_MS };
  #closed = false;

  constructor(url: string, logger: Logger) {
    this.#url = url;
    this.#logger = logger;
    this.commands = this.#create({ enableOfflineQueue: false, maxRetriesPerRequest: 0, autoResendUnfulfilledCommands: false, commandTimeout: COMMAND_TIMEOUT_MS });
    this.commands.on('ready', () => { this.#becomeUp(); });
    this.commands.on('error', (error: unknown) => { this.#becomeDown(error); });
    this.commands.on('close', () => { this.#becomeDown(undefined); });
    this.#heartbeat = setInterval(() => { this.#beat(); }, HEARTBEAT_MS);
    this.#heartbeat.unref();
  }

  /** A further connection; closed together with the others. */
  open(options: LinkOptions): Redis {
    const redis = this.#create(options);
    redis.on('error', (error: unknown) => { this.reportError(error); });
    return redis;
  }

  /** Says that something about a further connection went wrong, unless it follows from Redis being down or was said just now. */
  reportError(error: unknown): void {
    if (this.#state !== 'up' || this.#closed) return;
    const message = error instanceof Error ? error.message : String(error);
    const now = performance.now();
    if (message === this.#otherError.message && now - this.#otherError.at < OTHER_ERROR_INTERVAL_MS) return;
    this.#otherError = { message, at: now };
    this.#logger.warn('a connection to Redis failed; it is tried again', { error });
  }

  /** Rejects, within a second, when Redis does not answer. */
  async ping(): Promise<void> {
    if (this.commands.status !== 'ready') throw new Error('Redis cannot be reached');
    await this.commands.ping();
  }

  close(): void {
    this.#closed = true;
    clearInterval(this.#heartbeat);
    for (const redis of this.#connections) redis.disconnect();
  }

  #create(options: LinkOptions): Redis {
    const defaults = {
      ...optionsOf(this.#url),
      connectTimeout: 5000,
      keepAlive: 10_000,
      retryStrategy: (attempt: number) => jitteredDelay(attempt, { baseMs: 100, maxMs: 3000 }),
    };
    return new ClosableRedis({ ...defaults, ...options }, (redis) => { this.#track(redis); });
  }

  #track(redis: Redis): void {
    this.#connections.add(redis);
    redis.on('connecting', () => { this.#connections.add(redis); });
    redis.on('end', () => { this.#connections.delete(redis); });
    if (this.#closed) redis.disconnect();
  }

  /** Finds connections whose other end vanished without a word, which TCP alone notices only after many minutes. */
  #beat(): void {
    for (const redis of this.#connections) {
      if (redis.status !== 'ready' || redis.options.commandTimeout === undefined) continue;
      redis.ping().catch(() => { redis.disconnect(true); });
    }
  }

  #becomeUp(): void {
    if (this.#state === 'up') return;
    this.#logger.info('Redis is reachable');
    this.#state = 'up';
  }

  #becomeDown(error: unknown): void {
    if (this.#state === 'down' || this.#closed) return;
    this.#state = 'down';
    this.#logger.warn('Redis cannot be reached; work goes on without it until it is back', { error });
  }
}
