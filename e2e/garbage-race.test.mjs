import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Haven } from './haven.mjs';
import { CLIENTS, runRace, tooFewMeetings } from './load/race.mjs';

const SECONDS = Number(process.env.HAVEN_E2E_RACE_SECONDS ?? 45);
const SEED = Number(process.env.HAVEN_E2E_RACE_SEED ?? Math.floor(Math.random() * 2 ** 32));

describe(`garbage collection wants the blobs that ${CLIENTS} clients use, for ${SECONDS} seconds`, () => {
  let haven;

  beforeAll(async () => {
    console.log(`The race has the seed ${SEED} (HAVEN_E2E_RACE_SEED=${SEED} makes the same choices; who wins stays a matter of chance).`);
    haven = await Haven.start();
  }, 180_000);

  afterAll(() => haven?.stop(), 60_000);

  test('N-05: no accepted image lacks a blob, no blob is said to exist that does not, nobody gets another error', async () => {
    const { wrong, met } = await runRace(haven, { seconds: SECONDS, seed: SEED, onProgress: console.log });
    expect({ seed: SEED, ...wrong }).toEqual({ seed: SEED, faults: [], missing: [], failures: [] });
    expect(tooFewMeetings(met, SECONDS)).toEqual([]);
  }, (SECONDS + 180) * 1000);
});
