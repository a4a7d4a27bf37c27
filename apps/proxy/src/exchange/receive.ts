import type { IncomingMessage, ServerResponse } from 'node:http';
import { requestIdFrom } from '@haven/runtime';
import { originOf, pushOrigin, type Origin } from '../headers/forwarded.js';
import { hostnameOf } from '../headers/host.js';
import { RequestHeaders } from '../headers/request-headers.js';
import { checkTarget } from '../routing/check-target.js';
import { findRoute } from '../routing/find-route.js';
import { ALLOW, isMethod } from '../routing/methods.js';
import { PORTAL, V2, type Route } from '../routing/routes.js';
import type { Connection } from '../server/connections.js';
import type { ProxyContext } from '../server/context.js';
import { BodyRelay } from './body-relay.js';
import { Exchange } from './exchange.js';
import { FetchRelay } from './fetch-relay.js';
import type { RefusalName } from './refusals.js';

/** What a client expects before it sends a body (RFC 9110 section 10.1.1). */
export type Expectation = 'none' | 'continue' | 'unknown';

const FAULTS = { 'too-many': 'headers', host: 'host', framing: 'framing', malformed: 'malformed' } as const satisfies Record<string, RefusalName>;
/** Answered over plain HTTP too: load balancers probe them. */
const NEVER_REDIRECTED = new Set(['/api/v2.0/health', '/api/v2.0/ping']);

/** Takes a request in: refuses it, or finds the upstream that answers it. */
export function receive(context: ProxyContext, request: IncomingMessage, response: ServerResponse, connection: Connection, expectation: Expectation): void {
  if (connection.closing) {
    request.resume();
    return;
  }
  const headers = new RequestHeaders(request.rawHeaders);
  const target = request.url ?? '';
  const exchange = new Exchange(context, request, response, connection, shapeOf(target), requestIdFrom(headers.requestId));
  exchange.hasBody = headers.hasBody || headers.fault !== undefined;
  response.on('close', () => { exchange.close(); });
  response.on('error', onResponseError);

  const length = checkTarget(target);
  if (typeof length === 'number') {
    exchange.path = length === target.length ? target : target.slice(0, length);
    exchange.route = findRoute(exchange.path);
  }
  const origin = originOf(connection, headers);
  exchange.secure = origin.scheme === 'https';
  const fault = findFault(exchange, headers, length, expectation);
  if (fault !== undefined) exchange.refuse(fault, fault === 'method' ? ['allow', ALLOW] : []);
  else if (context.redirectPort !== undefined && !exchange.secure && !NEVER_REDIRECTED.has(exchange.path)) redirect(exchange, headers.host, target, context.redirectPort);
  else forward(exchange, headers, origin, target, expectation);
}

/** Writing to a client that has just gone away. 'close' follows, and there the exchange ends. */
function onResponseError(): void {}

/** Until the target is known to be sound, only the shape of a refusal depends on it. */
function shapeOf(target: string): Route {
  return target.startsWith('/v2') ? V2.other : PORTAL;
}

function findFault(exchange: Exchange, headers: RequestHeaders, target: number | 'too-long' | 'malformed', expectation: Expectation): RefusalName | undefined {
  const { request, route } = exchange;
  if (headers.fault !== undefined) return FAULTS[headers.fault];
  if (headers.chunked && request.httpVersionMinor === 0) return 'framing';
  if (expectation === 'unknown') return 'expectation';
  if (!isMethod(request.method)) return 'method';
  if (target === 'too-long') return 'targetTooLong';
  if (target === 'malformed') return 'target';
  if (route.upstream === undefined) return 'notFound';
  if (!headers.hasBody) return undefined;
  if (request.method === 'GET' || request.method === 'HEAD') return 'bodyNotAllowed';
  return headers.contentLength > route.bodyBytes ? 'bodyTooLarge' : undefined;
}

function forward(exchange: Exchange, headers: RequestHeaders, origin: Origin, target: string, expectation: Expectation): void {
  const flat = headers.passed;
  flat.push('host', headers.host, 'x-request-id', exchange.requestId);
  pushOrigin(flat, origin);
  if (headers.hasBody) {
    new BodyRelay(exchange, target, flat, { contentLength: headers.contentLength, awaitContinue: expectation === 'continue' }).start();
    return;
  }
  if (headers.contentLength === 0) flat.push('content-length', '0');
  const offersFile = exchange.route.file && exchange.request.method === 'GET' && exchange.context.blobFiles !== undefined;
  if (offersFile) flat.push('x-haven-send-file', '1');
  new FetchRelay(exchange, target, flat, offersFile).start();
}

/** 308 keeps method and body (RFC 9110 section 15.4.9). */
function redirect(exchange: Exchange, host: string, target: string, port: number): void {
  const authority = port === 443 ? hostnameOf(host) : `${hostnameOf(host)}:${port}`;
  exchange.head(308, ['location', `https://${authority}${target}`, 'content-length', '0']);
  exchange.end();
}
