import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Route } from '../routing/routes.js';
import type { Connection } from '../server/connections.js';
import type { ProxyContext } from '../server/context.js';
import { linger } from './linger.js';
import { refusal, refusalBody, type RefusalName } from './refusals.js';

const HSTS = 'max-age=31536000';

/** One request and its answer: what is known of them, and the end of both. */
export class Exchange {
  readonly context: ProxyContext;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly connection: Connection;
  readonly requestId: string;
  readonly startedAt = performance.now();
  route: Route;
  /** Without the query. */
  path = '';
  /** The request has a body, or may have one. */
  hasBody = false;
  /** The client reached us, or the trusted proxy before us, over TLS. */
  secure = false;
  /** 0 until the answer starts. */
  status = 0;
  /** Bytes of the answer's body so far. */
  bytes = 0;
  /** Set by whoever works for this exchange; called when the client is gone before its answer is complete. */
  onAbandoned: (() => void) | undefined;
  closed = false;
  /** The connection ends with this answer. */
  last = false;
  /** The proxy broke the answer off. */
  broken = false;
  #waiting = false;
  #refused = false;

  constructor(context: ProxyContext, request: IncomingMessage, response: ServerResponse, connection: Connection, route: Route, requestId: string) {
    this.context = context;
    this.request = request;
    this.response = response;
    this.connection = connection;
    this.route = route;
    this.requestId = requestId;
    connection.exchanges += 1;
    connection.latest = this;
    context.inFlight.add(this);
  }

  /** The silence on the client's connection is not the client's fault. */
  set waiting(waiting: boolean) {
    if (waiting === this.#waiting) return;
    this.#waiting = waiting;
    this.connection.waiting += waiting ? 1 : -1;
  }

  /** Whether a part of the request is still to come; then the connection ends with this answer. */
  get unfinished(): boolean { return this.hasBody && !this.request.complete; }

  /** Sends status and headers (a flat list that this call completes). */
  head(status: number, headers: string[]): void {
    this.status = status;
    this.waiting = false;
    headers.push('x-request-id', this.requestId);
    if (this.secure) headers.push('strict-transport-security', HSTS);
    if (this.last || this.context.draining || this.unfinished) {
      this.connection.closing = true;
      headers.push('connection', 'close');
    }
    this.response.writeHead(status, headers);
  }

  /** Answers with an error of the proxy's own; after the answer has begun, breaks it off instead. */
  refuse(name: RefusalName, extra: readonly string[] = []): void {
    if (this.closed) return;
    if (this.response.headersSent) {
      this.breakOff();
      return;
    }
    this.#refused = true;
    const { status, close, retryAfter } = { close: undefined, retryAfter: undefined, ...refusal(name) };
    const body = refusalBody(name, this.route.errors);
    const headers = ['content-type', 'application/json', 'content-length', String(Buffer.byteLength(body)), 'cache-control', 'no-store', 'x-content-type-options', 'nosniff', ...extra];
    if (retryAfter !== undefined) headers.push('retry-after', String(retryAfter));
    if (close === true) this.last = true;
    this.head(status, headers);
    this.end(this.request.method === 'HEAD' ? undefined : Buffer.from(body));
  }

  /** Completes the answer. */
  end(chunk?: Buffer): void {
    if (chunk !== undefined) this.bytes += chunk.length;
    if (!this.unfinished) {
      this.response.end(chunk);
      return;
    }
    if (chunk !== undefined) this.response.write(chunk);
    else this.response.flushHeaders();
    linger(this.request, () => { this.response.end(); });
  }

  /** The rest of the request cannot be parsed: gives it up, and says so unless the answer has begun. */
  rejectBody(name: RefusalName): void {
    this.hasBody = false;
    if (this.#refused) {
      this.response.end();
      return;
    }
    this.onAbandoned?.();
    this.onAbandoned = undefined;
    this.last = true;
    this.refuse(name);
  }

  /** Ends the connection, so that the client cannot take a part for the whole. */
  breakOff(): void {
    this.broken = true;
    this.response.destroy();
  }

  /** Called once, when the answer is sent or the connection is gone. */
  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.waiting = false;
    const { connection } = this;
    connection.exchanges -= 1;
    if (connection.latest === this) connection.latest = undefined;
    if (connection.doomed && connection.exchanges === 0) this.request.socket.destroySoon();
    this.context.inFlight.delete(this);
    if (!this.response.writableFinished) this.onAbandoned?.();
    this.context.observer.observe(this);
  }
}
