import { BlockList, isIP } from 'node:net';

/** A set of IP addresses, made by parseAddressRanges. */
export class AddressRanges {
  readonly text: string;
  readonly #list: BlockList;

  constructor(text: string, list: BlockList) {
    this.text = text;
    this.#list = list;
  }

  /** Whether the address lies in one of the ranges. Anything that is not an IP address does not. */
  includes(address: string | undefined): boolean {
    const plain = plainAddress(address ?? '');
    const family = isIP(plain);
    return family !== 0 && this.#list.check(plain, family === 4 ? 'ipv4' : 'ipv6');
  }

  toJSON(): string {
    return this.text;
  }
}

/**
 * Reads a comma-separated list of addresses and CIDR ranges. An empty list includes nobody.
 *
 * @throws Error naming the first entry that is neither.
 */
export function parseAddressRanges(text: string): AddressRanges {
  const list = new BlockList();
  for (const entry of text.split(',').map((item) => item.trim()).filter((item) => item !== '')) addRange(list, entry);
  return new AddressRanges(text, list);
}

/** Whether a connection comes from a peer whose forwarding headers (X-Forwarded-For, -Proto, -Host) are believed. */
export function isTrustedPeer(ranges: AddressRanges, address: string | undefined): boolean {
  return ranges.includes(address);
}

function addRange(list: BlockList, entry: string): void {
  const [address = '', bits, ...rest] = entry.split('/');
  const plain = bits === undefined ? plainAddress(address) : address;
  const family = isIP(plain);
  const most = family === 4 ? 32 : 128;
  const prefix = bits === undefined ? most : Number(bits);
  const valid = family !== 0 && rest.length === 0 && !plain.includes('%') && (bits === undefined || /^\d{1,3}$/.test(bits)) && prefix <= most;
  if (!valid) throw new Error(`"${entry}" is neither an IP address nor a CIDR range`);
  list.addSubnet(plain, prefix, family === 4 ? 'ipv4' : 'ipv6');
}

/** Dual-stack sockets report IPv4 peers as ::ffff:1.2.3.4, link-local ones with a zone; neither belongs to the address. */
function plainAddress(address: string): string {
  const zoneless = address.replace(/%.*$/s, '');
  return /^::ffff:\d+\.\d+\.\d+\.\d+$/i.test(zoneless) ? zoneless.slice('::ffff:'.length) : zoneless;
}
