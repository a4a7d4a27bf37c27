import type { FileHandle } from 'node:fs/promises';
import { releaseChunk } from '@haven/runtime';
import { StorageError } from '../storage-error.js';

/** Large enough that the cost of a call does not count, small enough that two of them are little memory. */
const BATCH_BYTES = 1024 * 1024;
/** What one `writev` of Linux takes (IOV_MAX). */
const BATCH_CHUNKS = 1024;
/** Bytes after which they are sent to the disk in the background, so that the last sync has little left to do. */
const SYNC_EVERY = 32 * 1024 * 1024;
/** Bytes beyond the running sync at which writing waits for it, so that a slow disk is not buried. */
const SYNC_BACKLOG = 128 * 1024 * 1024;

/** A sync failed: the kernel has dropped pages that it said were written, so the file can no longer be trusted. */
export class SyncFailed extends Error {}

/**
 * Writes chunks one after the other without copying them: gathers about 1 MiB for each call, and has one
 * call under way while the next batch is collected. At most two batches are in memory; written ones are given back at once.
 */
export class BatchWriter {
  readonly #file: FileHandle;
  #position: number;
  #batch: Uint8Array[] = [];
  #batchBytes = 0;
  #writing: Promise<void> = Promise.resolve();
  #syncing: Promise<void> | undefined;
  #unsynced = 0;

  constructor(file: FileHandle, position: number) {
    this.#file = file;
    this.#position = position;
  }

  /** Takes a chunk. True when {@link flush} is due before the next one. */
  add(chunk: Uint8Array): boolean {
    if (chunk.byteLength > 0) this.#batch.push(chunk);
    this.#batchBytes += chunk.byteLength;
    return this.#batchBytes >= BATCH_BYTES || this.#batch.length >= BATCH_CHUNKS;
  }

  /** Waits for the batch under way, then starts to write the present one. */
  async flush(): Promise<void> {
    await this.#writing;
    if (this.#syncing !== undefined && this.#unsynced >= SYNC_BACKLOG) await this.#syncing;
    const batch = this.#batch;
    this.#writing = this.#write(batch, this.#batchBytes);
    // Whoever awaits it next hears of a failure; until then it must not count as unhandled.
    this.#writing.catch(() => undefined);
    this.#batch = [];
    this.#batchBytes = 0;
  }

  /** Resolves to the position behind the last byte once all of them are on the disk. */
  async finish(): Promise<number> {
    await this.flush();
    await this.#writing;
    await this.#syncing;
    if (this.#unsynced > 0) await this.#sync();
    return this.#position;
  }

  /** Waits until nothing uses the file any more; failures have been, or will not be, reported. */
  async settle(): Promise<void> {
    await Promise.allSettled([this.#writing, this.#syncing]);
    // A write that just ended may have started a sync.
    await Promise.allSettled([this.#syncing]);
  }

  async #write(chunks: readonly Uint8Array[], bytes: number): Promise<void> {
    await writeAll(this.#file, chunks, this.#position);
    for (const chunk of chunks) releaseChunk(chunk);
    this.#position += bytes;
    this.#unsynced += bytes;
    if (this.#unsynced >= SYNC_EVERY && this.#syncing === undefined) this.#syncInBackground();
  }

  #syncInBackground(): void {
    const syncing = this.#sync().then(() => {
      this.#syncing = undefined;
    });
    syncing.catch(() => undefined);
    this.#syncing = syncing;
  }

  async #sync(): Promise<void> {
    this.#unsynced = 0;
    try {
      await this.#file.datasync();
    } catch (cause) {
      throw new SyncFailed('sync failed', { cause });
    }
  }
}

async function writeAll(file: FileHandle, chunks: readonly Uint8Array[], start: number): Promise<void> {
  let rest = chunks;
  let position = start;
  while (rest.length > 0) {
    const { bytesWritten } = await file.writev([...rest], position);
    if (bytesWritten === 0) throw new StorageError('broken', 'The file system wrote nothing and named no error.');
    position += bytesWritten;
    rest = without(rest, bytesWritten);
  }
}

/** What is left of the chunks when their first `bytes` are written. */
function without(chunks: readonly Uint8Array[], bytes: number): readonly Uint8Array[] {
  let left = bytes;
  for (const [index, chunk] of chunks.entries()) {
    if (left < chunk.byteLength) return [chunk.subarray(left), ...chunks.slice(index + 1)];
    left -= chunk.byteLength;
  }
  return [];
}
