import { StorageSilent, type CollectedGarbage, type GarbagePreview, type GivenUp } from '@haven/catalog';
import { StorageError } from '@haven/storage';
import type { DeadUploads, PurgedUploads } from '../upload/purge-uploads.js';

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const;

/** A number of bytes as people read it: "12.3 MiB (12897485 bytes)". */
export function bytesText(bytes: number): string {
  let [value, unit] = [bytes, 0];
  for (; value >= 1024 && unit < UNITS.length - 1; unit += 1) value /= 1024;
  return unit === 0 ? `${bytes} bytes` : `${value.toFixed(1)} ${UNITS[unit]} (${bytes} bytes)`;
}

/** Why a blob could not be removed, without what only the log of the service may say. */
export function reasonText(error: unknown): string {
  if (error instanceof StorageSilent) return 'storage did not answer in time';
  if (error instanceof StorageError) return { full: 'storage is full', unavailable: 'storage is not available', broken: 'storage refused' }[error.kind];
  return 'the log of the job service says why';
}

export function givenUpLines({ unlinked, purged }: GivenUp): string[] {
  return [
    `bin: ${purged.entries} deletions, ${purged.manifests} manifests and ${purged.repositories} repositories were removed for good`,
    `uploads: ${unlinked} blobs that no manifest came for were taken out of their repositories`,
  ];
}

export function resultLines({ blobs, bytes, absent, failed }: Pick<CollectedGarbage, 'blobs' | 'bytes' | 'absent' | 'failed'>): string[] {
  const lines = [`freed: ${blobs} blobs, ${bytesText(bytes)}`];
  if (absent > 0) lines.push(`freed: ${absent} of them had no bytes in storage, and count for none: they were lost before, or removed by a run that was killed before it could count them`);
  return [...lines, `failed: ${failed} blobs; the next run tries them first`];
}

export function removedUploadsLine({ sessions, leftovers, bytes, failed }: PurgedUploads): string {
  return `uploads: ${sessions} that nobody continues and ${leftovers} leftovers in storage, ${bytesText(bytes)}, were removed, ${failed} could not be`;
}

/** Of a dry run. */
export function deadUploadsLine({ sessions, leftovers, bytes }: DeadUploads): string {
  return `uploads: ${sessions} that nobody continues and ${leftovers} leftovers in storage, ${bytesText(bytes)}, would be removed`;
}

export function dueLines({ due, overdue }: GarbagePreview): string[] {
  return [
    `would be freed: ${due.blobs} blobs, ${bytesText(due.bytes)}`,
    `would be removed from the bin for good: ${overdue.entries} deletions, ${overdue.manifests} manifests; what only they need is freed after the grace time`,
  ];
}

/** What stays, why, and until when. */
export function keptLines({ young, bin }: GarbagePreview, graceSeconds: number, binDays: number): string[] {
  const lines: string[] = [];
  if (young.blobs > 0) {
    const until = young.until === undefined ? '' : `; the last of them until ${young.until.toISOString()}`;
    lines.push(`kept: ${young.blobs} blobs, ${bytesText(young.bytes)}, because they were uploaded, used or given up within the last ${graceSeconds / 3600} hours${until}`);
  }
  if (bin.entries + bin.manifests > 0) {
    const until = bin.oldest === undefined ? '' : `; the oldest until ${new Date(bin.oldest.getTime() + binDays * 86_400_000).toISOString()}`;
    lines.push(`kept: what ${bin.entries} deletions with ${bin.manifests} manifests need, because they can be undone for ${binDays} days${until}`);
  }
  return lines.length === 0 ? ['kept: nothing that is not in use'] : lines;
}
