import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

/**
 * What tells a process from a later one that got the same number.
 * @typedef {{ pid: number, started: string }} ProcessIdentity
 */

/** @returns {ProcessIdentity} of a running process; `started` is empty when there is none */
export function identify(pid) {
  return { pid, started: startOf(pid) };
}

/** Whether the process that was identified earlier is still the one with that number. */
export function isSameProcess({ pid, started }) {
  return started !== '' && startOf(pid) === started;
}

/** Ends a process whose launcher is gone: first by asking, after `seconds` by force. A different process with its number is left alone. */
export async function killOrphan(identity, { signal = 'SIGTERM', seconds = 10 } = {}) {
  if (!send(identity, signal)) return;
  const end = Date.now() + seconds * 1000;
  while (isSameProcess(identity)) {
    if (Date.now() > end) send(identity, 'SIGKILL');
    await delay(50);
  }
}

function send(identity, signal) {
  if (!isSameProcess(identity)) return false;
  try {
    process.kill(identity.pid, signal);
    return true;
  } catch (error) {
    if (error.code === 'ESRCH') return false;
    throw error;
  }
}

function startOf(pid) {
  return process.platform === 'linux' ? startOnLinux(pid) : startByPs(pid);
}

/** Boot and clock tick of the start; a zombie counts as ended. See proc_pid_stat(5), fields 3 and 22. */
function startOnLinux(pid) {
  let stat;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch (error) {
    if (error.code === 'ENOENT' || error.code === 'ESRCH') return '';
    throw error;
  }
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  if (fields[0] === 'Z' || fields[0] === 'X') return '';
  return `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()}/${fields[19]}`;
}

function startByPs(pid) {
  try {
    return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim();
  } catch (error) {
    if (error.status === 1) return '';
    throw error;
  }
}
