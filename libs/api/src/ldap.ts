import { z } from 'zod';
import { text } from './fields.js';

/** Body of POST /ldap/ping: settings to try instead of the stored ones; what is left out is as it is stored. */
export const LdapConf = z.object({
  ldap_url: text(4096).optional(),
  ldap_search_dn: text(4096).optional(),
  ldap_search_password: text(4096).optional(),
  ldap_base_dn: text(4096).optional(),
  ldap_filter: text(4096).optional(),
  ldap_uid: text(4096).optional(),
  ldap_scope: z.number().int().optional(),
  /** Seconds. */
  ldap_connection_timeout: z.number().int().optional(),
  ldap_verify_cert: z.boolean().optional(),
  ldap_start_tls: z.boolean().optional(),
  ldap_ca_certificate: text(65_536).optional(),
  ldap_referral_hosts: text(4096).optional(),
}).meta({ id: 'LdapConf' });
export type LdapConf = z.infer<typeof LdapConf>;

export const LdapPingResult = z.object({ success: z.boolean(), message: z.string() }).meta({ id: 'LdapPingResult' });
export type LdapPingResult = z.infer<typeof LdapPingResult>;

export const LdapUser = z.object({ username: z.string(), realname: z.string(), email: z.string() }).meta({ id: 'LdapUser' });
export type LdapUser = z.infer<typeof LdapUser>;

/** `username` is the whole name; everybody is found without one. */
export const LdapUserSearchQuery = z.object({ username: text(255).optional() }).meta({ id: 'LdapUserSearchQuery' });
export type LdapUserSearchQuery = z.infer<typeof LdapUserSearchQuery>;

const MOST_IMPORTED = 1000;

export const LdapImportUsers = z.object({ ldap_uid_list: z.array(text(255)).max(MOST_IMPORTED) }).meta({ id: 'LdapImportUsers' });
export type LdapImportUsers = z.infer<typeof LdapImportUsers>;

export const LdapFailedImportUser = z.object({ uid: z.string(), error: z.string() }).meta({ id: 'LdapFailedImportUser' });
export type LdapFailedImportUser = z.infer<typeof LdapFailedImportUser>;

/** The whole name or the DN of a group; all are found without them. */
export const LdapGroupSearchQuery = z.object({ groupname: text(255).optional(), groupdn: text(1024).optional() }).meta({ id: 'LdapGroupSearchQuery' });
export type LdapGroupSearchQuery = z.infer<typeof LdapGroupSearchQuery>;
