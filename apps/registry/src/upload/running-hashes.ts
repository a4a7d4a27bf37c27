import { createHash, type Hash } from 'node:crypto';
import type { Digest, DigestAlgorithm } from '@haven/oci';

/** Uploads whose hash is kept between requests; the rest is hashed again from storage when it ends. */
const MOST_KEPT = 10_000;

interface KeptHash {
  readonly hash: Hash;
  /** Bytes it has seen; of use only to a request that goes on exactly there. */
  readonly received: number;
}

/** Hashes bytes as they pass, for an upload that may come in several requests. */
export class RunningHash {
  readonly #hash: Hash;
  #received: number;

  constructor(readonly algorithm: DigestAlgorithm, hash: Hash = createHash(algorithm), received = 0) {
    this.#hash = hash;
    this.#received = received;
  }

  get received(): number {
    return this.#received;
  }

  add(chunk: Uint8Array): void {
    this.#hash.update(chunk);
    this.#received += chunk.length;
  }

  /** The digest of what passed so far; more may follow. */
  digest(): Digest {
    return `${this.algorithm}:${this.#hash.copy().digest('hex')}` as Digest;
  }

  kept(): KeptHash {
    return { hash: this.#hash, received: this.#received };
  }
}

/** Hashes of uploads between their requests. Losing one costs time only: the bytes are hashed again from storage. */
export class RunningHashes {
  readonly #kept = new Map<string, KeptHash>();

  /** The hash to go on with at `received`; undefined when this process has not seen all bytes before it. */
  take(upload: string, received: number): RunningHash | undefined {
    const kept = this.#kept.get(upload);
    this.#kept.delete(upload);
    if (received === 0) return new RunningHash('sha256');
    return kept?.received === received ? new RunningHash('sha256', kept.hash, received) : undefined;
  }

  keep(upload: string, hash: RunningHash): void {
    if (this.#kept.size >= MOST_KEPT) {
      const [oldest] = this.#kept.keys();
      if (oldest !== undefined) this.#kept.delete(oldest);
    }
    this.#kept.set(upload, hash.kept());
  }

  forget(upload: string): void {
    this.#kept.delete(upload);
  }
}
