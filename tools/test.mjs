import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { install } from '../deploy/local/install.mjs';
import { ensureProgram } from '../deploy/local/system-packages.mjs';
import { countJest, summary } from './test-counts.mjs';

// `npm test`: makes a fresh clone ready, runs every check and every test, and ends with one line of counts.
// Only Node.js 20 and what is in the repository may be imported before `install` has returned.

const root = resolve(import.meta.dirname, '..');
const results = join(root, '.cache/test-results');
const say = (message) => console.log(message);
const seconds = (since) => `${((Date.now() - since) / 1000).toFixed(1)} s`;

async function main() {
  await install(say);
  ensureProgram('redis-server', 'redis-server', say);
  rmSync(results, { recursive: true, force: true });
  mkdirSync(results, { recursive: true });

  const compiled = await check('types', ['node_modules/typescript/bin/tsc', '-b']);
  const counts = [
    compiled,
    await check('lint', ['node_modules/oxlint/bin/oxlint', '--deny-warnings']),
    await check('architecture', ['tools/check-architecture.mjs']),
    await jest('unit and flow tests', 'jest.config.mjs', [], 28),
    compiled.failed === 0 ? await jest('end-to-end tests', 'e2e/jest.config.mjs', ['--runInBand'], 28) : skipEndToEnd(),
  ];
  const { line, failed } = summary(counts);
  console.log(line);
  process.exitCode = failed === 0 ? 0 : 1;
}

async function check(name, args) {
  const code = await stage(name, args, 5);
  return { passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1, skipped: 0 };
}

/** Runs one Jest configuration. A run that ends without a report, or with a failure its report does not show, counts as failed. */
async function jest(name, config, extra, minutes) {
  const report = join(results, `${config.replaceAll('/', '-')}.json`);
  const args = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning', 'node_modules/jest/bin/jest.js',
    '-c', config, '--ci', '--json', '--outputFile', report, ...extra];
  const code = await stage(name, args, minutes);
  return countJest(existsSync(report) ? JSON.parse(readFileSync(report, 'utf8')) : undefined, code);
}

function skipEndToEnd() {
  console.log('The end-to-end tests need compiled sources: counted as failed.');
  return { passed: 0, failed: 1, skipped: 0 };
}

/** Runs Node.js with `args` and shows its output; after `minutes` it is ended. Resolves to its exit code. */
async function stage(name, args, minutes) {
  const since = Date.now();
  console.log(`\n── ${name} ──`);
  const child = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', showsOutput(args) ? 'inherit' : 'ignore', 'inherit'], env: environment() });
  const overtime = setTimeout(() => {
    console.error(`${name}: not done after ${minutes} minutes, ended.`);
    child.kill('SIGTERM');
    setTimeout(() => child.kill('SIGKILL'), 10_000).unref();
  }, minutes * 60_000);
  const code = await new Promise((done, fail) => {
    child.once('error', fail);
    child.once('exit', (exitCode) => done(exitCode ?? 1));
  });
  clearTimeout(overtime);
  console.log(`── ${name}: ${code === 0 ? 'ok' : 'failed'} (${seconds(since)})`);
  return code;
}

/** Jest writes its progress to standard error; with --json, standard output repeats the report. */
function showsOutput(args) {
  return !args.includes('--json');
}

/** The caller's HAVEN_… settings are for running Haven, not for testing it. */
function environment() {
  const forTests = /^HAVEN_(?:TEST_|E2E_|OCI_CONFORMANCE$|HARBOR_CLI$)/;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('HAVEN_') || forTests.test(name)));
}

main().catch((error) => {
  console.error(error.message);
  console.log(summary([{ passed: 0, failed: 1, skipped: 0 }]).line);
  process.exitCode = 1;
});
