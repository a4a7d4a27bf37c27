import type { IncomingHttpHeaders } from 'node:http';

const SAFE_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

/** Whether a request of this method may change something (RFC 9110, section 9.2.1). */
export function isUnsafe(method: string): boolean {
  return !SAFE_METHODS.has(method);
}

/** Whether a browser says that another site's page sends this. Clients that are no browsers do not say. */
export function isCrossSite(headers: IncomingHttpHeaders): boolean {
  return headers['sec-fetch-site'] === 'cross-site';
}

/**
 * Whether a browser says that this comes from a page which is not one of ours: Sec-Fetch-Site (Fetch Metadata), which
 * pages cannot set, and Origin. Only the host of an Origin is compared, for TLS may end in front of us. Clients that send
 * neither are no browsers, or old ones; for them the token alone decides.
 *
 * @param hosts the host names, with their ports, that we are reached under
 */
export function isForeignPage(headers: IncomingHttpHeaders, hosts: readonly (string | undefined)[]): boolean {
  const site = headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return true;
  const { origin } = headers;
  if (origin === undefined) return false;
  // A page that tells nobody where it is sends "null"; whether it is ours, the browser has said already, or nobody has.
  if (origin === 'null') return site !== 'same-origin';
  const from = originOf(origin);
  return from === undefined || !hosts.some((host) => host !== undefined && originOf(`${from.protocol}//${host}`)?.host === from.host);
}

function originOf(text: string): URL | undefined {
  return /^https?:\/\/[^/?#@\\\s]+$/.test(text) ? (URL.parse(text) ?? undefined) : undefined;
}
