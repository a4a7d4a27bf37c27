import type { IncomingMessage } from 'node:http';
import { LIMITS } from '../limits/limits.js';

/**
 * Calls back when the connection of a request that was answered early may be closed. Closing while the client still sends
 * would make its system throw the answer away, so the rest is read and forgotten first: within limits, for the client
 * may never stop.
 */
export function linger(request: IncomingMessage, done: () => void): void {
  let left: number = LIMITS.lingerBytes;
  const timer = setTimeout(finish, LIMITS.lingerMs);
  function onData(chunk: Buffer): void {
    left -= chunk.length;
    if (left < 0) finish();
  }
  function finish(): void {
    clearTimeout(timer);
    request.off('data', onData).off('end', finish).off('close', finish);
    done();
  }
  if (request.complete || request.destroyed) {
    finish();
    return;
  }
  request.on('data', onData).on('end', finish).on('close', finish);
  request.resume();
}
