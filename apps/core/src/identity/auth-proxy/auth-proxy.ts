import { OutboundError, type OutboundClient, type OutboundResponse } from '@haven/outbound';
import { z } from 'zod';
import { outboundReason } from '../../outbound/outbound-reason.js';
import { AuthProxyFault } from './auth-proxy-fault.js';
import type { AuthProxySettings } from './auth-proxy-settings.js';
import { readReview, reviewRequest, type Reviewed } from './token-review.js';

/** One login, both questions together, in milliseconds. */
const TOTAL_MS = 10_000;
const LIMITS = { connectMs: 5000, bodyBytes: 256 * 1024 };
/** A token as it can be sent in a header. */
const TOKEN = /^[\x21-\x7e]{1,8192}$/;
/** What a name in Basic authentication cannot have. */
const UNSENDABLE = /[:\p{Cc}]/u;

const Session = z.object({ session_id: z.string().regex(TOKEN) });

type Address = 'http_authproxy_endpoint' | 'http_authproxy_tokenreview_endpoint';

interface Sent {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/**
 * The authenticating proxy and the token review beside it, spoken to as Harbor does: name and password are posted to the
 * one, and the token that it gives to the other, which says whose it is.
 */
export class AuthProxy {
  constructor(
    readonly settings: AuthProxySettings,
    private readonly client: OutboundClient,
  ) {}

  /**
   * Who has this name and password; undefined when the proxy refuses them.
   *
   * @throws AuthProxyFault when one of both cannot be asked, or they do not agree
   */
  async logIn(name: string, password: string): Promise<Reviewed | undefined> {
    if (name === '' || password === '' || UNSENDABLE.test(name)) return undefined;
    const deadline = performance.now() + TOTAL_MS;
    const token = await this.#tokenOf(name, password, deadline);
    if (token === undefined) return undefined;
    const reviewed = await this.#review(token, deadline);
    if (reviewed === undefined) throw new AuthProxyFault('http_authproxy_endpoint gave a token that http_authproxy_tokenreview_endpoint does not take');
    return reviewed;
  }

  /** Whose token this is; undefined when it is nobody's. Throws as `logIn` does. */
  async review(token: string): Promise<Reviewed | undefined> {
    return TOKEN.test(token) ? this.#review(token, performance.now() + TOTAL_MS) : undefined;
  }

  close(): void {
    this.client.close();
  }

  async #tokenOf(name: string, password: string, deadline: number): Promise<string | undefined> {
    const credentials = Buffer.from(`${name}:${password}`).toString('base64');
    const answer = await this.#post('http_authproxy_endpoint', { headers: { authorization: `Basic ${credentials}` }, body: '' }, deadline);
    if (answer.status === 401 || answer.status === 403) return undefined;
    const session = Session.safeParse(answer.status === 200 ? json(answer) : undefined);
    if (session.success) return session.data.session_id;
    throw new AuthProxyFault(answer.status === 200 ? 'http_authproxy_endpoint answers with something that is no {"session_id":"…"}' : unexpected('http_authproxy_endpoint', answer));
  }

  async #review(token: string, deadline: number): Promise<Reviewed | undefined> {
    const { reviewEndpoint } = this.settings;
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    const answer = await this.#post('http_authproxy_tokenreview_endpoint', { headers, body: reviewRequest(token, reviewEndpoint) }, deadline);
    if (answer.status === 401) return undefined;
    if (answer.status === 403) throw new AuthProxyFault('http_authproxy_tokenreview_endpoint answers 403: it does not let people ask about their own tokens; in Kubernetes they need the role system:auth-delegator');
    if (answer.status !== 200 && answer.status !== 201) throw new AuthProxyFault(unexpected('http_authproxy_tokenreview_endpoint', answer));
    return readReview(answer.body.toString());
  }

  async #post(name: Address, { headers, body }: Sent, deadline: number): Promise<OutboundResponse> {
    const { endpoint, reviewEndpoint, verifyCertificate: verify, serverCertificate: ca } = this.settings;
    const url = (name === 'http_authproxy_endpoint' ? endpoint : reviewEndpoint).href;
    const totalMs = Math.max(1, deadline - performance.now());
    try {
      const tls = { verify, ...(ca === '' ? {} : { ca }) };
      const answer = await this.client.send({ url, method: 'POST', headers: { ...headers, accept: 'application/json' }, body, tls, limits: { ...LIMITS, totalMs } });
      if (!answer.complete) throw new AuthProxyFault(`${name} answers with more than ${LIMITS.bodyBytes / 1024} KiB`);
      return answer;
    } catch (error) {
      if (!(error instanceof OutboundError)) throw error;
      throw new AuthProxyFault(`${name}: ${outboundReason(error)}`, { cause: error });
    }
  }
}

function json({ body }: OutboundResponse): unknown {
  try {
    return JSON.parse(body.toString());
  } catch {
    return undefined; // told from the right form by whoever asked
  }
}

function unexpected(name: Address, { status }: OutboundResponse): string {
  return status >= 300 && status < 400 ? `${name} redirects (status ${status}), which is not followed; set the address that it leads to` : `${name} answers with status ${status}`;
}
