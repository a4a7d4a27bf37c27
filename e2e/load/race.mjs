import { setTimeout as delay } from 'node:timers/promises';
import { Random } from '../model/random.mjs';
import { BlobsInUse, GarbageRace } from './garbage-race.mjs';
import { RaceClient, RaceLedger, sharedLayers } from './race-client.mjs';

export const CLIENTS = 10;
const LAYERS = 24;
const REPOSITORIES = 3;
const COLLECTORS = 2;

/**
 * Clients push, mount, delete, restore and read the very blobs that garbage collection wants just then; everything that
 * is left is read once more at the end. The seed makes the same choices; who wins stays a matter of chance.
 *
 * @param {import('../haven.mjs').Haven} haven a platform with its storage in files
 * @param {{ seconds: number, seed: number, onProgress?: (text: string) => void, every?: number }} options `every`: seconds between two progress lines
 * @returns `wrong`: images that lack a blob, blobs said to exist that do not, failed deletions, answers nobody expected;
 *   `met`: how often they got in each other's way
 */
export async function runRace(haven, { seconds, seed, onProgress = () => undefined, every = 60 }) {
  const ledger = new RaceLedger();
  const inUse = new BlobsInUse();
  const random = new Random(seed);
  const ann = await haven.user('ann');
  const project = await haven.project({ members: { ann: 'maintainer' } });
  const race = new GarbageRace(haven, random);
  try {
    const oci = haven.oci(ann);
    const repositories = Array.from({ length: REPOSITORIES }, (_, index) => `${project}/race-${index}`);
    const layers = sharedLayers(LAYERS, random);
    const digests = layers.map(({ digest }) => digest);
    const clients = Array.from({ length: CLIENTS }, (_, index) => (
      new RaceClient(`c${index}`, { oci, project, repositories, layers, random, ledger, inUse, race, headers: oci.basic() })));

    const end = Date.now() + seconds * 1000;
    const repeat = async (work) => { while (Date.now() < end && ledger.faults.length === 0) await work(); };
    const report = setInterval(() => onProgress(summary(race, ledger, digests)), every * 1000);
    await Promise.all([
      ...clients.map((client) => repeat(() => client.step())),
      ...Array.from({ length: COLLECTORS }, () => repeat(() => race.collect())),
      repeat(async () => {
        await race.age(random.some(digests, LAYERS / 4), inUse);
        await delay(random.whole(0, 10));
      }),
    ].map((work) => work.catch((error) => ledger.faults.push(error.stack)))).finally(() => clearInterval(report));

    for (const digest of ledger.live.keys()) await clients[0].pullWhole(digest);
    onProgress(summary(race, ledger, digests));
    return {
      wrong: { faults: ledger.faults, missing: await race.missing(), failures: race.failures },
      met: { ...ledger.counts, collections: race.collections, removed: removedOf(race, digests), live: ledger.live.size },
    };
  } finally {
    await race.close();
  }
}

/**
 * A race in which nobody met anybody would prove nothing: what of `met` is too little for so many seconds, or too much.
 *
 * @returns {string[]} sentences; none when the race proves something
 */
export function tooFewMeetings({ removed, accepted, refused, restored, mounted, looked, pulled, pushedAgain }, seconds) {
  const least = { removed: seconds / 3, refused: seconds / 15, accepted: seconds / 4, looked: seconds / 4, pulled: seconds / 4, mounted: 0, restored: 0 };
  const counts = { removed, refused, accepted, looked, pulled, mounted, restored };
  const few = Object.entries(least).filter(([name, bound]) => !(counts[name] > bound)).map(([name, bound]) => `${name}: ${counts[name]}, and more than ${bound} are expected`);
  // Only whom a deletion and a purge of the bin both overtake has to send again what it was told is there.
  return pushedAgain < accepted / 20 ? few : [...few, `${pushedAgain} of ${accepted} images were pushed again`];
}

const removedOf = (race, digests) => digests.reduce((sum, digest) => sum + (race.removed.get(digest) ?? 0), 0);

function summary(race, ledger, digests) {
  return `${race.collections} collections removed shared layers ${removedOf(race, digests)} times; ${JSON.stringify(ledger.counts)}; ${ledger.live.size} images live; ${ledger.faults.length} faults`;
}
