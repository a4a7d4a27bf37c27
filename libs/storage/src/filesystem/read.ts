import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import type { ByteRange } from '../blob-storage.js';
import { StorageError } from '../storage-error.js';
import { storageFailure } from './failure.js';

/**
 * Two chunks of this size are on their way at a time: one with the consumer, one being read. Measured against
 * `createReadStream` (64 KiB, one at a time) this is what makes a core deliver several GB/s.
 */
const CHUNK_BYTES = 1024 * 1024;

/** The bytes of a range of a file. Opens it when the iteration starts, and closes it when that ends in any way. */
export async function* readRange(path: string, range: ByteRange): AsyncGenerator<Uint8Array, void, undefined> {
  const file = await openToRead(path);
  let ahead: Promise<Uint8Array> | undefined;
  try {
    ahead = readAhead(file, range.start, range.end);
    for (let position = range.start; ahead !== undefined;) {
      const chunk: Uint8Array = await ahead;
      position += chunk.byteLength;
      ahead = readAhead(file, position, range.end);
      yield chunk;
    }
  } finally {
    await ahead?.catch(() => undefined);
    await file.close();
  }
}

async function openToRead(path: string): Promise<FileHandle> {
  try {
    return await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  } catch (error) {
    throw storageFailure(error, 'open a file to read');
  }
}

function readAhead(file: FileHandle, position: number, end: number): Promise<Uint8Array> | undefined {
  if (position > end) return undefined;
  const chunk = readFully(file, position, Math.min(CHUNK_BYTES, end + 1 - position));
  // The consumer may leave before it is awaited; then nobody wants to hear of its failure.
  chunk.catch(() => undefined);
  return chunk;
}

async function readFully(file: FileHandle, position: number, length: number): Promise<Uint8Array> {
  // A memory of its own for each chunk: consumers such as streams hold on to several while they are sent.
  const buffer = Buffer.allocUnsafeSlow(length);
  for (let filled = 0; filled < length;) {
    const bytesRead = await readSome(file, buffer, filled, position + filled);
    if (bytesRead === 0) throw new StorageError('broken', `A file ends at ${position + filled} bytes where more were expected.`);
    filled += bytesRead;
  }
  return buffer;
}

async function readSome(file: FileHandle, buffer: Buffer, offset: number, position: number): Promise<number> {
  try {
    const { bytesRead } = await file.read(buffer, offset, buffer.byteLength - offset, position);
    return bytesRead;
  } catch (error) {
    throw storageFailure(error, 'read a file');
  }
}
