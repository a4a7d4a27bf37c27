import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';
import { growthDuring } from '../../load/memory.mjs';
import { CONFIG, putBlob, writeScope } from '../../load/registry.mjs';
import { PROJECT, startHaven } from '../../peers/haven.mjs';
import { percentile } from '../../report/statistics.mjs';
import { runCommand } from '../../session/command.mjs';
import { checkWhatIsLeft, costOfUntagged } from './check.mjs';
import { Collections } from './collection.mjs';
import { installationOf } from './contents.mjs';
import { seedGarbage } from './seed.mjs';

const PUSHER = fileURLToPath(new URL('../../load/push-latency.mjs', import.meta.url));
const PUSHED = `${PROJECT}/pushed`;
/** Twenty artifacts a second, from two clients. */
const CLIENTS = 2;
const EVERY_MS = 100;
const MIB = 1024 * 1024;

const METRICS = {
  alone: { title: 'garbage, 1 worker (default)', unit: 'blobs/s', better: 'more', targets: [{ atLeast: 500 }] },
  beside: { title: 'garbage, 1 worker, beside pushes', unit: 'blobs/s', better: 'more', targets: [{ atLeast: 500 }] },
  four: { title: 'garbage, 4 workers', unit: 'blobs/s', better: 'more', targets: [{ atLeast: 500 }] },
  cpu: { title: 'garbage, CPU time of the platform', unit: 'ms/blob', better: 'less', targets: [] },
  few: { title: 'untagged artifact, 10 tags in the repository', unit: 'ms', better: 'less', targets: [] },
  many: { title: 'untagged artifact, 100,000 tags', unit: 'ms', better: 'less', targets: [] },
  flat: { title: 'untagged artifact, 100,000 to 10 tags', unit: 'ratio', better: 'less', targets: [{ atMost: 1.2 }] },
  idle: { title: 'push of 1 KiB artifacts, p95, idle', unit: 'ms', better: 'less', targets: [] },
  during: { title: 'push, p95, during collection', unit: 'ms', better: 'less', targets: [] },
  slower: { title: 'push, p95, during to idle', unit: 'ratio', better: 'less', targets: [{ atMost: 1.2 }] },
  stop: { title: 'stopping a collection', unit: 's', better: 'less', targets: [{ atMost: 5 }] },
  growth: { title: 'growth of the job service after the first run', unit: 'MiB', better: 'less', targets: [{ atMost: 64 }] },
};

/**
 * Garbage collection in an installation of `options.garbageBlobs` blobs, on a platform of its own, as an administrator runs
 * it. Resolves to lines for the report: { workload, metric, samples: { haven: one value a round } }.
 */
export async function measureGarbage({ session, options }) {
  const installation = installationOf(options.garbageBlobs);
  const tell = (text) => console.error(`garbage: ${text}`);
  const haven = await startHaven(session, { folder: 'haven-garbage' });
  try {
    const samples = await collectAndMeasure({ session, options, haven, installation, tell });
    return Object.entries(METRICS).map(([key, metric]) => ({ workload: 'garbage', metric: { key, ...metric }, samples: { haven: samples[key] } }));
  } finally {
    // What it still collects would slow down whatever is measured next.
    await haven.stop();
  }
}

async function collectAndMeasure({ session, options, haven, installation, tell }) {
  const collections = new Collections(haven);
  await collections.keepQuiet();
  const bytes = await seedGarbage({ session, haven, installation, tell });
  await putBlob(haven, PUSHED, CONFIG);
  const samples = Object.fromEntries(Object.keys(METRICS).map((key) => [key, []]));
  // Whatever it is about, the first collection makes a fresh process grow once.
  await collectUntagged({ haven, collections, installation, samples, tell });
  const grown = await growthDuring({ service: haven.processes['job-service'] }, async () => {
    await measureRounds({ session, options, haven, collections, samples, tell });
    await collectTheRest({ haven, installation, collections, samples, tell });
  });
  samples.growth.push(grown.service / MIB);
  await checkWhatIsLeft({ haven, collections, installation, bytes });
  return samples;
}

async function collectUntagged({ haven, collections, installation, samples, tell }) {
  const run = await collections.start({ delete_untagged: true });
  await collections.stop(run);
  const { few, many } = await costOfUntagged(haven, installation);
  samples.few.push(few);
  samples.many.push(many);
  samples.flat.push(many / few);
  tell(`an untagged artifact took ${few.toFixed(2)} ms in the repository with 10 tags, ${many.toFixed(2)} ms in the one with 100,000`);
}

/** Pushes alone, pushes beside a collection, a collection alone; again and again, because the machine may have moods. */
async function measureRounds({ session, options, haven, collections, samples, tell }) {
  const seconds = secondsOf(options);
  await pushFor(session, haven, 2);
  for (let round = 0; round < options.rounds; round += 1) {
    await sleep(1000);
    const idle = await pushFor(session, haven, seconds);
    const run = await collections.start();
    let during;
    samples.beside.push(await run.rateDuring(async () => { during = await pushFor(session, haven, seconds); }));
    samples.alone.push(await run.rateDuring(() => sleep(seconds * 500)));
    samples.stop.push(await collections.stop(run));
    samples.idle.push(idle);
    samples.during.push(during);
    samples.slower.push(during / idle);
    const last = (key) => samples[key].at(-1).toFixed(2);
    tell(`${round + 1}/${options.rounds}: ${last('beside')} blobs/s beside pushes, ${last('alone')} alone; p95 of a push ${last('idle')} ms idle, ${last('during')} ms during (${last('slower')}×); stopped after ${last('stop')} s`);
  }
}

/** CPU seconds of all processes. */
function cpuSeconds(haven) {
  return Object.values(haven.cpu()).reduce((sum, used) => sum + used, 0);
}

/** A fraction of the garbage must be enough for all rounds. */
function secondsOf({ garbageBlobs, rounds }) {
  return Math.min(15, Math.max(2, garbageBlobs * 0.00015 / rounds));
}

async function collectTheRest({ haven, installation, collections, samples, tell }) {
  const left = installation.garbage - collections.purged;
  const run = await collections.start({ workers: 4 });
  const begun = await run.look();
  const cpu = cpuSeconds(haven);
  let told = begun.at;
  const ended = await collections.end(run, {
    seconds: 60 + left / 200,
    onLook: ({ purged, at }) => {
      if (at - told < 10_000) return;
      told = at;
      tell(`${purged} of the last ${left} blobs are gone`);
    },
  });
  samples.four.push((ended.purged - begun.purged) / ((ended.at - begun.at) / 1000));
  samples.cpu.push((1000 * (cpuSeconds(haven) - cpu)) / (ended.purged - begun.purged));
}

async function pushFor(session, haven, seconds) {
  const headers = await haven.authorization(writeScope(PUSHED));
  const job = { url: haven.url, repository: PUSHED, headers, clients: CLIENTS, everyMs: EVERY_MS, seconds, prefix: randomBytes(4).toString('hex') };
  const { samples } = JSON.parse(await runCommand(session, process.execPath, [PUSHER], { seconds: seconds + 60, input: JSON.stringify(job) }));
  return percentile(samples, 0.95);
}
