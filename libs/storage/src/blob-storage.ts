import { digestAlgorithm, digestOf, type Digest } from '@haven/oci';
import { collect } from './byte-range.js';
import { StorageError } from './storage-error.js';

/** A value that survives JSON.stringify and JSON.parse unchanged. */
export type JsonValue = string | number | boolean | null | readonly JsonValue[] | { readonly [key: string]: JsonValue };

/**
 * Where an upload stands. Plain JSON, so that the caller can keep it in a database row between two
 * requests, and another replica can go on with it. Treat every state as immutable: a call that
 * changes the upload resolves to the next one.
 */
export interface UploadState {
  /** Names the upload. The caller chose it; see {@link isUploadId}. */
  readonly id: string;
  /** How many bytes are kept, durably. The next append writes at this offset. */
  readonly received: number;
  /** What the driver must remember. Nobody else reads it. */
  readonly driver?: JsonValue;
}

/** What came of an append. */
export interface AppendResult {
  readonly state: UploadState;
  /** The error with which the source ended, when it did not end by itself. The state is good all the same. */
  readonly failure?: unknown;
}

/** Both ends are inclusive, as in an HTTP Range header (RFC 9110, 14.1.2). */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/** A stored blob, as {@link BlobStorage.stat} finds it. */
export interface FoundBlob {
  /** In bytes. */
  readonly size: number;
  /** Another one whenever bytes were stored anew under the digest, be it the same bytes. To be compared, not read. */
  readonly version: string;
}

/** One stored blob, as {@link BlobStorage.list} meets it. */
export interface StoredBlob {
  readonly digest: Digest;
  /** In bytes. */
  readonly size: number;
  readonly modifiedAt: Date;
}

/** An upload that nobody has touched for a while. Its id is enough for {@link BlobStorage.abort}. */
export interface StaleUpload {
  readonly id: string;
  /** What it takes up, in bytes. */
  readonly size: number;
  readonly modifiedAt: Date;
}

/** What a commit that was interrupted, or still runs, takes up in the store. */
export interface UnfinishedCommit {
  readonly digest: Digest;
  /** The store's own name for it. */
  readonly id: string;
  readonly startedAt: Date;
}

export interface DeleteOptions {
  /** Leaves it to {@link BlobStorage.settleDeletions} to make it durable. */
  readonly relaxed?: boolean;
}

/** How a redirect shall answer. */
export interface RedirectOptions {
  /** How long the address is valid; 1 to 604,800 (seven days, the limit of AWS signature version 4). */
  readonly seconds: number;
  /** The Content-Type of the answer. */
  readonly contentType?: string;
  /** The Content-Disposition of the answer. */
  readonly contentDisposition?: string;
}

/**
 * Keeps blobs, which are immutable and named by their digest, and uploads, which are on their way to
 * become blobs. It never checks a digest against the bytes that it takes in: the caller has hashed what it hands over. Of
 * what it gives out, only {@link readAll} is checked.
 *
 * Errors: {@link BlobMissing}, {@link UploadMissing}, and {@link StorageError} for everything that the
 * store itself could not do. Other errors are bugs.
 */
export abstract class BlobStorage {
  /**
   * Starts an upload. Nothing is stored before the first append, so an upload that is never used costs nothing.
   * @throws RangeError for an id that {@link isUploadId} refuses
   */
  abstract createUpload(id: string): Promise<UploadState>;

  /**
   * Adds bytes at `state.received` and forgets whatever lies beyond it (the rest of an attempt whose
   * state was lost). Takes bytes from the source only as fast as they can be stored, and until the
   * source ends or fails; in both cases every byte it gave is in the resulting state, durably.
   *
   * The chunks are taken over and their memory is given back once they are written: the source must not use it again.
   * When the store fails, the source is told to stop (its iterator's `return`), the call rejects and
   * the earlier state stays valid, or the upload is gone ({@link UploadMissing} from then on).
   *
   * One append at a time for each upload: the caller holds a lock.
   */
  abstract append(state: UploadState, source: AsyncIterable<Uint8Array>): Promise<AppendResult>;

  /** The first `state.received` bytes of an upload: how a hash is rebuilt by a process that has not seen them. */
  abstract readUpload(state: UploadState): AsyncIterable<Uint8Array>;

  /**
   * Turns an upload of exactly `state.received` bytes into the blob of that digest. When it resolves the
   * blob survives a power loss; until then it is what it was before, never partial. Bytes that are there already are
   * replaced, of whatever size they are: they may be damaged, and a push must heal them. May be repeated after it
   * succeeded, or after a crash; commits of one digest may run at the same time.
   */
  abstract commit(state: UploadState, digest: Digest): Promise<void>;

  /** Drops an upload. A state without `driver` (from {@link staleUploads}) will do. May be repeated. */
  abstract abort(state: UploadState): Promise<void>;

  /** Stores a small blob at once, as durably and atomically as {@link commit}, and in the place of other bytes, too. */
  abstract put(digest: Digest, bytes: Uint8Array): Promise<void>;

  /** What is stored under the digest; undefined when nothing is. */
  abstract stat(digest: Digest): Promise<FoundBlob | undefined>;

  /**
   * The bytes of a blob, or of a range of it. They come in large chunks, each a memory of its own that the
   * consumer may keep. Fewer bytes than asked for never pass for all of them: the iteration throws.
   * Nothing is held open until the iteration starts.
   * @throws BlobMissing
   * @throws RangeError for a range that the blob does not contain
   */
  abstract read(digest: Digest, range?: ByteRange): Promise<AsyncIterable<Uint8Array>>;

  /**
   * A small blob as one buffer, checked against its digest: what is read whole is looked into, and damaged bytes must not pass.
   * @throws BlobMissing
   * @throws StorageError `broken` for a blob larger than `maxBytes`, or with other bytes
   */
  async readAll(digest: Digest, maxBytes: number): Promise<Buffer> {
    const bytes = await collect(await this.read(digest), digest, maxBytes);
    if (digestOf(bytes, digestAlgorithm(digest)) !== digest) throw new StorageError('broken', `the stored blob ${digest} is damaged`);
    return bytes;
  }

  /**
   * Removes a blob. True when it was there. Survives a power loss once it has resolved; a `relaxed` one does so only after
   * {@link settleDeletions}, which costs far less for many at once.
   */
  abstract delete(digest: Digest, options?: DeleteOptions): Promise<boolean>;

  /** Makes these relaxed deletions survive a power loss. May be repeated; blobs that are there again do not matter. */
  abstract settleDeletions(digests: readonly Digest[]): Promise<void>;

  /**
   * Every blob, in the order of the digests as text, from behind `after` on. What comes and goes meanwhile may be seen or
   * not; what is there all the time is seen once. Memory is bounded by the names of 1/256 of the blobs.
   */
  abstract list(options?: { readonly after?: Digest }): AsyncIterable<StoredBlob>;

  /** Uploads (and what crashed calls left behind) that were last written to before that time. */
  abstract staleUploads(before: Date): AsyncIterable<StaleUpload>;

  /**
   * Commits that began before that time and have not come to an end: after a crash they take up space that is neither a
   * blob nor an upload. Stores that know no such thing have none.
   */
  abstract unfinishedCommits(before: Date): AsyncIterable<UnfinishedCommit>;

  /** Drops what an unfinished commit left behind. May be repeated. */
  abstract dropCommit(commit: UnfinishedCommit): Promise<void>;

  /** An address from which a client can fetch the blob itself; undefined when this store has none. The blob is not looked up. */
  abstract redirectUrl(digest: Digest, options: RedirectOptions): Promise<string | undefined>;

  /** The absolute path of the blob, when it is a plain file on this machine. The blob is not looked up. */
  abstract localFile(digest: Digest): string | undefined;

  /** Writes and removes a few bytes. Rejects when that does not work. */
  abstract health(): Promise<void>;
}

/** Upload ids become parts of paths, so only letters, digits, `-` and `_` may be in them, 1 to 128 in number. */
export function isUploadId(id: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$/.test(id);
}
