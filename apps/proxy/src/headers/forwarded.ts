import { isIP } from 'node:net';
import { isHost, portOf } from './host.js';
import type { RequestHeaders } from './request-headers.js';

export type Scheme = 'http' | 'https';

/** Who is at the other end of a connection, found out once for each connection. */
export interface Peer {
  /** IP address, IPv4 in dotted form. */
  readonly address: string;
  /** Its forwarding headers are believed (HAVEN_TRUSTED_PROXIES). */
  readonly trusted: boolean;
  readonly scheme: Scheme;
}

/** How the client itself reached the first proxy on its way here. */
export interface Origin {
  /** The client and the proxies in between, the nearest last, as in X-Forwarded-For. */
  readonly chain: string;
  readonly scheme: Scheme;
  readonly host: string;
  readonly port: string;
}

/** An X-Forwarded-For that has grown longer than this is not believed. */
const MAX_CHAIN = 1024;

/**
 * Where a request came from. What the client says about that counts only when the peer is trusted; of several values the
 * last one counts, because the trusted peer added it, while earlier ones may be the client's own. Anything malformed is
 * replaced by what the connection shows.
 */
export function originOf(peer: Peer, headers: RequestHeaders): Origin {
  if (!peer.trusted) return direct(peer, headers);
  const standard = headers.forwarded === '' ? undefined : lastForwarded(headers.forwarded);
  const scheme = asScheme(lastOf(headers.forwardedProto) || standard?.proto) ?? peer.scheme;
  const givenHost = lastOf(headers.forwardedHost) || standard?.host || '';
  const host = isHost(givenHost) ? givenHost : headers.host;
  const givenPort = lastOf(headers.forwardedPort);
  const port = /^\d{1,5}$/.test(givenPort) ? givenPort : portOf(host) || defaultPort(scheme);
  return { chain: chainOf(peer, headers.forwardedFor || (standard?.for ?? '')), scheme, host, port };
}

/** Adds what upstreams learn of an origin to a flat list of headers. */
export function pushOrigin(flat: string[], origin: Origin): void {
  flat.push('x-forwarded-for', origin.chain, 'x-forwarded-proto', origin.scheme, 'x-forwarded-host', origin.host, 'x-forwarded-port', origin.port);
}

function direct(peer: Peer, headers: RequestHeaders): Origin {
  return { chain: peer.address, scheme: peer.scheme, host: headers.host, port: portOf(headers.host) || defaultPort(peer.scheme) };
}

function chainOf(peer: Peer, before: string): string {
  const addresses = before.length > MAX_CHAIN ? [] : before.split(',').map((item) => item.trim());
  return addresses.length > 0 && addresses.every((item) => isIP(item) !== 0) ? `${addresses.join(', ')}, ${peer.address}` : peer.address;
}

function lastOf(list: string): string {
  return list.slice(list.lastIndexOf(',') + 1).trim();
}

function asScheme(text: string | undefined): Scheme | undefined {
  const lower = text?.toLowerCase();
  return lower === 'http' || lower === 'https' ? lower : undefined;
}

function defaultPort(scheme: Scheme): string {
  return scheme === 'https' ? '443' : '80';
}

/** The last element of a Forwarded header (RFC 7239 section 4). Commas inside quotes make it unreadable, so they are not believed. */
function lastForwarded(value: string): { proto: string | undefined; host: string | undefined; for: string | undefined } {
  const found = new Map<string, string>();
  for (const pair of lastOf(value).split(';')) {
    const match = /^\s*([A-Za-z]{1,16})=(?:"([^"\\]{0,300})"|([^\s"\\;,]{1,300}))\s*$/.exec(pair);
    const name = match?.[1]?.toLowerCase();
    if (name !== undefined) found.set(name, match?.[2] ?? match?.[3] ?? '');
  }
  const address = found.get('for')?.replace(/^\[([^\]]*)\](?::\d+)?$/, '$1').replace(/^(\d+\.\d+\.\d+\.\d+):\d+$/, '$1');
  return { proto: found.get('proto'), host: found.get('host'), for: address };
}
