import type { Configuration } from '@haven/api';
import type { Catalog, RemovedBlobs } from '@haven/catalog';
import { TaskFailure, type GarbageParameters, type TaskContext } from '@haven/execution';
import type { Counter, Logger, Metrics } from '@haven/runtime';
import type { BlobStorage } from '@haven/storage';
import type { DeadUploads, UploadPurge } from '../upload/purge-uploads.js';
import { bytesText, deadUploadsLine, dueLines, givenUpLines, keptLines, reasonText, removedUploadsLine, resultLines } from './garbage-log.js';
import { GarbageReport } from './garbage-report.js';
import { deleteUntagged } from './untagged-deletion.js';

/** What was used within this time is left alone. It must be longer than any push needs between two of its requests. */
export const GRACE_SECONDS = 2 * 60 * 60;

const DAY_MS = 24 * 60 * 60_000;
const LOG_EVERY_MS = 10_000;
/** The log of a task is bounded, and its end is what people read first. */
const FAILURES_LISTED = 1000;

export const READ_ONLY = 'the installation is in read-only mode; nothing more is deleted until it is switched off';

export interface GarbageRunParts {
  readonly catalog: Pick<Catalog, 'collectGarbage' | 'previewGarbage' | 'untaggedArtifacts' | 'deleteArtifact' | 'now'>;
  readonly storage: Pick<BlobStorage, 'delete' | 'settleDeletions'>;
  readonly uploads: Pick<UploadPurge, 'purge' | 'preview'>;
  readonly configuration: { current(): Promise<Pick<Configuration, 'bin_retention_days' | 'read_only'>> };
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/**
 * Does the task of a garbage collection. It may be killed anywhere: the next attempt goes on with what is left and adds to
 * what the earlier ones counted.
 */
export class GarbageRun {
  readonly #parts: GarbageRunParts;
  readonly #blobs: Counter<'outcome'>;
  readonly #bytes: Counter;

  constructor(parts: GarbageRunParts) {
    this.#parts = parts;
    this.#blobs = parts.metrics.counter({ name: 'haven_garbage_blobs_total', help: 'Blobs that garbage collection removed, or could not remove', labelNames: ['outcome'] });
    this.#bytes = parts.metrics.counter({ name: 'haven_garbage_bytes_total', help: 'Bytes that storage confirmed as removed' });
  }

  async run(context: TaskContext): Promise<string> {
    const parameters = context.task.executionAttributes as unknown as GarbageParameters;
    const { delete_untagged: untagged, dry_run: dryRun, workers } = parameters;
    await context.log.line(`garbage collection${dryRun ? ' (dry run)' : ''}: untagged artifacts ${untagged ? 'go' : 'stay'}, ${workers} blobs at a time`);
    return dryRun ? this.#preview(context, untagged) : this.#collect(context, parameters);
  }

  async #preview(context: TaskContext, untagged: boolean): Promise<string> {
    const deleted = untagged ? await deleteUntagged(this.#untaggedParts(), context, true) : 0;
    const { bin_retention_days: days } = await this.#parts.configuration.current();
    const uploads = await this.#parts.uploads.preview(context.signal);
    const preview = await this.#parts.catalog.previewGarbage({ graceSeconds: GRACE_SECONDS, binBefore: await binBefore(this.#parts.catalog, days), signal: context.signal });
    for (const line of [deadUploadsLine(uploads), ...dueLines(preview), ...keptLines(preview, GRACE_SECONDS, days)]) await context.log.line(line);
    await context.progress({ freed_space: preview.due.bytes, purged_blobs: preview.due.blobs, purged_manifests: preview.overdue.manifests, deleted_artifacts: deleted, ...uploadCounts(uploads) });
    return `${preview.due.blobs} blobs, ${bytesText(preview.due.bytes)}, would be freed`;
  }

  async #collect(context: TaskContext, { delete_untagged: untagged, workers }: GarbageParameters): Promise<string> {
    await this.#requireWritable();
    const report = new GarbageReport(context.task.attributes);
    const uploads = await this.#parts.uploads.purge(context.signal);
    await context.log.line(removedUploadsLine(uploads));
    report.add({ ...uploadCounts(uploads), failed_uploads: uploads.failed });
    if (untagged) report.add({ deleted_artifacts: await deleteUntagged(this.#untaggedParts(), context, false) });
    await context.progress(report.attributes);
    const { failed, readOnly } = await this.#removeBlobs(context, workers, report);
    await this.#tellKept(context);
    context.check();
    if (readOnly) throw new TaskFailure(READ_ONLY);
    if (failed + uploads.failed > 0) throw new TaskFailure(`partial: ${failed} blobs and ${uploads.failed} uploads could not be removed; the log names them, and the next run tries them again`);
    return `${report.get('purged_blobs')} blobs, ${bytesText(report.get('freed_space'))}, were freed`;
  }

  async #removeBlobs(context: TaskContext, workers: number, report: GarbageReport): Promise<{ readonly failed: number; readonly readOnly: boolean }> {
    const { catalog, storage, configuration, logger } = this.#parts;
    const { bin_retention_days: days } = await configuration.current();
    const readOnly = new AbortController();
    const failures: string[] = [];
    const tell = this.#teller(context);
    const collected = await catalog.collectGarbage({
      graceSeconds: GRACE_SECONDS,
      binBefore: await binBefore(catalog, days),
      workers,
      removeBytes: (digest) => {
        logger.debug('the bytes of a blob are deleted', { digest });
        return storage.delete(digest, { relaxed: true });
      },
      settleBytes: (digests) => storage.settleDeletions(digests),
      onFailure: (digest, error) => {
        logger.warn('a blob could not be removed; it stays until the next collection', { digest, error });
        if (failures.length < FAILURES_LISTED) failures.push(`failed: ${digest}: ${reasonText(error)}`);
      },
      onGivenUp: async (givenUp) => {
        report.add({ purged_manifests: givenUp.purged.manifests });
        for (const line of givenUpLines(givenUp)) await context.log.line(line);
      },
      // Counted together with the rows that go: a crash loses none of it, and counts nothing twice.
      onRemoved: (transaction, soFar) => context.progressIn(transaction, report.with(totals(soFar))),
      onProgress: async (soFar) => {
        if ((await configuration.current()).read_only) readOnly.abort();
        await tell(soFar);
      },
      signal: AbortSignal.any([context.signal, readOnly.signal]),
    });
    this.#count(collected);
    for (const line of failures) await context.log.line(line);
    if (collected.failed > failures.length) await context.log.line(`failed: and ${collected.failed - failures.length} more; the log of the job service names them`);
    for (const line of resultLines(collected)) await context.log.line(line);
    report.set({ ...totals(collected), failed_blobs: collected.failed });
    await context.progress(report.attributes);
    return { failed: collected.failed, readOnly: readOnly.signal.aborted };
  }

  /** Written down now and then, for those who watch. */
  #teller(context: TaskContext): (soFar: RemovedBlobs) => Promise<void> {
    let told = performance.now();
    return async ({ blobs, bytes, failed }) => {
      if (performance.now() - told < LOG_EVERY_MS) return;
      told = performance.now();
      await context.log.line(`so far: ${blobs} blobs, ${bytesText(bytes)}, ${failed} failed`);
    };
  }

  async #tellKept(context: TaskContext): Promise<void> {
    if (context.signal.aborted) return;
    const { bin_retention_days: days } = await this.#parts.configuration.current();
    const preview = await this.#parts.catalog.previewGarbage({ graceSeconds: GRACE_SECONDS, binBefore: await binBefore(this.#parts.catalog, days), signal: context.signal });
    for (const line of keptLines(preview, GRACE_SECONDS, days)) await context.log.line(line);
  }

  #count({ blobs, bytes, failed }: RemovedBlobs): void {
    this.#blobs.inc({ outcome: 'removed' }, blobs);
    this.#blobs.inc({ outcome: 'failed' }, failed);
    this.#bytes.inc(bytes);
  }

  #untaggedParts(): Parameters<typeof deleteUntagged>[0] {
    return { catalog: this.#parts.catalog, graceSeconds: GRACE_SECONDS, requireWritable: () => this.#requireWritable() };
  }

  async #requireWritable(): Promise<void> {
    if ((await this.#parts.configuration.current()).read_only) throw new TaskFailure(READ_ONLY);
  }
}

function totals({ blobs, bytes, absent }: RemovedBlobs): Readonly<Record<'purged_blobs' | 'freed_space' | 'absent_blobs', number>> {
  return { purged_blobs: blobs, freed_space: bytes, absent_blobs: absent };
}

function uploadCounts({ sessions, leftovers, bytes }: DeadUploads): Readonly<Record<'removed_uploads' | 'removed_upload_bytes', number>> {
  return { removed_uploads: sessions + leftovers, removed_upload_bytes: bytes };
}

/** What went into the bin before is removed for good. */
export async function binBefore(catalog: Pick<Catalog, 'now'>, days: number): Promise<Date> {
  return new Date((await catalog.now()).getTime() - days * DAY_MS);
}
