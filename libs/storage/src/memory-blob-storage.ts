import type { Digest } from '@haven/oci';
import {
  type AppendResult, BlobStorage, type ByteRange, type FoundBlob, isUploadId, type RedirectOptions, type StaleUpload, type StoredBlob, type UnfinishedCommit, type UploadState,
} from './blob-storage.js';
import { checkRange } from './byte-range.js';
import { drain } from './drain.js';
import { BlobMissing, type StorageError, UploadMissing } from './storage-error.js';

interface Kept {
  readonly bytes: Buffer;
  readonly at: Date;
}

interface KeptBlob extends Kept {
  readonly version: string;
}

/** The fake: keeps everything in memory. For unit tests; it passes the same contract as the real ones. */
export class MemoryBlobStorage extends BlobStorage {
  readonly #blobs = new Map<Digest, KeptBlob>();
  readonly #uploads = new Map<string, Kept>();
  readonly #now: () => Date;
  #puts = 0;
  /** While set, every call rejects with it. */
  failure: StorageError | undefined;
  /** While set, {@link redirectUrl} answers with it, followed by the digest. */
  redirectBase: string | undefined;

  constructor(now: () => Date = () => new Date()) {
    super();
    this.#now = now;
  }

  override async createUpload(id: string): Promise<UploadState> {
    this.#mayFail();
    if (!isUploadId(id)) throw new RangeError('An upload id must be 1 to 128 letters, digits, - or _.');
    this.#keepUpload(id, Buffer.alloc(0));
    return { id, received: 0 };
  }

  override async append(state: UploadState, source: AsyncIterable<Uint8Array>): Promise<AppendResult> {
    this.#mayFail();
    const chunks: Uint8Array[] = [this.#received(state)];
    const failure = await drain(source, (chunk) => {
      this.#mayFail();
      chunks.push(Buffer.from(chunk));
      return undefined;
    });
    const bytes = Buffer.concat(chunks);
    this.#keepUpload(state.id, bytes);
    const next = { ...state, received: bytes.byteLength };
    return failure === undefined ? { state: next } : { state: next, failure };
  }

  override async *readUpload(state: UploadState): AsyncGenerator<Uint8Array, void, undefined> {
    this.#mayFail();
    const bytes = this.#received(state);
    if (bytes.byteLength > 0) yield Buffer.from(bytes);
  }

  override async commit(state: UploadState, digest: Digest): Promise<void> {
    this.#mayFail();
    // An upload that is gone was committed before; one that is there is stored, whatever lies in its place.
    const committed = !this.#uploads.has(state.id) && this.#blobs.get(digest)?.bytes.byteLength === state.received;
    if (!committed) this.#keepBlob(digest, this.#received(state));
    this.#uploads.delete(state.id);
  }

  override async abort(state: UploadState): Promise<void> {
    this.#mayFail();
    this.#uploads.delete(state.id);
  }

  override async put(digest: Digest, bytes: Uint8Array): Promise<void> {
    this.#mayFail();
    this.#keepBlob(digest, bytes);
  }

  override async stat(digest: Digest): Promise<FoundBlob | undefined> {
    this.#mayFail();
    const kept = this.#blobs.get(digest);
    return kept && { size: kept.bytes.byteLength, version: kept.version };
  }

  override async read(digest: Digest, range?: ByteRange): Promise<AsyncIterable<Uint8Array>> {
    this.#mayFail();
    const kept = this.#blobs.get(digest);
    if (kept === undefined) throw new BlobMissing(digest);
    const { start, end } = checkRange(range, kept.bytes.byteLength);
    return inChunks(Buffer.from(kept.bytes.subarray(start, end + 1)));
  }

  override async delete(digest: Digest): Promise<boolean> {
    this.#mayFail();
    return this.#blobs.delete(digest);
  }

  override async settleDeletions(): Promise<void> {
    this.#mayFail();
  }

  override async *list({ after }: { readonly after?: Digest } = {}): AsyncGenerator<StoredBlob, void, undefined> {
    this.#mayFail();
    for (const digest of [...this.#blobs.keys()].sort()) {
      const kept = this.#blobs.get(digest);
      if (kept !== undefined && (after === undefined || digest > after)) yield { digest, size: kept.bytes.byteLength, modifiedAt: kept.at };
    }
  }

  override async *staleUploads(before: Date): AsyncGenerator<StaleUpload, void, undefined> {
    this.#mayFail();
    for (const [id, { at, bytes }] of this.#uploads) if (at < before) yield { id, size: bytes.byteLength, modifiedAt: at };
  }

  override async *unfinishedCommits(): AsyncGenerator<UnfinishedCommit, void, undefined> {
    this.#mayFail();
    yield* [];
  }

  override async dropCommit(): Promise<void> {
    this.#mayFail();
  }

  override async redirectUrl(digest: Digest, _options: RedirectOptions): Promise<string | undefined> {
    this.#mayFail();
    return this.redirectBase && `${this.redirectBase}${digest}`;
  }

  override localFile(): undefined {
    return undefined;
  }

  override async health(): Promise<void> {
    this.#mayFail();
  }

  #mayFail(): void {
    if (this.failure !== undefined) throw this.failure;
  }

  #keepBlob(digest: Digest, bytes: Uint8Array): void {
    this.#puts += 1;
    this.#blobs.set(digest, { bytes: Buffer.from(bytes), at: this.#now(), version: String(this.#puts) });
  }

  #keepUpload(id: string, bytes: Buffer): void {
    this.#uploads.set(id, { bytes, at: this.#now() });
  }

  #received(state: UploadState): Buffer {
    const bytes = this.#uploads.get(state.id)?.bytes;
    if (bytes === undefined) throw new UploadMissing(state.id);
    if (bytes.byteLength < state.received) throw new UploadMissing(state.id, `holds ${bytes.byteLength} bytes instead of ${state.received}`);
    return bytes.subarray(0, state.received);
  }
}

const CHUNK_BYTES = 64 * 1024;

async function* inChunks(bytes: Buffer): AsyncGenerator<Uint8Array, void, undefined> {
  for (let at = 0; at < bytes.byteLength; at += CHUNK_BYTES) yield bytes.subarray(at, at + CHUNK_BYTES);
}
