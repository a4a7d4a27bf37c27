import { randomBytes } from 'node:crypto';
import { StorageError } from '../storage-error.js';
import type { S3Objects } from './objects.js';
import type { Permits } from './permits.js';
import { MAX_SEGMENTS, segmentBytes, segmentCount, segmentKey, type Segments, tailKey } from './segments.js';

/** Segments that one append sends at the same time, besides the one that it collects. */
const IN_FLIGHT = 2;

/** Cuts a stream into segments and stores each as an object. */
export class SegmentWriter {
  readonly #objects: S3Objects;
  readonly #permits: Permits;
  readonly #id: string;
  readonly #token = randomBytes(6).toString('hex');
  readonly #before: Segments;
  readonly #first: number;
  #count = 0;
  #chunks: Uint8Array[] = [];
  #collected = 0;
  #sending: Promise<void>[] = [];
  readonly #written: string[] = [];

  /** @param permits bounds the segments of all appends that are being sent, and so their memory */
  constructor(objects: S3Objects, permits: Permits, id: string, before: Segments) {
    this.#objects = objects;
    this.#permits = permits;
    this.#id = id;
    this.#before = before;
    this.#first = segmentCount(before);
  }

  /** Takes a chunk, and waits while too many segments are under way. */
  async add(chunk: Uint8Array): Promise<void> {
    this.#chunks.push(chunk);
    this.#collected += chunk.byteLength;
    while (this.#collected >= segmentBytes(this.#first + this.#count)) await this.#send();
  }

  /** Resolves once everything is stored: to where the bytes are. */
  async finish(): Promise<Segments> {
    await Promise.all(this.#sending);
    const tail = this.#collected > 0 ? { token: this.#token, size: this.#collected } : undefined;
    if (tail !== undefined) await this.#store(tailKey(this.#id, tail), Buffer.concat(this.#chunks));
    const runs = this.#count > 0 ? [...this.#before.runs, { token: this.#token, count: this.#count }] : this.#before.runs;
    return { runs, ...(tail && { tail }), ...(this.#before.tail && { outdated: this.#before.tail }) };
  }

  /** After a failure: waits for what is under way, then removes what no state will ever name. */
  async undo(): Promise<void> {
    await Promise.allSettled(this.#sending);
    await this.#objects.remove(this.#written);
  }

  async #send(): Promise<void> {
    const index = this.#first + this.#count;
    // One place is for the tail.
    if (index + 1 >= MAX_SEGMENTS) throw new StorageError('full', `A blob on S3 cannot have more than ${MAX_SEGMENTS} parts.`);
    const [oldest] = this.#sending;
    if (oldest !== undefined && this.#sending.length >= IN_FLIGHT) {
      await oldest;
      this.#sending.shift();
    }
    const segment = this.#cut(segmentBytes(index));
    this.#count += 1;
    const sending = this.#store(segmentKey(this.#id, this.#token, index), segment);
    // Whoever awaits it next hears of a failure; until then it must not count as unhandled.
    sending.catch(() => undefined);
    this.#sending.push(sending);
  }

  async #store(key: string, bytes: Buffer): Promise<void> {
    this.#written.push(key);
    await this.#permits.hold(() => this.#objects.put(key, bytes));
  }

  #cut(size: number): Buffer {
    const collected = Buffer.concat(this.#chunks);
    const rest = collected.subarray(size);
    // A copy, so that the few bytes that are left do not keep the whole segment in memory.
    this.#chunks = rest.byteLength > 0 ? [Buffer.from(rest)] : [];
    this.#collected = rest.byteLength;
    return collected.subarray(0, size);
  }
}
