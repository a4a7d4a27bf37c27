import { setTimeout as sleep } from 'node:timers/promises';
import type { Digest } from '@haven/oci';
import { DatabaseUnavailable, type Database, type Transaction } from '@haven/database';
import { ByteRemoval, WORKERS, type BytesToRemove, type MarkedBlob, type RemovedBytes } from './garbage-bytes.js';
import { markUnneeded, nextCandidates, type Candidate } from './garbage-candidates.js';
import { Pace } from './garbage-pace.js';

export interface BlobsToRemove extends BytesToRemove {
  readonly graceSeconds: number;
  /** Told of each blob that stays until the next time. */
  readonly onFailure: (digest: Digest, error: unknown) => void;
  /** Told what is gone so far, in the transaction that makes it so; it may be run again. When it rejects, the collection ends. */
  readonly onRemoved?: ((transaction: Transaction, soFar: RemovedBlobs) => Promise<void>) | undefined;
  /** Told after each step what is gone so far. */
  readonly onProgress?: ((soFar: RemovedBlobs) => Promise<void>) | undefined;
}

export interface RemovedBlobs {
  readonly blobs: number;
  /** Only what storage confirmed. */
  readonly bytes: number;
  /** Those of the blobs of which storage had no bytes: lost before, or removed by a collection that was killed before it could count them. */
  readonly absent: number;
  /** Blobs that stay until the next time because something failed. */
  readonly failed: number;
}

/** Candidates that are looked up at once. In the order of their digests, neighbours share pages of indexes, and folders. */
const WINDOW = 10_000;
/** So many batches in a row of which storage removed nothing: it will not remove the next one either. */
const HOPELESS = 3;
/** How often, and how many milliseconds apart, it is looked at the end whether marked blobs that others held are free. */
const LAST_LOOKS = 20;
const LOOK_AGAIN_MS = 100;
/** Reasons that are kept while there is hope for a second try. */
const REASONS_KEPT = 1000;

/**
 * Removes the bytes and rows of blobs that no repository holds and nothing in the bin names, a hundred at a time. Each
 * goes through three steps: the row says 'deleting', which is committed; the bytes go; the row goes. A kill in between
 * leaves rows that say 'deleting'; those come first the next time. Whoever wants to push such a blob meanwhile is told to
 * wait. What failed is tried once more at the end.
 */
export async function removeBlobs(database: Database, wanted: BlobsToRemove): Promise<RemovedBlobs> {
  return new BlobRemoval(database, wanted).run();
}

class BlobRemoval {
  readonly #database: Database;
  readonly #wanted: BlobsToRemove;
  readonly #bytes: ByteRemoval;
  readonly #pace: Pace;
  readonly #reasons = new Map<Digest, unknown>();
  #total: RemovedBlobs = { blobs: 0, bytes: 0, absent: 0, failed: 0 };
  /** Marked, and held by somebody else: another collection, or a push that was waiting for the row and has to read the mark. */
  readonly #passedOver = new Set<Digest>();
  #hopeless = 0;
  #last = false;
  /** Why whoever counts wants no more. */
  #refusal: unknown;

  constructor(database: Database, wanted: BlobsToRemove) {
    this.#database = database;
    this.#wanted = wanted;
    this.#bytes = new ByteRemoval(wanted);
    this.#pace = new Pace(wanted.workers ?? WORKERS);
  }

  async run(): Promise<RemovedBlobs> {
    await this.#removeMarked();
    await this.#removeCandidates();
    for (let look = 1; look <= LAST_LOOKS && this.#passedOver.size > 0; look += 1) {
      await sleep(LOOK_AGAIN_MS);
      await this.#removePassedOver();
    }
    if (this.#total.failed > 0 && this.#goesOn()) await this.#removeFailed();
    for (const [digest, error] of this.#reasons) this.#wanted.onFailure(digest, error);
    return this.#total;
  }

  #goesOn(): boolean {
    return this.#wanted.signal?.aborted !== true && this.#hopeless < HOPELESS;
  }

  /** What was marked and not removed, be it by an earlier collection. */
  async #removeMarked(): Promise<void> {
    for (let after = ''; this.#goesOn();) {
      const rows = await this.#database.query<{ digest: Digest }>(`SELECT digest FROM blob WHERE state = 'deleting' AND digest > $1 ORDER BY digest LIMIT $2`, [after, this.#pace.size]);
      const last = rows.at(-1);
      if (!last) return;
      await this.#paced(() => this.#removeBatch(rows.map((row) => row.digest)));
      after = last.digest;
    }
  }

  async #removeCandidates(): Promise<void> {
    const { graceSeconds } = this.#wanted;
    let after: Candidate | undefined;
    while (this.#goesOn()) {
      const window = await nextCandidates(this.#database, graceSeconds, after, WINDOW);
      after = window.at(-1);
      if (!after) return;
      const sorted = window.toSorted((one, other) => (one.digest < other.digest ? -1 : 1));
      for (let from = 0; from < sorted.length && this.#goesOn();) {
        const batch = sorted.slice(from, from + this.#pace.size);
        from += batch.length;
        await this.#paced(async () => {
          await this.#removeBatch(await this.#database.transaction((transaction) => markUnneeded(transaction, batch, graceSeconds)));
        });
      }
    }
  }

  async #removeFailed(): Promise<void> {
    this.#reasons.clear();
    this.#total = { ...this.#total, failed: 0 };
    this.#last = true;
    await this.#removeMarked();
  }

  async #paced(work: () => Promise<void>): Promise<void> {
    const begun = performance.now();
    await work();
    await this.#removePassedOver();
    await this.#pace.rest(performance.now() - begun, this.#wanted.signal);
  }

  /** What stays marked can be neither used nor pushed, so it is not left to the next collection. */
  async #removePassedOver(): Promise<void> {
    if (this.#passedOver.size === 0) return;
    const rows = await this.#database.query<{ digest: Digest }>(`SELECT digest FROM blob WHERE digest = ANY($1) AND state = 'deleting' ORDER BY digest`, [[...this.#passedOver]]);
    this.#passedOver.clear();
    await this.#removeBatch(rows.map(({ digest }) => digest));
  }

  /** To its end, also when the collection is to stop: what is marked should not stay so. One blob whose row cannot be removed must not keep the others. */
  async #removeBatch(digests: readonly Digest[]): Promise<void> {
    let left = digests.filter((digest) => !this.#bytes.isUnsettled(digest));
    try {
      while (left.length > 0) {
        const tried = await this.#remove(left);
        if (!this.#goesOn()) return; // It took so long that even this batch was not done at once.
        left = left.filter((digest) => !tried.has(digest));
      }
    } catch (error) {
      if (error instanceof DatabaseUnavailable || error === this.#refusal) throw error;
      const [first] = left;
      if (left.length === 1 && first !== undefined) return this.#fail(first, error);
      const half = Math.ceil(left.length / 2);
      await this.#removeBatch(left.slice(0, half));
      await this.#removeBatch(left.slice(half));
    }
  }

  /**
   * The rows stay locked while their bytes go, so that of several collectors one does it; the others pass over them. One
   * that came later could otherwise remove the bytes that somebody uploaded after the row was gone. Pushes do not wait for
   * the locks: they read 'deleting'. The transaction is short however slow storage is: see ByteRemoval. Resolves to those
   * that were tried, with those that are somebody else's.
   */
  async #remove(digests: readonly Digest[]): Promise<Set<Digest>> {
    const begun = performance.now();
    const { locked, gone, failed, total } = await this.#database.transaction(async (transaction) => {
      const rows = await transaction.query<{ digest: Digest; size: string }>(
        `SELECT digest, size FROM blob WHERE digest = ANY($1) AND state = 'deleting' ORDER BY digest FOR UPDATE SKIP LOCKED`, [digests]);
      const outcome = await this.#bytes.remove(rows.map((row) => ({ digest: row.digest, size: Number(row.size) })));
      const after = sum(this.#total, outcome);
      if (outcome.gone.length > 0) await this.#forget(transaction, outcome.gone, after);
      return { ...outcome, locked: new Set(rows.map((row) => row.digest)), total: after };
    });
    this.#total = total;
    for (const digest of digests) if (!locked.has(digest)) this.#passedOver.add(digest);
    this.#bytes.counted(gone);
    this.#pace.took(performance.now() - begun);
    this.#hopeless = gone.length === 0 && failed.length > 0 ? this.#hopeless + 1 : 0;
    for (const { digest, error } of failed) this.#fail(digest, error);
    await this.#wanted.onProgress?.(this.#total);
    const tried = new Set([...gone, ...failed].map(({ digest }) => digest));
    return new Set(digests.filter((digest) => tried.has(digest) || !locked.has(digest)));
  }

  /** A power cut that undoes it leaves rows that say 'deleting', as a kill does, so the commit need not wait for the disk. */
  async #forget(transaction: Transaction, gone: readonly MarkedBlob[], total: RemovedBlobs): Promise<void> {
    await transaction.execute(
      `WITH relaxed AS (SELECT set_config('synchronous_commit', 'off', true)) DELETE FROM blob USING relaxed WHERE digest = ANY($1)`, [gone.map(({ digest }) => digest)]);
    try {
      await this.#wanted.onRemoved?.(transaction, total);
    } catch (error) {
      this.#refusal = error;
      throw error;
    }
  }

  #fail(digest: Digest, error: unknown): void {
    this.#total = { ...this.#total, failed: this.#total.failed + 1 };
    if (this.#last) this.#wanted.onFailure(digest, error);
    else if (this.#reasons.size < REASONS_KEPT) this.#reasons.set(digest, error);
  }
}

/** What failed is not in it yet. */
function sum(before: RemovedBlobs, { gone }: Pick<RemovedBytes, 'gone'>): RemovedBlobs {
  const absent = gone.filter(({ present }) => !present).length;
  const bytes = gone.reduce((total, { size, present }) => (present ? total + size : total), 0);
  return { ...before, blobs: before.blobs + gone.length, bytes: before.bytes + bytes, absent: before.absent + absent };
}
