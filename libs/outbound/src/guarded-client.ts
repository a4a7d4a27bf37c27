import { lookup as resolveName, type LookupAddress } from 'node:dns';
import * as http from 'node:http';
import * as https from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { checkedRequest, type CheckedRequest } from './checked-request.js';
import { exchange } from './exchange.js';
import { OutboundClient, type OutboundRequest, type OutboundResponse } from './outbound-client.js';
import { OutboundError } from './outbound-error.js';
import type { OutboundRules } from './outbound-rules.js';

/** Looks up every address of a name. */
export type Resolve = (host: string) => Promise<readonly LookupAddress[]>;

export interface GuardedClientParts {
  readonly rules: OutboundRules;
  /** Sent as User-Agent, unless a request says otherwise. */
  readonly userAgent: string;
  /** The system's resolver by default. */
  readonly resolve?: Resolve;
}

const HEADER_BYTES = 16 * 1024;
const KEPT = { keepAlive: true, keepAliveMsecs: 1000, timeout: 4000, maxSockets: 32, maxFreeSockets: 4, maxTotalSockets: 256 };
const ONCE = { keepAlive: false, maxSockets: 32, maxTotalSockets: 256 };
/** Only what may be sent twice goes over a kept connection: the other side may have closed it just now. */
const REPEATABLE: readonly string[] = ['GET', 'HEAD', 'PUT', 'DELETE'];

/** Sends requests over connections whose address was looked at after it was resolved and before anything was sent. */
export class GuardedClient extends OutboundClient {
  readonly #parts: GuardedClientParts;
  readonly #lookup: LookupFunction;
  readonly #kept = { http: new http.Agent(KEPT), https: new https.Agent(KEPT) };
  readonly #once = { http: new http.Agent(ONCE), https: new https.Agent(ONCE) };

  constructor(parts: GuardedClientParts) {
    super();
    this.#parts = parts;
    this.#lookup = guardedLookup(parts);
  }

  override async send(request: OutboundRequest): Promise<OutboundResponse> {
    const checked = checkedRequest(request);
    this.#admitLiteral(checked.url);
    const deadline = Date.now() + checked.limits.totalMs;
    const first = await this.#attempt(request, checked, deadline);
    if (first !== 'stale') return first;
    const second = await this.#attempt(request, checked, deadline, true);
    if (second === 'stale') throw new OutboundError('broken');
    return second;
  }

  override close(): void {
    for (const agents of [this.#kept, this.#once]) for (const agent of [agents.http, agents.https]) agent.destroy();
  }

  /** Sockets to an address that needs no resolving never ask the lookup. */
  #admitLiteral({ hostname }: URL): void {
    const literal = hostname.replace(/^\[|\]$/g, '');
    if (isIP(literal) !== 0 && !this.#parts.rules.allows(literal, literal)) throw new OutboundError('refused-address');
  }

  /** Resolves to 'stale' when a kept connection turned out to be closed. */
  #attempt(request: OutboundRequest, { url, limits }: CheckedRequest, deadline: number, fresh = false): Promise<OutboundResponse | 'stale'> {
    const { method = 'GET', signal } = request;
    const secure = url.protocol === 'https:';
    const agents = REPEATABLE.includes(method) && !fresh ? this.#kept : this.#once;
    const outgoing = (secure ? https : http).request(url, {
      method, headers: this.#headers(request), agent: secure ? agents.https : agents.http, lookup: this.#lookup, maxHeaderSize: HEADER_BYTES,
      insecureHTTPParser: false, ...(secure ? tlsOptions(request) : {}),
    });
    const answer = exchange(outgoing, secure, { limits, deadline, signal });
    outgoing.end(request.body);
    return answer;
  }

  #headers({ headers = {}, body }: OutboundRequest): Record<string, string | number> {
    const named = Object.keys(headers).some((name) => name.toLowerCase() === 'user-agent') ? {} : { 'User-Agent': this.#parts.userAgent };
    const length = body === undefined ? {} : { 'Content-Length': Buffer.byteLength(body) };
    return { ...named, ...headers, 'Accept-Encoding': 'identity', ...length };
  }
}

function tlsOptions({ tls = {} }: OutboundRequest): https.RequestOptions {
  return { rejectUnauthorized: tls.verify !== false, ...(tls.ca === undefined ? {} : { ca: tls.ca }) };
}

/** Answers with those addresses of a name that may be connected to: the socket gets no others to choose from. */
function guardedLookup({ rules, resolve = resolveAll }: GuardedClientParts): LookupFunction {
  return (host, options, done) => {
    const fail = (error: OutboundError): void => { done(error, '', 0); };
    resolve(host).then((found) => {
      const allowed = found.filter(({ address }) => rules.allows(host, address));
      const [first] = allowed;
      if (first === undefined) return fail(new OutboundError(found.length === 0 ? 'unresolved' : 'refused-address'));
      if (options.all === true) return done(null, [...allowed]);
      return done(null, first.address, first.family);
    }, (error: unknown) => { fail(new OutboundError('unresolved', error)); });
  };
}

function resolveAll(host: string): Promise<LookupAddress[]> {
  return new Promise((resolve, reject) => {
    resolveName(host, { all: true, order: 'verbatim' }, (error, addresses) => {
      if (error === null) resolve(addresses);
      else reject(error);
    });
  });
}
