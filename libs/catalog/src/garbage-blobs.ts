import type { Digest } from '@haven/oci';
import { DatabaseUnavailable, type Database, type Queryable, type Transaction } from '@haven/database';
import { ByteRemoval, type BytesToRemove, type MarkedBlob } from './garbage-bytes.js';

export interface BlobsToRemove extends BytesToRemove {
  readonly graceSeconds: number;
  /** Told of each blob that stays until the next time. */
  readonly onFailure: (digest: Digest, error: unknown) => void;
  /** Told now and then what is gone so far. */
  readonly onProgress?: ((soFar: RemovedBlobs) => Promise<void>) | undefined;
}

export interface RemovedBlobs {
  readonly blobs: number;
  /** Only what storage confirmed. */
  readonly bytes: number;
  /** Blobs that stay until the next time because something failed. */
  readonly failed: number;
}

interface Candidate {
  readonly digest: Digest;
  /** As text, exact to the microsecond. */
  readonly unlinkedAt: string;
}

/** What a kill makes the next collection do once more, at most. */
const LARGEST_BATCH = 200;
/** The first batch; later ones have the size that storage does within QUICK_MS to SLOW_MS, so that stopping is quick and little stays marked. */
const FIRST_BATCH = 25;
const QUICK_MS = 250;
const SLOW_MS = 1000;
/** So many batches in a row of which storage removed nothing: it will not remove the next one either. */
const HOPELESS = 3;
/** Reasons that are kept while there is hope for a second try. */
const REASONS_KEPT = 1000;

/**
 * Removes the bytes and rows of blobs that no repository holds and nothing in the bin names, some hundred at a time. Each
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
  readonly #reasons = new Map<Digest, unknown>();
  #total = { blobs: 0, bytes: 0, failed: 0 };
  #size = FIRST_BATCH;
  #hopeless = 0;
  #last = false;

  constructor(database: Database, wanted: BlobsToRemove) {
    this.#database = database;
    this.#wanted = wanted;
    this.#bytes = new ByteRemoval(wanted);
  }

  async run(): Promise<RemovedBlobs> {
    await this.#removeMarked();
    await this.#removeCandidates();
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
      const rows = await this.#database.query<{ digest: Digest }>(`SELECT digest FROM blob WHERE state = 'deleting' AND digest > $1 ORDER BY digest LIMIT $2`, [after, this.#size]);
      const last = rows.at(-1);
      if (!last) return;
      await this.#removeBatch(rows.map((row) => row.digest));
      after = last.digest;
    }
  }

  async #removeCandidates(): Promise<void> {
    const { graceSeconds } = this.#wanted;
    let after: Candidate = { digest: '' as Digest, unlinkedAt: '-infinity' };
    while (this.#goesOn()) {
      const candidates = await nextCandidates(this.#database, graceSeconds, after, this.#size);
      const last = candidates.at(-1);
      if (!last) return;
      const marked = await this.#database.transaction((transaction) => markUnneeded(transaction, candidates, graceSeconds));
      await this.#removeBatch(marked);
      after = last;
    }
  }

  async #removeFailed(): Promise<void> {
    this.#reasons.clear();
    this.#total = { ...this.#total, failed: 0 };
    this.#last = true;
    await this.#removeMarked();
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
      if (error instanceof DatabaseUnavailable) throw error;
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
    const { locked, gone, failed } = await this.#database.transaction(async (transaction) => {
      const rows = await transaction.query<{ digest: Digest; size: string }>(
        `SELECT digest, size FROM blob WHERE digest = ANY($1) AND state = 'deleting' ORDER BY digest FOR UPDATE SKIP LOCKED`, [digests]);
      const outcome = await this.#bytes.remove(rows.map((row) => ({ digest: row.digest, size: Number(row.size) })));
      await forget(transaction, outcome.gone);
      return { ...outcome, locked: new Set(rows.map((row) => row.digest)) };
    });
    this.#adapt(performance.now() - begun);
    this.#hopeless = gone.length === 0 && failed.length > 0 ? this.#hopeless + 1 : 0;
    this.#total.blobs += gone.length;
    for (const { freed } of gone) this.#total.bytes += freed;
    for (const { digest, error } of failed) this.#fail(digest, error);
    await this.#wanted.onProgress?.({ ...this.#total });
    const tried = new Set([...gone, ...failed].map(({ digest }) => digest));
    return new Set(digests.filter((digest) => tried.has(digest) || !locked.has(digest)));
  }

  #adapt(tookMs: number): void {
    if (tookMs < QUICK_MS) this.#size = Math.min(LARGEST_BATCH, this.#size * 2);
    else if (tookMs > SLOW_MS) this.#size = Math.max(1, Math.floor(this.#size / 2));
  }

  #fail(digest: Digest, error: unknown): void {
    this.#total.failed += 1;
    if (this.#last) this.#wanted.onFailure(digest, error);
    else if (this.#reasons.size < REASONS_KEPT) this.#reasons.set(digest, error);
  }
}

async function nextCandidates(database: Queryable, graceSeconds: number, after: Candidate, limit: number): Promise<Candidate[]> {
  const rows = await database.query<{ digest: Digest; unlinked_at: string }>(
    `SELECT digest, unlinked_at::text FROM unlinked_blob
     WHERE unlinked_at < now() - make_interval(secs => $1) AND unlinked_at >= $2::timestamptz AND (unlinked_at, digest) > ($2::timestamptz, $3)
     ORDER BY unlinked_at, digest LIMIT $4`,
    [graceSeconds, after.unlinkedAt, after.digest, limit],
  );
  return rows.map((row) => ({ digest: row.digest, unlinkedAt: row.unlinked_at }));
}

/** Whether a repository holds the blob, or something in the bin is it or names it. */
export function isHeld(digest: string): string {
  return `(EXISTS (SELECT 1 FROM repository_blob rb WHERE rb.digest = ${digest})
    OR EXISTS (SELECT 1 FROM manifest m WHERE m.digest = ${digest} AND m.deleted_at IS NOT NULL)
    OR EXISTS (SELECT 1 FROM manifest_blob mb JOIN manifest m ON m.id = mb.manifest_id WHERE mb.digest = ${digest} AND m.deleted_at IS NOT NULL))`;
}

/**
 * Marks blobs as being deleted, unless something needs them. What a repository or the bin holds is no candidate any more:
 * whoever gives it up makes it one again. What was used a moment ago is looked at next time, and so is what somebody works
 * on at this very moment. Resolves to those that are marked.
 */
async function markUnneeded(transaction: Transaction, candidates: readonly Candidate[], graceSeconds: number): Promise<Digest[]> {
  const digests = candidates.map((candidate) => candidate.digest);
  // From here on nobody can begin to rely on these; whoever did before has committed, which the next statement sees.
  const locked = await transaction.query<{ digest: Digest }>('SELECT digest FROM blob WHERE digest = ANY($1) ORDER BY digest FOR UPDATE SKIP LOCKED', [digests]);
  const rows = await transaction.query<{ digest: Digest; present: boolean; held: boolean; used: boolean }>(
    `SELECT b.digest, b.state <> 'deleting' AS present, ${isHeld('b.digest')} AS held, b.used_at > now() - make_interval(secs => $2) AS used FROM blob b WHERE b.digest = ANY($1)`,
    [locked.map((row) => row.digest), graceSeconds],
  );
  const marked = rows.filter(({ present, held, used }) => present && !held && !used).map((row) => row.digest);
  if (marked.length > 0) await transaction.execute(`UPDATE blob SET state = 'deleting' WHERE digest = ANY($1)`, [marked]);
  // Left as candidates: what was used, and what is locked. The rest is marked, held, or no blob at all.
  const there = await transaction.query<{ digest: Digest }>('SELECT digest FROM blob WHERE digest = ANY($1)', [digests]);
  const left = new Set(there.map((row) => row.digest));
  for (const { digest, present, held, used } of rows) if (!present || held || !used) left.delete(digest);
  const done = candidates.filter(({ digest }) => !left.has(digest));
  await transaction.execute(
    `DELETE FROM unlinked_blob u USING unnest($1::text[], $2::timestamptz[]) AS done (digest, unlinked_at) WHERE u.digest = done.digest AND u.unlinked_at = done.unlinked_at`,
    [done.map(({ digest }) => digest), done.map(({ unlinkedAt }) => unlinkedAt)],
  );
  return marked;
}

async function forget(transaction: Transaction, gone: readonly MarkedBlob[]): Promise<void> {
  if (gone.length > 0) await transaction.execute('DELETE FROM blob WHERE digest = ANY($1)', [gone.map(({ digest }) => digest)]);
}
