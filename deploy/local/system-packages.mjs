import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Where `name` is found on the PATH, or undefined. */
export function findProgram(name) {
  return (process.env.PATH ?? '').split(delimiter).filter((folder) => folder !== '').map((folder) => join(folder, name)).find(isExecutable);
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'EACCES'].includes(error.code)) return false;
    throw error;
  }
}

/** Makes sure that a program is there; on Debian and its relatives root gets it installed. */
export function ensureProgram(program, debianPackage, say) {
  if (findProgram(program) !== undefined) return;
  if (mayInstall()) installDebianPackages([debianPackage], say);
  if (findProgram(program) === undefined) {
    throw new Error(`${program} was not found. Install it and start again (Debian, Ubuntu: sudo apt-get install ${debianPackage}; macOS: brew install ${program.replace('-server', '')}).`);
  }
}

/** Whether this process may install Debian packages: it is root, and apt-get is there. */
export function mayInstall() {
  return process.getuid?.() === 0 && findProgram('apt-get') !== undefined;
}

/** Installs Debian packages without questions; throws with apt's last words when that fails. */
export function installDebianPackages(packages, say) {
  say(`Installing ${packages.join(', ')} (apt-get) …`);
  const install = ['install', '--yes', '--no-install-recommends', ...packages];
  if (apt(install).status === 0) return;
  apt(['update']); // its failure shows in the second try
  const { status, stderr } = apt(install);
  if (status !== 0) throw new Error(`apt-get could not install ${packages.join(', ')}: ${String(stderr).trim().split('\n').slice(-5).join('\n')}`);
}

function apt(args) {
  return spawnSync('apt-get', ['-o', 'DPkg::Lock::Timeout=120', ...args], {
    stdio: ['ignore', 'ignore', 'pipe'], timeout: 10 * 60_000, env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  });
}
