import { OutboundError, parseOutboundRules, GuardedClient, type OutboundClient, type OutboundRequest, type OutboundRules } from '@haven/outbound';

/** Bounds of one request to a provider: its metadata, its keys, tokens. */
const LIMITS = { connectMs: 5000, totalMs: 10_000, bodyBytes: 256 * 1024 };

export interface ProviderFetchOptions {
  readonly client: OutboundClient;
  readonly verifyCertificate: boolean;
}

/** What the library that speaks to the provider calls to send a request. */
export type ProviderFetch = (url: string, request: { readonly method: string; readonly headers: Readonly<Record<string, string>>; readonly body?: unknown }) => Promise<Response>;

/**
 * A client for one provider: it sends to public addresses, to those that the machine's administrator allows
 * (HAVEN_OUTBOUND_ALLOW), and to the host that the setting oidc_endpoint names, which is usually one inside the company.
 */
export function providerClient(endpoint: URL, rules: OutboundRules): GuardedClient {
  const host = endpoint.hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '');
  return new GuardedClient({ rules: parseOutboundRules([rules.text, host].filter((text) => text !== '').join()), userAgent: 'Haven' });
}

/**
 * `fetch` through the guarded client: bounded in time and size, and without following redirects, so that what comes
 * back was said by the very address that was asked.
 */
export function providerFetch({ client, verifyCertificate }: ProviderFetchOptions): ProviderFetch {
  return async (url, { method, headers, body }) => {
    const answer = await client.send({
      url, headers: { ...headers }, method: method as NonNullable<OutboundRequest['method']>, limits: LIMITS, tls: { verify: verifyCertificate },
      ...(body === undefined || body === null ? {} : { body: bodyText(body) }),
    });
    if (!answer.complete) throw new OutboundError('broken');
    const empty = answer.status === 204 || answer.status === 205 || answer.status === 304;
    return new Response(empty ? null : new Uint8Array(answer.body), { status: answer.status, headers: answer.headers });
  };
}

/** The library sends forms and nothing else. */
function bodyText(body: unknown): string {
  if (typeof body === 'string') return body;
  if (body instanceof URLSearchParams) return body.toString();
  throw new Error('a request to the provider has a body of an unknown kind');
}
