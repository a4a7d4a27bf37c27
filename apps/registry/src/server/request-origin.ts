import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import type { Origin } from '@haven/database';
import { isTrustedPeer, type AddressRanges } from '@haven/runtime';

/** A longer X-Forwarded-For is not believed. */
const LONGEST_CHAIN = 1024;

/** Who asks, and from where. The address is found out only when somebody wants to know: most pulls write nothing. */
export class RequestOrigin implements Origin {
  told?: Set<string>;
  readonly name: string;
  readonly requestId: string;
  readonly #request: IncomingMessage;
  readonly #trusted: AddressRanges;
  #address: string | undefined;

  constructor(name: string, requestId: string, request: IncomingMessage, trusted: AddressRanges) {
    this.name = name;
    this.requestId = requestId;
    this.#request = request;
    this.#trusted = trusted;
  }

  get address(): string {
    const forwarded = this.#request.headers['x-forwarded-for'];
    this.#address ??= clientAddress(this.#request.socket.remoteAddress ?? '', typeof forwarded === 'string' ? forwarded : '', this.#trusted);
    return this.#address;
  }

  /** The same as a plain value, which holds on to no request. */
  snapshot(): Origin {
    return { name: this.name, address: this.address, requestId: this.requestId };
  }
}

/**
 * The client's address: the peer's, or, when the peer is one of our proxies, what it says. Of a chain of addresses the
 * last one counts that is not a proxy of ours, for what stands before it may be the client's own invention.
 */
export function clientAddress(peer: string, forwardedFor: string, trusted: AddressRanges): string {
  let address = plain(peer);
  if (forwardedFor === '' || forwardedFor.length > LONGEST_CHAIN) return address;
  const chain = forwardedFor.split(',');
  while (isTrustedPeer(trusted, address)) {
    const before = plain(chain.pop()?.trim() ?? '');
    if (isIP(before) === 0) return address;
    address = before;
  }
  return address;
}

/** Dual-stack sockets show IPv4 clients as ::ffff:192.0.2.1. */
function plain(address: string): string {
  return address.startsWith('::ffff:') && isIP(address.slice(7)) === 4 ? address.slice(7) : address;
}
