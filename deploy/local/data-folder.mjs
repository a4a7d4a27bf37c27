import { randomBytes } from 'node:crypto';
import { chmodSync, closeSync, existsSync, fsyncSync, linkSync, mkdirSync, openSync, readFileSync, readdirSync, renameSync, rmSync, statSync, writeFileSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { identify, isSameProcess, killOrphan } from './process-identity.mjs';
import { keyFile } from './settings.mjs';

/** The order in which what a killed launcher left running is stopped. */
const STOP_ORDER = ['proxy', 'registry', 'core', 'job-service', 'log-collector', 'redis', 'postgres'];

/**
 * The folder that holds everything this installation keeps, owned by one launcher at a time.
 *
 *     keys/       secret.key and the database's passwords (back these up, apart from the rest)
 *     postgres/   redis/   storage/   logs/
 *     run/        who runs: lock, process numbers, platform.json, launcher.log
 */
export class DataFolder {
  /** @param {string} path absolute */
  constructor(path) {
    this.path = path;
    this.run = join(path, 'run');
  }

  /** Creates the folder, closed to other users. Run by root, it stays passable for the database's system user. */
  create() {
    const mode = process.getuid?.() === 0 ? 0o711 : 0o700;
    mkdirSync(this.path, { recursive: true, mode });
    chmodSync(this.path, mode);
    for (const name of ['keys', 'run', 'logs', 'storage']) {
      mkdirSync(join(this.path, name), { recursive: true, mode: 0o700 });
      chmodSync(join(this.path, name), 0o700);
    }
  }

  /** Takes the folder for this process; throws when another launcher that is alive holds it. */
  lock() {
    const path = join(this.run, 'lock');
    const mine = `${path}.${process.pid}`;
    writeFileSync(mine, JSON.stringify(identify(process.pid)), { mode: 0o600 });
    try {
      if (takeLock(mine, path)) return;
      const holder = readIdentity(path);
      if (holder !== undefined && isSameProcess(holder)) {
        throw new Error(`Haven is already running on ${this.path} (process ${holder.pid}). Stop it first (Ctrl-C, or kill ${holder.pid}), or use another folder: HAVEN_DATA_DIR=<folder>.`);
      }
      rmSync(path, { force: true });
      if (!takeLock(mine, path)) throw new Error(`Another start of Haven on ${this.path} came first.`);
    } finally {
      rmSync(mine, { force: true });
    }
  }

  unlock() {
    rmSync(join(this.run, 'lock'), { force: true });
  }

  /** Remembers a child process, so that a later start can end it if this launcher is killed. */
  rememberProcess(name, pid) {
    writePrivate(join(this.run, `${name}.pid`), JSON.stringify(identify(pid)));
  }

  forgetProcesses() {
    for (const name of this.#pidFiles()) rmSync(join(this.run, name), { force: true });
  }

  /** Stops what an earlier launcher left running, the database last. @returns {Promise<string[]>} their names */
  async stopOrphans() {
    const files = this.#pidFiles().map((file) => ({ file, name: file.slice(0, -'.pid'.length) }));
    const rank = ({ name }) => STOP_ORDER.findIndex((known) => name === known || name.startsWith(`${known}-`));
    const stopped = [];
    for (const { file, name } of files.toSorted((a, b) => rank(a) - rank(b))) {
      const identity = readIdentity(join(this.run, file));
      if (identity !== undefined && isSameProcess(identity)) {
        await killOrphan(identity, { signal: name === 'postgres' ? 'SIGINT' : 'SIGTERM', seconds: 15 });
        stopped.push(name);
      }
      rmSync(join(this.run, file), { force: true });
    }
    return stopped;
  }

  /** A random secret that is created on first use and kept. @returns {string} 64 hexadecimal digits */
  secret(name) {
    return readOrCreate(join(this.path, 'keys', name));
  }

  /** The key that protects stored secrets. Never created beside an existing database: that one's secrets would be lost silently. */
  secretKey() {
    const path = keyFile(this.path);
    if (!existsSync(path) && existsSync(join(this.path, 'postgres'))) {
      throw new Error(`${path} is missing, but there is a database that was written with it. Put the key back from your backup.`);
    }
    return readOrCreate(path);
  }

  write(name, content) {
    writePrivate(join(this.run, name), content);
  }

  #pidFiles() {
    return readdirSync(this.run).filter((name) => name.endsWith('.pid'));
  }
}

function takeLock(mine, path) {
  try {
    linkSync(mine, path);
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  }
}

function readIdentity(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    // Gone meanwhile, or cut short by a crash while it was written: it names nobody.
    if (error.code === 'ENOENT' || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function readOrCreate(path) {
  if (!existsSync(path)) writeDurably(path, randomBytes(32).toString('hex'));
  if ((statSync(path).mode & 0o077) !== 0) chmodSync(path, 0o600);
  const secret = readFileSync(path, 'utf8').trim();
  if (!/^[0-9a-f]{64}$/.test(secret)) throw new Error(`${path} does not hold 64 hexadecimal digits. Put it back from your backup.`);
  return secret;
}

function writePrivate(path, content) {
  const draft = `${path}.${process.pid}.new`;
  writeFileSync(draft, content, { mode: 0o600 });
  renameSync(draft, path);
}

function writeDurably(path, content) {
  const draft = `${path}.new`;
  rmSync(draft, { force: true });
  const file = openSync(draft, 'wx', 0o600);
  try {
    writeSync(file, `${content}\n`);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(draft, path);
  const folder = openSync(dirname(path), 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}
