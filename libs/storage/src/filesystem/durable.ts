import { constants } from 'node:fs';
import { type FileHandle, open, rmdir, unlink } from 'node:fs/promises';
import { errorCode } from '../error-code.js';
import { isAbsent } from './failure.js';

/** Opens a file for as long as the work takes, and closes it on every path. */
export async function withFile<T>(path: string, flags: number, work: (file: FileHandle) => Promise<T>): Promise<T> {
  // O_NOFOLLOW: a link put in the place of a file must not lead out of the store.
  const file = await open(path, flags | constants.O_NOFOLLOW, 0o600);
  try {
    return await work(file);
  } finally {
    await file.close();
  }
}

/** Makes what was created, renamed or removed in this folder survive a power loss. */
export async function syncFolder(path: string): Promise<void> {
  await withFile(path, constants.O_RDONLY | constants.O_DIRECTORY, (folder) => folder.sync());
}

/** The same; a folder that is not there needs none. */
export async function syncFolderIfThere(path: string): Promise<void> {
  try {
    await syncFolder(path);
  } catch (error) {
    if (!isAbsent(error)) throw error;
  }
}

/** Makes the bytes of a file, and the size needed to read them, survive a power loss. */
export async function syncFile(path: string): Promise<void> {
  await withFile(path, constants.O_RDONLY, (file) => file.datasync());
}

/** Removes a file. False when there was none. */
export async function removeFile(path: string): Promise<boolean> {
  try {
    await unlink(path);
    return true;
  } catch (error) {
    if (isAbsent(error)) return false;
    throw error;
  }
}

/** Removes a folder. False when there is something in it; true, too, when there was none. */
export async function removeFolder(path: string): Promise<boolean> {
  try {
    await rmdir(path);
    return true;
  } catch (error) {
    if (isAbsent(error)) return true;
    if (errorCode(error) === 'ENOTEMPTY' || errorCode(error) === 'EEXIST') return false;
    throw error;
  }
}
