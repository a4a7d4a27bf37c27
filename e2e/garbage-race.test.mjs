import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { setTimeout as delay } from 'node:timers/promises';
import { Haven } from './haven.mjs';
import { BlobsInUse, GarbageRace } from './load/garbage-race.mjs';
import { RaceClient, RaceLedger, sharedLayers } from './load/race-client.mjs';
import { Random } from './model/random.mjs';

const SECONDS = Number(process.env.HAVEN_E2E_RACE_SECONDS ?? 45);
const SEED = Number(process.env.HAVEN_E2E_RACE_SEED ?? Math.floor(Math.random() * 2 ** 32));
const CLIENTS = 10;
const LAYERS = 24;
const REPOSITORIES = 3;

describe(`garbage collection wants the blobs that ${CLIENTS} clients use, for ${SECONDS} seconds`, () => {
  let haven, race, parts;
  const ledger = new RaceLedger();
  const inUse = new BlobsInUse();

  beforeAll(async () => {
    console.log(`The race has the seed ${SEED} (HAVEN_E2E_RACE_SEED=${SEED} makes the same choices; who wins stays a matter of chance).`);
    haven = await Haven.start();
    const ann = await haven.user('ann');
    const project = await haven.project({ members: { ann: 'maintainer' } });
    const random = new Random(SEED);
    race = new GarbageRace(haven, random);
    const oci = haven.oci(ann);
    const repositories = Array.from({ length: REPOSITORIES }, (_, index) => `${project}/race-${index}`);
    parts = { oci, project, repositories, layers: sharedLayers(LAYERS, random), random, ledger, inUse, race, headers: oci.basic() };
  }, 180_000);

  afterAll(async () => {
    await race?.close();
    await haven?.stop();
  }, 60_000);

  test('N-05: no accepted image lacks a blob, no blob is said to exist that does not, nobody gets another error', async () => {
    const end = Date.now() + SECONDS * 1000;
    const running = () => Date.now() < end && ledger.faults.length === 0;
    const clients = Array.from({ length: CLIENTS }, (_, index) => new RaceClient(`c${index}`, parts));
    const digests = parts.layers.map(({ digest }) => digest);
    const repeat = async (work) => { while (running()) await work(); };
    const all = [
      ...clients.map((client) => repeat(() => client.step())),
      ...[1, 2].map(() => repeat(() => race.collect())),
      repeat(async () => {
        await race.age(parts.random.some(digests, LAYERS / 4), inUse);
        await delay(parts.random.whole(0, 10));
      }),
    ].map((work) => work.catch((error) => ledger.faults.push(error.message)));
    await Promise.all(all);
    expect({ seed: SEED, ...(await everythingThatIsWrong(clients[0])) }).toEqual({ seed: SEED, faults: [], missing: [], failures: [] });
    expectThatTheyMet(digests);
  }, (SECONDS + 180) * 1000);

  async function everythingThatIsWrong(client) {
    for (const digest of ledger.live.keys()) await client.pullWhole(digest);
    return { faults: ledger.faults, missing: await race.missing(), failures: race.failures };
  }

  /** A race in which nobody met anybody would prove nothing. */
  function expectThatTheyMet(digests) {
    const removed = digests.reduce((sum, digest) => sum + (race.removed.get(digest) ?? 0), 0);
    console.log(`${race.collections} collections removed shared layers ${removed} times; ${JSON.stringify(ledger.counts)}; ${ledger.live.size} images whole at the end`);
    const { accepted, refused, restored, mounted, looked, pulled, pushedAgain } = ledger.counts;
    expect(removed).toBeGreaterThan(SECONDS / 3);
    expect(refused).toBeGreaterThan(SECONDS / 15);
    for (const count of [accepted, looked, pulled]) expect(count).toBeGreaterThan(SECONDS / 4);
    // Only whom a deletion and a purge of the bin both overtake has to send again what it was told is there.
    expect(pushedAgain).toBeLessThan(accepted / 20);
    expect(mounted).toBeGreaterThan(0);
    expect(restored).toBeGreaterThan(0);
  }
});
