import { randomUUID } from 'node:crypto';
import type { Digest } from '@haven/oci';
import {
  type AppendResult, BlobStorage, type ByteRange, type FoundBlob, isUploadId, type RedirectOptions, type StaleUpload, type StoredBlob, type UnfinishedCommit, type UploadState,
} from '../blob-storage.js';
import { checkRange } from '../byte-range.js';
import { drain } from '../drain.js';
import { BLOBS, blobPath, digestOfBlobPath, UPLOADS, uploadPath } from '../layout.js';
import { BlobMissing, StorageError, UploadMissing } from '../storage-error.js';
import type { S3Address } from './address.js';
import { assemble } from './assemble.js';
import { isGone, s3Failure } from './failure.js';
import { type S3Limits, S3Objects } from './objects.js';
import { Permits } from './permits.js';
import { readObject, readWhole } from './read.js';
import { formatSegments, objectsOf, parseSegments, type Segments, tailKey } from './segments.js';
import { SegmentWriter } from './segment-writer.js';

/** Segments of all appends together that are being sent; 8 to 32 MiB each. */
const SENDING = 16;
const MAX_REDIRECT_SECONDS = 604_800;

/**
 * Keeps everything in a bucket.
 *
 * An upload is a row of objects, `haven/uploads/<id>/…`, which a commit joins into the blob by a multipart upload
 * whose parts the store copies itself. Not parts of one multipart upload from the start, for two reasons: parts cannot
 * be read before the upload is completed, but a process that goes on with an upload must read it to rebuild its hash; and
 * where they belong is only known with the digest, so that they would be copied in any case. Nothing has to be
 * listed to go on: the state names every object.
 */
export class S3BlobStorage extends BlobStorage {
  readonly #objects: S3Objects;
  readonly #redirect: boolean;
  readonly #permits = new Permits(SENDING);

  constructor(address: S3Address, accessKey: string, secretKey: string, limits?: S3Limits) {
    super();
    this.#objects = new S3Objects(address, accessKey, secretKey, limits);
    this.#redirect = address.redirect;
  }

  override async createUpload(id: string): Promise<UploadState> {
    if (!isUploadId(id)) throw new RangeError('An upload id must be 1 to 128 letters, digits, - or _.');
    return { id, received: 0 };
  }

  override append(state: UploadState, source: AsyncIterable<Uint8Array>): Promise<AppendResult> {
    return this.#attempt('write an upload', async () => {
      const before = parseSegments(state);
      const writer = new SegmentWriter(this.#objects, this.#permits, state.id, before);
      try {
        return await this.#append(state, before, writer, source);
      } catch (error) {
        // The first error is the one to tell; what cannot be removed now is named by staleUploads later.
        await writer.undo().catch(() => undefined);
        throw error;
      }
    }, state.id);
  }

  override async *readUpload(state: UploadState): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      for (const { key, size } of objectsOf(state.id, parseSegments(state))) yield* readObject(this.#objects, key, 0, size - 1);
    } catch (error) {
      throw this.#failure(error, 'read an upload', state.id);
    }
  }

  override commit(state: UploadState, digest: Digest): Promise<void> {
    return this.#attempt('commit an upload', async () => {
      const segments = parseSegments(state);
      const objects = objectsOf(state.id, segments);
      // Also when there is such an object: nobody has looked at its bytes, while those of the upload are what the digest says.
      await this.#assemble(state, objects, digest);
      const outdated = segments.outdated === undefined ? [] : [tailKey(state.id, segments.outdated)];
      // The blob is safe. What cannot be removed now is named by staleUploads later.
      await this.#objects.remove([...objects.map(({ key }) => key), ...outdated]).catch(() => undefined);
    });
  }

  override abort(state: UploadState): Promise<void> {
    return this.#attempt('remove an upload', async () => {
      const keys: string[] = [];
      for await (const { key } of this.#objects.list(`${uploadPath(state.id)}/`)) keys.push(key);
      for (let at = 0; at < keys.length; at += 1000) await this.#objects.remove(keys.slice(at, at + 1000));
    });
  }

  override put(digest: Digest, bytes: Uint8Array): Promise<void> {
    return this.#attempt('store a blob', () => this.#objects.put(blobPath(digest), asBuffer(bytes)));
  }

  override stat(digest: Digest): Promise<FoundBlob | undefined> {
    return this.#attempt('look up a blob', () => this.#objects.find(blobPath(digest)));
  }

  override async read(digest: Digest, range?: ByteRange): Promise<AsyncIterable<Uint8Array>> {
    const found = await this.stat(digest);
    if (found === undefined) throw new BlobMissing(digest);
    return this.#readBlob(digest, checkRange(range, found.size));
  }

  override delete(digest: Digest): Promise<boolean> {
    return this.#attempt('delete a blob', async () => {
      // S3 does not say whether there was anything to remove.
      const found = await this.#objects.find(blobPath(digest));
      if (found !== undefined) await this.#objects.remove([blobPath(digest)]);
      return found !== undefined;
    });
  }

  /** What S3 has removed is gone for good. */
  override async settleDeletions(): Promise<void> {
    return;
  }

  /** The keys have the order of the digests. */
  override async *list({ after }: { readonly after?: Digest } = {}): AsyncGenerator<StoredBlob, void, undefined> {
    try {
      for await (const { key, size, modifiedAt } of this.#objects.list(`${BLOBS}/`, after && blobPath(after))) {
        const digest = digestOfBlobPath(key);
        if (digest !== undefined) yield { digest, size, modifiedAt };
      }
    } catch (error) {
      throw s3Failure(error, 'list the blobs');
    }
  }

  override async *staleUploads(before: Date): AsyncGenerator<StaleUpload, void, undefined> {
    try {
      // Keys come in order, so the objects of an upload come one after the other.
      let last: StaleUpload | undefined;
      for await (const { key, size, modifiedAt } of this.#objects.list(`${UPLOADS}/`)) {
        const id = key.slice(UPLOADS.length + 1).split('/')[0] ?? '';
        if (last !== undefined && last.id !== id && last.modifiedAt < before) yield last;
        const earlier = last?.id === id ? last : { size: 0, modifiedAt };
        const newest = earlier.modifiedAt > modifiedAt ? earlier.modifiedAt : modifiedAt;
        last = isUploadId(id) ? { id, size: earlier.size + size, modifiedAt: newest } : undefined;
      }
      if (last !== undefined && last.modifiedAt < before) yield last;
    } catch (error) {
      throw s3Failure(error, 'list the uploads');
    }
  }

  /** Joins that a crash interrupted: they take space, are of no use, and have no id of their own. */
  override async *unfinishedCommits(before: Date): AsyncGenerator<UnfinishedCommit, void, undefined> {
    try {
      for await (const { key, uploadId, initiated } of this.#objects.unfinished(`${BLOBS}/`)) {
        const digest = digestOfBlobPath(key);
        if (digest !== undefined && initiated < before) yield { digest, id: uploadId, startedAt: initiated };
      }
    } catch (error) {
      throw s3Failure(error, 'list the unfinished commits');
    }
  }

  override dropCommit({ digest, id }: UnfinishedCommit): Promise<void> {
    return this.#attempt('drop an unfinished commit', () => this.#objects.abandon(blobPath(digest), id));
  }

  override async redirectUrl(digest: Digest, { seconds, contentType, contentDisposition }: RedirectOptions): Promise<string | undefined> {
    if (!this.#redirect) return undefined;
    if (!Number.isSafeInteger(seconds) || seconds < 1 || seconds > MAX_REDIRECT_SECONDS) throw new RangeError(`An address is valid for 1 to ${MAX_REDIRECT_SECONDS} seconds.`);
    return this.#objects.presign(blobPath(digest), seconds, {
      ...(contentType !== undefined && { 'response-content-type': headerText(contentType) }),
      ...(contentDisposition !== undefined && { 'response-content-disposition': headerText(contentDisposition) }),
    });
  }

  override localFile(): undefined {
    return undefined;
  }

  override health(): Promise<void> {
    return this.#attempt('write and remove an object', async () => {
      const key = `${uploadPath(`health-${randomUUID()}`)}/probe`;
      await this.#objects.put(key, Buffer.from('healthy'));
      await this.#objects.remove([key]);
    });
  }

  async #append(state: UploadState, before: Segments, writer: SegmentWriter, source: AsyncIterable<Uint8Array>): Promise<AppendResult> {
    let received = state.received;
    const failure = await drain(source, async (chunk) => {
      if (chunk.byteLength === 0) return;
      if (received === state.received) await this.#takeUp(state.id, before, writer);
      received += chunk.byteLength;
      await writer.add(chunk);
    });
    const next = received === state.received ? state : { id: state.id, received, driver: formatSegments(await writer.finish()) };
    return failure === undefined ? { state: next } : { state: next, failure };
  }

  /** With the first new bytes: what was too little for a segment is written again with them. */
  async #takeUp(id: string, { tail, outdated }: Segments, writer: SegmentWriter): Promise<void> {
    // The state at hand was kept, so nobody can come back with the one before it.
    if (outdated !== undefined) await this.#objects.remove([tailKey(id, outdated)]);
    if (tail !== undefined) await writer.add(await readWhole(this.#objects, tailKey(id, tail), tail.size));
  }

  async #assemble({ id, received }: UploadState, segments: ReturnType<typeof objectsOf>, digest: Digest): Promise<void> {
    try {
      await assemble(this.#objects, segments, blobPath(digest));
    } catch (error) {
      // Someone who commits the same upload was faster, or an earlier attempt crashed after this point.
      if (isGone(error) && (await this.#holds(digest, received))) return;
      throw isGone(error) ? new UploadMissing(id) : error;
    }
    if (!(await this.#holds(digest, received))) throw new StorageError('unavailable', `S3 does not show the blob ${digest} with its ${received} bytes after it was committed.`);
  }

  async #holds(digest: Digest, size: number): Promise<boolean> {
    return (await this.#objects.find(blobPath(digest)))?.size === size;
  }

  async *#readBlob(digest: Digest, { start, end }: ByteRange): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      yield* readObject(this.#objects, blobPath(digest), start, end);
    } catch (error) {
      throw isGone(error) ? new BlobMissing(digest) : s3Failure(error, 'read a blob');
    }
  }

  async #attempt<T>(doing: string, work: () => Promise<T>, uploadId?: string): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw this.#failure(error, doing, uploadId);
    }
  }

  #failure(error: unknown, doing: string, uploadId?: string): unknown {
    if (error instanceof UploadMissing || error instanceof BlobMissing || error instanceof RangeError) return error;
    return uploadId !== undefined && isGone(error) ? new UploadMissing(uploadId) : s3Failure(error, doing);
  }
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function headerText(text: string): string {
  if (!/^[\x20-\x7e]{1,1024}$/.test(text)) throw new RangeError('A header of a redirected answer must be 1 to 1,024 visible ASCII characters.');
  return text;
}
