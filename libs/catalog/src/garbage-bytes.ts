import type { Digest } from '@haven/oci';

export interface BytesToRemove {
  /** Deletes a blob's bytes; resolves to whether there were any. */
  readonly removeBytes: (digest: Digest) => Promise<boolean>;
  /** Makes deletions survive a power cut, many at once; where it is left out, each of them does so by itself. */
  readonly settleBytes?: ((digests: readonly Digest[]) => Promise<void>) | undefined;
  /** How many are deleted at the same time; 4, when it is left out. */
  readonly workers?: number | undefined;
  /** Ends the collection after the step that is under way. */
  readonly signal?: AbortSignal | undefined;
}

/** A blob whose row says 'deleting'. */
export interface MarkedBlob {
  readonly digest: Digest;
  readonly size: number;
}

export interface RemovedBytes {
  /** `present`: whether storage had such bytes. */
  readonly gone: readonly (MarkedBlob & { readonly present: boolean })[];
  readonly failed: readonly { readonly digest: Digest; readonly error: unknown }[];
}

/** Storage did not say in time whether it deleted a blob's bytes. */
export class StorageSilent extends Error {
  override readonly name = 'StorageSilent';
}

/** How many are deleted at the same time where nobody said so. */
export const WORKERS = 4;
/** None is begun once the call has taken so long, so that the rows are not locked for longer: the rest is for the next call. */
const BEGIN_WITHIN_MS = 2000;
/** How long the answers to deletions are waited for. */
const ANSWER_WITHIN_MS = 15_000;
/** How long is waited, after that, until they are durable. The database ends a transaction that is idle for 30 seconds, which is longer than both. */
const SETTLE_WITHIN_MS = 10_000;
/** Each of the two, once the collection is to stop. */
const STOP_WITHIN_MS = 2000;

/**
 * Deletes bytes, several at a time and within some seconds for each batch. Storage that has not answered by then may still
 * do as it was told: such a blob is left alone until it has answered.
 */
export class ByteRemoval {
  readonly #wanted: BytesToRemove;
  readonly #unsettled = new Set<Digest>();
  /** What storage deleted and nobody counted yet: when a transaction is run again, or a blob tried again, those bytes are gone. */
  readonly #uncounted = new Set<Digest>();

  constructor(wanted: BytesToRemove) {
    this.#wanted = wanted;
  }

  isUnsettled(digest: Digest): boolean {
    return this.#unsettled.has(digest);
  }

  /** What is in neither list was not begun. Goes on when it is to stop: what is marked should not stay so. */
  async remove(blobs: readonly MarkedBlob[]): Promise<RemovedBytes> {
    const { signal, workers = WORKERS } = this.#wanted;
    const done: MarkedBlob[] = [];
    const failed: { digest: Digest; error: unknown }[] = [];
    const deadline = new Deadline(ANSWER_WITHIN_MS, signal);
    const begun = performance.now();
    let next = 0;
    const work = async (): Promise<void> => {
      for (let blob = blobs[next++]; blob !== undefined; blob = performance.now() - begun < BEGIN_WITHIN_MS ? blobs[next++] : undefined) {
        try {
          if (await this.#delete(blob.digest, deadline)) this.#uncounted.add(blob.digest);
          done.push(blob);
        } catch (error) {
          failed.push({ digest: blob.digest, error });
        }
      }
    };
    await Promise.all(Array.from({ length: workers }, work));
    deadline.clear();
    const fault = await this.#settle(done);
    // Nobody can tell which of them would come back after a power cut.
    if (fault !== undefined) return { gone: [], failed: [...failed, ...done.map(({ digest }) => ({ digest, error: fault.error }))] };
    return { gone: done.map((blob) => ({ ...blob, present: this.#uncounted.has(blob.digest) })), failed };
  }

  /** Call it once they are counted for good. */
  counted(blobs: readonly MarkedBlob[]): void {
    for (const { digest } of blobs) this.#uncounted.delete(digest);
  }

  /** With a time of its own: one deletion without an answer has used up that of all, and would make failures of its neighbours. */
  async #settle(done: readonly MarkedBlob[]): Promise<{ readonly error: unknown } | undefined> {
    if (this.#wanted.settleBytes === undefined || done.length === 0) return undefined;
    const deadline = new Deadline(SETTLE_WITHIN_MS, this.#wanted.signal);
    try {
      await Promise.race([this.#wanted.settleBytes(done.map(({ digest }) => digest)), deadline.passed]);
      return undefined;
    } catch (error) {
      return { error };
    } finally {
      deadline.clear();
    }
  }

  #delete(digest: Digest, deadline: Deadline): Promise<boolean> {
    this.#unsettled.add(digest);
    return Promise.race([this.#wanted.removeBytes(digest).finally(() => { this.#unsettled.delete(digest); }), deadline.passed]);
  }
}

/** Passes when answers are waited for no longer. */
class Deadline {
  /** Rejects then. */
  readonly passed: Promise<never>;
  readonly #signal: AbortSignal | undefined;
  #timer: NodeJS.Timeout;
  #pass: () => void = () => undefined;

  constructor(withinMs: number, signal: AbortSignal | undefined) {
    this.passed = new Promise((_, reject) => { this.#pass = () => { reject(new StorageSilent('storage did not answer in time')); }; });
    this.passed.catch(() => undefined); // Nobody may be waiting for an answer just then.
    this.#timer = setTimeout(this.#pass, signal?.aborted === true ? STOP_WITHIN_MS : withinMs);
    this.#signal = signal;
    signal?.addEventListener('abort', this.#hurry, { once: true });
  }

  clear(): void {
    clearTimeout(this.#timer);
    this.#signal?.removeEventListener('abort', this.#hurry);
  }

  readonly #hurry = (): void => {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(this.#pass, STOP_WITHIN_MS);
  };
}
