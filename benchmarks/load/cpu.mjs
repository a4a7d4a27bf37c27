import { readFileSync, readdirSync } from 'node:fs';

// USER_HZ: what Linux counts process times in, on every architecture that Node supports.
const TICKS_PER_SECOND = 100;

/** CPU seconds (user and system) that every named service has used so far, ended children included. */
export function cpuOf(processes) {
  return Object.fromEntries(Object.entries(processes).map(([name, pids]) => [name, pids.reduce((sum, pid) => sum + cpuSeconds(pid), 0)]));
}

/** CPU seconds used between two readings of cpuOf. */
export function cpuBetween(before, after) {
  return Object.fromEntries(Object.keys(after).map((name) => [name, after[name] - (before[name] ?? 0)]));
}

function cpuSeconds(pid) {
  return parseTicks(readFileSync(`/proc/${pid}/stat`, 'utf8')) / TICKS_PER_SECOND;
}

/** utime + stime + cutime + cstime of /proc/<pid>/stat. The second field may hold spaces and brackets. */
export function parseTicks(stat) {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields.slice(11, 15).reduce((sum, text) => sum + Number(text), 0);
}

/** A process and all that descend from it, as they are now. */
export function familyOf(pid) {
  const children = readdirSync(`/proc/${pid}/task`).flatMap((task) => readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number));
  return [pid, ...children.flatMap(familyOf)];
}

/** The share (0..1) of all cores that was busy during `seconds`. */
export async function busyShare(seconds) {
  const before = machineTime();
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  const after = machineTime();
  return 1 - (after.idle - before.idle) / (after.all - before.all);
}

/** Ticks of all cores together until now. */
export function machineTime() {
  return totals(readFileSync('/proc/stat', 'utf8'));
}

/** The share (0..1) of all cores that was used between two readings by others than those who used `ownSeconds`. */
export function othersShare(before, after, ownSeconds) {
  const all = after.all - before.all;
  const busy = all - (after.idle - before.idle);
  return Math.max(0, busy - ownSeconds * TICKS_PER_SECOND) / all;
}

function totals(stat) {
  const ticks = stat.split('\n', 1)[0].split(/\s+/).slice(1, 9).map(Number);
  return { idle: ticks[3] + ticks[4], all: ticks.reduce((sum, value) => sum + value, 0) };
}
