import { setTimeout as sleep } from 'node:timers/promises';
import { jitteredDelay, type Logger } from '@haven/runtime';
import type { Redis } from 'ioredis';
import { z } from 'zod';
import type { RedisLink } from './redis-link.js';

export interface LogReaderOptions {
  readonly stream: string;
  /** Names this reader. The same name after a restart goes on where it was killed. */
  readonly consumer: string;
}

const GROUP = 'collectors';
const BATCH_LINES = 500;
const BLOCK_MS = 1000;
const CLAIM_IDLE_MS = 30_000;

const entry = z.tuple([z.string(), z.array(z.string()).nullable()]);
const streamReply = z.array(z.tuple([z.string(), z.array(entry)])).nullable();
const claimReply = z.tuple([z.string(), z.array(entry.nullable())]).rest(z.unknown());
type Entry = z.infer<typeof entry>;

/** Takes log lines from the stream, each at least once: a line is acknowledged only after `store` resolved. */
export class LogReader {
  readonly #link: RedisLink;
  readonly #logger: Logger;
  readonly #stream: string;
  readonly #consumer: string;
  readonly #stop = new AbortController();
  #redis: Redis | undefined;
  #reading: Promise<void> | undefined;

  constructor(link: RedisLink, logger: Logger, { stream, consumer }: LogReaderOptions) {
    this.#link = link;
    this.#logger = logger;
    this.#stream = stream;
    this.#consumer = consumer;
  }

  /** Starts reading. `store` gets lines in order, one call at a time; what it rejects is handed to it again later. */
  start(store: (lines: readonly string[]) => Promise<void>): void {
    if (this.#reading !== undefined) throw new Error('the log reader was started already');
    this.#redis = this.#link.open({ maxRetriesPerRequest: 0, autoResendUnfulfilledCommands: false, enableOfflineQueue: false, commandTimeout: BLOCK_MS + 4000 });
    this.#reading = this.#run(this.#redis, store);
  }

  /** Lines that wait in the stream or were handed out but not stored; undefined when Redis cannot tell. */
  async lag(): Promise<number | undefined> {
    if (this.#link.commands.status !== 'ready') return undefined;
    return this.#link.commands.xlen(this.#stream);
  }

  /** Ends after the batch that is being stored. */
  async close(): Promise<void> {
    this.#stop.abort();
    await this.#reading;
    this.#redis?.disconnect();
  }

  async #run(redis: Redis, store: (lines: readonly string[]) => Promise<void>): Promise<void> {
    for (let failures = 0; !this.#stop.signal.aborted;) {
      try {
        await this.#ready(redis);
        await this.#readUntilFailure(redis, store, () => { failures = 0; });
      } catch (error) {
        if (this.#stop.signal.aborted) return;
        failures++;
        this.#link.reportError(error);
        await this.#pause(jitteredDelay(failures, { baseMs: 200, maxMs: 5000 }));
      }
    }
  }

  async #readUntilFailure(redis: Redis, store: (lines: readonly string[]) => Promise<void>, succeeded: () => void): Promise<void> {
    await this.#createGroup(redis);
    // First what this consumer was given before it crashed or failed, then new lines.
    while (!this.#stop.signal.aborted && (await this.#take(redis, await this.#readOwnPending(redis), store)) > 0) succeeded();
    for (let claimedAt = -Infinity; !this.#stop.signal.aborted;) {
      if (performance.now() - claimedAt > CLAIM_IDLE_MS / 3) {
        claimedAt = performance.now();
        while (!this.#stop.signal.aborted && (await this.#take(redis, await this.#claim(redis), store)) > 0) succeeded();
      }
      await this.#take(redis, await this.#readNew(redis), store);
      succeeded();
    }
  }

  async #take(redis: Redis, entries: readonly Entry[], store: (lines: readonly string[]) => Promise<void>): Promise<number> {
    if (entries.length === 0) return 0;
    const lines = entries.map(([, fields]) => lineOf(fields)).filter((line) => line !== undefined);
    try {
      await store(lines);
    } catch (error) {
      this.#logger.error('log lines could not be stored; they are tried again', { lines: lines.length, error });
      throw error;
    }
    const ids = entries.map(([id]) => id);
    await redis.xack(this.#stream, GROUP, ...ids);
    await redis.xdel(this.#stream, ...ids);
    return entries.length;
  }

  async #createGroup(redis: Redis): Promise<void> {
    try {
      await redis.xgroup('CREATE', this.#stream, GROUP, '0', 'MKSTREAM');
    } catch (error) {
      if (!(error instanceof Error && error.message.startsWith('BUSYGROUP'))) throw error;
    }
  }

  async #readOwnPending(redis: Redis): Promise<Entry[]> {
    return entriesOf(await redis.xreadgroup('GROUP', GROUP, this.#consumer, 'COUNT', BATCH_LINES, 'STREAMS', this.#stream, '0'));
  }

  async #readNew(redis: Redis): Promise<Entry[]> {
    return entriesOf(await redis.xreadgroup('GROUP', GROUP, this.#consumer, 'COUNT', BATCH_LINES, 'BLOCK', BLOCK_MS, 'STREAMS', this.#stream, '>'));
  }

  /** Lines that another collector was given and has not stored for half a minute: it has probably died. */
  async #claim(redis: Redis): Promise<Entry[]> {
    const reply = await redis.xautoclaim(this.#stream, GROUP, this.#consumer, CLAIM_IDLE_MS, '0-0', 'COUNT', BATCH_LINES);
    return claimReply.parse(reply)[1].filter((one) => one !== null);
  }

  async #ready(redis: Redis): Promise<void> {
    while (redis.status !== 'ready' && !this.#stop.signal.aborted) await this.#pause(100);
  }

  async #pause(milliseconds: number): Promise<void> {
    await sleep(milliseconds, undefined, { signal: this.#stop.signal }).catch(() => undefined); // Rejects only when stopped.
  }
}

function entriesOf(reply: unknown): Entry[] {
  return (streamReply.parse(reply) ?? []).flatMap(([, entries]) => entries);
}

/** Undefined for an entry that was trimmed away or is not a log line. */
function lineOf(fields: readonly string[] | null): string | undefined {
  return fields?.[0] === 'line' ? fields[1] : undefined;
}
