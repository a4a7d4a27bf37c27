import { spawn } from 'node:child_process';

/**
 * Runs a program to its end and never throws for its exit code.
 * @param {string} command
 * @param {string[]} args
 * @param {{ env?: Record<string, string>, input?: string, cwd?: string, seconds?: number }} [options] `env` is added to a clean one; `seconds` is the most it may take
 * @returns {Promise<{ code: number, stdout: string, stderr: string, output: string }>} `code` is -1 when it had to be ended
 */
export function run(command, args, { env = {}, input, cwd, seconds = 120 } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env: { ...cleanEnvironment(), ...env }, stdio: ['pipe', 'pipe', 'pipe'] });
    const timer = setTimeout(() => child.kill('SIGKILL'), seconds * 1000);
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text) => (stderr += text));
    child.stdin.on('error', () => undefined); // a program that does not read its input is judged by its exit code
    child.stdin.end(input ?? '');
    child.once('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
    child.once('close', (code) => {
      clearTimeout(timer);
      resolve({ code: code ?? -1, stdout, stderr, output: `${stdout}${stderr}` });
    });
  });
}

/** Like `run`, but rejects with the program's own words when it fails. Resolves to its standard output, trimmed. */
export async function runWell(command, args, options) {
  const result = await run(command, args, options);
  if (result.code !== 0) throw new Error(`${command} ${args.join(' ')}\nexit code ${result.code}\n${result.output.trim()}`);
  return result.stdout.trim();
}

/** Nothing of the caller's settings: neither a proxy nor another daemon's address may change what a client does. */
function cleanEnvironment() {
  return { PATH: '/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin', HOME: '/root', LANG: 'C.UTF-8' };
}
