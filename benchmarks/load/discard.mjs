import { join } from 'node:path';
import { runCommand } from '../session/command.mjs';
import { programPath } from '../session/packages.mjs';
import { loopback } from './http.mjs';

const PROGRAM = join(import.meta.dirname, 'discard.pl');

/**
 * Downloads without copying what arrives, so that a client that is slower than the server does not hide the difference
 * between servers; seconds from the start of the request to the last byte.
 */
export async function timeDiscardingDownload(session, url, headers, size, limitSeconds = 120) {
  const { hostname, port, pathname } = loopback(url);
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\n`);
  const output = await runCommand(session, programPath('perl'), [PROGRAM], { seconds: limitSeconds, input: `${hostname} ${port} ${pathname}\n${lines.join('')}` });
  const [status, seconds, bytes] = output.trim().split(' ').map(Number);
  if (status !== 200 || bytes !== size) throw new Error(`GET ${pathname} answered ${status} with ${bytes} of ${size} bytes`);
  return seconds;
}
