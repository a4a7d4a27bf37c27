import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Catalog } from '@haven/catalog';
import { createDatabase } from '@haven/database';
import { openStorage } from '@haven/storage';

const GRACE_SECONDS = 7200;
const NEVER = new Date(0);

/** Who uses which blobs just now: time does not pass for those, as no push takes as long as the grace time. */
export class BlobsInUse {
  #users = new Map();
  #aging = new Set();

  /** Runs the work, for which no time passes for the blobs. */
  async while(digests, work) {
    while (digests.some((digest) => this.#aging.has(digest))) await delay(1);
    for (const digest of digests) this.#users.set(digest, (this.#users.get(digest) ?? 0) + 1);
    try {
      return await work();
    } finally {
      for (const digest of digests) this.#users.set(digest, this.#users.get(digest) - 1);
    }
  }

  /** Runs the work with those that nobody uses, and keeps everybody from beginning to use them. */
  async unused(digests, work) {
    const free = digests.filter((digest) => !this.#users.get(digest) && !this.#aging.has(digest));
    for (const digest of free) this.#aging.add(digest);
    try {
      await work(free);
    } finally {
      for (const digest of free) this.#aging.delete(digest);
    }
  }
}

/**
 * Garbage collection with its usual grace time, beside everything else, on the same database and storage. Three hours go
 * by, again and again, for blobs that nobody uses at that moment: it wants to delete them at once, and whoever comes for
 * them right then has to win or to be told.
 */
export class GarbageRace {
  collections = 0;
  /** digest → how often its bytes were removed. */
  removed = new Map();
  failures = [];
  /** Blobs for which time went by last. */
  aged = [];
  /** Grows with every purge of the bin. */
  purges = 0;
  #database;
  #catalog;
  #storage;
  #random;

  /** @param {import('../haven.mjs').Haven} haven with its storage in files */
  constructor(haven, random) {
    this.#database = createDatabase({ url: haven.platform.databaseUrl, poolSize: 4 });
    this.#catalog = new Catalog(this.#database);
    this.#storage = openStorage(`file://${join(haven.folder, 'data', 'storage')}`, {});
    this.#random = random;
  }

  /** Lets the time go by for those of the blobs that are not in use. */
  age(digests, inUse) {
    return inUse.unused(digests, async (free) => {
      this.aged = free;
      for (const [table, column, key] of [['blob', 'used_at', 'digest'], ['unlinked_blob', 'unlinked_at', 'digest'], ['repository_blob', 'created_at', 'repository_id, digest']]) {
        // In the order of the key, as everybody takes these locks; run again should it meet somebody all the same.
        await this.#database.transaction((transaction) => transaction.execute(
          `WITH mine AS (SELECT ${key} FROM ${table} WHERE digest = ANY($1) ORDER BY digest FOR UPDATE)
           UPDATE ${table} SET ${column} = now() - interval '3 hours' WHERE (${key}) IN (SELECT ${key} FROM mine)`, [free]));
      }
    });
  }

  async collect() {
    this.collections += 1;
    await this.#database.execute(`UPDATE garbage_progress SET links_checked_until = '-infinity'`);
    const purge = this.#random.happens(0.6);
    if (purge) this.purges += 1;
    await this.#catalog.collectGarbage({
      graceSeconds: GRACE_SECONDS,
      binBefore: purge ? new Date(Date.now() + 1000) : NEVER,
      removeBytes: async (digest) => {
        // Storage takes its time; so do those who come meanwhile.
        await delay(this.#random.whole(0, 25));
        const removed = await this.#storage.delete(digest);
        this.removed.set(digest, (this.removed.get(digest) ?? 0) + 1);
        return removed;
      },
      onFailure: (digest, error) => this.failures.push(`${digest}: ${error}`),
    });
    if (purge) this.purges += 1;
  }

  /** Blobs that the catalog has and storage does not, in a moment in which nobody changes anything. */
  async missing() {
    const rows = await this.#database.query(`SELECT digest, size FROM blob WHERE state = 'present'`);
    const missing = [];
    for (const { digest, size } of rows) if ((await this.#storage.stat(digest))?.size !== Number(size)) missing.push(digest);
    if (rows.length === 0) throw new Error('nothing is left to look at');
    return missing;
  }

  close() {
    return this.#database.close();
  }
}
