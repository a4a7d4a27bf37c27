import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { checkBody, MANIFEST_TYPE, readScope, sha256 } from '../../load/registry.mjs';
import { PROJECT } from '../../peers/haven.mjs';

const BLOBS = 'docker/registry/v2/blobs/sha256';

async function withClient(haven, work) {
  const client = new pg.Client({ connectionString: haven.databaseUrl, statement_timeout: 120_000 });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** Milliseconds from one deletion of an untagged artifact to the next, in each repository: the bin has the time of each. */
export function costOfUntagged(haven, { repositories, untagged }) {
  return withClient(haven, async (client) => {
    const costs = [];
    for (const { name } of repositories) {
      const { rows: [row] } = await client.query(
        `SELECT count(*)::int AS count, extract(epoch FROM max(deleted_at) - min(deleted_at)) AS seconds FROM bin_entry WHERE kind = 'artifact' AND repository = $1`, [`${PROJECT}/${name}`]);
      if (row.count !== untagged) throw new Error(`${row.count} untagged artifacts of ${name} were deleted instead of ${untagged}`);
      costs.push((1000 * Number(row.seconds)) / (untagged - 1));
    }
    return { few: costs[0], many: costs[1] };
  });
}

/** Everything that was garbage is gone, to the byte; everything else is there. */
export async function checkWhatIsLeft({ haven, collections, installation, bytes }) {
  if (collections.purged !== installation.garbage || collections.freed !== bytes) {
    throw new Error(`${collections.purged} blobs with ${collections.freed} bytes were freed instead of ${installation.garbage} with ${bytes}`);
  }
  const known = await withClient(haven, async (client) => new Set((await client.query(`SELECT substr(digest, 8) AS hex FROM blob WHERE state = 'present'`)).rows.map(({ hex }) => hex)));
  let stored = 0;
  for (const shard of await readdir(join(haven.storageDir, BLOBS))) {
    for (const hex of await readdir(join(haven.storageDir, BLOBS, shard))) {
      if (!known.has(hex)) throw new Error(`the bytes of ${hex} are still there`);
      stored += 1;
    }
  }
  if (stored !== known.size) throw new Error(`storage has ${stored} blobs, the catalog ${known.size}`);
  for (const { name, tagged } of installation.repositories) {
    const headers = { ...await haven.authorization(readScope(`${PROJECT}/${name}`)), accept: MANIFEST_TYPE };
    await checkBody(haven, `${haven.url}/v2/${PROJECT}/${name}/manifests/v0000000`, headers, sha256(`${name} manifest 1`));
    await checkBody(haven, `${haven.url}/v2/${PROJECT}/${name}/blobs/${sha256(`${name} layer ${tagged}`)}`, headers, sha256(`${name} layer ${tagged}`));
  }
}
