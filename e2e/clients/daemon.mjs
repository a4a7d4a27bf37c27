import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

/**
 * Starts a server program and waits until `ready` resolves to true.
 * @param {{ command: string, args: string[], log: string, ready: () => Promise<boolean>, seconds?: number }} options `log`: the file that gets its output
 * @returns {Promise<{ pid: number, stop(): Promise<void> }>}
 */
export async function startDaemon({ command, args, log, ready, seconds = 60 }) {
  const sink = openSync(log, 'a');
  const child = spawn(command, args, { stdio: ['ignore', sink, sink], detached: true });
  closeSync(sink);
  let ending;
  const ended = new Promise((resolve) => {
    child.once('error', (error) => resolve((ending = error.message)));
    child.once('exit', (code, signal) => resolve((ending = signal ?? `exit code ${code}`)));
  });
  const end = Date.now() + seconds * 1000;
  while (!(await ready())) {
    if (ending !== undefined || Date.now() > end) {
      child.kill('SIGKILL');
      throw new Error(`${command} did not start (${ending ?? `not ready after ${seconds} s`}).\n${readFileSync(log, 'utf8').split('\n').slice(-20).join('\n')}`);
    }
    await delay(100);
  }
  return { pid: child.pid, stop: () => stop(child, ended) };
}

async function stop(child, ended) {
  child.kill('SIGTERM');
  const late = new AbortController();
  await Promise.race([ended, delay(20_000, undefined, { signal: late.signal }).then(() => child.kill('SIGKILL'), () => undefined)]);
  late.abort();
  await ended;
}
