import { randomUUID } from 'node:crypto';
import { CatalogError, type Catalog, type RepositoryToOpen, type Upload } from '@haven/catalog';
import { digestAlgorithm, digestOf, OciError, type Digest } from '@haven/oci';
import { UploadMissing, type BlobStorage, type UploadState } from '@haven/storage';
import { RunningHash, RunningHashes } from './running-hashes.js';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
/** A client that lost its connection comes back before we have noticed; its new request waits this long for the old one to end. */
const HANDOVER_MS = 3_000;

/** The bytes of one request, and the hash that sees them pass; none when this process has not seen the upload's beginning. */
export type ByteSource = (hash: RunningHash | undefined) => AsyncIterable<Uint8Array>;

interface Claimed {
  readonly upload: Upload;
  readonly state: UploadState;
}

/** Receives blobs: sessions, their bytes, and the moment they become a blob of a repository. */
export class UploadService {
  readonly #catalog: Catalog;
  readonly #storage: BlobStorage;
  readonly #hashes = new RunningHashes();
  readonly #writers = new Map<string, Promise<unknown>>();

  constructor(parts: { readonly catalog: Catalog; readonly storage: BlobStorage }) {
    this.#catalog = parts.catalog;
    this.#storage = parts.storage;
  }

  /** A new session; refused in a project that is full already. */
  async start(target: RepositoryToOpen, digest?: Digest): Promise<Upload> {
    const id = randomUUID();
    const state = await this.#storage.createUpload(id);
    const upload = await this.#catalog.createUpload({ id, repository: target.repository, projectId: target.projectId, subject: target.actor, state });
    if (upload.room === undefined || upload.room > 0 || (await this.#costsNothing(upload, digest))) return upload;
    await this.cancel(upload);
    throw await this.refusal(upload, 0);
  }

  /**
   * How many more bytes the upload may bring. Refuses `added` ones that would not fit beforehand, so that nobody sends them
   * for nothing; what counts in the end is the project's account when the blob becomes part of it.
   */
  async roomFor(upload: Upload, added: number, digest?: Digest): Promise<number> {
    if (upload.room === undefined) return Infinity;
    const left = upload.room - upload.received;
    if (added <= left) return left;
    if (await this.#costsNothing(upload, digest)) return Infinity;
    throw await this.refusal(upload, upload.received + added);
  }

  /** Why the project cannot take `added` bytes. */
  refusal({ projectId, repository, subject }: Upload, added: number): Promise<CatalogError> {
    return this.#catalog.quotaRefusal(projectId, { repository, actor: subject }, added);
  }

  /** A blob that another repository of the project holds is not charged again. */
  async #costsNothing(upload: Upload, digest: Digest | undefined): Promise<boolean> {
    return digest !== undefined && (await this.#catalog.projectHolds(upload.projectId, digest));
  }

  /** The session, if it is this caller's in this repository; anything else is as good as unknown. */
  async find(id: string, repository: string, subject: string): Promise<Upload> {
    const upload = UUID.test(id) ? await this.#catalog.findUpload(id) : undefined;
    if (!upload || upload.repository !== repository || upload.subject !== subject) throw new OciError('BLOB_UPLOAD_UNKNOWN');
    return upload;
  }

  /** Adds bytes at the end; `failure` is set when the source broke off, what had come is kept all the same. */
  async append(upload: Upload, source: ByteSource): Promise<{ readonly upload: Upload; readonly failure?: unknown }> {
    return this.#orForget(upload, () => this.#alone(upload.id, async () => {
      const claim = await this.#claim(upload);
      const hash = this.#hashes.take(upload.id, upload.received);
      const result = await this.#storage.append(claim.state, source(hash));
      const saved = await this.#catalog.saveUpload(claim.upload, result.state, result.state.received);
      if (hash && hash.received === saved.received) this.#hashes.keep(upload.id, hash);
      return { upload: saved, ...('failure' in result ? { failure: result.failure } : {}) };
    }));
  }

  /**
   * Turns the session into a blob of its repository. The bytes are durable before the row is, and the row before the
   * client hears of it. Content that is not what `digest` says ends the session.
   */
  async finish(upload: Upload, digest: Digest): Promise<void> {
    await this.#orForget(upload, () => this.#alone(upload.id, () => this.#finish(upload, digest)));
    this.#hashes.forget(upload.id);
  }

  /**
   * After a kill between the bytes and the row, the session's bytes are a blob already while its row still counts them.
   * Nobody can go on with such a session, so its status must not invite anybody to.
   */
  async #orForget<Result>(upload: Upload, work: () => Promise<Result>): Promise<Result> {
    try {
      return await work();
    } catch (error) {
      if (error instanceof UploadMissing) await this.#catalog.forgetUpload(upload.id);
      throw error;
    }
  }

  async #finish(upload: Upload, digest: Digest): Promise<void> {
    const found = await this.#digestOf(upload, digest);
    if (found !== digest) {
      await this.cancel(upload);
      throw wrongDigest(found, digest);
    }
    await this.#catalog.claimBlob(digest);
    // Whoever may still have the file open would write into the blob, which other repositories may hold as well.
    await this.#commit(await this.#claim(upload), digest);
    try {
      await this.#catalog.addBlob({
        repository: upload.repository, projectId: upload.projectId, actor: upload.subject, digest, size: upload.received, upload: upload.id,
      });
    } catch (error) {
      // The session's bytes are a blob by now, though not one of this repository: nobody can go on with the session.
      if (error instanceof CatalogError && error.code === 'quota-exceeded') await this.#catalog.forgetUpload(upload.id);
      throw error;
    }
  }

  /** Stores a small blob that came whole, in one request: nothing of it lies in the session, if there is one. */
  async store(target: RepositoryToOpen, digest: Digest, bytes: Uint8Array, session?: string): Promise<void> {
    const found = digestOf(bytes, digestAlgorithm(digest));
    if (found !== digest) throw wrongDigest(found, digest);
    await this.#alone(session ?? randomUUID(), async () => {
      await this.#catalog.claimBlob(digest);
      await this.#storage.put(digest, bytes);
      await this.#catalog.addBlob({ ...target, digest, size: bytes.length, ...(session === undefined ? {} : { upload: session }) });
    });
  }

  async cancel(upload: Upload): Promise<void> {
    this.#hashes.forget(upload.id);
    await this.#storage.abort(stateOf(upload));
    await this.#catalog.forgetUpload(upload.id);
  }

  /** Runs one writer of an upload at a time in this process; writers in others are fenced off by the upload's version. */
  async #alone<Result>(id: string, work: () => Promise<Result>): Promise<Result> {
    const earlier = this.#writers.get(id);
    if (earlier && !(await endsWithin(earlier, HANDOVER_MS))) throw busy();
    if (this.#writers.has(id)) throw busy();
    const writing = work();
    this.#writers.set(id, writing);
    try {
      return await writing;
    } finally {
      this.#writers.delete(id);
    }
  }

  async #digestOf(upload: Upload, wanted: Digest): Promise<Digest> {
    const algorithm = digestAlgorithm(wanted);
    const passed = this.#hashes.take(upload.id, upload.received);
    if (passed?.algorithm === algorithm && passed.received === upload.received) return passed.digest();
    const hash = new RunningHash(algorithm);
    for await (const chunk of this.#storage.readUpload(stateOf(upload))) hash.add(chunk);
    return hash.digest();
  }

  async #commit({ upload, state }: Claimed, digest: Digest): Promise<void> {
    try {
      await this.#storage.commit(state, digest);
    } catch (error) {
      // Nobody writes any more: whoever tries next need not go on with a copy. When that cannot be said, it will be one.
      await this.#catalog.saveUpload(upload, state, upload.received).catch(() => undefined);
      throw error;
    }
  }

  /** The session for this process alone, and where its bytes are now: a writer that never reported back may still hold the old file open. */
  async #claim(wanted: Upload): Promise<Claimed> {
    const { upload, contested } = await this.#catalog.claimUpload(wanted);
    return { upload, state: contested ? await this.#copy(stateOf(upload)) : stateOf(upload) };
  }

  /** What that writer had acknowledged, and no more. */
  async #copy(state: UploadState): Promise<UploadState> {
    const fresh = await this.#storage.createUpload(randomUUID());
    const copied = await this.#storage.append(fresh, this.#storage.readUpload(state));
    if ('failure' in copied) throw copied.failure;
    return copied.state;
  }
}

export function stateOf(upload: Upload): UploadState {
  return upload.state as UploadState;
}

function wrongDigest(found: Digest, wanted: Digest): OciError {
  return new OciError('DIGEST_INVALID', { message: `The content received has digest ${found}, not ${wanted}; the upload was discarded.`, detail: { received: found } });
}

function busy(): CatalogError {
  return new CatalogError('upload-changed', 'another request is writing to this upload; ask for its status and go on from there');
}

async function endsWithin(work: Promise<unknown>, milliseconds: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), milliseconds);
  });
  try {
    return await Promise.race([work.then(() => true, () => true), late]);
  } finally {
    clearTimeout(timer);
  }
}
