import { writeFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';
import { GROWTH_LIMIT } from '../workloads/growth.mjs';
import { cpuTable, listTable, listVerdict, loginTable, loginVerdict, memoryTable, speedTable, verdictText } from './report.mjs';
import { figure } from './table.mjs';

/** The share of the machine that others may use without making the figures doubtful. */
const BUSY = 0.15;

/** Prints the tables, the missed targets and the failed workloads. */
export function printReport({ busyBefore, evaluations, memory, lists, logins, race, cpu, failures }, options) {
  console.log(`\n${machine()}; medians of ${options.rounds} alternating rounds; ratios above 1 mean that Haven is better`);
  if (busyBefore > BUSY) console.log(`The machine was ${Math.round(100 * busyBefore)} % busy with other things before the run: repeat it when it is idle.`);
  if (evaluations.length > 0) console.log(`\n${speedTable(evaluations).join('\n')}`);
  const rows = memoryRows(memory);
  if (rows.length > 0) console.log(`\n${memoryTable(rows, GROWTH_LIMIT, options.growthBytes).join('\n')}`);
  if (lists.rows.length > 0) {
    console.log(`\n${listTable(lists.rows).join('\n')}`);
    console.log(`Milliseconds; CPU ms: what the whole platform worked for one answer. Others used ${Math.round(100 * lists.others)} % of the machine while these were measured.`);
  }
  if (logins.rows.length > 0) {
    console.log(`\n${loginTable(logins.rows).join('\n')}`);
    console.log(`Milliseconds, over all rounds; CPU ms: what the whole platform, without the directory, worked for one login. Others, the directory among them, used ${Math.round(100 * logins.others)} % of the machine meanwhile.`);
  }
  if (race !== undefined) console.log(`\n${raceText(race)}`);
  if (options.cpu && cpu.length > 0) console.log(`\n${cpuTable(cpu).join('\n')}`);
  const missed = evaluations.flatMap(({ metric, verdicts }) => verdicts.filter(({ met }) => met === false).map((verdict) => `${metric.title}: ${verdictText([verdict])}`));
  missed.push(...lists.rows.filter((row) => !listVerdict(row).met).map((row) => `${row.title} as ${row.as}: p95 ${figure(row.one.p95)} ms, ${verdictText([listVerdict(row)])}`));
  missed.push(...logins.rows.filter((row) => !loginVerdict(row).met).map((row) => `${row.title}, ${row.as}: p95 ${figure(row.one.p95)} and ${figure(row.eight.p95)} ms, ${verdictText([loginVerdict(row)])}`));
  if (missed.length > 0) console.log(`\nMissed targets:\n${missed.map((text) => `  ${text}`).join('\n')}`);
  if (failures.length > 0) console.log(`\nFailed workloads:\n${failures.map(({ workload, message }) => `  ${workload}: ${message}`).join('\n')}`);
}

function raceText({ minutes, seed, ...met }) {
  const counts = Object.entries(met).map(([what, count]) => `${what} ${count}`).join(', ');
  return `The race of ${minutes} minutes (seed ${seed}) found no image without its blobs and no blob said to exist that does not: ${counts}.`;
}

function memoryRows(memory) {
  return memory.flatMap(({ peer, idle, after, growth }) => Object.keys(idle).map((service) => (
    { peer: peer.name, service, idle: idle[service], after: after?.[service], growth: growth[service] })));
}

function machine() {
  return `${cpus().length} × ${cpus()[0].model}, ${Math.round(totalmem() / 1024 ** 3)} GiB, Linux ${release()}, Node ${process.versions.node}`;
}

/** Every sample, for comparing runs. */
export function writeJson(file, { busyBefore, samples, evaluations, memory, lists, logins, race, cpu, failures }, options) {
  const report = {
    machine: machine(), at: new Date().toISOString(), rounds: options.rounds, quick: options.quick,
    samples: samples.map(({ workload, metric, samples: values }) => ({ workload, metric: metric.key, title: metric.title, unit: metric.unit, samples: values })),
    lines: evaluations.map(({ metric, medians, ratios, verdicts }) => ({ title: metric.title, medians, ratios, verdicts })),
    busyBefore, memory: memoryRows(memory), lists, logins, race, cpu, failures,
  };
  writeFileSync(file, `${JSON.stringify(report, undefined, 2)}\n`);
}
