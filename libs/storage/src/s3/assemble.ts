import { isGone } from './failure.js';
import type { S3Objects } from './objects.js';
import type { SegmentObject } from './segments.js';

/** Parts that the store copies at the same time. */
const COPIES = 8;

/**
 * Makes one object of several, within the store. The object appears whole, at the end.
 * @throws what `isGone` knows when a segment is missing
 */
export async function assemble(objects: S3Objects, segments: readonly SegmentObject[], key: string): Promise<void> {
  const [only] = segments;
  if (only === undefined) return objects.put(key, Buffer.alloc(0));
  if (segments.length === 1) return objects.copy(only.key, key);
  const uploadId = await objects.initiate(key);
  let etags: readonly string[];
  try {
    etags = await copyAll(objects, segments, key, uploadId);
  } catch (error) {
    // The first error is the one to tell; what cannot be abandoned now is dropped later (see unfinishedCommits).
    await objects.abandon(key, uploadId).catch(() => undefined);
    throw error;
  }
  try {
    await objects.complete(key, uploadId, etags);
  } catch (error) {
    // An earlier try may have succeeded although its answer was lost. The caller looks at the object itself.
    if (isGone(error)) return;
    await objects.abandon(key, uploadId).catch(() => undefined);
    throw error;
  }
}

async function copyAll(objects: S3Objects, segments: readonly SegmentObject[], key: string, uploadId: string): Promise<readonly string[]> {
  const etags: string[] = [];
  const todo = segments.entries();
  async function work(): Promise<void> {
    for (const [index, segment] of todo) etags[index] = await objects.copyPart(key, uploadId, index + 1, segment.key);
  }
  const results = await Promise.allSettled(Array.from({ length: Math.min(COPIES, segments.length) }, work));
  const failed = results.find((result) => result.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
  return etags;
}
