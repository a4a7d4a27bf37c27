import type { FileHandle } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { openCurrent, wantedServices, type OpenFile } from './newest.js';
import type { Query } from './query.js';
import { inOrder, matchingRecord, type LogRecord } from './record.js';

const POLL_MS = 250;
const CHUNK = 256 * 1024;

interface Followed extends OpenFile {
  offset: number;
}

/**
 * Reads what is added to the current files, also across rotations: the open file is read to its end before its successor.
 * A file that is both begun and rotated between two polls (64 MiB in a quarter of a second, by default) is passed over.
 */
export class Follower {
  readonly #query: Query;
  readonly #files = new Map<string, Followed>();

  private constructor(query: Query) {
    this.#query = query;
  }

  /** Begins after what the files hold now. */
  static async begin(query: Query): Promise<Follower> {
    const follower = new Follower(query);
    for (const service of await wantedServices(query)) {
      const file = await openCurrent(query, service);
      if (file === undefined) continue;
      follower.#files.set(service, { ...file, offset: await wholeLines(file.handle) });
    }
    return follower;
  }

  /** What newestRecords is to read before the first poll. */
  get from(): ReadonlyMap<string, OpenFile> {
    return this.#files;
  }

  /** New lines, oldest first within each batch, until the signal. */
  async *batches(signal: AbortSignal): AsyncGenerator<LogRecord[]> {
    try {
      while (!signal.aborted) {
        const records = await this.poll();
        if (records.length > 0) yield records;
        await sleep(POLL_MS, undefined, { signal }).catch(() => undefined); // Rejects only when aborted.
      }
    } finally {
      for (const { handle } of this.#files.values()) await handle.close();
    }
  }

  async poll(): Promise<LogRecord[]> {
    const records: LogRecord[] = [];
    for (const service of await wantedServices(this.#query)) {
      const followed = this.#files.get(service);
      // Opened before the old file is read to its end: nothing is added to a file after its successor exists.
      const current = await openCurrent(this.#query, service);
      if (followed !== undefined) records.push(...(await this.#added(followed)));
      if (current === undefined) continue;
      if (current.inode === followed?.inode) {
        await current.handle.close();
        continue;
      }
      await followed?.handle.close();
      const begun = { ...current, offset: 0 };
      this.#files.set(service, begun);
      records.push(...(await this.#added(begun)));
    }
    return inOrder(records);
  }

  async #added(file: Followed): Promise<LogRecord[]> {
    const records: LogRecord[] = [];
    for (;;) {
      const { buffer, bytesRead } = await file.handle.read(Buffer.alloc(CHUNK), 0, CHUNK, file.offset);
      const end = buffer.subarray(0, bytesRead).lastIndexOf(0x0a) + 1;
      if (end === 0) return records;
      file.offset += end;
      for (const line of buffer.toString('utf8', 0, end).split('\n')) {
        const record = line === '' ? undefined : matchingRecord(line, this.#query);
        if (record !== undefined) records.push(record);
      }
    }
  }
}

/** The end of the last whole line; a line that is being written is left for later. */
async function wholeLines(handle: FileHandle): Promise<number> {
  const { size } = await handle.stat();
  const start = Math.max(0, size - CHUNK);
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(size - start), 0, size - start, start);
  return start + buffer.subarray(0, bytesRead).lastIndexOf(0x0a) + 1;
}
