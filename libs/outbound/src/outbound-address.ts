import { isIPv6 } from 'node:net';
import { parseAddressRanges } from '@haven/runtime';

/**
 * IPv4 addresses that are not out there: the special-purpose registry of RFC 6890 with its successors, multicast, and
 * addresses at which clouds serve the secrets of their machines (169.254/16 and 100.64/10 hold the others).
 */
const CLOSED_IPV4 = parseAddressRanges([
  '0.0.0.0/8', '10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16', '172.16.0.0/12', '192.0.0.0/24', '192.0.2.0/24',
  '192.88.99.0/24', '192.168.0.0/16', '198.18.0.0/15', '198.51.100.0/24', '203.0.113.0/24', '224.0.0.0/3', '168.63.129.16/32',
].join());

/** The only block of IPv6 that is given out to the public (RFC 4291, section 2.4)… */
const GLOBAL_IPV6 = parseAddressRanges('2000::/3');

/** …but for what lies in it and is something else: protocols such as Teredo, documentation, 6to4, AS112. */
const CLOSED_IPV6 = parseAddressRanges('2001::/23,2001:db8::/32,2002::/16,2620:4f:8000::/48,3fff::/20');

/** Whether anybody on the internet may have this address. Anything that is no IP address is not public. */
export function isPublicAddress(address: string): boolean {
  const plain = unmapped(address);
  if (!isIPv6(plain)) return /^[\d.]+$/.test(plain) && !CLOSED_IPV4.includes(plain) && plain.split('.').length === 4;
  return GLOBAL_IPV6.includes(plain) && !CLOSED_IPV6.includes(plain);
}

/** An IPv4 address in the form of an IPv6 one (RFC 4291, section 2.5.5.2) reaches what the IPv4 address reaches. */
export function unmapped(address: string): string {
  if (!isIPv6(address)) return address;
  const canonical = new URL(`http://[${address.replace(/%.*$/s, '')}]/`).hostname.slice(1, -1);
  const mapped = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(canonical);
  if (mapped === null) return canonical;
  const [high, low] = [Number.parseInt(mapped[1] ?? '', 16), Number.parseInt(mapped[2] ?? '', 16)];
  return [high >> 8, high & 255, low >> 8, low & 255].join('.');
}
