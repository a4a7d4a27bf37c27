import { execFileSync } from 'node:child_process';
import { accessSync, chmodSync, constants, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CACHE } from './cache.mjs';

const MODULE = 'github.com/opencontainers/distribution-spec/conformance';
/** The commit 967efdc079b9 of 2026-07-16. */
const VERSION = 'v0.0.0-20260716174315-967efdc079b9';

/**
 * The official conformance program of the OCI Distribution Specification: the one HAVEN_OCI_CONFORMANCE names, else the
 * one kept in `.cache/`, else built with the Go toolchain of this machine.
 * @returns {{ path: string } | { problem: string }} `problem` is a sentence: why there is none
 */
export function conformanceProgram() {
  const given = process.env.HAVEN_OCI_CONFORMANCE;
  if (given) return isProgram(given) ? { path: given } : { problem: `HAVEN_OCI_CONFORMANCE names ${given}, which is no program` };
  const path = join(CACHE, `oci-conformance-${VERSION}`);
  if (existsSync(path)) return { path };
  if (!isInstalled('go')) return { problem: `there is no Go toolchain to build ${MODULE} with, and HAVEN_OCI_CONFORMANCE names no ready program` };
  try {
    build(path);
    return { path };
  } catch (error) {
    return { problem: `${MODULE}@${VERSION} could not be built here: ${String(error.stderr || error.message).trim().split('\n').slice(-2).join(' ')}` };
  }
}

/** The program is its own module, named by no released version: it is required by commit and built from the module cache. */
function build(path) {
  const folder = mkdtempSync(join(tmpdir(), 'haven-conformance-'));
  try {
    writeFileSync(join(folder, 'go.mod'), 'module haven.test/conformance\n\ngo 1.24\n');
    const go = (...args) => execFileSync('go', args, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'], timeout: 400_000 });
    go('get', `${MODULE}@${VERSION}`);
    mkdirSync(CACHE, { recursive: true });
    const partial = `${path}.${process.pid}.part`;
    go('build', '-o', partial, MODULE);
    chmodSync(partial, 0o755);
    renameSync(partial, path);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function isInstalled(command) {
  try {
    execFileSync(command, ['version'], { stdio: 'ignore', timeout: 30_000 });
    return true;
  } catch {
    return false; // absent, or present but not able to run: both mean that nothing can be built
  }
}

function isProgram(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false; // not there, or not executable
  }
}
