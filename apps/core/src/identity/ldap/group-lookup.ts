import { dnKey, keyOfDn, parseDn } from '../../group/distinguished-name.js';
import type { ExternalGroup } from '../external-user.js';
import type { DirectoryConnection } from './directory-connection.js';
import type { DirectoryEntry } from './directory-entry.js';
import { allOf, anyOf, equals } from './directory-filter.js';
import type { LdapSettings } from './ldap-settings.js';

/** Groups that a person is in. `admin`: in the group of system administrators. */
export interface Membership {
  readonly groups: readonly Required<ExternalGroup>[];
  readonly admin: boolean;
}

/** How the groups of a person are found; what is best depends on the kind of directory. */
export abstract class GroupLookup {
  /** The groups of the entry, direct and, where that is wanted, nested. */
  abstract groupsOf(connection: DirectoryConnection, entry: DirectoryEntry, settings: LdapSettings): Promise<Membership>;
}

const DEEPEST = 10;
const MOST_GROUPS = 10_000;
/** Members asked for in one search. */
const AT_ONCE = 50;
/** Entries that are read without waiting for one another. */
const READ_AT_ONCE = 16;
const MEMBER_ATTRIBUTES = ['member', 'uniqueMember'];

/**
 * Groups of any directory: those that the entry names (memberOf) and those that name the entry (member, uniqueMember), and
 * the same again for each group, level by level. A group is looked at once, so cycles end; levels and groups are bounded.
 */
export class PlainGroupLookup extends GroupLookup {
  async groupsOf(connection: DirectoryConnection, entry: DirectoryEntry, settings: LdapSettings): Promise<Membership> {
    const { groups: wanted } = settings;
    if (wanted.filter === '' && wanted.adminKey === undefined) return { groups: [], admin: false };
    const found = new Map<string, Required<ExternalGroup>>();
    let level: readonly DirectoryEntry[] = [entry];
    for (let depth = 0; level.length > 0 && depth < (wanted.nested ? DEEPEST : 1); depth += 1) level = await nextLevel(connection, level, found, settings);
    const named = entry.all(wanted.membershipAttribute).map(keyOf);
    const holders = wanted.nested ? [entry.dn, ...[...found.values()].map(({ dn }) => dn)] : [entry.dn];
    const admin = wanted.adminKey !== undefined && (found.has(wanted.adminKey) || named.includes(wanted.adminKey) || (await isMember(connection, holders, settings)));
    return { groups: wanted.filter === '' ? [] : [...found.values()], admin };
  }
}

/** The groups that hold any of these and were not found yet; they are found then. */
async function nextLevel(connection: DirectoryConnection, level: readonly DirectoryEntry[], found: Map<string, Required<ExternalGroup>>, settings: LdapSettings): Promise<DirectoryEntry[]> {
  const next: DirectoryEntry[] = [];
  const add = (groups: readonly DirectoryEntry[]): void => {
    for (const group of groups) {
      const key = keyOf(group.dn);
      if (key === undefined || found.has(key) || found.size >= MOST_GROUPS) continue;
      found.set(key, groupOf(group, settings));
      next.push(group);
    }
  };
  for (let start = 0; start < level.length; start += AT_ONCE) add(await holding(connection, level.slice(start, start + AT_ONCE).map(({ dn }) => dn), settings));
  const named = new Map(level.flatMap((entry) => entry.all(settings.groups.membershipAttribute)).map((dn) => [keyOf(dn), dn] as const));
  const unseen = [...named].flatMap(([key, dn]) => (key !== undefined && !found.has(key) && isBelow(dn, settings.groups.baseDn) ? [dn] : []));
  for (let start = 0; start < unseen.length && found.size < MOST_GROUPS; start += READ_AT_ONCE) {
    const read = await Promise.all(unseen.slice(start, start + READ_AT_ONCE).map((dn) => readGroup(connection, dn, settings)));
    add(read.flat());
  }
  return next;
}

function holding(connection: DirectoryConnection, members: readonly string[], { groups }: LdapSettings): Promise<DirectoryEntry[]> {
  const holds = anyOf(...members.flatMap((dn) => MEMBER_ATTRIBUTES.map((attribute) => equals(attribute, dn))));
  return connection.search({ base: groups.baseDn, scope: groups.scope, filter: allOf(groups.filter, holds), attributes: [groups.nameAttribute, groups.membershipAttribute], most: MOST_GROUPS });
}

/** The group with this DN, when it is one that is wanted and on a server that is asked; at most one. */
export function readGroup(connection: DirectoryConnection, dn: string, { groups }: LdapSettings): Promise<DirectoryEntry[]> {
  return connection.searchHere({ base: dn, scope: 'base', filter: groups.filter || '(objectClass=*)', attributes: [groups.nameAttribute, groups.membershipAttribute], most: 1 });
}

/** Whether the group of administrators holds any of these; it need not match the filter for groups. */
async function isMember(connection: DirectoryConnection, dns: readonly string[], { groups }: LdapSettings): Promise<boolean> {
  for (let start = 0; start < dns.length; start += AT_ONCE) {
    const holds = anyOf(...dns.slice(start, start + AT_ONCE).flatMap((dn) => MEMBER_ATTRIBUTES.map((attribute) => equals(attribute, dn))));
    if ((await connection.search({ base: groups.adminDn, scope: 'base', filter: holds, attributes: ['cn'], most: 1 })).length > 0) return true;
  }
  return false;
}

/** The group as it will be known here. */
export function groupOf(entry: DirectoryEntry, { groups }: LdapSettings): Required<ExternalGroup> {
  return { dn: entry.dn, name: entry.first(groups.nameAttribute) ?? entry.dn };
}

/** What a DN is compared by; undefined when it is none. */
export function keyOf(dn: string): string | undefined {
  return keyOfDn(dn);
}

/** Whether a DN is the base or below it, part by part. */
export function isBelow(dn: string, base: string): boolean {
  const names = parseDn(dn);
  const roots = parseDn(base);
  return names !== undefined && roots !== undefined && names.length >= roots.length && dnKey(names.slice(names.length - roots.length)) === dnKey(roots);
}
