import { chmodSync, existsSync, rmSync, writeFileSync } from 'node:fs';
import { installDebianPackages, mayInstall } from '../../deploy/local/system-packages.mjs';

const POLICY = '/usr/sbin/policy-rc.d';

/**
 * Installs Debian packages whose servers must not start by themselves, where a file that they bring is missing.
 * @param {Record<string, string>} packages path of a file → name of the package
 * @returns {undefined | string} a sentence for people when the files are not there afterwards
 */
export function installQuietly(packages) {
  const missing = () => Object.entries(packages).filter(([path]) => !existsSync(path)).map(([, name]) => name);
  const wanted = missing();
  if (wanted.length === 0) return undefined;
  if (!mayInstall()) return `${wanted.join(', ')} must be installed; run as root on a Debian system, or: apt-get install --no-install-recommends ${wanted.join(' ')}`;
  try {
    withoutStartingServices(() => installDebianPackages(wanted, (line) => console.error(line)));
  } catch (error) {
    return error.message;
  }
  const left = missing();
  return left.length === 0 ? undefined : `installed, but without the expected files: ${left.join(', ')}`;
}

/** Debian asks policy-rc.d before a package starts its server. Ours refuses only while this process lives. */
function withoutStartingServices(install) {
  if (existsSync(POLICY)) return install();
  writeFileSync(POLICY, `#!/bin/sh\nkill -0 ${process.pid} 2>/dev/null && exit 101\nexit 0\n`, { flag: 'wx' });
  chmodSync(POLICY, 0o755);
  try {
    return install();
  } finally {
    rmSync(POLICY, { force: true });
  }
}
