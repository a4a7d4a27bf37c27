import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { PROJECT } from '../peers/haven.mjs';
import { renewFile, timePush, writeRandomFile } from '../load/large-blob.mjs';
import { growthDuring, residentOf } from '../load/memory.mjs';
import { readScope } from '../load/registry.mjs';
import { timeDownload } from '../load/curl.mjs';

const REPOSITORY = `${PROJECT}/growth`;
const WARM_UP = 1024 * 1024;
export const GROWTH_LIMIT = 64 * 1024 * 1024;

/**
 * Resident memory of every service: idle, and the most it grows while one large blob is pushed and pulled.
 * This comes before all other workloads: memory that an earlier load left behind would hide growth.
 */
export async function measureGrowth(bench) {
  // A service that has just started still gives back what starting took.
  await sleep(2000);
  const rows = [];
  for (const peer of bench.peers) rows.push({ peer, idle: residentOf(peer.processes), growth: {} });
  const file = join(bench.session.dir, 'growth.bin');
  for (const row of rows) {
    await passThrough(bench, row.peer, file, WARM_UP);
    // nginx passes its bytes through the same Distribution: both are watched.
    row.growth = await growthDuring(row.peer.processes, () => passThrough(bench, row.peer, file, bench.options.growthBytes));
    rmSync(file);
  }
  return rows;
}

async function passThrough(bench, peer, file, size) {
  writeRandomFile(file, size);
  const digest = await renewFile(file);
  await timePush(bench.session, peer, REPOSITORY, { file, size, digest });
  await timeDownload(bench.session, `${peer.url}/v2/${REPOSITORY}/blobs/${digest}`, await peer.authorization(readScope(REPOSITORY)), size);
}
