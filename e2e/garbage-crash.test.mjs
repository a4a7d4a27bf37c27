import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { join } from 'node:path';
import { Haven, until } from './haven.mjs';
import { imageOf, randomBlob } from './image/synthetic.mjs';
import { faultsOfTag } from './load/pusher.mjs';
import { PLANTED_BYTES, PlantedGarbage } from './load/planted-garbage.mjs';
import { storedBlobs } from './load/stored-files.mjs';

/** A kill repeats a hundred deletions at most, so these are enough for less than one in a hundred. */
const BLOBS = Number(process.env.HAVEN_E2E_GARBAGE_BLOBS ?? 15_000);
const IMAGES = 10;
const DELETING = 'the bytes of a blob are deleted';

describe(`garbage collection of ${BLOBS} blobs`, () => {
  let haven, oci, garbage, repositories, live, crash;
  /** The digest of every deletion that was asked of storage, in order. */
  const asked = [];
  /** The deletion at which the job service is killed: in the middle of a batch, as likely as not. */
  let killAt = Infinity;

  beforeAll(async () => {
    // Every deletion is a line, written before storage is asked; a pipe keeps it when the process is killed.
    haven = await Haven.start({ env: { HAVEN_LOG_LEVEL: 'debug' }, onLine: (service, line) => { if (service === 'job-service') note(line); } });
    const ann = await haven.user('ann');
    const project = await haven.project({ members: { ann: 'maintainer' } });
    oci = haven.oci(ann);
    repositories = ['a', 'b'].map((name) => `${project}/${name}`);
    live = await pushEverywhere();
    garbage = new PlantedGarbage(haven);
    // Collections begin when this test wants them: the schedule is that of next January.
    await gc('PUT', '/schedule', { schedule: { type: 'Custom', cron: '0 0 0 1 1 *' } }, 200);
  }, 180_000);

  afterAll(async () => {
    await garbage?.close();
    await haven?.stop();
  }, 60_000);

  function note(line) {
    if (!line.includes(DELETING)) return;
    const { message, digest } = JSON.parse(line);
    if (message === DELETING && asked.push(digest) === killAt) crash = haven.crash('job-service');
  }

  /** The same images in both repositories. Resolves to all their blobs. */
  async function pushEverywhere() {
    const digests = new Set();
    for (let index = 0; index < IMAGES; index += 1) {
      const image = imageOf([randomBlob(2000), randomBlob(300)]);
      for (const repository of repositories) await oci.pushImage(repository, `t${index}`, image);
      for (const { digest } of [...image.blobs, image]) digests.add(digest);
    }
    return digests;
  }

  async function gc(method, path, body, wanted) {
    const response = await haven.admin.request(method, `/system/gc${path}`, body);
    const text = await response.text();
    if (response.status !== wanted) throw new Error(`${method} /system/gc${path}: ${response.status} ${text}`);
    return { text, location: response.headers.get('location') };
  }

  async function start() {
    const { location } = await gc('POST', '/schedule', { schedule: { type: 'Manual' } }, 201);
    return `/${location.split('/').at(-1)}`;
  }

  async function look(run) {
    const { job_status: status, job_parameters: parameters } = JSON.parse((await gc('GET', run, undefined, 200)).text);
    return { status, ...JSON.parse(parameters) };
  }

  const purged = (run, count) => until(`${count} blobs being gone`, async () => ((await look(run)).purged_blobs ?? 0) >= count, { seconds: 120, every: 20 });
  const ended = (run, seconds) => until('the end of the run', async () => {
    const state = await look(run);
    return state.status === 'Running' ? undefined : state;
  }, { seconds, every: 50 });

  test('kill -9 half way: another process finishes it, repeats less than 1 %, loses nothing that lives, and counts every byte once', async () => {
    await garbage.plant(BLOBS);
    // Candidates that are no garbage: one repository gave them up, the other one holds them.
    await garbage.giveUp([...live]);
    killAt = Math.floor(BLOBS / 2);
    const run = await start();
    await until('the middle of it', () => crash !== undefined, { seconds: 120, every: 20 });
    await crash;
    const before = asked.length;
    const killed = await look(run);
    expect(killed.status).toBe('Running');
    expect(killed.freed_space).toBe(PLANTED_BYTES * killed.purged_blobs);
    expect([before >= killed.purged_blobs, before < BLOBS * 0.9]).toEqual([true, true]);

    const result = await ended(run, 300);
    const repeated = asked.length - new Set(asked).size;
    console.log(`killed after ${before} deletions, of which ${killed.purged_blobs} were counted; ${asked.length - before} after that, ${repeated} of them (${((100 * repeated) / BLOBS).toFixed(2)} %) for the second time`);
    expect(result).toMatchObject({ status: 'Success', purged_blobs: BLOBS, failed_blobs: 0 });
    expect(new Set(asked)).toEqual(garbage.digests);
    expect(repeated).toBeLessThan(BLOBS / 100);
    // What was deleted but not counted when it was killed was found gone; everything else was counted, once.
    expect(result.absent_blobs).toBeLessThanOrEqual(repeated);
    expect(result.freed_space).toBe(PLANTED_BYTES * (BLOBS - result.absent_blobs));
    expect((await gc('GET', `${run}/log`, undefined, 200)).text).toContain('begun again (attempt 2)');
    await expectAllThatLives();
  }, 480_000);

  test('stops within five seconds of being asked to, in order, and the next run takes the rest', async () => {
    asked.length = 0;
    killAt = Infinity;
    const count = Math.ceil(BLOBS / 2);
    await garbage.plant(count);
    const run = await start();
    await purged(run, 500);
    const begun = performance.now();
    await gc('PUT', run, undefined, 200);
    const stopped = await ended(run, 30);
    const seconds = (performance.now() - begun) / 1000;
    console.log(`stopped after ${seconds.toFixed(2)} s, with ${stopped.purged_blobs} of ${count} blobs gone`);
    expect([stopped.status, seconds < 5]).toEqual(['Stopped', true]);
    expect(await garbage.catalogued('deleting')).toEqual(new Set());
    expect([stopped.purged_blobs < count, (await garbage.stored()).size]).toEqual([true, count - stopped.purged_blobs]);
    expect(stopped.freed_space).toBe(PLANTED_BYTES * stopped.purged_blobs);
    expect(await ended(await start(), 120)).toMatchObject({ status: 'Success', purged_blobs: count - stopped.purged_blobs, freed_space: PLANTED_BYTES * (count - stopped.purged_blobs) });
    expect([asked.length, new Set(asked).size]).toEqual([count, count]);
    await expectAllThatLives();
  }, 300_000);

  async function expectAllThatLives() {
    expect((await garbage.stored()).size).toBe(0);
    const stored = await storedBlobs(join(haven.platform.dataDir, 'storage'));
    expect(stored.faults).toEqual([]);
    expect(await garbage.catalogued('present')).toEqual(stored.digests);
    for (const digest of live) expect(stored.digests).toContain(digest);
    const faults = [];
    for (const repository of repositories) for (let index = 0; index < IMAGES; index += 1) faults.push(...await faultsOfTag(oci, repository, `t${index}`));
    expect(faults).toEqual([]);
  }
});
