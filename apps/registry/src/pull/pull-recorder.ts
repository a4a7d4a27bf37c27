import type { Catalog, Pull } from '@haven/catalog';
import type { Logger } from '@haven/runtime';

const FLUSH_MS = 10_000;
/** Distinct artifacts counted between two flushes; beyond it further ones go uncounted rather than into memory. */
const MOST_WAITING = 50_000;

interface Waiting {
  readonly repositoryId: string;
  readonly digest: string;
  readonly tag: string | undefined;
  count: number;
  at: number;
}

/** Counts pulls in memory and writes them in batches, so that a pull costs no write. A crash loses at most ten seconds of counts. */
export class PullRecorder {
  readonly #catalog: Catalog;
  readonly #logger: Logger;
  #waiting = new Map<string, Waiting>();
  #timer: NodeJS.Timeout | undefined;

  constructor(parts: { readonly catalog: Catalog; readonly logger: Logger }) {
    this.#catalog = parts.catalog;
    this.#logger = parts.logger;
  }

  start(): void {
    this.#timer = setInterval(() => void this.flush(), FLUSH_MS);
    this.#timer.unref();
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.flush();
  }

  record(repositoryId: string, digest: string, tag: string | undefined): void {
    const key = tag === undefined ? `${repositoryId}@${digest}` : `${repositoryId}:${tag}@${digest}`;
    const waiting = this.#waiting.get(key);
    if (waiting) {
      waiting.count += 1;
      waiting.at = Date.now();
    } else if (this.#waiting.size < MOST_WAITING) {
      this.#waiting.set(key, { repositoryId, digest, tag, count: 1, at: Date.now() });
    }
  }

  /** Writes what waits; when the database is away the counts wait for the next time. */
  async flush(): Promise<void> {
    if (this.#waiting.size === 0) return;
    const batch = [...this.#waiting.values()];
    this.#waiting = new Map();
    try {
      await this.#catalog.recordPulls(batch.map(pullOf));
    } catch (error) {
      this.#logger.warn('pulls could not be counted yet', { error, pulls: batch.length });
      for (const pull of batch) this.#restore(pull);
    }
  }

  #restore(pull: Waiting): void {
    const key = pull.tag === undefined ? `${pull.repositoryId}@${pull.digest}` : `${pull.repositoryId}:${pull.tag}@${pull.digest}`;
    const newer = this.#waiting.get(key);
    if (newer) newer.count += pull.count;
    else if (this.#waiting.size < MOST_WAITING) this.#waiting.set(key, pull);
  }
}

function pullOf(waiting: Waiting): Pull {
  const { repositoryId, digest, tag, count, at } = waiting;
  return { repositoryId, digest, count, at: new Date(at), ...(tag === undefined ? {} : { tag }) };
}
