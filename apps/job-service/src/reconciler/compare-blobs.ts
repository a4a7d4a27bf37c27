import type { StoredBlob } from '@haven/storage';
import type { CatalogBlob, ComparedBlob } from './finding.js';

/**
 * Brings together what has the same digest. Both sides come in the order of the digests, so one of each is in memory. They
 * are read while pushes go on, each at its own pace: a difference is only a suspicion until it was looked at again.
 */
export async function* compareBlobs(stored: AsyncIterable<StoredBlob>, rows: AsyncIterable<CatalogBlob>): AsyncGenerator<ComparedBlob, void, undefined> {
  const [left, right] = [new Reader(stored), new Reader(rows)];
  try {
    for (;;) {
      const [blob, row] = [await left.peek(), await right.peek()];
      if (blob === undefined && row === undefined) return;
      if (row === undefined || (blob !== undefined && blob.digest < row.digest)) {
        if (blob !== undefined) yield { digest: blob.digest, stored: left.take(), row: undefined };
      } else if (blob === undefined || row.digest < blob.digest) {
        yield { digest: row.digest, stored: undefined, row: right.take() };
      } else {
        yield { digest: row.digest, stored: left.take(), row: right.take() };
      }
    }
  } finally {
    await Promise.all([left.close(), right.close()]);
  }
}

class Reader<Item> {
  readonly #items: AsyncIterator<Item>;
  #next: Item | undefined;
  #ended = false;

  constructor(items: AsyncIterable<Item>) {
    this.#items = items[Symbol.asyncIterator]();
  }

  async peek(): Promise<Item | undefined> {
    if (this.#next !== undefined || this.#ended) return this.#next;
    const result = await this.#items.next();
    if (result.done === true) this.#ended = true;
    else this.#next = result.value;
    return this.#next;
  }

  take(): Item | undefined {
    const item = this.#next;
    this.#next = undefined;
    return item;
  }

  async close(): Promise<void> {
    await this.#items.return?.();
  }
}
