import type { Configuration } from '@haven/api';
import { CatalogError, type Catalog, type Upload } from '@haven/catalog';
import type { Counter, Logger, Metrics } from '@haven/runtime';
import type { BlobStorage, StaleUpload, UploadState } from '@haven/storage';

const BATCH = 100;

export interface PurgeParts {
  readonly catalog: Pick<Catalog, 'staleUploads' | 'countStaleUploads' | 'claimUpload' | 'forgetUpload' | 'uploadsInStorage' | 'now'>;
  readonly storage: Pick<BlobStorage, 'abort' | 'staleUploads' | 'unfinishedCommits' | 'dropCommit'>;
  readonly configuration: { current(): Promise<Pick<Configuration, 'read_only'>> };
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly ttlSeconds: number;
}

/** Uploads that nobody continues. */
export interface DeadUploads {
  /** Sessions. */
  readonly sessions: number;
  /** What is in storage and belongs to no session. */
  readonly leftovers: number;
  /** Of both; what an interrupted join of a large blob holds is left out, for storage does not tell. */
  readonly bytes: number;
}

export interface PurgedUploads extends DeadUploads {
  readonly failed: number;
}

/** Removes upload sessions that nobody continues, with their bytes, and bytes in storage that belong to no session. */
export class UploadPurge {
  readonly #parts: PurgeParts;
  readonly #removed: Counter<'kind'>;

  constructor(parts: PurgeParts) {
    this.#parts = parts;
    this.#removed = parts.metrics.counter({ name: 'haven_uploads_purged_total', help: 'Abandoned uploads removed', labelNames: ['kind'] });
  }

  /** Rejects at the end when there were failures, so that the job is tried again. Removes nothing while the installation is read-only. */
  async run(): Promise<void> {
    if ((await this.#parts.configuration.current()).read_only) return;
    const { failed } = await this.purge();
    if (failed > 0) throw new Error(`${failed} abandoned uploads could not be removed; the log says why`);
  }

  /** Goes on after failures; ends early, with what was done until then, once the signal is aborted. */
  async purge(signal?: AbortSignal): Promise<PurgedUploads> {
    const before = await this.#deadline();
    const sessions = await this.#purgeSessions(before, signal);
    const leftovers = await this.#purgeLeftovers(before, signal);
    const removed = { sessions: sessions.removed, leftovers: leftovers.removed, bytes: sessions.bytes + leftovers.bytes };
    if (sessions.removed + leftovers.removed > 0) this.#parts.logger.info('abandoned uploads were removed', removed);
    return { ...removed, failed: sessions.failed + leftovers.failed };
  }

  /** What `purge` would remove now. Rejects with its reason once the signal is aborted. */
  async preview(signal?: AbortSignal): Promise<DeadUploads> {
    const before = await this.#deadline();
    const { uploads, bytes } = await this.#parts.catalog.countStaleUploads(before);
    const found = { sessions: uploads, leftovers: 0, bytes };
    for await (const { size } of this.#unusedUploads(before)) {
      signal?.throwIfAborted();
      found.leftovers += 1;
      found.bytes += size;
    }
    for await (const _commit of this.#parts.storage.unfinishedCommits(before)) found.leftovers += 1;
    return found;
  }

  async #deadline(): Promise<Date> {
    return new Date((await this.#parts.catalog.now()).getTime() - this.#parts.ttlSeconds * 1000);
  }

  async #purgeSessions(before: Date, signal: AbortSignal | undefined): Promise<Outcome> {
    const outcome = { removed: 0, bytes: 0, failed: 0 };
    for (;;) {
      const uploads = await this.#parts.catalog.staleUploads(before, BATCH);
      for (const upload of uploads) {
        if (signal?.aborted === true) return outcome;
        // It is claimed, which makes it young, so the next round finds others.
        await this.#attempt(outcome, { kind: 'session', id: upload.id, bytes: upload.received }, () => this.#purgeSession(upload));
      }
      if (uploads.length < BATCH || outcome.failed > 0) return outcome;
    }
  }

  /** Claimed first: a client that comes back this very moment either keeps its upload or learns that it is gone. */
  async #purgeSession(upload: Upload): Promise<boolean> {
    const claimed = await this.#claim(upload);
    if (!claimed) return false;
    await this.#parts.storage.abort(upload.state as UploadState);
    return this.#parts.catalog.forgetUpload(upload.id);
  }

  async #claim(upload: Upload): Promise<boolean> {
    try {
      await this.#parts.catalog.claimUpload(upload);
      return true;
    } catch (error) {
      if (error instanceof CatalogError) return false; // Continued or finished meanwhile.
      throw error;
    }
  }

  async #purgeLeftovers(before: Date, signal: AbortSignal | undefined): Promise<Outcome> {
    const outcome = { removed: 0, bytes: 0, failed: 0 };
    for await (const { id, size } of this.#unusedUploads(before)) {
      if (signal?.aborted === true) return outcome;
      await this.#attempt(outcome, { kind: 'leftover', id, bytes: size }, async () => {
        await this.#parts.storage.abort({ id, received: 0 });
        return true;
      });
    }
    for await (const commit of this.#parts.storage.unfinishedCommits(before)) {
      if (signal?.aborted === true) return outcome;
      await this.#attempt(outcome, { kind: 'leftover', id: commit.id, bytes: 0 }, async () => {
        await this.#parts.storage.dropCommit(commit);
        return true;
      });
    }
    return outcome;
  }

  /** Those in storage that no session, dead or alive, is about. */
  async *#unusedUploads(before: Date): AsyncGenerator<StaleUpload, void, undefined> {
    let batch: StaleUpload[] = [];
    for await (const upload of this.#parts.storage.staleUploads(before)) {
      batch.push(upload);
      if (batch.length < BATCH) continue;
      yield* await this.#unusedOf(batch);
      batch = [];
    }
    yield* await this.#unusedOf(batch);
  }

  async #unusedOf(uploads: readonly StaleUpload[]): Promise<StaleUpload[]> {
    if (uploads.length === 0) return [];
    const used = await this.#parts.catalog.uploadsInStorage(uploads.map(({ id }) => id));
    return uploads.filter(({ id }) => !used.has(id));
  }

  async #attempt(outcome: Outcome, { kind, id, bytes }: DeadUpload, purge: () => Promise<boolean>): Promise<void> {
    try {
      if (!(await purge())) return;
      outcome.removed++;
      outcome.bytes += bytes;
      this.#removed.inc({ kind });
    } catch (error) {
      outcome.failed++;
      this.#parts.logger.warn('an abandoned upload could not be removed', { kind, uploadId: id, error });
    }
  }
}

interface DeadUpload {
  readonly kind: 'session' | 'leftover';
  readonly id: string;
  readonly bytes: number;
}

interface Outcome {
  removed: number;
  bytes: number;
  failed: number;
}
