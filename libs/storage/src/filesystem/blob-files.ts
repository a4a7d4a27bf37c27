import { constants, type Stats } from 'node:fs';
import { lstat, mkdir, readdir, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Digest, digestAlgorithm, digestHex } from '@haven/oci';
import type { DeleteOptions, FoundBlob, StoredBlob } from '../blob-storage.js';
import { ALGORITHMS, BLOBS, blobPath, digestOfBlobPath } from '../layout.js';
import { StorageError, UploadMissing } from '../storage-error.js';
import { removeFile, removeFolder, syncFile, syncFolder, syncFolderIfThere, withFile } from './durable.js';
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

  /** What lies under a digest; undefined when nothing does. */
  async find(digest: Digest): Promise<FoundBlob | undefined> {
    const found = await this.#find(digest);
    // Whatever is moved in is another file (ino) than the one it replaces, which has its number until then.
    return found && { size: found.size, version: `${found.ino}-${found.ctimeMs}-${found.mtimeMs}` };
  }

  /**
   * Turns a file of exactly `size` bytes, synced already, into a blob. A file that lies there already is replaced, also one
   * of the same size: nobody has looked at its bytes, while those of the upload are what the digest says. The rename leaves
   * the old file or the new one, whenever the power goes; whoever reads the old one has it open and reads on.
   */
  async moveIn(file: string, size: number, digest: Digest, id: string): Promise<void> {
    for (let tries = 1; ; tries += 1) {
      if (!(await sealAt(file, size, id))) return this.#keepCommitted(size, digest, id);
      await mkdir(dirname(this.path(digest)), { recursive: true, mode: 0o700 });
      try {
        await rename(file, this.path(digest));
        return await this.#syncFolders(digest);
      } catch (error) {
        // Its folder went with a blob that was deleted, or the file with a commit of the same upload: look again.
        if (!isAbsent(error) || tries >= MOVE_ATTEMPTS) throw error;
      }
    }
  }

  /**
   * Removes a blob and its folder. The folder of two hex digits stays: there are only 256 of them, and a commit
   * need not sync them each time when they cannot go. A commit that finds its folder gone makes it anew.
   */
  async remove(digest: Digest, { relaxed = false }: DeleteOptions = {}): Promise<boolean> {
    const folder = dirname(this.path(digest));
    const removed = await removeFile(this.path(digest));
    if (!relaxed) await syncFolderIfThere(folder);
    // What is left in a folder that stays is not this blob's: its entry has to be made durable here, and not by its parent.
    if (!(await removeFolder(folder)) && relaxed) await syncFolderIfThere(folder);
    return removed;
  }

  /** Nothing leads to the bytes of a blob when the entry of its folder is gone for good. Neighbours share one sync. */
  async settleRemovals(digests: readonly Digest[]): Promise<void> {
    for (const shard of new Set(digests.map((digest) => dirname(dirname(this.path(digest)))))) await syncFolderIfThere(shard);
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
      if (digest && found) yield { digest, size: found.size, modifiedAt: found.mtime };
    }
  }

  async #find(digest: Digest): Promise<Stats | undefined> {
    try {
      const found = await lstat(this.path(digest));
      return found.isFile() ? found : undefined;
    } catch (error) {
      if (isAbsent(error)) return undefined;
      throw error;
    }
  }

  /** The upload is gone: a commit of it was faster, which may not have synced yet, or there never was one. */
  async #keepCommitted(size: number, digest: Digest, id: string): Promise<void> {
    if ((await this.#find(digest))?.size !== size) throw new UploadMissing(id);
    await this.#ifStillThere(digest, () => syncFile(this.path(digest)));
    await this.#syncFolders(digest);
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

/** Makes sure that a file has exactly this size. False when there is no such file. */
async function sealAt(file: string, size: number, id: string): Promise<boolean> {
  try {
    await withFile(file, constants.O_RDWR, async (handle) => {
      const found = (await handle.stat()).size;
      if (found < size) throw new UploadMissing(id, `holds ${found} bytes instead of ${size}`);
      if (found === size) return;
      await handle.truncate(size);
      await handle.datasync();
    });
    return true;
  } catch (error) {
    if (isAbsent(error)) return false;
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
