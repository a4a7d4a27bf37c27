import type { FileHandle } from 'node:fs/promises';
import { drain } from '../drain.js';
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
  try {
    const failure = await drain(source, (chunk) => (writer.add(chunk) ? writer.flush() : undefined));
    const received = await writer.finish();
    return failure === undefined ? { received } : { received, failure };
  } catch (error) {
    await writer.settle();
    throw error;
  }
}
