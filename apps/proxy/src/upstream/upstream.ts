import http from 'node:http';
import https from 'node:https';
import { Pool } from 'undici';
import { LIMITS } from '../limits/limits.js';

/** Connections beyond the limit, so that a busy replica can still be asked whether it works. */
const CHECK_CONNECTIONS = 2;

export interface UpstreamLimits {
  /** Most requests at once, which is also most connections of each kind. */
  readonly connections: number;
  /** How long nothing may come in the middle of an answer, in milliseconds. */
  readonly idleMs: number;
}

/** One replica of the registry or core: its connections, what is under way there, and whether it is believed to work. */
export class Upstream {
  readonly url: string;
  readonly origin: URL;
  /** For requests without a body: undici's low-level dispatch costs a third less than node:http. */
  readonly pool: Pool;
  /** For requests with a body: node:http streams those faster, and survives an answer that comes early. */
  readonly agent: http.Agent;
  readonly #limits: UpstreamLimits;
  /** Requests under way. */
  pending = 0;
  /** False after a failed check or connection, until a check succeeds. */
  healthy = true;
  /** Why it is not healthy. */
  reason = '';

  constructor(url: string, limits: UpstreamLimits) {
    this.url = url;
    this.origin = new URL(url);
    this.#limits = limits;
    this.pool = new Pool(this.origin.origin, {
      connections: limits.connections + CHECK_CONNECTIONS, pipelining: 1, allowH2: false, connectTimeout: LIMITS.connectMs,
      headersTimeout: limits.idleMs, bodyTimeout: limits.idleMs, maxHeaderSize: LIMITS.headerBytes,
    });
    const options = { keepAlive: true, maxSockets: limits.connections, maxFreeSockets: limits.connections, noDelay: true };
    this.agent = this.secure ? new https.Agent(options) : new http.Agent(options);
  }

  get secure(): boolean { return this.origin.protocol === 'https:'; }

  get full(): boolean { return this.pending >= this.#limits.connections; }

  /** Starts a request with a body; headers are a flat list. The caller ends it. */
  request(method: string, path: string, headers: readonly string[]): http.ClientRequest {
    const options: http.RequestOptions = {
      agent: this.agent, host: this.origin.hostname.replace(/^\[|\]$/g, ''), port: this.origin.port, method, path,
      headers, maxHeaderSize: LIMITS.headerBytes, timeout: 0,
    };
    return this.secure ? https.request(options) : http.request(options);
  }

  markDown(reason: string): void {
    this.healthy = false;
    this.reason = reason;
  }

  markUp(): void {
    this.healthy = true;
    this.reason = '';
  }

  /** Ends every connection, also those in use. */
  async destroy(): Promise<void> {
    this.agent.destroy();
    await this.pool.destroy();
  }
}
