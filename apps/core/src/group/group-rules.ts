import { Problem, type Configuration, type UserGroupReq } from '@haven/api';
import { dnKey, parseDn } from './distinguished-name.js';

export const LDAP = 1;
const HTTP = 2;
const OIDC = 3;
const TYPES: readonly number[] = [LDAP, HTTP, OIDC];

/** A group as it is found and stored: by its DN when a directory keeps it, else by its name. */
export type GroupIdentity =
  | { readonly type: typeof LDAP; readonly name: string; readonly dn: string; readonly dnKey: string }
  | { readonly type: typeof HTTP | typeof OIDC; readonly name: string; readonly dn: undefined; readonly dnKey: undefined };

/** The kinds of groups that people can come with as they log in now. Where accounts are local, all may be prepared. */
export function typesIn({ auth_mode: mode }: Configuration): readonly number[] {
  switch (mode) {
    case 'ldap_auth': return [LDAP];
    case 'http_auth': return [HTTP];
    case 'oidc_auth': return [OIDC];
    default: return TYPES;
  }
}

/** A name as people see it. */
export function requiredGroupName(name: string | undefined): string {
  const good = name !== undefined && name.trim() === name && name !== '' && !/\p{Cc}/u.test(name);
  if (!good) throw new Problem('BAD_REQUEST', 'group_name must have 1 to 255 characters, without space around it and control characters');
  return name;
}

/** @throws Problem BAD_REQUEST unless this names one group of a known type */
export function identityOf({ group_name: name, group_type: type, ldap_group_dn: dn = '' }: UserGroupReq): GroupIdentity {
  if (type === LDAP) return { type, name: requiredGroupName(name), dn, dnKey: requiredDnKey(dn) };
  if (type !== HTTP && type !== OIDC) throw new Problem('BAD_REQUEST', 'group_type must be 1 (LDAP), 2 (HTTP) or 3 (OIDC)');
  if (dn !== '') throw new Problem('BAD_REQUEST', 'ldap_group_dn: only LDAP groups (group_type 1) have one; leave it out');
  return { type, name: requiredGroupName(name), dn: undefined, dnKey: undefined };
}

/** What a distinguished name is found by. */
export function requiredDnKey(dn: string): string {
  const names = parseDn(dn);
  if (names === undefined) throw new Problem('BAD_REQUEST', 'ldap_group_dn is not a distinguished name like cn=developers,ou=groups,dc=example,dc=org');
  return dnKey(names);
}
