import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

// Runs before anything is installed: only what Node.js 20 brings may be imported here.

const root = resolve(import.meta.dirname, '../..');
const NODE_MAJOR = 24;

/**
 * Makes a fresh clone ready to run: installs the npm packages, goes on under the project's own Node.js, compiles.
 * Each step is skipped when nothing has changed. Does not return when it had to go on under another Node.js: the
 * caller's script then runs there from its start, and this process ends with its exit code.
 * @param {(message: string) => void} say
 */
export async function prepare(say) {
  await install(say);
  compile(say);
}

/** As `prepare`, without compiling. */
export async function install(say) {
  installPackages(say);
  if (Number(process.versions.node.split('.')[0]) < NODE_MAJOR) await goOnUnderOwnNode();
}

function installPackages(say) {
  if (isInstalled()) return;
  say('Installing npm packages (npm ci); the first time takes about a minute …');
  run('npm', ['ci', '--no-audit', '--no-fund', '--include=dev', '--include=optional'], 'The npm packages could not be installed.');
  installNode();
  writeFileSync(installStamp(), lockHash());
}

/** Installed means: from this very package-lock.json, by us or by a plain `npm install` after it last changed. */
function isInstalled() {
  const hidden = join(root, 'node_modules/.package-lock.json');
  if (!existsSync(hidden) || !existsSync(ownNode())) return false;
  if (existsSync(installStamp()) && readFileSync(installStamp(), 'utf8') === lockHash()) return true;
  return statSync(hidden).mtimeMs >= statSync(join(root, 'package-lock.json')).mtimeMs;
}

function installStamp() {
  return join(root, 'node_modules/.haven-installed');
}

function lockHash() {
  return createHash('sha256').update(readFileSync(join(root, 'package-lock.json'))).digest('hex');
}

/** The package `node` fetches its program in an install script, which npm may have been told not to run. */
function installNode() {
  if (existsSync(ownNode())) return;
  run(process.execPath, ['installArchSpecificPackage.js'], `Node.js ${NODE_MAJOR} could not be installed.`, join(root, 'node_modules/node'));
  if (!existsSync(ownNode())) throw new Error(`Node.js ${NODE_MAJOR} could not be installed: ${ownNode()} is missing. Install Node.js ${NODE_MAJOR} yourself and start again.`);
}

function ownNode() {
  return join(root, 'node_modules/node/bin', process.platform === 'win32' ? 'node.exe' : 'node');
}

async function goOnUnderOwnNode() {
  const path = `${join(root, 'node_modules/.bin')}:${process.env.PATH ?? ''}`;
  const child = spawn(ownNode(), process.argv.slice(1), { stdio: 'inherit', env: { ...process.env, PATH: path } });
  // A Ctrl-C reaches the child from the terminal too; it tells a repetition from an echo.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  const code = await new Promise((done, fail) => {
    child.once('error', fail);
    child.once('exit', (exitCode, signal) => done(signal === null ? exitCode : 1));
  });
  process.exit(code);
}

/** Compiles when a source has changed since the last time; looking takes some milliseconds, the compiler a second. */
function compile(say) {
  const stamp = join(root, '.cache/compiled');
  const sources = describeSources();
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === sources && everyAppIsBuilt()) return;
  say('Compiling …');
  run(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-b'], 'The sources do not compile.');
  mkdirSync(join(root, '.cache'), { recursive: true });
  writeFileSync(stamp, sources);
}

function everyAppIsBuilt() {
  return projects('apps').every((app) => !existsSync(join(app, 'src/main.ts')) || existsSync(join(app, 'dist/main.js')));
}

/** A fingerprint over the names, sizes and times of everything the compiler reads. */
function describeSources() {
  const hash = createHash('sha256').update(lockHash());
  const note = (path) => {
    const { size, mtimeMs } = statSync(path);
    hash.update(`${path} ${size} ${mtimeMs}\n`);
  };
  for (const name of ['tsconfig.json', 'tsconfig.base.json', 'package.json']) note(join(root, name));
  for (const project of [...projects('libs'), ...projects('apps')]) {
    for (const name of ['tsconfig.json', 'package.json']) if (existsSync(join(project, name))) note(join(project, name));
    for (const path of filesBelow(join(project, 'src'))) note(path);
  }
  return hash.digest('hex');
}

function projects(kind) {
  return readdirSync(join(root, kind), { withFileTypes: true }).filter((entry) => entry.isDirectory()).map((entry) => join(root, kind, entry.name)).sort();
}

function filesBelow(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true, recursive: true }).filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name)).sort();
}

function run(command, args, failure, cwd = root) {
  const { status, error } = spawnSync(command, args, { cwd, stdio: 'inherit', shell: process.platform === 'win32' });
  if (status !== 0) throw new Error(`${failure} (${command} ${args[0]}: ${error?.message ?? `exit code ${status}`})`);
}
