import type { ClientRequest } from 'node:http';
import type { Socket } from 'node:net';
import type { OutboundLimits, OutboundResponse } from './outbound-client.js';
import { OutboundError } from './outbound-error.js';
import { faultOf, readResponse } from './read-response.js';

export interface ExchangeBounds {
  readonly limits: Required<OutboundLimits>;
  /** Milliseconds since 1970. */
  readonly deadline: number;
  readonly signal: AbortSignal | undefined;
}

/** Waits for the answer to a request that is being sent. Resolves to 'stale' when a kept connection turned out to be closed. */
export function exchange(outgoing: ClientRequest, secure: boolean, { limits, deadline, signal }: ExchangeBounds): Promise<OutboundResponse | 'stale'> {
  return new Promise((resolve, reject) => {
    let given: OutboundError | undefined;
    let answered = false;
    const giveUp = (error: OutboundError): void => {
      given ??= error;
      outgoing.destroy(error);
    };
    const left = Math.max(0, deadline - Date.now());
    const timers = [limits.connectMs, Infinity].map((most) => setTimeout(() => { giveUp(new OutboundError('timeout')); }, Math.min(most, left)));
    const abort = (): void => { giveUp(new OutboundError('aborted', signal?.reason)); };
    signal?.addEventListener('abort', abort, { once: true });
    const settle = (): void => {
      for (const timer of timers) clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
    };
    const fail = (error: unknown): void => {
      settle();
      if (outgoing.reusedSocket && !answered && given === undefined) resolve('stale');
      else reject(given ?? faultOf(error));
    };
    whenConnected(outgoing, secure, () => { clearTimeout(timers[0]); });
    outgoing.on('error', fail);
    // Nobody asked for another protocol.
    outgoing.once('upgrade', (_answer, socket: Socket) => {
      socket.destroy();
      given = new OutboundError('broken');
      fail(given);
    });
    outgoing.once('response', (incoming) => {
      answered = true;
      readResponse(incoming, limits.bodyBytes).then((response) => {
        settle();
        resolve(response);
      }, fail);
    });
  });
}

function whenConnected(outgoing: ClientRequest, secure: boolean, connected: () => void): void {
  outgoing.once('socket', (socket: Socket) => {
    if (outgoing.reusedSocket) connected();
    else socket.once(secure ? 'secureConnect' : 'connect', connected);
  });
}
