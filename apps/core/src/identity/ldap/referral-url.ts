import { parseDn } from '../../group/distinguished-name.js';
import { filterFault } from './directory-filter.js';
import { parseServers, type DirectoryServer } from './directory-url.js';
import type { SearchScope } from './ldap-settings.js';

/** Where a reference of the directory leads (RFC 4511, sections 4.1.10 and 4.5.3); what it does not say is as in the search that led to it. */
export interface Referral {
  /** As the directory wrote it. */
  readonly text: string;
  readonly server: DirectoryServer;
  readonly base: string | undefined;
  readonly scope: SearchScope | undefined;
  /** Narrows the search. */
  readonly filter: string | undefined;
}

/** A host that references may lead to. Without a port its usual two are meant. */
export interface ReferralHost {
  readonly host: string;
  readonly port: number | undefined;
}

const LONGEST = 2048;
const USUAL_PORTS: readonly number[] = [389, 636];
const SCOPES: readonly string[] = ['base', 'one', 'sub'] satisfies readonly SearchScope[];

/** Reads an LDAP URL (RFC 4516); undefined for one that cannot be followed. */
export function parseReferral(text: string): Referral | undefined {
  const [, scheme, place = '', dn = '', query = ''] = /^(ldaps?):\/\/([^/?#]+)(?:\/([^?#]*))?(?:\?([^#]*))?$/i.exec(text.slice(0, LONGEST + 1)) ?? [];
  const parts = query.split('?').map(decoded);
  const [base, , scope = '', filter = '', extensions = ''] = [decoded(dn), ...parts];
  if (scheme === undefined || text.length > LONGEST || base === undefined || parts.includes(undefined)) return undefined;
  const servers = parseServers(`${scheme.toLowerCase()}://${place}`);
  const [server, ...more] = typeof servers === 'string' ? [] : servers;
  if (server === undefined || more.length > 0 || extensions.includes('!')) return undefined;
  if ((base !== '' && parseDn(base) === undefined) || (scope !== '' && !SCOPES.includes(scope)) || filterFault(filter) !== undefined) return undefined;
  return { text, server, base: base === '' ? undefined : base, scope: scope === '' ? undefined : scope as SearchScope, filter: filter === '' ? undefined : filter };
}

/** Reads the setting ldap_referral_hosts, whose form has been checked. */
export function referralHosts(text: string): ReferralHost[] {
  return text.split(/[\s,]+/).filter((part) => part !== '').map((part) => {
    const [, host = '', port] = /^(\[[^\]]+\]|[^:]+)(?::(\d+))?$/.exec(part) ?? [];
    return { host: host.replace(/^\[|\]$/g, '').toLowerCase(), port: port === undefined ? undefined : Number(port) };
  });
}

export function mayFollow({ server }: Referral, hosts: readonly ReferralHost[]): boolean {
  return hosts.some(({ host, port }) => host === server.host.toLowerCase() && (port === undefined ? USUAL_PORTS.includes(server.port) : port === server.port));
}

function decoded(part: string): string | undefined {
  try {
    return decodeURIComponent(part);
  } catch {
    return undefined; // told from an empty part by whoever asked
  }
}
