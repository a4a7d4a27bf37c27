import { execFileSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';
import { keptFolder } from './kept-folder.mjs';

const MODULE = 'github.com/goharbor/harbor-cli/cmd/harbor';
/** The commit d98afec5a3b9 of 2026-08-18. */
const VERSION = 'v0.0.0-20260818212516-d98afec5a3b9';

/**
 * Harbor's command line client: the program that HAVEN_HARBOR_CLI names, else one built with this machine's Go toolchain.
 * @returns {{ path: string } | { problem: string }} `problem` is a sentence: why there is none
 */
export function harborCli() {
  const given = process.env.HAVEN_HARBOR_CLI;
  if (given) return isProgram(given) ? { path: given } : { problem: `HAVEN_HARBOR_CLI names ${given}, which is no program` };
  try {
    const folder = keptFolder('harbor-cli', `${MODULE}@${VERSION}`, (path) => {
      execFileSync('go', ['install', `${MODULE}@${VERSION}`], { env: { ...process.env, GOBIN: path }, stdio: ['ignore', 'pipe', 'pipe'], timeout: 400_000 });
    });
    return { path: join(folder, 'harbor') };
  } catch (error) {
    if (error.code === 'ENOENT') return { problem: `there is no Go toolchain to build ${MODULE} with, and HAVEN_HARBOR_CLI names no ready program` };
    return { problem: `${MODULE}@${VERSION} could not be built here: ${String(error.stderr || error.message).trim().split('\n').slice(-2).join(' ')}` };
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
