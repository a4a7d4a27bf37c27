import { join } from 'node:path';
import { Catalog } from '@haven/catalog';
import { createDatabase } from '@haven/database';
import { openStorage } from '@haven/storage';

const NEVER = new Date(0);

/** Garbage collection as the job service does it, but now and without a grace time. */
export class GarbageCollection {
  #database;
  #catalog;
  #storage;

  /** @param {import('../haven.mjs').Haven} haven with its storage in files */
  constructor(haven) {
    this.#database = createDatabase({ url: haven.platform.databaseUrl, poolSize: 2 });
    this.#catalog = new Catalog(this.#database);
    this.#storage = openStorage(`file://${join(haven.folder, 'data', 'storage')}`, {});
  }

  /** @param {{ purge: boolean }} options `purge`: what is in the bin goes for good */
  async run({ purge }) {
    const failures = [];
    const collected = await this.#catalog.collectGarbage({
      graceSeconds: 0,
      binBefore: purge ? new Date(Date.now() + 1000) : NEVER,
      removeBytes: (digest) => this.#storage.delete(digest),
      onFailure: (digest, error) => failures.push(`${digest}: ${error}`),
    });
    if (failures.length > 0) throw new Error(`garbage collection failed for ${failures.join(', ')}`);
    return collected;
  }

  /** What the project uses, counted from scratch; bytes. */
  recount(projectId) {
    return this.#catalog.recomputeUsage(projectId);
  }

  close() {
    return this.#database.close();
  }
}
