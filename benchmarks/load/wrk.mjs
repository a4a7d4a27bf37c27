import { runCommand } from '../session/command.mjs';
import { programPath } from '../session/packages.mjs';
import { loopback } from './http.mjs';

/** Loads one address with `connections` keep-alive connections for `seconds`; any answer but 2xx, and any socket error, is a failure. */
export async function runWrk(session, url, { headers, connections, seconds }) {
  const flags = Object.entries(headers).flatMap(([name, value]) => ['-H', `${name}: ${value}`]);
  const args = ['-t1', `-c${connections}`, `-d${seconds}s`, '--timeout', '10s', ...flags, loopback(url).href];
  return parseWrk(await runCommand(session, programPath('wrk'), args, { seconds: seconds + 30 }));
}

/** Reads wrk's report: requests a second, bytes a second. Throws when it mentions failed requests. */
export function parseWrk(report) {
  const failed = /Non-2xx or 3xx responses: (\d+)/.exec(report);
  if (failed !== null) throw new Error(`wrk saw ${failed[1]} answers that are not 2xx or 3xx`);
  const errors = /Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/.exec(report);
  if (errors !== null && errors.slice(1).some((count) => count !== '0')) throw new Error(`wrk saw socket errors: ${errors[0]}`);
  const requests = /Requests\/sec:\s+([\d.]+)/.exec(report);
  const transfer = /Transfer\/sec:\s+([\d.]+)([KMG]?)B/.exec(report);
  if (requests === null || transfer === null) throw new Error(`wrk's report is not understood: ${report.slice(0, 400)}`);
  const unit = { '': 1, K: 1024, M: 1024 ** 2, G: 1024 ** 3 }[transfer[2]];
  return { requestsPerSecond: Number(requests[1]), bytesPerSecond: Number(transfer[1]) * unit };
}
