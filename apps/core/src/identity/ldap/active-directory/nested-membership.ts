import { anyOf, escapeValue } from '../directory-filter.js';

/** Attribute of a server's root entry that says what kind of directory it is. */
export const CAPABILITIES_ATTRIBUTE = 'supportedCapabilities';

/** Active Directory since 2003, Samba, and Active Directory Lightweight Directory Services ([MS-ADTS] 3.1.1.3.4.3). */
const DOMAINS = ['1.2.840.113556.1.4.1670', '1.2.840.113556.1.4.1851'];
/** Finds an entry through any number of others, and takes no harm from circles ([MS-ADTS] 3.1.1.3.4.4.3). */
const IN_CHAIN = '1.2.840.113556.1.4.1941';

/**
 * Whether a server follows memberships itself. It must say so: servers that do not know the rule find nobody with it,
 * which looks like an answer (RFC 4511, section 4.5.1.7).
 */
export function followsMemberships(capabilities: readonly string[]): boolean {
  return capabilities.some((capability) => DOMAINS.includes(capability));
}

/** Finds the groups that one of these entries is in, directly or through other groups. */
export function inChainFilter(dns: readonly string[]): string {
  return anyOf(...dns.map((dn) => `(member:${IN_CHAIN}:=${escapeValue(dn)})`));
}
