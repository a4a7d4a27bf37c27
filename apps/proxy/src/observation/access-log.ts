import type { Logger } from '@haven/runtime';
import type { Exchange } from '../exchange/exchange.js';

/** Which exchanges are logged. */
export type AccessLogMode = 'all' | 'changes' | 'errors' | 'off';

/** An exchange that took longer is logged as a change is, in milliseconds. */
const SLOW_MS = 10_000;

/** One line for each finished exchange that is worth it. */
export class AccessLog {
  readonly #mode: AccessLogMode;
  readonly #logger: Logger;

  constructor(mode: AccessLogMode, logger: Logger) {
    this.#mode = mode;
    this.#logger = logger;
  }

  record(exchange: Exchange, milliseconds: number, complete: boolean): void {
    if (!this.#wants(exchange, milliseconds)) return;
    const { request, path, route, status, bytes, requestId, connection } = exchange;
    this.#logger.info('request', {
      method: request.method, path, route: route.name, status, bytes, duration_ms: Math.round(milliseconds * 10) / 10, requestId, peer: connection.address,
      ...(complete ? {} : { complete: false }),
    });
  }

  #wants(exchange: Exchange, milliseconds: number): boolean {
    if (this.#mode === 'off') return false;
    if (this.#mode === 'all' || exchange.status >= 500 || exchange.broken) return true;
    if (this.#mode === 'errors') return false;
    const reads = exchange.request.method === 'GET' || exchange.request.method === 'HEAD';
    return !reads || milliseconds > SLOW_MS || isFailure(exchange.status);
  }
}

/** 401 and 404 belong to every login and to every push, which asks what is there already. */
function isFailure(status: number): boolean {
  return status >= 400 && status !== 401 && status !== 404;
}
