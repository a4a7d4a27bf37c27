import { closeSync, fsyncSync, lstatSync, mkdirSync, openSync } from 'node:fs';
import { dirname, isAbsolute, join, parse, resolve } from 'node:path';
import { errorCode } from '../error-code.js';
import { ALGORITHMS, BLOBS, UPLOADS } from '../layout.js';
import { StorageError } from '../storage-error.js';

/**
 * Checks the root folder and lays out the folders in it. Synchronous, as it happens once, at start.
 * @returns the root's normalized path
 * @throws StorageError `broken`, with a sentence that says what to do
 */
export function prepareRoot(path: string): string {
  if (!isAbsolute(path)) throw refused(path, 'is not an absolute path');
  const root = resolve(path);
  if (root === parse(root).root) throw refused(root, 'is the root of the file system; choose a folder of its own');
  makeParents(root);
  makeFolder(root);
  const leaves = [...ALGORITHMS.map((algorithm) => `${BLOBS}/${algorithm}`), UPLOADS];
  for (const leaf of leaves) makePath(root, leaf);
  return root;
}

function makePath(root: string, leaf: string): void {
  let folder = root;
  for (const part of leaf.split('/')) {
    folder = join(folder, part);
    makeFolder(folder);
  }
}

function makeParents(root: string): void {
  try {
    mkdirSync(dirname(root), { recursive: true, mode: 0o700 });
  } catch (error) {
    throw refused(root, `cannot be made (${errorCode(error) ?? 'unknown error'})`, error);
  }
}

/** Also syncs the parent of a folder that is there already: an earlier start may have crashed before it did. */
function makeFolder(folder: string): void {
  try {
    makeOrFind(folder);
    const found = lstatSync(folder);
    if (found.isSymbolicLink()) throw refused(folder, 'is a symbolic link; name the folder it points to, or mount it there');
    if (!found.isDirectory()) throw refused(folder, 'is not a folder');
    syncFolderNow(dirname(folder));
  } catch (error) {
    if (error instanceof StorageError) throw error;
    throw refused(folder, `cannot be used (${errorCode(error) ?? 'unknown error'}); the service needs to read and write it`, error);
  }
}

/** Not `recursive`, which hides why it could not make a folder (EROFS). */
function makeOrFind(folder: string): void {
  try {
    mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw error;
  }
}

function syncFolderNow(folder: string): void {
  const handle = openSync(folder, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

function refused(path: string, why: string, cause?: unknown): StorageError {
  return new StorageError('broken', `The storage folder ${path} ${why}.`, cause);
}
