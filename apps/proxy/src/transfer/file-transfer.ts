import { close, fstat, read, type Stats } from 'node:fs';
import type { Exchange } from '../exchange/exchange.js';
import type { BlobFiles } from './blob-files.js';
import { BUFFER_BYTES } from './buffer-pool.js';
import type { HandOver } from './hand-over.js';

/** What a transfer gets by with when all large buffers are lent, so that slow readers cannot stop the others. */
const SMALL_BYTES = 64 * 1024;

/**
 * Sends a piece of a file as the body of an answer. At most two buffers are in use: one is filled while the other is on its
 * way out, and none is filled before the client's connection has taken what was in it.
 */
export class FileTransfer {
  readonly #exchange: Exchange;
  readonly #files: BlobFiles;
  readonly #handOver: HandOver;
  readonly #headers: string[];
  readonly #idle: Buffer[] = [];
  #pooled = false;
  #descriptor = -1;
  /** Where the next read starts. */
  #position: number;
  #reading = false;
  #writing = 0;
  #closed = false;

  constructor(exchange: Exchange, files: BlobFiles, handOver: HandOver, headers: string[]) {
    this.#exchange = exchange;
    this.#files = files;
    this.#handOver = handOver;
    this.#headers = headers;
    this.#position = handOver.start;
  }

  start(): void {
    this.#files.open(this.#handOver.path, (error, descriptor) => {
      if (error !== null) {
        this.#fail('the blob file cannot be opened', error);
        return;
      }
      this.#descriptor = descriptor;
      fstat(descriptor, (fault, stats) => { this.#onStat(fault, stats); });
    });
  }

  /** Stops. Buffers that were given to the connection are forgotten: it may never say that it is done with them. */
  abort(): void {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#pooled) for (let count = this.#writing; count > 0; count -= 1) this.#files.buffers.forget();
    this.#release();
  }

  #onStat(error: NodeJS.ErrnoException | null, stats: Stats): void {
    if (this.#closed) {
      this.#release();
      return;
    }
    const { size } = this.#handOver;
    if (error !== null || !stats.isFile() || stats.size !== size) {
      this.#fail(error === null ? `the blob file is not a file of ${size} bytes` : 'the blob file cannot be examined', error);
      return;
    }
    this.#borrow();
    this.#begin();
    this.#fill();
  }

  #begin(): void {
    const { start, end, status } = this.#handOver;
    setHeader(this.#headers, 'content-length', String(end - start + 1));
    this.#exchange.head(status, this.#headers);
  }

  #borrow(): void {
    const small = this.#handOver.end - this.#handOver.start < BUFFER_BYTES;
    const one = small ? this.#files.buffers.borrow() : undefined;
    const pair = small ? (one === undefined ? undefined : [one]) : this.#files.buffers.borrowPair();
    this.#pooled = pair !== undefined;
    this.#idle.push(...(pair ?? [Buffer.allocUnsafeSlow(SMALL_BYTES)]));
  }

  #fill(): void {
    const buffer = this.#reading || this.#position > this.#handOver.end ? undefined : this.#idle.pop();
    if (buffer === undefined) return;
    this.#reading = true;
    const length = Math.min(buffer.length, this.#handOver.end - this.#position + 1);
    read(this.#descriptor, buffer, 0, length, this.#position, (error, count) => { this.#onRead(error, count, buffer); });
  }

  #onRead(error: NodeJS.ErrnoException | null, count: number, buffer: Buffer): void {
    this.#reading = false;
    if (this.#closed || error !== null || count === 0) {
      this.#idle.push(buffer);
      if (this.#closed) this.#release();
      else this.#fail(error === null ? 'the blob file ended early' : 'the blob file cannot be read', error);
      return;
    }
    this.#position += count;
    this.#writing += 1;
    const chunk = count === buffer.length ? buffer : buffer.subarray(0, count);
    const { response } = this.#exchange;
    this.#exchange.bytes += count;
    if (this.#position > this.#handOver.end) {
      // Written and ended in one go; the callback of write, not that of end, tells when the buffer is free.
      response.cork();
      response.write(chunk, () => { this.#onWritten(buffer); });
      response.end();
      response.uncork();
      this.#closeFile();
      return;
    }
    response.write(chunk, () => { this.#onWritten(buffer); });
    this.#fill();
  }

  #onWritten(buffer: Buffer): void {
    if (this.#closed) return;
    this.#writing -= 1;
    this.#idle.push(buffer);
    if (this.#position > this.#handOver.end) this.#release();
    else this.#fill();
  }

  #fail(message: string, error: Error | null): void {
    const { context, requestId, path } = this.#exchange;
    context.logger.error(message, { requestId, path, file: this.#handOver.path, error });
    this.abort();
    this.#exchange.refuse('upstreamGone');
  }

  /** Lets go of everything that nothing uses. */
  #release(): void {
    while (this.#idle.length > 0) {
      const buffer = this.#idle.pop() as Buffer;
      if (this.#pooled) this.#files.buffers.giveBack(buffer);
    }
    if (!this.#reading) this.#closeFile();
  }

  #closeFile(): void {
    if (this.#descriptor < 0) return;
    const descriptor = this.#descriptor;
    this.#descriptor = -1;
    close(descriptor, (error) => {
      if (error !== null) this.#exchange.context.logger.error('a blob file cannot be closed', { file: this.#handOver.path, error });
    });
  }
}

function setHeader(flat: string[], name: string, value: string): void {
  for (let at = 0; at + 1 < flat.length; at += 2) {
    if (flat[at] !== name) continue;
    flat[at + 1] = value;
    return;
  }
  flat.push(name, value);
}
