import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { RegistryTokenClaims } from '@haven/access';
import type { V2Route } from '@haven/oci';
import { StorageError } from '@haven/storage';
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

  /**
   * Answers with `length` bytes as they come, no faster than the client takes them. Rejects, and cuts the answer off, when
   * there turn out to be more or fewer: the next answer on the connection would begin in the wrong place.
   */
  async stream(status: number, headers: OutgoingHttpHeaders, length: number, bytes: AsyncIterable<Uint8Array>): Promise<void> {
    headers['content-length'] = length;
    this.#writeHead(status, headers);
    await pipeline(Readable.from(exactly(length, bytes), { objectMode: false, highWaterMark: 1 }), this.response);
  }

  #writeHead(status: number, headers: OutgoingHttpHeaders): void {
    headers['docker-distribution-api-version'] = 'registry/2.0';
    headers['x-content-type-options'] = 'nosniff';
    headers['x-request-id'] = this.origin.requestId;
    this.response.writeHead(status, headers);
  }
}

async function* exactly(length: number, bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  let left = length;
  for await (const chunk of bytes) {
    left -= chunk.byteLength;
    if (left < 0) throw new StorageError('broken', `Storage holds more than the ${length} bytes that were asked for.`);
    yield chunk;
  }
  if (left > 0) throw new StorageError('broken', `Storage holds ${left} bytes too few of the ${length} that were asked for.`);
}
