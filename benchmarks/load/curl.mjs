import { runCommand } from '../session/command.mjs';
import { programPath } from '../session/packages.mjs';
import { loopback } from './http.mjs';

// curl costs least per byte of all clients at hand; the header file keeps the token out of the process list.
const FORMAT = '%{http_code} %{time_total} %{size_download} %{size_upload}\n';

async function curl(session, url, headers, args, seconds) {
  const input = Object.entries(headers).map(([name, value]) => `${name}: ${value}\n`).join('');
  const output = await runCommand(session, programPath('curl'), [
    '--silent', '--show-error', '--noproxy', '*', '--max-time', String(seconds), '--header', '@-',
    '--dump-header', '-', '--output', '/dev/null', '--write-out', FORMAT, ...args, loopback(url).href,
  ], { seconds: seconds + 5, input });
  return parseCurl(output);
}

/** Reads the header dump and the line of figures after it. */
export function parseCurl(output) {
  const lines = output.trim().split(/\r?\n/);
  const [status, time, down, up] = lines.at(-1).split(' ').map(Number);
  if (!Number.isInteger(status) || !Number.isFinite(time)) throw new Error(`curl's report is not understood: ${output.slice(0, 400)}`);
  const location = lines.find((line) => /^location:/i.test(line))?.replace(/^location:\s*/i, '');
  return { status, seconds: time, down, up, location };
}

/** Downloads to nowhere; seconds from the start of the request to the last byte. */
export async function timeDownload(session, url, headers, size, limitSeconds = 120) {
  const result = await curl(session, url, headers, [], limitSeconds);
  if (result.status !== 200 || result.down !== size) throw new Error(`GET ${new URL(url).pathname} answered ${result.status} with ${result.down} of ${size} bytes`);
  return result.seconds;
}

/** PATCHes a file in one request with chunked transfer encoding, the way docker streams a layer; seconds, and the address the server names next. */
export async function timePatch(session, url, headers, file, size, limitSeconds = 300) {
  const streaming = { ...headers, 'transfer-encoding': 'chunked', 'content-type': 'application/octet-stream', expect: '' };
  // "Name:" without a value makes curl leave the header out: no waiting for 100-continue.
  const result = await curl(session, url, streaming, ['--request', 'PATCH', '--upload-file', file], limitSeconds);
  if (result.status !== 202) throw new Error(`PATCH ${new URL(url).pathname} answered ${result.status}, not 202`);
  if (result.up < size) throw new Error(`PATCH ${new URL(url).pathname} sent ${result.up} of ${size} bytes`);
  return { seconds: result.seconds, location: result.location };
}
