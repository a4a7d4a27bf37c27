import type { Configuration } from '@haven/api';
import { CatalogError, type Catalog, type Upload } from '@haven/catalog';
import type { Counter, Logger, Metrics } from '@haven/runtime';
import type { BlobStorage, UploadState } from '@haven/storage';

const BATCH = 100;

export interface PurgeParts {
  readonly catalog: Pick<Catalog, 'staleUploads' | 'claimUpload' | 'forgetUpload' | 'uploadsInStorage' | 'now'>;
  readonly storage: Pick<BlobStorage, 'abort' | 'staleUploads' | 'unfinishedCommits' | 'dropCommit'>;
  readonly configuration: { current(): Promise<Pick<Configuration, 'read_only'>> };
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly ttlSeconds: number;
}

export interface PurgedUploads {
  /** Upload sessions that nobody continued. */
  readonly sessions: number;
  /** Bytes in storage that belonged to no session. */
  readonly leftovers: number;
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

  /** Goes on after failures. */
  async purge(): Promise<PurgedUploads> {
    const before = new Date((await this.#parts.catalog.now()).getTime() - this.#parts.ttlSeconds * 1000);
    const sessions = await this.#purgeSessions(before);
    const leftovers = await this.#purgeLeftovers(before);
    const removed = { sessions: sessions.removed, leftovers: leftovers.removed };
    if (sessions.removed + leftovers.removed > 0) this.#parts.logger.info('abandoned uploads were removed', removed);
    return { ...removed, failed: sessions.failed + leftovers.failed };
  }

  async #purgeSessions(before: Date): Promise<Outcome> {
    const outcome = { removed: 0, failed: 0 };
    for (;;) {
      const uploads = await this.#parts.catalog.staleUploads(before, BATCH);
      // Each one is claimed, which makes it young, so the next round finds others.
      for (const upload of uploads) await this.#attempt(outcome, 'session', upload.id, () => this.#purgeSession(upload));
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

  async #purgeLeftovers(before: Date): Promise<Outcome> {
    const outcome = { removed: 0, failed: 0 };
    let ids: string[] = [];
    for await (const { id } of this.#parts.storage.staleUploads(before)) {
      ids.push(id);
      if (ids.length < BATCH) continue;
      await this.#purgeUnused(ids, outcome);
      ids = [];
    }
    await this.#purgeUnused(ids, outcome);
    for await (const commit of this.#parts.storage.unfinishedCommits(before)) {
      await this.#attempt(outcome, 'leftover', commit.id, async () => {
        await this.#parts.storage.dropCommit(commit);
        return true;
      });
    }
    return outcome;
  }

  async #purgeUnused(ids: readonly string[], outcome: Outcome): Promise<void> {
    if (ids.length === 0) return;
    const used = await this.#parts.catalog.uploadsInStorage(ids);
    for (const id of ids) {
      if (used.has(id)) continue;
      await this.#attempt(outcome, 'leftover', id, async () => {
        await this.#parts.storage.abort({ id, received: 0 });
        return true;
      });
    }
  }

  async #attempt(outcome: Outcome, kind: 'session' | 'leftover', id: string, purge: () => Promise<boolean>): Promise<void> {
    try {
      if (!(await purge())) return;
      outcome.removed++;
      this.#removed.inc({ kind });
    } catch (error) {
      outcome.failed++;
      this.#parts.logger.warn('an abandoned upload could not be removed', { kind, uploadId: id, error });
    }
  }
}

interface Outcome {
  removed: number;
  failed: number;
}
