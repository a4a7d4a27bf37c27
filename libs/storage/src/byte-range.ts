import type { Digest } from '@haven/oci';
import type { ByteRange } from './blob-storage.js';
import { StorageError } from './storage-error.js';

/**
 * The range to read: the one asked for, or all of it (`end` is -1 for nothing).
 * @throws RangeError when the blob does not contain it
 */
export function checkRange(range: ByteRange | undefined, size: number): ByteRange {
  if (range === undefined) return { start: 0, end: size - 1 };
  const { start, end } = range;
  if (Number.isSafeInteger(start) && Number.isSafeInteger(end) && start >= 0 && start <= end && end < size) return { start, end };
  throw new RangeError(`The range ${start}-${end} is not within a blob of ${size} bytes.`);
}

/** All chunks as one buffer; no more than `maxBytes` are ever held. */
export async function collect(chunks: AsyncIterable<Uint8Array>, digest: Digest, maxBytes: number): Promise<Buffer> {
  const kept: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of chunks) {
    size += chunk.byteLength;
    if (size > maxBytes) throw new StorageError('broken', `The blob ${digest} is larger than the ${maxBytes} bytes it may have.`);
    kept.push(chunk);
  }
  return Buffer.concat(kept, size);
}
