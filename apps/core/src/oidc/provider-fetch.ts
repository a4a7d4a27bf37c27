import { OutboundError, type OutboundClient, type OutboundRequest } from '@haven/outbound';

/** Bounds of one request to a provider: its metadata, its keys, tokens. */
const LIMITS = { connectMs: 5000, totalMs: 10_000, bodyBytes: 256 * 1024 };

export interface ProviderFetchOptions {
  readonly client: OutboundClient;
  readonly verifyCertificate: boolean;
}

/** What the library that speaks to the provider calls to send a request. */
export type ProviderFetch = (url: string, request: { readonly method: string; readonly headers: Readonly<Record<string, string>>; readonly body?: unknown }) => Promise<Response>;

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
