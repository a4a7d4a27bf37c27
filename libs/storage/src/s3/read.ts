import { StorageError } from '../storage-error.js';
import { isTransient, S3Interruption } from './failure.js';
import type { S3Objects } from './objects.js';
import { backOff } from './retry.js';

/** A connection that has brought this much counts as good: its end is not held against those before it. */
const PROGRESS_BYTES = 1024 * 1024;

/**
 * The bytes of an object from `start` to `end`, both included. When the connection breaks, goes on with the next byte
 * over another one. Ends only after the last byte; throws an error of `failure.ts` or a {@link StorageError} otherwise.
 */
export async function* readObject(objects: S3Objects, key: string, start: number, end: number): AsyncGenerator<Uint8Array, void, undefined> {
  let position = start;
  for (let failures = 0; position <= end;) {
    const from = position;
    const body = await objects.open(key, position, end);
    const chunks = body[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
    try {
      for (;;) {
        const chunk = await nextChunk(chunks, end + 1 - position);
        if (chunk instanceof Error) {
          failures = position - from >= PROGRESS_BYTES ? 1 : failures + 1;
          if (!isTransient(chunk) || failures >= objects.limits.retry.attempts) throw chunk;
          break;
        }
        if (chunk === undefined) return;
        position += chunk.byteLength;
        yield chunk;
      }
    } finally {
      body.destroy();
    }
    await backOff(objects.limits.retry, failures);
  }
}

/** The next chunk; undefined at the end; an error (not thrown, so that it cannot be mistaken for the consumer's) when the body breaks. */
async function nextChunk(chunks: AsyncIterator<Buffer>, left: number): Promise<Buffer | Error | undefined> {
  try {
    const next = await chunks.next();
    if (next.done === true) return left === 0 ? undefined : new S3Interruption(`the body ended ${left} bytes early`);
    if (next.value.byteLength > left) return new StorageError('broken', 'S3 sent more bytes than it was asked for.');
    return next.value;
  } catch (error) {
    return isTransient(error) ? new S3Interruption('the body broke off') : new S3Interruption(`the body failed: ${String(error)}`);
  }
}

/** Like {@link readObject}, as one buffer of a known size. */
export async function readWhole(objects: S3Objects, key: string, size: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  if (size > 0) for await (const chunk of readObject(objects, key, 0, size - 1)) chunks.push(chunk);
  return Buffer.concat(chunks, size);
}
