import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { compareAll } from './model/comparison.mjs';
import { collectGarbage, createTag, deleteArtifact, deleteManifest, deleteRepository, deleteTag, restore, rollBack } from './model/delete-steps.mjs';
import { changeMember, changeQuota, changeVisibility } from './model/project-steps.mjs';
import { mount, push, retag } from './model/push-steps.mjs';
import { Random } from './model/random.mjs';
import { World } from './model/world.mjs';

const STEPS = Number(process.env.HAVEN_E2E_MODEL_STEPS ?? 3000);
const SEED = Number(process.env.HAVEN_E2E_MODEL_SEED ?? Math.floor(Math.random() * 2 ** 32));
const COMPARED_EVERY = 100;

const KINDS = { push, retag, mount, createTag, deleteTag, deleteArtifact, deleteManifest, deleteRepository, restore, rollBack, changeMember, changeVisibility, changeQuota, collectGarbage };
const WEIGHTS = {
  push: 26, retag: 8, mount: 8, createTag: 6, deleteTag: 6, deleteArtifact: 7, deleteManifest: 3, deleteRepository: 2, restore: 9, rollBack: 5,
  changeMember: 8, changeVisibility: 2, changeQuota: 5, collectGarbage: 3,
};

let world;
beforeAll(async () => {
  console.log(`The random history has the seed ${SEED} (HAVEN_E2E_MODEL_SEED=${SEED} repeats it).`);
  world = await World.start(new Random(SEED));
}, 180_000);
afterAll(() => world?.stop(), 60_000);

test(`the server and a small model agree over ${STEPS} random steps`, async () => {
  const last = [];
  const counts = {};
  for (let step = 1; step <= STEPS; step += 1) {
    const kind = world.random.weighted(WEIGHTS);
    counts[kind] = (counts[kind] ?? 0) + 1;
    try {
      last.push(`${step}. ${await KINDS[kind](world)}`);
      if (last.length > 30) last.shift();
      if (step % COMPARED_EVERY === 0 || step === STEPS) await compareAll(world);
    } catch (error) {
      throw new Error(`seed ${SEED}, step ${step} (${kind}): ${error.message}\nbefore it:\n${last.join('\n')}`, { cause: error });
    }
  }
  console.log(`steps: ${JSON.stringify(counts)}`);
  expect(Object.keys(counts).sort()).toEqual(Object.keys(KINDS).sort());
}, 1_200_000);
