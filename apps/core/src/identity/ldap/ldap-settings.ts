import { createHash } from 'node:crypto';
import type { Configuration } from '@haven/api';
import { dnKey, parseDn } from '../../group/distinguished-name.js';
import { filterFault, writtenFilter } from './directory-filter.js';
import { parseServers, type DirectoryServer } from './directory-url.js';
import { referralHosts, type ReferralHost } from './referral-url.js';

export type SearchScope = 'base' | 'one' | 'sub';

/** How the directory is reached. */
export interface DirectoryAccess {
  readonly servers: readonly DirectoryServer[];
  readonly startTls: boolean;
  readonly verify: boolean;
  /** PEM; '' for the usual authorities alone. */
  readonly authorities: string;
  readonly searchDn: string;
  readonly searchPassword: string;
  readonly timeoutMs: number;
  /** Where references of the directory may lead; nowhere when empty. */
  readonly referralHosts: readonly ReferralHost[];
}

/** Everything about the directory, checked and ready for use. */
export interface LdapSettings extends DirectoryAccess {
  readonly baseDn: string;
  readonly filter: string;
  readonly uid: string;
  readonly scope: SearchScope;
  readonly groups: {
    readonly baseDn: string;
    /** '' means that no groups are taken over. */
    readonly filter: string;
    readonly nameAttribute: string;
    readonly membershipAttribute: string;
    readonly scope: SearchScope;
    readonly nested: boolean;
    /** The key of the group whose people are system administrators. */
    readonly adminKey: string | undefined;
    readonly adminDn: string;
  };
  /** Tells one state of the settings from another without showing anything of them. */
  readonly fingerprint: string;
}

/** The settings that say how to reach and read the directory. */
export type DirectoryConfiguration = Pick<Configuration, Extract<keyof Configuration, `ldap_${string}`>>;

const SCOPES: readonly SearchScope[] = ['base', 'one', 'sub'];
const ATTRIBUTE = /^[A-Za-z][A-Za-z0-9-]{0,63}$/;
/** Names that an LDAP client takes for another way of binding. */
const MECHANISMS = ['PLAIN', 'EXTERNAL', 'DIGEST-MD5', 'SCRAM-SHA-1', 'GSSAPI', 'CRAM-MD5'];

/** What is missing or wrong, each as a sentence for administrators; empty when people can log in with these settings. */
export function settingsFaults(configuration: DirectoryConfiguration, searchPassword: string): string[] {
  const servers = parseServers(configuration.ldap_url);
  const faults = [
    typeof servers === 'string' ? servers : clearFault(servers, configuration),
    parseDn(configuration.ldap_base_dn) === undefined ? 'ldap_base_dn must be a distinguished name like dc=example,dc=org' : undefined,
    accountFault(configuration.ldap_search_dn, searchPassword),
    ATTRIBUTE.test(configuration.ldap_uid) ? undefined : 'ldap_uid must be the name of an attribute, like uid or sAMAccountName',
    sentence('ldap_filter', filterFault(configuration.ldap_filter)),
    sentence('ldap_group_search_filter', filterFault(configuration.ldap_group_search_filter)),
    optionalDn('ldap_group_base_dn', configuration.ldap_group_base_dn),
    optionalDn('ldap_group_admin_dn', configuration.ldap_group_admin_dn),
    optionalAttribute('ldap_group_attribute_name', configuration.ldap_group_attribute_name),
    optionalAttribute('ldap_group_membership_attribute', configuration.ldap_group_membership_attribute),
  ];
  return faults.filter((fault) => fault !== undefined);
}

/** @throws TypeError when `settingsFaults` would find something */
export function ldapSettings(configuration: DirectoryConfiguration, searchPassword: string): LdapSettings {
  const servers = parseServers(configuration.ldap_url);
  const faults = settingsFaults(configuration, searchPassword);
  if (typeof servers === 'string' || faults.length > 0) throw new TypeError(faults.join('; '));
  const adminNames = parseDn(configuration.ldap_group_admin_dn);
  return {
    servers,
    startTls: configuration.ldap_start_tls,
    verify: configuration.ldap_verify_cert,
    authorities: configuration.ldap_ca_certificate.trim(),
    searchDn: configuration.ldap_search_dn,
    searchPassword,
    timeoutMs: configuration.ldap_timeout * 1000,
    referralHosts: referralHosts(configuration.ldap_referral_hosts),
    baseDn: configuration.ldap_base_dn,
    filter: writtenFilter(configuration.ldap_filter),
    uid: configuration.ldap_uid,
    scope: SCOPES[configuration.ldap_scope] ?? 'sub',
    groups: {
      baseDn: configuration.ldap_group_base_dn.trim() || configuration.ldap_base_dn,
      filter: writtenFilter(configuration.ldap_group_search_filter),
      nameAttribute: configuration.ldap_group_attribute_name.trim() || 'cn',
      membershipAttribute: configuration.ldap_group_membership_attribute.trim() || 'memberof',
      scope: SCOPES[configuration.ldap_group_search_scope] ?? 'sub',
      nested: configuration.ldap_nested_groups,
      adminKey: adminNames && dnKey(adminNames),
      adminDn: configuration.ldap_group_admin_dn.trim(),
    },
    fingerprint: fingerprintOf(configuration, searchPassword),
  };
}

function fingerprintOf(configuration: DirectoryConfiguration, searchPassword: string): string {
  const relevant = Object.entries(configuration).filter(([name]) => name.startsWith('ldap_')).sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash('sha256').update(JSON.stringify([relevant, searchPassword])).digest('base64url');
}

/** Passwords in clear need two clear words: neither StartTLS nor a check of certificates. */
function clearFault(servers: readonly DirectoryServer[], { ldap_start_tls: startTls, ldap_verify_cert: verify }: DirectoryConfiguration): string | undefined {
  const clear = servers.find(({ secure }) => !secure);
  if (clear === undefined || startTls || !verify) return undefined;
  return `${clear.name} would carry passwords in clear: use ldaps://, or set ldap_start_tls, or, if that is meant, switch ldap_verify_cert off as well`;
}

function accountFault(dn: string, password: string): string | undefined {
  if (dn.trim() === '' || MECHANISMS.includes(dn.trim().toUpperCase())) return 'ldap_search_dn must be the account that searches the directory: its DN, or, in Active Directory, name@domain';
  return password === '' ? 'ldap_search_password is not set; directories take a name without a password for nobody' : undefined;
}

function optionalDn(name: string, value: string): string | undefined {
  return value.trim() === '' || parseDn(value) !== undefined ? undefined : `${name} must be a distinguished name like ou=groups,dc=example,dc=org, or empty`;
}

function optionalAttribute(name: string, value: string): string | undefined {
  return value.trim() === '' || ATTRIBUTE.test(value.trim()) ? undefined : `${name} must be the name of an attribute, or empty`;
}

function sentence(name: string, fault: string | undefined): string | undefined {
  return fault === undefined ? undefined : `${name} ${fault}`;
}
