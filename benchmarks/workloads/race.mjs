import { randomInt } from 'node:crypto';

// Loaded late: the end-to-end parts need the compiled libraries.
const PLATFORM = new URL('../../e2e/haven.mjs', import.meta.url);
const RACE = new URL('../../e2e/load/race.mjs', import.meta.url);

/**
 * The race of the end-to-end tests, at its full length, on a platform of its own: pushes, mounts, deletions and restores
 * of the very blobs that garbage collection wants. Rejects when anything went wrong; otherwise what was met on the way.
 */
export async function runFullRace({ session, options }) {
  const [{ Haven }, { runRace, tooFewMeetings }] = await Promise.all([import(PLATFORM.href), import(RACE.href)]);
  const seed = randomInt(2 ** 32);
  console.error(`race: ${options.raceMinutes} minutes, seed ${seed}`);
  const seconds = options.raceMinutes * 60;
  const haven = await Haven.start();
  session.onClose(() => haven.stop());
  const { wrong, met } = await runRace(haven, { seconds, seed, onProgress: (text) => console.error(`race: ${text}`) }).finally(() => haven.stop());
  const faults = [...wrong.faults, ...wrong.missing.map((digest) => `${digest} is missing`), ...wrong.failures, ...tooFewMeetings(met, seconds)];
  if (faults.length > 0) throw new Error(`seed ${seed}: ${faults.length} faults, first: ${faults[0]}`);
  return { seed, minutes: options.raceMinutes, ...met };
}
