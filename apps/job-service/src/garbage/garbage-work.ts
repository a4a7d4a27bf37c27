import type { Configuration } from '@haven/api';
import type { Catalog } from '@haven/catalog';
import type { JobQueue, Workers } from '@haven/messages';
import type { Counter, Logger, Metrics } from '@haven/runtime';
import type { BlobStorage } from '@haven/storage';

const HOUR_MS = 60 * 60_000;
const DAY_MS = 24 * HOUR_MS;
const FOLD_MS = 30_000;
const FOLD_BATCH = 5000;

/** What was used within this time is left alone. It must be longer than any push needs between two of its requests. */
const GRACE_SECONDS = 2 * 60 * 60;

export interface GarbageParts {
  readonly catalog: Pick<Catalog, 'collectGarbage' | 'foldQuotaChanges'>;
  readonly storage: Pick<BlobStorage, 'delete'>;
  readonly configuration: { current(): Promise<Pick<Configuration, 'bin_retention_days' | 'read_only'>> };
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** What this process does to keep storage and its accounts tidy: garbage collection, and the folding of quota changes. */
export class GarbageWork {
  readonly #parts: GarbageParts;
  readonly #blobs: Counter<'outcome'>;
  readonly #bytes: Counter;
  readonly #stop = new AbortController();

  constructor(parts: GarbageParts) {
    this.#parts = parts;
    this.#blobs = parts.metrics.counter({ name: 'haven_garbage_blobs_total', help: 'Blobs that garbage collection removed, or could not remove', labelNames: ['outcome'] });
    this.#bytes = parts.metrics.counter({ name: 'haven_garbage_bytes_total', help: 'Bytes that storage confirmed as removed' });
  }

  register(workers: Workers): void {
    workers.handle('collect-garbage', () => this.collect());
    workers.handle('fold-quota', () => this.fold());
  }

  async schedule(jobs: JobQueue): Promise<void> {
    await jobs.schedule('collect-garbage', {}, HOUR_MS);
    await jobs.schedule('fold-quota', {}, FOLD_MS);
  }

  /** Ends a collection after the step that is under way; the next one goes on from there. */
  stop(): void {
    this.#stop.abort();
  }

  /**
   * Goes on after failures and rejects at the end when there were any, so that they are seen. Removes nothing while the
   * installation is read-only; the next collection makes good for it.
   */
  async collect(now: Date = new Date()): Promise<void> {
    const { catalog, storage, configuration, logger } = this.#parts;
    const { bin_retention_days: days, read_only: readOnly } = await configuration.current();
    if (readOnly) return;
    const readOnlySince = new AbortController();
    const collected = await catalog.collectGarbage({
      graceSeconds: GRACE_SECONDS,
      binBefore: new Date(now.getTime() - days * DAY_MS),
      removeBytes: async (digest) => {
        if ((await configuration.current()).read_only) readOnlySince.abort();
        return storage.delete(digest);
      },
      onFailure: (digest, error) => { logger.warn('a blob could not be removed; it stays until the next collection', { digest, error }); },
      signal: AbortSignal.any([this.#stop.signal, readOnlySince.signal]),
    });
    this.#blobs.inc({ outcome: 'removed' }, collected.blobs);
    this.#blobs.inc({ outcome: 'failed' }, collected.failed);
    this.#bytes.inc(collected.bytes);
    const { purged, ...rest } = collected;
    if ([...Object.values(rest), ...Object.values(purged)].some((count) => count > 0)) logger.info('garbage was collected', { ...rest, purged });
    if (collected.failed > 0) throw new Error(`${collected.failed} blobs could not be removed; the log says why`);
  }

  async fold(): Promise<void> {
    for (let count = FOLD_BATCH; count === FOLD_BATCH && !this.#stop.signal.aborted;) count = await this.#parts.catalog.foldQuotaChanges(FOLD_BATCH);
  }
}
