import { createHash } from 'node:crypto';
import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createDatabase } from '@haven/database';

const BLOBS = 'docker/registry/v2/blobs/sha256';
/** Bytes of each planted blob. */
export const PLANTED_BYTES = 64;

/** What nobody needs, thousands of it, as deletions of a day ago have left it: in the catalog and in storage. */
export class PlantedGarbage {
  /** Of everything that was planted. */
  digests = new Set();
  #database;
  #root;

  /** @param {import('../haven.mjs').Haven} haven with its storage in files */
  constructor(haven) {
    this.#database = createDatabase({ url: haven.platform.databaseUrl, poolSize: 2 });
    this.#root = join(haven.platform.dataDir, 'storage', BLOBS);
  }

  async plant(count) {
    const digests = Array.from({ length: count }, () => this.#store(`planted ${this.digests.size} `.padEnd(PLANTED_BYTES, '.')));
    await this.#database.execute(`INSERT INTO blob (digest, size, used_at) SELECT digest, $2, now() - interval '1 day' FROM unnest($1::text[]) AS digest`, [digests, PLANTED_BYTES]);
    await this.giveUp(digests);
  }

  /** Notes that a repository gave these up a day ago; another one may hold them. */
  async giveUp(digests) {
    await this.#database.execute(`UPDATE blob SET used_at = now() - interval '1 day' WHERE digest = ANY($1)`, [digests]);
    await this.#database.execute(
      `INSERT INTO unlinked_blob (digest, unlinked_at) SELECT digest, now() - interval '1 day' + place * interval '1 ms' FROM unnest($1::text[]) WITH ORDINALITY AS given_up (digest, place)`, [digests]);
  }

  /** What of it is still in storage. */
  async stored() {
    const stored = new Set();
    for (const shard of await readdir(this.#root)) for (const hex of await readdir(join(this.#root, shard))) if (this.digests.has(`sha256:${hex}`)) stored.add(`sha256:${hex}`);
    return stored;
  }

  /** What the catalog knows, in each state: digests. */
  async catalogued(state) {
    const rows = await this.#database.query('SELECT digest FROM blob WHERE state = $1', [state]);
    return new Set(rows.map(({ digest }) => digest));
  }

  close() {
    return this.#database.close();
  }

  #store(content) {
    const hex = createHash('sha256').update(content).digest('hex');
    const place = join(this.#root, hex.slice(0, 2), hex);
    mkdirSync(place, { recursive: true, mode: 0o700 });
    const file = openSync(join(place, 'data'), 'wx', 0o600);
    writeSync(file, content);
    closeSync(file);
    this.digests.add(`sha256:${hex}`);
    return `sha256:${hex}`;
  }
}
