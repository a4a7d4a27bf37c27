import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { RegistryTokenClaims } from '@haven/access';
import type { V2Route } from '@haven/oci';
import type { RequestOrigin } from './request-origin.js';

/** One request and its answer. Handlers read from it and call exactly one of its send methods. */
export class Exchange<Route extends V2Route = V2Route> {
  constructor(
    readonly request: IncomingMessage,
    readonly response: ServerResponse,
    readonly route: Route,
    readonly query: URLSearchParams,
    /** Who asks and from where, as events and the audit trail record it. */
    readonly origin: RequestOrigin,
    /** Who asks, and what the token allows; checked already for this route. */
    readonly claims: RegistryTokenClaims,
  ) {}

  get isHead(): boolean {
    return this.request.method === 'HEAD';
  }

  /** The actor as history and events record it. */
  get actor(): string {
    return this.claims.subject;
  }

  header(name: string): string | undefined {
    const value = this.request.headers[name];
    return Array.isArray(value) ? value[0] : value;
  }

  /** Answers with `body` whole; a HEAD gets the headers alone. */
  send(status: number, headers: OutgoingHttpHeaders, body?: Buffer | string): void {
    const length = body === undefined ? 0 : typeof body === 'string' ? Buffer.byteLength(body) : body.length;
    if (status !== 204 && status !== 304) headers['content-length'] ??= length;
    this.#writeHead(status, headers);
    this.response.end(this.isHead ? undefined : body);
  }

  sendJson(status: number, headers: OutgoingHttpHeaders, value: unknown): void {
    this.send(status, { 'content-type': 'application/json', ...headers }, JSON.stringify(value));
  }

  /** Answers with bytes as they come, no faster than the client takes them. */
  async stream(status: number, headers: OutgoingHttpHeaders, bytes: AsyncIterable<Uint8Array>): Promise<void> {
    this.#writeHead(status, headers);
    await pipeline(Readable.from(bytes, { objectMode: false, highWaterMark: 1 }), this.response);
  }

  #writeHead(status: number, headers: OutgoingHttpHeaders): void {
    headers['docker-distribution-api-version'] = 'registry/2.0';
    headers['x-content-type-options'] = 'nosniff';
    headers['x-request-id'] = this.origin.requestId;
    this.response.writeHead(status, headers);
  }
}
