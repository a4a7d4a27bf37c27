import { StorageError } from '../storage-error.js';
import { isGone } from './failure.js';
import type { S3Objects } from './objects.js';
import type { SegmentObject } from './segments.js';

/** Parts that the store copies at the same time. */
const COPIES = 8;

/** A join whose end nobody saw is made anew; this often only when somebody drops them all the time. */
const JOINS = 4;

/**
 * Makes one object of several, within the store, in the place of what is there. The object appears whole, at the end.
 * @throws what `isGone` knows when a segment is missing
 */
export async function assemble(objects: S3Objects, segments: readonly SegmentObject[], key: string): Promise<void> {
  const [only] = segments;
  if (only === undefined) return objects.put(key, Buffer.alloc(0));
  if (segments.length === 1) return objects.copy(only.key, key);
  for (let joins = 1; !(await join(objects, segments, key)); joins += 1) {
    if (joins === JOINS) throw new StorageError('unavailable', `S3 forgot ${JOINS} multipart uploads of ${key} before they were completed.`);
  }
}

/**
 * False when the store does not know the multipart upload any more. An earlier try may have completed it although its
 * answer was lost, or somebody dropped it; the object that is there does not tell, for it may have been there before.
 */
async function join(objects: S3Objects, segments: readonly SegmentObject[], key: string): Promise<boolean> {
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
    return true;
  } catch (error) {
    if (isGone(error)) return false;
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
