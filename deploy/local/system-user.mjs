import { execFileSync } from 'node:child_process';
import { lstatSync, readFileSync, readdirSync, lchownSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

const NAME = 'haven-postgres';

/**
 * Postgres refuses to run as root. Root therefore runs it as a system user of its own (created on first use), which
 * owns the database folder; anybody else runs it as themselves.
 * @returns {{ uid?: number, gid?: number }}
 */
export function databaseUser() {
  if (process.getuid?.() !== 0) return {};
  const user = lookUp(NAME) ?? create();
  if (user === undefined) {
    throw new Error(`Postgres does not run as root, and the system user '${NAME}' could not be created. `
      + `Create it (useradd --system ${NAME}), run as another user, or set HAVEN_DATABASE_URL to a database of yours.`);
  }
  return user;
}

function lookUp(name) {
  const line = readFileSync('/etc/passwd', 'utf8').split('\n').find((entry) => entry.startsWith(`${name}:`));
  if (line === undefined) return undefined;
  const [, , uid, gid] = line.split(':');
  return { uid: Number(uid), gid: Number(gid) };
}

function create() {
  try {
    execFileSync('useradd', ['--system', '--user-group', '--no-create-home', '--home-dir', '/nonexistent',
      '--shell', '/usr/sbin/nologin', NAME], { stdio: 'pipe', timeout: 20_000 });
  } catch (error) {
    // Two starts at once: the other one created it. Any other reason shows as an absent user.
    if (lookUp(NAME) === undefined) console.error(`useradd: ${String(error.stderr ?? error.message).trim()}`);
  }
  return lookUp(NAME);
}

/** Gives a folder and all that is in it to `user`; links are not followed. */
export function giveTo(folder, { uid, gid }) {
  if (uid === undefined) return;
  lchownSync(folder, uid, gid);
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    const path = join(entry.parentPath, entry.name);
    if (lstatSync(path).uid !== uid) lchownSync(path, uid, gid);
  }
}

/**
 * The command that runs `program` as `user`. When a folder above one of `paths` is closed to that user (a clone below
 * root's 0700 home, say), the program gets the one capability that lets it look through closed folders.
 */
export function commandAs(user, program, args, paths) {
  if (user.uid === undefined) return { command: program, args };
  const closed = paths.map(closedFolder).find((folder) => folder !== undefined);
  if (closed === undefined) return { command: program, args, ...user };
  const capability = availableCapability();
  if (capability === undefined) {
    throw new Error(`The system user '${NAME}' cannot reach ${closed}. Open it (chmod o+x ${closed}), `
      + 'or keep this folder and HAVEN_DATA_DIR where other users may pass through.');
  }
  return {
    command: 'setpriv',
    // no_setuid_fixup: otherwise access(2), by which Postgres examines its own files, does not count the capability.
    args: ['--securebits=+no_setuid_fixup', `--reuid=${user.uid}`, `--regid=${user.gid}`, '--clear-groups', `--inh-caps=-all,+${capability}`,
      `--ambient-caps=-all,+${capability}`, `--bounding-set=-all,+${capability}`, '--no-new-privs', '--', program, ...args],
  };
}

function closedFolder(path) {
  for (let folder = dirname(resolve(path)); ; folder = dirname(folder)) {
    if ((statSync(folder).mode & 0o001) === 0) return folder;
    if (folder === dirname(folder)) return undefined;
  }
}

/** The weakest of the two capabilities that open closed folders which this process may still hand on. */
function availableCapability() {
  const status = readFileSync('/proc/self/status', 'utf8');
  const bounding = BigInt(`0x${/^CapBnd:\s*([0-9a-f]+)/m.exec(status)?.[1] ?? '0'}`);
  const numbers = { dac_read_search: 2n, dac_override: 1n };
  return Object.keys(numbers).find((name) => (bounding >> numbers[name]) & 1n);
}
