import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { findProgram, installDebianPackages, mayInstall } from '../deploy/local/system-packages.mjs';

const root = join(import.meta.dirname, '..');

/**
 * Installs the Debian packages that the tests use and that are missing: redis-server, and what `e2e/debian-packages.txt`
 * lists (one name a line, # starts a comment). Only for root on Debian and its relatives; a package that cannot be
 * installed is named, and the tests that need it say so.
 * @param {(message: string) => void} say
 */
export function installTestPackages(say) {
  const wanted = [...(findProgram('redis-server') ? [] : ['redis-server']), ...readList(join(root, 'e2e/debian-packages.txt'))];
  if (wanted.length === 0) return;
  if (!mayInstall()) {
    say(`Not root, or no apt-get here: these packages must be there already: ${wanted.join(', ')}`);
    return;
  }
  const missing = wanted.filter((name) => !isInstalled(name));
  if (missing.length === 0) return;
  try {
    installDebianPackages(missing, say);
  } catch (error) {
    say(error.message);
    if (missing.length > 1) missing.forEach((name) => installOne(name, say));
  }
}

function installOne(name, say) {
  try {
    installDebianPackages([name], say);
  } catch (error) {
    say(error.message);
  }
}

function readList(path) {
  if (!existsSync(path)) return [];
  return readFileSync(path, 'utf8').split('\n').map((line) => line.replace(/#.*/, '').trim()).filter((line) => line !== '');
}

function isInstalled(name) {
  const { status, stdout } = spawnSync('dpkg-query', ['-W', '-f', '${Status}', name], { encoding: 'utf8' });
  return status === 0 && stdout.includes('install ok installed');
}

if (process.argv[1] === import.meta.filename) installTestPackages((message) => console.log(message));
