import type { ExternalGroup } from '../../external-user.js';
import type { DirectoryConnection } from '../directory-connection.js';
import type { DirectoryEntry } from '../directory-entry.js';
import { allOf, anyOf, equals } from '../directory-filter.js';
import type { DirectoryServer } from '../directory-url.js';
import { GroupLookup, groupOf, keyOf, PlainGroupLookup, type Membership } from '../group-lookup.js';
import type { LdapSettings } from '../ldap-settings.js';
import { CAPABILITIES_ATTRIBUTE, followsMemberships, inChainFilter } from './nested-membership.js';
import { primaryGroupFilter } from './primary-group.js';

const MOST_GROUPS = 10_000;

/**
 * Groups of a domain. The server follows memberships itself, through any number of groups, also through such as are not
 * wanted here. Members are only ever compared by the server: how many a group has does not matter.
 */
export class DomainGroupLookup extends GroupLookup {
  async groupsOf(connection: DirectoryConnection, entry: DirectoryEntry, settings: LdapSettings): Promise<Membership> {
    const { groups: wanted } = settings;
    if (wanted.filter === '' && wanted.adminKey === undefined) return { groups: [], admin: false };
    const primary = await primaryGroup(connection, entry, settings);
    const holds = holdersFilter(primary === undefined ? [entry.dn] : [entry.dn, primary.dn], wanted.nested);
    const filter = primary === undefined ? holds : anyOf(holds, primary.filter);
    const search = { attributes: [wanted.nameAttribute], filter: allOf(wanted.filter, filter) };
    const found = wanted.filter === '' ? [] : await connection.search({ ...search, base: wanted.baseDn, scope: wanted.scope, most: MOST_GROUPS });
    const groups = found.map((group) => groupOf(group, settings));
    return { groups, admin: await isAdmin(connection, groups, filter, settings) };
  }
}

/** Chooses by what each server says that it is. */
export class ChosenGroupLookup extends GroupLookup {
  readonly #chosen = new WeakMap<DirectoryServer, GroupLookup>();
  readonly #domain = new DomainGroupLookup();
  readonly #plain = new PlainGroupLookup();

  async groupsOf(connection: DirectoryConnection, entry: DirectoryEntry, settings: LdapSettings): Promise<Membership> {
    const lookup = this.#chosen.get(connection.server) ?? await this.#choose(connection);
    return lookup.groupsOf(connection, entry, settings);
  }

  async #choose(connection: DirectoryConnection): Promise<GroupLookup> {
    const [root] = await connection.search({ base: '', scope: 'base', filter: '(objectClass=*)', attributes: [CAPABILITIES_ATTRIBUTE], most: 1 });
    const lookup = followsMemberships(root?.all(CAPABILITIES_ATTRIBUTE) ?? []) ? this.#domain : this.#plain;
    this.#chosen.set(connection.server, lookup);
    return lookup;
  }
}

interface PrimaryGroup {
  readonly dn: string;
  /** Finds the group itself, which need not be wanted. */
  readonly filter: string;
}

async function primaryGroup(connection: DirectoryConnection, entry: DirectoryEntry, { baseDn }: LdapSettings): Promise<PrimaryGroup | undefined> {
  const filter = primaryGroupFilter(entry.bytes('objectSid'), entry.first('primaryGroupID'));
  if (filter === undefined) return undefined;
  const [group] = await connection.search({ base: baseDn, scope: 'sub', filter, attributes: ['cn'], most: 1 });
  return group && { dn: group.dn, filter };
}

function holdersFilter(dns: readonly string[], nested: boolean): string {
  const [account = ''] = dns;
  return nested ? inChainFilter(dns) : equals('member', account);
}

/** Whether the group of administrators is one of these; it need not match the filter for groups. */
async function isAdmin(connection: DirectoryConnection, groups: readonly Required<ExternalGroup>[], filter: string, { groups: wanted }: LdapSettings): Promise<boolean> {
  if (wanted.adminKey === undefined) return false;
  if (groups.some(({ dn }) => keyOf(dn) === wanted.adminKey)) return true;
  return (await connection.search({ base: wanted.adminDn, scope: 'base', filter, attributes: ['cn'], most: 1 })).length > 0;
}
