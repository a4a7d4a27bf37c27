import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { installDebianPackages } from '../install-clients.mjs';
import { keptFolder } from './kept-folder.mjs';

const REQUIREMENTS = join(import.meta.dirname, 'requirements.txt');
const SCRIPT = join(import.meta.dirname, 'harborapi_calls.py');

/**
 * harborapi with what it needs, from PyPI, in a folder of its own.
 * @returns {{ command: string, args: string[], env: Record<string, string> } | { problem: string }}
 */
export function pythonClient() {
  try {
    if (!hasPip()) installDebianPackages(['python3', 'python3-pip']);
    const python = run('python3', ['-c', 'import sys; print(sys.executable)']);
    const recipe = `${run(python, ['--version'])}\n${readFileSync(REQUIREMENTS, 'utf8')}`;
    const libraries = keptFolder('harborapi', recipe, (folder) => {
      run(python, ['-m', 'pip', 'install', '--quiet', '--no-input', '--no-deps', '--target', folder, '--requirement', REQUIREMENTS]);
    });
    return { command: python, args: [SCRIPT], env: { PYTHONPATH: libraries } };
  } catch (error) {
    return { problem: `harborapi could not be installed: ${String(error.stderr || error.message).trim().split('\n').slice(-2).join(' ')}` };
  }
}

function hasPip() {
  try {
    run('python3', ['-m', 'pip', '--version']);
    return true;
  } catch {
    return false; // no Python, or one without pip: Debian's packages bring both
  }
}

function run(command, args) {
  return execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], timeout: 300_000 }).trim();
}
