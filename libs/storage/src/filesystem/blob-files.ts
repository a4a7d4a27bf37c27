import { constants } from 'node:fs';
import { lstat, mkdir, readdir, rename, rmdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Digest, digestAlgorithm, digestHex } from '@haven/oci';
import type { StoredBlob } from '../blob-storage.js';
import { errorCode } from '../error-code.js';
import { ALGORITHMS, BLOBS, blobPath, digestOfBlobPath } from '../layout.js';
import { StorageError, UploadMissing } from '../storage-error.js';
import { removeFile, syncFile, syncFolder, withFile } from './durable.js';
import { attempt, isAbsent } from './failure.js';

/** A folder may vanish below a commit (see {@link BlobFiles.remove}); more often than this it does not happen by chance. */
const MOVE_ATTEMPTS = 16;

/** The files below {@link BLOBS}: moved in whole, removed whole. */
export class BlobFiles {
  readonly #root: string;
  /** Folders `<algorithm>/<2 hex>` whose own entry is known to be on the disk. At most 512, and they are never removed. */
  readonly #syncedShards = new Set<string>();

  constructor(root: string) {
    this.#root = root;
  }

  /** The absolute path of a blob, there or not. */
  path(digest: Digest): string {
    return join(this.#root, blobPath(digest));
  }

  /** The size of a blob in bytes; undefined when there is none. */
  async size(digest: Digest): Promise<number | undefined> {
    return (await this.#find(digest))?.size;
  }

  /** Turns a file of exactly `size` bytes, synced already, into a blob. */
  async moveIn(file: string, size: number, digest: Digest, id: string): Promise<void> {
    for (let tries = 1; ; tries += 1) {
      if ((await this.size(digest)) === size) return this.#keepExisting(file, digest);
      await mkdir(dirname(this.path(digest)), { recursive: true, mode: 0o700 });
      try {
        await sealAt(file, size, id);
        await rename(file, this.path(digest));
        return await this.#syncFolders(digest);
      } catch (error) {
        // The upload is gone: a commit of the same upload was faster, or there never was one.
        if (error instanceof UploadMissing && (await this.size(digest)) === size) return this.#keepExisting(file, digest);
        if (!isAbsent(error) || tries >= MOVE_ATTEMPTS) throw error;
      }
    }
  }

  /**
   * Removes a blob and its folder. The folder of two hex digits stays: there are only 256 of them, and a commit
   * need not sync them each time when they cannot go. A commit that finds its folder gone makes it anew.
   */
  async remove(digest: Digest): Promise<boolean> {
    const folder = dirname(this.path(digest));
    const removed = await removeFile(this.path(digest));
    try {
      await syncFolder(folder);
      await rmdir(folder);
    } catch (error) {
      const busy = errorCode(error) === 'ENOTEMPTY' || errorCode(error) === 'EEXIST';
      if (!busy && !isAbsent(error)) throw error;
    }
    return removed;
  }

  /** In the order of the digests, from behind `after` on. */
  async *list(after: Digest | undefined): AsyncGenerator<StoredBlob, void, undefined> {
    for (const algorithm of ALGORITHMS) {
      if (after !== undefined && algorithm < digestAlgorithm(after)) continue;
      const hexAfter = after !== undefined && algorithm === digestAlgorithm(after) ? digestHex(after) : '';
      for (const shard of await folders(join(this.#root, BLOBS, algorithm))) {
        if (shard < hexAfter.slice(0, 2)) continue;
        yield* this.#listShard(algorithm, shard, hexAfter);
      }
    }
  }

  async *#listShard(algorithm: string, shard: string, hexAfter: string): AsyncGenerator<StoredBlob, void, undefined> {
    for (const hex of await folders(join(this.#root, BLOBS, algorithm, shard))) {
      const digest = hex > hexAfter ? digestOfBlobPath(`${BLOBS}/${algorithm}/${shard}/${hex}/data`) : undefined;
      const found = digest && (await attempt('look up a blob', () => this.#find(digest)));
      if (digest && found) yield { digest, size: found.size, modifiedAt: found.modifiedAt };
    }
  }

  async #find(digest: Digest): Promise<{ size: number; modifiedAt: Date } | undefined> {
    try {
      const found = await lstat(this.path(digest));
      return found.isFile() ? { size: found.size, modifiedAt: found.mtime } : undefined;
    } catch (error) {
      if (isAbsent(error)) return undefined;
      throw error;
    }
  }

  /** The blob may be there because of a commit that has not synced yet, or of a program that never does. */
  async #keepExisting(file: string, digest: Digest): Promise<void> {
    await this.#ifStillThere(digest, () => syncFile(this.path(digest)));
    await this.#syncFolders(digest);
    await removeFile(file);
  }

  async #syncFolders(digest: Digest): Promise<void> {
    const folder = dirname(this.path(digest));
    const shard = dirname(folder);
    const syncs = [syncFolder(folder), syncFolder(shard)];
    const shardKey = `${dirname(shard)}/${digestHex(digest).slice(0, 2)}`;
    if (!this.#syncedShards.has(shardKey)) syncs.push(syncFolder(dirname(shard)));
    await this.#ifStillThere(digest, () => Promise.all(syncs));
    this.#syncedShards.add(shardKey);
  }

  async #ifStillThere(digest: Digest, work: () => Promise<unknown>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!isAbsent(error)) throw error;
      throw new StorageError('unavailable', `The blob ${digest} was deleted while it was stored.`, error);
    }
  }
}

/** Makes sure that a file has exactly this size. */
async function sealAt(file: string, size: number, id: string): Promise<void> {
  try {
    await withFile(file, constants.O_RDWR, async (handle) => {
      const found = (await handle.stat()).size;
      if (found < size) throw new UploadMissing(id, `holds ${found} bytes instead of ${size}`);
      if (found === size) return;
      await handle.truncate(size);
      await handle.datasync();
    });
  } catch (error) {
    if (isAbsent(error)) throw new UploadMissing(id);
    throw error;
  }
}

/** The folders in a folder, in the order of their names. */
async function folders(path: string): Promise<string[]> {
  try {
    return (await readdir(path, { withFileTypes: true })).filter((entry) => entry.isDirectory()).map((entry) => entry.name).sort();
  } catch (error) {
    if (isAbsent(error)) return [];
    return attempt('list a folder', () => Promise.reject(error));
  }
}
