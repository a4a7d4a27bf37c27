import type { IncomingMessage, ServerResponse } from 'node:http';
import type { RegistryTokenClaims } from '@haven/access';
import { withOrigin } from '@haven/database';
import { OciError, parseRoute, type V2Route } from '@haven/oci';
import { requestIdFrom, type AddressRanges, type Logger, type Metrics } from '@haven/runtime';
import type { LiveConfiguration } from '../configuration/live-configuration.js';
import type { Authorizer } from '../token/authorizer.js';
import { Exchange } from './exchange.js';
import { answerFailure } from './failure.js';
import { RequestOrigin } from './request-origin.js';
import type { Operation, RouteTable } from './routes.js';

const LONGEST_URL = 8 * 1024;
const READING = new Set(['GET', 'HEAD']);
const NO_QUERY = new URLSearchParams();

export interface DispatcherParts {
  readonly routes: RouteTable;
  readonly authorizer: Authorizer;
  readonly configuration: Pick<LiveConfiguration, 'requireWritable'>;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Peers whose X-Forwarded-For is believed. */
  readonly trustedProxies: AddressRanges;
}

/** Takes a request from its path to its handler: route, method, rights, and every failure's answer. */
export class Dispatcher {
  readonly #routes: RouteTable;
  readonly #authorizer: Authorizer;
  readonly #configuration: Pick<LiveConfiguration, 'requireWritable'>;
  readonly #logger: Logger;
  readonly #metrics: Metrics;
  readonly #trustedProxies: AddressRanges;

  constructor(parts: DispatcherParts) {
    this.#routes = parts.routes;
    this.#authorizer = parts.authorizer;
    this.#configuration = parts.configuration;
    this.#logger = parts.logger;
    this.#metrics = parts.metrics;
    this.#trustedProxies = parts.trustedProxies;
  }

  readonly handle = (request: IncomingMessage, response: ServerResponse): void => {
    const started = performance.now();
    const requestId = requestIdFrom(request.headers['x-request-id']);
    let kind = 'invalid';
    response.on('close', () => {
      this.#metrics.observeHttp({ method: request.method ?? '', route: kind, status: response.statusCode, seconds: (performance.now() - started) / 1000 });
    });
    try {
      const { route, query } = targetOf(request.url ?? '');
      kind = route.kind;
      const operation = this.#operation(route, request.method ?? '');
      const mountFrom = route.kind === 'uploads' && query.get('mount') !== null ? (query.get('from') ?? undefined) : undefined;
      const claims = this.#authorizer.authorize({ request, route, action: operation.action, mountFrom });
      const exchangeFor = (allowed: RegistryTokenClaims): Exchange => new Exchange(request, response, route, query, new RequestOrigin(allowed.name, requestId, request, this.#trustedProxies), allowed);
      const run = READING.has(request.method ?? '')
        ? (allowed: RegistryTokenClaims): void | Promise<void> => operation.handle(exchangeFor(allowed))
        : (allowed: RegistryTokenClaims): Promise<void> => this.#change(operation, exchangeFor(allowed));
      const running = claims instanceof Promise ? claims.then(run) : run(claims);
      if (running) running.catch((error: unknown) => answerFailure(error, request, response, requestId, this.#logger));
    } catch (error) {
      answerFailure(error, request, response, requestId, this.#logger);
    }
  };

  /** Only changes pay for a context: reads write no events in it, and pulls are told of later (PullRecorder). */
  #change(operation: Operation, exchange: Exchange): Promise<void> {
    return withOrigin(exchange.origin.snapshot(), async () => {
      await this.#configuration.requireWritable();
      await operation.handle(exchange);
    });
  }

  #operation(route: V2Route, method: string): Operation {
    if (route.kind === 'unknown') throw new OciError('UNSUPPORTED', { status: 404, message: 'There is nothing at this address.' });
    const methods = this.#routes[route.kind] as Readonly<Record<string, Operation>>;
    const operation = Object.hasOwn(methods, method) ? methods[method] : undefined;
    if (!operation) throw new OciError('UNSUPPORTED', { headers: { allow: Object.keys(methods).join(', ') } });
    return operation;
  }
}

function targetOf(url: string): { readonly route: V2Route; readonly query: URLSearchParams } {
  if (url.length > LONGEST_URL) throw new OciError('UNSUPPORTED', { status: 414, message: `An address may have at most ${LONGEST_URL} characters.` });
  const mark = url.indexOf('?');
  if (mark < 0) return { route: parseRoute(url), query: NO_QUERY };
  return { route: parseRoute(url.slice(0, mark)), query: new URLSearchParams(url.slice(mark + 1)) };
}
