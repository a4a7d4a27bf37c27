import { createHash } from 'node:crypto';
import { digestAlgorithm, digestHex, type Digest } from '@haven/oci';
import { BlobMissing, StorageError } from '@haven/storage';
import type { ComparedStorage } from './finding.js';

/** `sound`: the bytes are what the digest says. `unreadable`: the store has them and does not give them out. */
export type HashedBlob = 'sound' | 'other-bytes' | 'unreadable' | 'missing';

/** Reads a blob and compares it with its digest. `check` is called between chunks and may throw to end it. */
export async function hashBlob(storage: Pick<ComparedStorage, 'read'>, digest: Digest, check: () => void): Promise<HashedBlob> {
  const hash = createHash(digestAlgorithm(digest));
  try {
    for await (const chunk of await storage.read(digest)) {
      check();
      hash.update(chunk);
    }
  } catch (error) {
    if (error instanceof BlobMissing) return 'missing';
    // A store that is away says nothing about the blob; one that is broken does.
    if (error instanceof StorageError && error.kind === 'broken') return 'unreadable';
    throw error;
  }
  return hash.digest('hex') === digestHex(digest) ? 'sound' : 'other-bytes';
}

/** What the work resolves to, unless storage takes longer than that. */
export async function within<Result>(milliseconds: number, work: Promise<Result>): Promise<Result> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => { reject(new StorageError('unavailable', `Storage did not answer within ${milliseconds} ms.`)); }, milliseconds);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Does the work for each item, a few at a time, and resolves to what came of each, in their order. */
export async function eachOf<Item, Result>(items: readonly Item[], atOnce: number, work: (item: Item) => Promise<Result>): Promise<Result[]> {
  const results: Result[] = [];
  const waiting = items.entries();
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, async () => {
    for (const [index, item] of waiting) results[index] = await work(item);
  }));
  return results;
}
