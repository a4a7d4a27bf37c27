import type { FileHandle } from 'node:fs/promises';
import { BatchWriter } from './batch-writer.js';

/** How far an append came, and with which error its source ended. */
export interface Appended {
  readonly received: number;
  readonly failure?: unknown;
}

/**
 * Writes the source to the file from `start` on and syncs it. Rejects only when the file fails; by then
 * nothing uses the file any more, so it may be closed.
 */
export async function appendSource(file: FileHandle, start: number, source: AsyncIterable<Uint8Array>): Promise<Appended> {
  const writer = new BatchWriter(file, start);
  const chunks = source[Symbol.asyncIterator]();
  try {
    const failure = await drain(chunks, writer);
    const received = await writer.finish();
    return failure === undefined ? { received } : { received, failure };
  } catch (error) {
    await writer.settle();
    // Not awaited and its outcome not looked at: a source that hangs while it stops must not hide the real error.
    void Promise.resolve(chunks.return?.()).catch(() => undefined);
    throw error;
  }
}

/** Resolves to the source's own error, if that is how it ends; rejects when the file fails. */
async function drain(chunks: AsyncIterator<Uint8Array>, writer: BatchWriter): Promise<unknown> {
  for (;;) {
    let next: IteratorResult<Uint8Array>;
    try {
      next = await chunks.next();
    } catch (error) {
      return error ?? new Error('The source of an upload failed without saying why.');
    }
    if (next.done === true) return undefined;
    if (writer.add(next.value)) await writer.flush();
  }
}
