import { readFileSync } from 'node:fs';

/** Resident bytes of a set of processes; a process that is gone is an error, because a service must not die under load. */
export function residentBytes(pids) {
  return pids.reduce((sum, pid) => sum + parseResident(readFileSync(`/proc/${pid}/status`, 'utf8')), 0);
}

/** VmRSS of the text of /proc/<pid>/status, in bytes. */
export function parseResident(status) {
  const found = /^VmRSS:\s+(\d+) kB$/m.exec(status);
  if (found === null) throw new Error('no VmRSS: the process has ended');
  return Number(found[1]) * 1024;
}

/** Resident bytes of every named service. */
export function residentOf(processes) {
  return Object.fromEntries(Object.entries(processes).map(([name, pids]) => [name, residentBytes(pids)]));
}

/** Polls every 100 ms while `work` runs: the greatest growth of every service over the moment before. */
export async function growthDuring(processes, work) {
  const before = residentOf(processes);
  const most = { ...before };
  let failure;
  const look = () => {
    try {
      for (const [name, bytes] of Object.entries(residentOf(processes))) most[name] = Math.max(most[name], bytes);
    } catch (error) {
      failure ??= error;
    }
  };
  const timer = setInterval(look, 100);
  try {
    await work();
  } finally {
    clearInterval(timer);
  }
  look();
  if (failure !== undefined) throw failure;
  return Object.fromEntries(Object.keys(before).map((name) => [name, most[name] - before[name]]));
}
