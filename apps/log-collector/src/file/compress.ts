import { createReadStream, createWriteStream } from 'node:fs';
import { open, rename, rm, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';

/** What an unfinished compression is called; safe to remove. */
export const UNFINISHED = '.gz.tmp';

/** Replaces a rotated file by its compressed form. At every moment one of the two is whole. */
export async function compressFile(path: string): Promise<void> {
  const unfinished = path + UNFINISHED;
  try {
    await pipeline(createReadStream(path), createGzip({ level: 6 }), createWriteStream(unfinished, { mode: 0o640, flush: true }));
  } catch (error) {
    await rm(unfinished, { force: true }); // Most likely the disk is full: do not make that worse.
    throw error;
  }
  await rename(unfinished, `${path}.gz`);
  await syncFolder(dirname(path));
  await unlink(path);
}

/** Makes renames and removals in a folder survive a power loss. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
