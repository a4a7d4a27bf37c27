import { dnKey, parseDn } from '../../group/distinguished-name.js';
import { foldedName } from '../external-name.js';
import { STATE_ATTRIBUTES } from './account-state.js';
import { PRIMARY_GROUP_ATTRIBUTES } from './active-directory/primary-group.js';
import type { DirectoryEntry } from './directory-entry.js';
import { equals } from './directory-filter.js';
import type { LdapSettings } from './ldap-settings.js';

/** Attributes whose value never changes and is never given to another entry, in the order in which they are believed. */
const IDS = ['entryUUID', 'ipaUniqueID', 'nsUniqueId', 'GUID'] as const;
const BINARY_ID = 'objectGUID';
const LONGEST_REALNAME = 255;
const EMAIL = /^[^\s@,"<>]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,250}[A-Za-z0-9])?$/;

export const BINARY_ATTRIBUTES: readonly string[] = [BINARY_ID, 'objectSid'];

/** What is read of a person's entry. */
export function personAttributes({ uid, groups }: LdapSettings): readonly string[] {
  return [...new Set([uid, 'uid', 'cn', 'displayName', 'mail', 'email', groups.membershipAttribute, ...IDS, BINARY_ID, ...STATE_ATTRIBUTES, ...PRIMARY_GROUP_ATTRIBUTES])];
}

/** What the entry is told apart by, also after it was renamed or moved; its DN's key where the directory has nothing better. */
export function externalIdOf(entry: DirectoryEntry): string | undefined {
  const guid = entry.bytes(BINARY_ID);
  if (guid?.length === 16) return `objectGUID:${guid.toString('hex')}`;
  for (const name of IDS) {
    const value = entry.first(name);
    if (value !== undefined) return `${name}:${value.toLowerCase()}`;
  }
  const names = parseDn(entry.dn);
  return names && `dn:${dnKey(names)}`;
}

/** A filter for the entry with this external id; undefined for one that is its DN. */
export function idFilter(externalId: string): string | undefined {
  const [, name = '', value = ''] = /^([A-Za-z]+):(.*)$/.exec(externalId) ?? [];
  if (name === BINARY_ID) return `(${BINARY_ID}=${value.replace(/../g, '\\$&')})`;
  return name === '' || name === 'dn' ? undefined : equals(name, value);
}

export interface Person {
  readonly username: string;
  readonly realname: string;
  readonly email: string;
}

/** The person whose entry it is; undefined when it has no value of the UID attribute. */
export function personOf(entry: DirectoryEntry, { uid }: LdapSettings): Person | undefined {
  const username = entry.first(uid);
  if (username === undefined) return undefined;
  const email = entry.first('mail') ?? entry.first('email') ?? '';
  return { username, realname: cleaned(entry.first('cn') ?? entry.first('displayName') ?? entry.first('uid') ?? username), email: EMAIL.test(email) ? email : '' };
}

/** Whether this entry has the name that somebody typed, as people compare names: the directory's own rules may be laxer. */
export function hasName(entry: DirectoryEntry, name: string, { uid }: LdapSettings): boolean {
  return entry.all(uid).some((value) => foldedName(value) === foldedName(name));
}

/** A real name is only shown: what cannot be shown becomes a space. */
function cleaned(name: string): string {
  return [...name.replace(/\p{Cc}/gu, ' ').trim()].slice(0, LONGEST_REALNAME).join('');
}
