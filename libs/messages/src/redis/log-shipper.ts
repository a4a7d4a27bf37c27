import type { Redis } from 'ioredis';

export interface LogShipperOptions {
  readonly stream: string;
  /** Lines kept in the stream, about; older ones go, so that Redis does not fill up without a collector. */
  readonly streamLines?: number;
  /** Bytes kept in memory while Redis is down; the oldest lines go first. */
  readonly bufferBytes?: number;
}

const BATCH_LINES = 500;
const BATCH_DELAY_MS = 100;
const RETRY_DELAY_MS = 1000;
const CLOSE_TIMEOUT_MS = 2000;

/** Sends log lines to the collector through a Redis stream, without ever delaying who logs. At least once; see `dropped`. */
export class LogShipper {
  /** Give this to the logger's addSink. */
  readonly sink: (line: string) => void = (line) => { this.#accept(line); };
  readonly #redis: Redis;
  readonly #stream: string;
  readonly #streamLines: number;
  readonly #bufferBytes: number;
  #lines: string[] = [];
  #bytes = 0;
  #dropped = 0;
  #sent = 0;
  #timer: NodeJS.Timeout | undefined;
  #sending: Promise<void> | undefined;
  #closed = false;

  constructor(redis: Redis, { stream, streamLines = 50_000, bufferBytes = 8 * 1024 * 1024 }: LogShipperOptions) {
    this.#redis = redis;
    this.#stream = stream;
    this.#streamLines = streamLines;
    this.#bufferBytes = bufferBytes;
  }

  /** Lines that were given up because Redis was down for too long. They still went to standard output. */
  get dropped(): number { return this.#dropped; }

  /** Lines that Redis took over. */
  get sent(): number { return this.#sent; }

  /** Sends what is left, within two seconds, and takes no more lines. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    const deadline = performance.now() + CLOSE_TIMEOUT_MS;
    while (this.#lines.length > 0 && performance.now() < deadline && this.#redis.status === 'ready') {
      if (!(await this.#send())) break;
    }
    clearTimeout(this.#timer);
    this.#dropped += this.#lines.length;
    this.#lines = [];
  }

  #accept(line: string): void {
    if (this.#closed) return;
    this.#lines.push(line);
    this.#bytes += line.length;
    if (this.#bytes > this.#bufferBytes) this.#dropOldest();
    this.#sendLater(BATCH_DELAY_MS);
  }

  /** A tenth at once: dropping line by line from the front of a long array would cost time for each line logged. */
  #dropOldest(): void {
    const count = Math.max(1, Math.floor(this.#lines.length / 10));
    for (const line of this.#lines.splice(0, count)) this.#bytes -= line.length;
    this.#dropped += count;
  }

  #sendLater(milliseconds: number): void {
    if (this.#timer !== undefined || this.#sending !== undefined || this.#closed) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      void this.#send().then((sent) => { if (this.#lines.length > 0) this.#sendLater(sent ? 0 : RETRY_DELAY_MS); });
    }, milliseconds);
    this.#timer.unref();
  }

  /** One batch at a time. Resolves to false when Redis did not take all of it: the rest stays first in line. */
  async #send(): Promise<boolean> {
    await this.#sending;
    if (this.#redis.status !== 'ready') return false;
    const batch = this.#lines.splice(0, BATCH_LINES);
    const work = this.#sendBatch(batch);
    this.#sending = work.then(() => undefined);
    const kept = await work;
    this.#sending = undefined;
    this.#bytes -= length(batch) - length(kept);
    this.#sent += batch.length - kept.length;
    this.#lines.unshift(...kept);
    return kept.length === 0;
  }

  /** Answers the lines that Redis did not (surely) take. */
  async #sendBatch(batch: readonly string[]): Promise<string[]> {
    const pipeline = this.#redis.pipeline();
    for (const line of batch) pipeline.xadd(this.#stream, 'MAXLEN', '~', this.#streamLines, '*', 'line', line);
    try {
      const results = (await pipeline.exec()) ?? [];
      return batch.filter((_line, index) => results[index] === undefined || results[index][0] !== null);
    } catch {
      return [...batch]; // The link has said that Redis is down; the lines wait for it.
    }
  }
}

function length(lines: readonly string[]): number {
  return lines.reduce((sum, line) => sum + line.length, 0);
}
