import { chmodSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { identify, isSameProcess, killOrphan } from '../../deploy/local/process-identity.mjs';

const PREFIX = 'haven-test-services-';
const RECORD = 'processes.json';

/**
 * Makes a temporary folder for the servers of a test run, after it has ended and removed what earlier runs left behind
 * that were killed before their tear-down. System users of servers may pass through it.
 */
export async function createRunFolder() {
  await sweep();
  const folder = mkdtempSync(join(tmpdir(), PREFIX));
  chmodSync(folder, 0o711);
  recordProcesses(folder, []);
  return folder;
}

/** Notes which processes live in the folder, for the sweep of a later run. */
export function recordProcesses(folder, pids) {
  const content = { owner: identify(process.pid), children: pids.map((pid) => identify(pid)) };
  const path = join(folder, RECORD);
  writeFileSync(`${path}.new`, JSON.stringify(content), { mode: 0o600 });
  renameSync(`${path}.new`, path); // another run that sweeps now reads all of it or nothing
}

async function sweep() {
  for (const name of readdirSync(tmpdir()).filter((entry) => entry.startsWith(PREFIX))) {
    const folder = join(tmpdir(), name);
    const record = read(join(folder, RECORD));
    if (record === undefined || isSameProcess(record.owner)) continue;
    for (const child of record.children) await killOrphan(child, { signal: 'SIGINT' });
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Undefined when the folder is just being made, or removed by somebody else. */
function read(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  }
}
