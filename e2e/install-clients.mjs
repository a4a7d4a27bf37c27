import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

/** A program the flows drive, and the Debian package that brings it. */
const PACKAGES = {
  '/usr/sbin/dockerd': 'docker.io',
  '/usr/bin/podman': 'podman',
  '/usr/bin/skopeo': 'skopeo',
  '/usr/bin/buildah': 'buildah',
  '/usr/bin/ctr': 'containerd',
  '/usr/sbin/runc': 'runc',
  '/usr/bin/crun': 'crun',
  '/usr/sbin/debootstrap': 'debootstrap',
  '/usr/sbin/iptables': 'iptables',
  '/usr/bin/openssl': 'openssl',
  '/etc/ssl/certs/ca-certificates.crt': 'ca-certificates',
};

/** The packages that are not there yet. */
export function missingPackages() {
  return Object.entries(PACKAGES).filter(([path]) => !existsSync(path)).map(([, name]) => name);
}

/**
 * Installs the real clients that the end-to-end flows drive, from Debian's own packages. Does nothing when all are there.
 * @returns {{ installed: string[], problem?: string }} `problem` is a sentence for people: why there are no clients here.
 */
export function installClients() {
  const missing = missingPackages();
  if (missing.length === 0) return { installed: [] };
  const problem = obstacle(missing);
  if (problem) return { installed: [], problem };
  try {
    installDebianPackages(missing);
  } catch (error) {
    return { installed: [], problem: error.message };
  }
  const left = missingPackages();
  return left.length === 0 ? { installed: missing } : { installed: missing, problem: `installed, but without the expected programs: ${left.join(', ')}` };
}

/** Installs Debian packages; throws with a sentence for people when that fails. */
export function installDebianPackages(names) {
  try {
    apt(['update', '-q']);
    apt(['install', '-y', '-q', '--no-install-recommends', ...names]);
  } catch (error) {
    throw new Error(`apt-get could not install ${names.join(', ')}: ${lastLines(error)}`, { cause: error });
  }
}

function obstacle(missing) {
  if (process.platform !== 'linux' || !existsSync('/usr/bin/apt-get')) {
    return `the flows with real clients need a Debian system; install ${missing.join(', ')} to run them here`;
  }
  if (process.getuid() !== 0) return `run as root, or run: apt-get install --no-install-recommends ${missing.join(' ')}`;
  return undefined;
}

function apt(args) {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  execFileSync('apt-get', ['-o', 'DPkg::Lock::Timeout=120', ...args], { env, stdio: ['ignore', 'pipe', 'pipe'], timeout: 600_000, maxBuffer: 64 << 20 });
}

function lastLines(error) {
  return String(error.stderr || error.message).trim().split('\n').slice(-3).join(' ');
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const { installed, problem } = installClients();
  console.log(problem ?? (installed.length > 0 ? `installed ${installed.join(', ')}` : 'all clients are installed'));
  if (problem) process.exitCode = 1;
}
