import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { runCommand } from './command.mjs';

// Program → the Debian package that brings it. sbin is not in every PATH, so it is searched as well.
const PACKAGES = { 'docker-registry': 'docker-registry', nginx: 'nginx', wrk: 'wrk', curl: 'curl', perl: 'perl-base' };

/** Makes sure that the programs are there. As root on a Debian system it installs what is missing; otherwise it says what to install. */
export async function requirePrograms(session, programs) {
  const missing = programs.filter((program) => programPath(program) === undefined);
  if (missing.length === 0) return;
  const packages = missing.map((program) => PACKAGES[program]).join(' ');
  if (process.getuid?.() !== 0 || programPath('apt-get') === undefined) {
    throw new Error(`The benchmark needs ${missing.join(', ')}. Install them first, on Debian with: sudo apt-get install ${packages}`);
  }
  console.error(`Installing ${packages} …`);
  // policy-rc.d is not touched: RUNLEVEL=1 keeps freshly installed services from being started.
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
  await runCommand(session, 'apt-get', ['update', '-q'], { seconds: 300, env });
  await runCommand(session, 'apt-get', ['install', '-q', '-y', '--no-install-recommends', ...packages.split(' ')], { seconds: 600, env });
  const still = missing.filter((program) => programPath(program) === undefined);
  if (still.length > 0) throw new Error(`${still.join(', ')} is still missing after apt-get install ${packages}`);
}

/** The absolute path of a program, or undefined. */
export function programPath(program) {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/local/sbin', '/usr/sbin', '/sbin'];
  return folders.filter((folder) => folder !== '').map((folder) => join(folder, program)).find(isExecutable);
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
