import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Haven } from './haven.mjs';
import { faultOfBlob, faultsOfTag, Ledger, Pusher } from './load/pusher.mjs';
import { storedBlobs } from './load/stored-files.mjs';

const CLIENTS = 8;
/** Rounds for each of the two servers; each takes one to three seconds. */
const ROUNDS = Number(process.env.HAVEN_E2E_CRASH_ROUNDS ?? 50);
const SECONDS = 60 + ROUNDS * 12;

describe(`kill -9 in the middle of parallel pushes, ${ROUNDS} rounds`, () => {
  let haven, ann, project;

  beforeAll(async () => {
    haven = await Haven.start();
    ann = await haven.user('ann');
    project = await haven.project({ members: { ann: 'maintainer' } });
  }, 180_000);

  afterAll(async () => {
    await haven?.stop();
  }, 60_000);

  const killers = {
    registry: () => haven.crash('registry'),
    postgres: async () => {
      // Postgres is many processes: all of them go, as in a power cut.
      const { postgres } = haven.platform;
      const family = [postgres.pid, ...childrenOf(postgres.pid)];
      for (const pid of family) killIfThere(pid);
      await haven.crash('postgres');
    },
  };

  test.each(Object.keys(killers))('N-09: %s is killed: what was confirmed is there, nothing half-written is visible', async (name) => {
    const total = { tags: 0, blobs: 0, retries: 0, killedUnderLoad: 0 };
    const everTried = new Map();
    const repositories = Array.from({ length: CLIENTS }, (_, i) => `${project}/${name}/client-${i}`);
    const oci = haven.oci(ann);
    for (let round = 0; round < ROUNDS; round += 1) {
      const ledger = new Ledger();
      await oneRound(killers[name], repositories, ledger, oci);
      await expectAllConfirmed(ledger, oci, `${name}, round ${round}`);
      total.tags += ledger.tags.size;
      total.blobs += ledger.blobs.size;
      total.retries += ledger.retries;
      if (ledger.retries > 0) total.killedUnderLoad += 1;
      for (const [digest, repository] of ledger.tried) everTried.set(digest, repository);
    }
    await expectNothingHalfWritten(repositories, everTried, oci);
    console.log(`${name}: ${ROUNDS} rounds, ${total.blobs} blobs and ${total.tags} tags confirmed and re-read, ${total.retries} retries, the kill hit requests in ${total.killedUnderLoad} rounds`);
    // A kill that nobody noticed would prove nothing.
    expect(total.killedUnderLoad).toBeGreaterThan(ROUNDS / 2);
  }, SECONDS * 1000);

  /** Clients push without pause; somewhere in the middle the server dies and comes back; each client ends what it began. */
  async function oneRound(kill, repositories, ledger, oci) {
    const killer = (async () => {
      await delay(100 + Math.random() * 500);
      await kill();
    })();
    let killed = false;
    const done = killer.finally(() => (killed = true));
    const clients = repositories.map(async (repository, i) => {
      const pusher = new Pusher(oci, ledger, repository);
      await delay(i * 5);
      do await pusher.pushOne(); while (!killed);
    });
    const results = await Promise.allSettled([done, ...clients]);
    const failed = results.filter((result) => result.status === 'rejected').map((result) => result.reason.message);
    if (failed.length > 0) throw new Error(`clients that retry must succeed:\n${failed.join('\n')}\n${haven.lastLines()}`);
  }

  async function expectAllConfirmed(ledger, oci, what) {
    const faults = [];
    for (const [digest, repository] of ledger.blobs) faults.push(await faultOfBlob(oci, repository, digest));
    for (const { repository, tag, image } of ledger.tags.values()) {
      const response = await oci.getManifest(repository, image.digest);
      const bytes = Buffer.from(await response.arrayBuffer());
      if (response.status !== 200 || !bytes.equals(image.bytes)) faults.push(`${repository}@${image.digest}: ${response.status}`);
      const tagged = await oci.head(repository, 'manifests', tag);
      const points = tagged.headers.get('docker-content-digest');
      // Each client has its own repository, so nobody else moved the tag.
      if (points !== image.digest) faults.push(`${repository}:${tag} names ${points}, confirmed was ${image.digest}`);
    }
    expect({ what, faults: faults.filter(Boolean) }).toEqual({ what, faults: [] });
  }

  async function expectNothingHalfWritten(repositories, tried, oci) {
    const faults = [];
    for (const repository of repositories) {
      const { tags } = await oci.tags(repository, 1000);
      expect(tags.length).toBeGreaterThan(0);
      for (const tag of tags) faults.push(...await faultsOfTag(oci, repository, tag));
    }
    for (const [digest, repository] of tried) {
      const head = await oci.head(repository, 'blobs', digest);
      if (head.status === 200) faults.push(await faultOfBlob(oci, repository, digest));
      else if (head.status !== 404) faults.push(`HEAD ${repository}@${digest}: ${head.status}`);
    }
    const stored = await storedBlobs(join(haven.platform.dataDir, 'storage'));
    expect([...faults.filter(Boolean), ...stored.faults]).toEqual([]);
    expect(stored.digests.size).toBeGreaterThan(0);
  }
});

function childrenOf(pid) {
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name)).filter((name) => parentOf(name) === pid).map(Number);
}

function parentOf(pid) {
  try {
    return Number(/^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
  } catch {
    return undefined; // it ended while we looked
  }
}

function killIfThere(pid) {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if (error.code !== 'ESRCH') throw error;
  }
}
