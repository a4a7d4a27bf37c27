import { resolve } from 'node:path';
import { startDistribution } from './peers/distribution.mjs';
import { startHaven } from './peers/haven.mjs';
import { startNginx } from './peers/nginx.mjs';
import { Profiler } from './profile/profiler.mjs';
import { evaluate } from './report/report.mjs';
import { rotated } from './report/statistics.mjs';
import { build } from './session/build.mjs';
import { requirePrograms } from './session/packages.mjs';
import { busyShare, cpuBetween } from './load/cpu.mjs';
import { residentOf } from './load/memory.mjs';
import { measureGarbage } from './workloads/garbage/garbage.mjs';
import { measureGrowth } from './workloads/growth.mjs';
import { WORKLOADS } from './workloads/index.mjs';
import { measureLists } from './workloads/lists/lists.mjs';
import { measureLogins } from './workloads/logins/logins.mjs';
import { runFullRace } from './workloads/race.mjs';

/** Workloads that start a platform for themselves. */
const OWN_PLATFORM = ['garbage', 'logins', 'race'];

/** Starts the peers, runs the chosen workloads, and gives back { evaluations, memory, lists, logins, race, failures }. */
export async function measureAll(session, options) {
  if ((options.peers.includes('haven') || options.workloads.some((name) => OWN_PLATFORM.includes(name))) && options.build) await build(session);
  const results = { busyBefore: await busyShare(1), samples: [], evaluations: [], memory: [], lists: { rows: [], others: 0 }, logins: { rows: [], others: 0 }, race: undefined, cpu: [], failures: [] };
  if (options.workloads.includes('race')) await guarded(session, results, 'race', async () => { results.race = await runFullRace({ session, options }); });
  if (options.workloads.includes('garbage') && options.peers.includes('haven')) await guarded(session, results, 'garbage', async () => { addSamples(results, await measureGarbage({ session, options })); });
  if (options.workloads.some((name) => !OWN_PLATFORM.includes(name))) await measureBesidePeers(session, options, results);
  if (options.workloads.includes('logins') && options.peers.includes('haven')) await guarded(session, results, 'logins', async () => { results.logins = await measureLogins({ session, options }); });
  return results;
}

async function measureBesidePeers(session, options, results) {
  await requirePrograms(session, ['curl', 'perl', 'wrk', 'docker-registry', 'nginx']);
  const peers = await startPeers(session, options);
  const bench = { session, options, peers, cpu: results.cpu };
  bench.profiler = await attachProfiler(bench);
  if (options.workloads.includes('memory')) await guarded(session, results, 'memory', async () => { results.memory = await measureGrowth(bench); });
  for (const workload of WORKLOADS.filter(({ name }) => options.workloads.includes(name))) {
    await guarded(session, results, workload.name, async () => {
      addSamples(results, await runRounds(bench, workload));
    });
  }
  if (options.workloads.includes('lists')) await guarded(session, results, 'lists', async () => { results.lists = await measureLists(bench); });
  for (const row of results.memory) await guarded(session, results, 'memory', async () => { row.after = residentOf(row.peer.processes); });
}

function addSamples(results, samples) {
  results.samples.push(...samples);
  results.evaluations.push(...samples.map(evaluate));
}

async function startPeers(session, { peers: wanted, profile }) {
  const peers = [];
  if (wanted.includes('haven')) peers.push(await startHaven(session, { inspect: profile }));
  if (!wanted.includes('distribution') && !wanted.includes('nginx')) return peers;
  const distribution = await startDistribution(session);
  if (wanted.includes('distribution')) peers.push(distribution);
  if (wanted.includes('nginx')) peers.push(await startNginx(session, distribution));
  return peers;
}

async function attachProfiler({ session, options, peers }) {
  const haven = peers.find(({ name }) => name === 'haven');
  if (options.profile === undefined || haven === undefined) return undefined;
  return Profiler.attach(session, options.profile, haven.inspector, resolve(options.profileDir));
}

// A workload that fails is reported and the others still run; an interrupted run ends at once.
async function guarded(session, results, name, work) {
  if (session.aborted) return;
  try {
    await work();
  } catch (error) {
    results.failures.push({ workload: name, message: error.message });
    console.error(`${name} FAILED: ${error.message}`);
  }
}

// A B C, B C A, … : neighbours in time are compared, and nobody is always first.
async function runRounds(bench, workload) {
  for (const peer of bench.peers) await workload.prepare(bench, peer);
  const samples = workload.metrics.map((metric) => ({ workload: workload.name, metric, samples: Object.fromEntries(bench.peers.map(({ name }) => [name, []])) }));
  for (let round = 0; round < bench.options.rounds; round++) {
    for (const peer of rotated(bench.peers, round)) {
      const before = peer.cpu();
      const values = await measureOnce(bench, workload, peer, round);
      const cpu = cpuBetween(before, peer.cpu());
      for (const line of samples) line.samples[peer.name].push(values[line.metric.key]);
      bench.cpu.push({ workload: workload.name, peer: peer.name, round, seconds: cpu });
    }
    console.error(progress(workload, round, bench.options.rounds, samples));
  }
  return samples;
}

function measureOnce(bench, workload, peer, round) {
  const measure = () => workload.measure(bench, peer);
  const profiled = bench.profiler !== undefined && peer.name === 'haven' && round === bench.options.rounds - 1;
  return profiled ? bench.profiler.during(workload.name, measure) : measure();
}

function progress(workload, round, rounds, samples) {
  const figures = samples.map(({ metric, samples: values }) => `${metric.key} ${Object.entries(values).map(([peer, list]) => `${peer} ${list.at(-1).toFixed(1)}`).join(', ')}`);
  return `${workload.name} ${round + 1}/${rounds}: ${figures.join('; ')}`;
}
