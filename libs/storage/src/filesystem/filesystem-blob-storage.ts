import { randomUUID } from 'node:crypto';
import { constants, type Stats } from 'node:fs';
import { type FileHandle, lstat, opendir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Digest } from '@haven/oci';
import { type AppendResult, BlobStorage, type ByteRange, type DeleteOptions, type FoundBlob, isUploadId, type StaleUpload, type StoredBlob, type UnfinishedCommit, type UploadState } from '../blob-storage.js';
import { checkRange } from '../byte-range.js';
import { UPLOADS, uploadPath } from '../layout.js';
import { BlobMissing, UploadMissing } from '../storage-error.js';
import { type Appended, appendSource } from './append.js';
import { SyncFailed } from './batch-writer.js';
import { BlobFiles } from './blob-files.js';
import { removeFile, withFile } from './durable.js';
import { attempt, isAbsent, storageFailure } from './failure.js';
import { readRange } from './read.js';
import { prepareRoot } from './root.js';

/**
 * Keeps everything in a folder of this machine, or of a network mount that several machines share.
 *
 * What survives what: an append syncs before it resolves, so `received` never counts a byte that a power loss
 * could take (and an upload resumed after one cannot become a blob with holes). A commit therefore only has to
 * rename the file and sync the folders. Syncs run in the background during an append, so the last one is short,
 * and the sum of work is that of a commit that would sync the file.
 */
export class FilesystemBlobStorage extends BlobStorage {
  readonly #root: string;
  readonly #blobs: BlobFiles;

  /** @throws StorageError when the folder cannot be used */
  constructor(root: string) {
    super();
    this.#root = prepareRoot(root);
    this.#blobs = new BlobFiles(this.#root);
  }

  override async createUpload(id: string): Promise<UploadState> {
    if (!isUploadId(id)) throw new RangeError('An upload id must be 1 to 128 letters, digits, - or _.');
    return { id, received: 0 };
  }

  override async append(state: UploadState, source: AsyncIterable<Uint8Array>): Promise<AppendResult> {
    const path = this.#upload(state.id);
    try {
      const { received, ...rest } = await withFile(path, constants.O_RDWR | (state.received === 0 ? constants.O_CREAT : 0), (file) => appendFrom(file, state, source));
      return { state: { ...state, received }, ...rest };
    } catch (error) {
      if (isAbsent(error)) throw new UploadMissing(state.id);
      if (!(error instanceof SyncFailed)) throw storageFailure(error, 'write an upload');
      // Nobody can tell which bytes were lost: the upload must not be resumed.
      await attempt('remove a damaged upload', () => removeFile(path));
      throw storageFailure(error.cause, 'write an upload');
    }
  }

  override async *readUpload(state: UploadState): AsyncGenerator<Uint8Array, void, undefined> {
    if (state.received === 0) return;
    const found = await this.#uploadSize(state.id);
    if (found < state.received) throw new UploadMissing(state.id, `holds ${found} bytes instead of ${state.received}`);
    yield* readRange(this.#upload(state.id), { start: 0, end: state.received - 1 });
  }

  override async commit(state: UploadState, digest: Digest): Promise<void> {
    if (state.received === 0) {
      // Nothing was appended, or nothing that counts: there may be no file to move.
      await this.put(digest, new Uint8Array());
      return this.abort(state);
    }
    await attempt('commit an upload', () => this.#blobs.moveIn(this.#upload(state.id), state.received, digest, state.id));
  }

  override async abort(state: UploadState): Promise<void> {
    await attempt('remove an upload', () => removeFile(this.#upload(state.id)));
  }

  override async put(digest: Digest, bytes: Uint8Array): Promise<void> {
    const id = `put-${randomUUID()}`;
    const path = this.#upload(id);
    try {
      await attempt('store a small blob', async () => {
        await withFile(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, async (file) => {
          await file.writeFile(bytes);
          await file.datasync();
        });
        await this.#blobs.moveIn(path, bytes.byteLength, digest, id);
      });
    } catch (error) {
      // The first error is the one to tell; what cannot be removed now, staleUploads will name later.
      await removeFile(path).catch(() => undefined);
      throw error;
    }
  }

  override stat(digest: Digest): Promise<FoundBlob | undefined> {
    return attempt('look up a blob', () => this.#blobs.find(digest));
  }

  override async read(digest: Digest, range?: ByteRange): Promise<AsyncIterable<Uint8Array>> {
    const found = await this.stat(digest);
    if (found === undefined) throw new BlobMissing(digest);
    return readRange(this.#blobs.path(digest), checkRange(range, found.size));
  }

  override delete(digest: Digest, options?: DeleteOptions): Promise<boolean> {
    return attempt('delete a blob', () => this.#blobs.remove(digest, options));
  }

  override settleDeletions(digests: readonly Digest[]): Promise<void> {
    return attempt('make deletions durable', () => this.#blobs.settleRemovals(digests));
  }

  override list(options: { readonly after?: Digest } = {}): AsyncIterable<StoredBlob> {
    return this.#blobs.list(options.after);
  }

  override async *staleUploads(before: Date): AsyncGenerator<StaleUpload, void, undefined> {
    for await (const { name } of await attempt('list the uploads', () => opendir(join(this.#root, UPLOADS)))) {
      const found = isUploadId(name) ? await lstatIfThere(this.#upload(name)) : undefined;
      if (found?.isFile() === true && found.mtime < before) yield { id: name, size: found.size, modifiedAt: found.mtime };
    }
  }

  /** A commit is a rename: it is done or it is not. */
  override async *unfinishedCommits(): AsyncGenerator<UnfinishedCommit, void, undefined> {
    yield* [];
  }

  override async dropCommit(): Promise<void> {
    return;
  }

  override async redirectUrl(): Promise<undefined> {
    return undefined;
  }

  override localFile(digest: Digest): string {
    return this.#blobs.path(digest);
  }

  override async health(): Promise<void> {
    const path = this.#upload(`health-${randomUUID()}`);
    await attempt('write and remove a file', async () => {
      try {
        await withFile(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, async (file) => {
          await file.write('healthy');
          await file.datasync();
        });
      } finally {
        await removeFile(path);
      }
    });
  }

  #upload(id: string): string {
    return join(this.#root, uploadPath(id));
  }

  async #uploadSize(id: string): Promise<number> {
    const found = await lstatIfThere(this.#upload(id));
    if (found?.isFile() !== true) throw new UploadMissing(id);
    return found.size;
  }
}

async function appendFrom(file: FileHandle, state: UploadState, source: AsyncIterable<Uint8Array>): Promise<Appended> {
  const found = (await file.stat()).size;
  if (found < state.received) throw new UploadMissing(state.id, `holds ${found} bytes instead of ${state.received}`);
  if (found > state.received) await file.truncate(state.received);
  try {
    return await appendSource(file, state.received, source);
  } catch (error) {
    // On a full disk the space is needed by others. Should this fail too, the next append cuts the file.
    await file.truncate(state.received).catch(() => undefined);
    throw error;
  }
}

async function lstatIfThere(path: string): Promise<Stats | undefined> {
  return attempt('look up a file', async () => {
    try {
      return await lstat(path);
    } catch (error) {
      if (isAbsent(error)) return undefined;
      throw error;
    }
  });
}
