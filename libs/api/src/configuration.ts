import { patternFault } from '@haven/policy';
import { z } from 'zod';
import { amount, filledWords, flag, oneOf, secretWords, whole, words, type Setting } from './setting-kinds.js';

export const AUTH_MODES = ['db_auth', 'ldap_auth', 'oidc_auth', 'http_auth', 'uaa_auth'] as const;
/** The most storage that a project can be limited to, in bytes (1024 TiB). */
export const MOST_STORAGE = 1024 * 1024 ** 4;
export const UNLIMITED_STORAGE = -1;

const LONGEST_TIME = 9_999_999_999;
/** Minutes. The registry takes no token that lives longer than a day. */
const LONGEST_TOKEN = 24 * 60;
const ENDPOINT = /^(?:[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\]):\d{1,5}$/;
const HOST = /^(?:[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::\d{1,5})?$/;
const MOST_HOSTS = 20;
const SCOPES = { least: 0, most: 2 };

/**
 * Every setting that administrators change while the installation runs: its JSON type, the value it has until then,
 * where the API shows it and what it may be. All else about settings is derived from this table.
 */
export const SETTINGS = {
  auth_mode: oneOf('db_auth', AUTH_MODES),
  primary_auth_mode: flag(false),
  ldap_base_dn: filledWords(''),
  ldap_filter: words(''),
  ldap_group_base_dn: words(''),
  ldap_group_admin_dn: words(''),
  ldap_group_attribute_name: words(''),
  ldap_group_search_filter: words(''),
  ldap_group_search_scope: amount(2, SCOPES.least, SCOPES.most),
  ldap_group_membership_attribute: words('memberof'),
  ldap_group_attach_parallel: flag(false),
  ldap_scope: amount(2, SCOPES.least, SCOPES.most),
  ldap_search_dn: words(''),
  ldap_search_password: secretWords(),
  /** Seconds. */
  ldap_timeout: amount(5, 1, 300),
  ldap_uid: filledWords('cn'),
  ldap_url: filledWords(''),
  ldap_verify_cert: flag(true),
  /** Certificates of authorities in PEM form that the directory's certificate may come from, beside the usual ones. */
  ldap_ca_certificate: words('', certificatesFault, 65_536, 'extension'),
  /** ldap:// begins with StartTLS. Without it, and without ldap_verify_cert, passwords go in clear. */
  ldap_start_tls: flag(true, 'extension'),
  /** Hosts, joined by spaces or commas, to which references of the directory are followed; none are while it is empty. */
  ldap_referral_hosts: words('', hostsFault, 4096, 'extension'),
  /** Who is in a group that is in a group is in that one, too. */
  ldap_nested_groups: flag(true, 'extension'),
  /** Minutes after which the directory is asked again about people who have sessions or tokens. */
  ldap_refresh_minutes: amount(5, 1, 30, 'extension'),
  uaa_client_id: words(''),
  /** Harbor shows this one in clear; a secret is a secret here. */
  uaa_client_secret: secretWords(),
  uaa_endpoint: words(''),
  uaa_verify_cert: flag(false),
  http_authproxy_endpoint: words(''),
  http_authproxy_tokenreview_endpoint: words(''),
  http_authproxy_admin_groups: words(''),
  http_authproxy_admin_usernames: words(''),
  http_authproxy_verify_cert: flag(true),
  http_authproxy_skip_search: flag(false),
  http_authproxy_server_certificate: words('', undefined, 65_536),
  oidc_name: words(''),
  oidc_endpoint: words(''),
  oidc_client_id: words(''),
  oidc_client_secret: secretWords(),
  oidc_groups_claim: words(''),
  oidc_admin_group: words(''),
  /** A regular expression of RE2; groups that it is not found in are not kept. */
  oidc_group_filter: { ...words('', groupFilterFault, 255), keepsFaulty: true },
  oidc_scope: words(''),
  oidc_user_claim: words(''),
  oidc_verify_cert: flag(true),
  oidc_auto_onboard: flag(false),
  /** A JSON object of strings. */
  oidc_extra_redirect_parms: words('{}', (value) => (isMapOfWords(value) ? undefined : 'must be a JSON object whose values are strings')),
  oidc_logout: flag(false),
  /** Names of groups, joined by commas, of which people must be in one to log in; '' lets everybody in whom the provider lets in. */
  oidc_login_groups: words('', undefined, 4096, 'extension'),
  /** Days that a CLI secret works; 0 is for ever. */
  oidc_cli_secret_days: amount(365, 0, 3650, 'extension'),
  project_creation_restriction: oneOf('everyone', ['everyone', 'adminonly']),
  read_only: flag(false),
  self_registration: flag(false),
  /** Minutes that a registry token lives. */
  token_expiration: amount(30, 1, LONGEST_TOKEN),
  /** Days; only what the portal suggests for a new robot. */
  robot_token_duration: amount(30, 1, LONGEST_TIME),
  robot_name_prefix: words('robot$', prefixFault),
  notification_enable: flag(true),
  quota_per_project_enable: flag(true),
  /** Bytes that a new project may hold. */
  storage_per_project: whole(UNLIMITED_STORAGE, storageFault),
  pull_time_update_disable: flag(false, 'extension'),
  pull_count_update_disable: flag(false, 'extension'),
  pull_audit_log_disable: flag(false, 'extension'),
  audit_log_forward_endpoint: words('', (value) => (value === '' || ENDPOINT.test(value) ? undefined : 'must be host:port'), 261),
  skip_audit_log_database: flag(false),
  scanner_skip_update_pulltime: flag(false),
  disabled_audit_log_event_types: words('', (value) => (/^[a-z_, ]*$/.test(value) ? undefined : 'must be names like create_project, joined by commas')),
  /** Minutes that a browser's session lives without being used. */
  session_timeout: amount(60, 1, LONGEST_TIME),
  banner_message: words('', undefined, 65_536),
  /** Days that what is deleted can be restored. */
  bin_retention_days: amount(7, 0, 3650, 'extension'),
} as const satisfies Record<string, Setting<unknown>>;

type Table = typeof SETTINGS;
export type SettingName = keyof Table;
export type SecretSetting = { [Name in SettingName]: Table[Name] extends { readonly secret: true } ? Name : never }[SettingName];
type ValueOf<Entry> = Entry extends Setting<infer Value> ? Value : never;

/** What all settings are now, except the secrets. */
export type Configuration = { readonly [Name in Exclude<SettingName, SecretSetting>]: ValueOf<Table[Name]> };

/** What a request may set: a JSON value, or null to leave it. */
export type ConfigurationsReq = { readonly [Name in SettingName]?: ValueOf<Table[Name]> | null | undefined };

export const SETTING_NAMES = Object.keys(SETTINGS) as SettingName[];
/** The table with its types forgotten, to walk through it. */
const EVERY: Readonly<Record<SettingName, Setting<unknown>>> = SETTINGS;

export function settingOf(name: SettingName): Setting<unknown> {
  return EVERY[name];
}

/** Body of PUT /configurations: any of the settings. Only types are checked here (422); see `settingOf(name).fault` for the rest. */
export const ConfigurationsReq: z.ZodType<ConfigurationsReq> = z
  .object(Object.fromEntries(SETTING_NAMES.map((name) => [name, EVERY[name].type.nullable().optional()])))
  .meta({ id: 'Configurations' }) as unknown as z.ZodType<ConfigurationsReq>;

const items = {
  string: z.object({ value: z.string(), editable: z.boolean() }).meta({ id: 'StringConfigItem' }),
  boolean: z.object({ value: z.boolean(), editable: z.boolean() }).meta({ id: 'BoolConfigItem' }),
  number: z.object({ value: z.number().int(), editable: z.boolean() }).meta({ id: 'IntegerConfigItem' }),
};

/** GET /configurations. Secrets have their place in it for those who know Harbor's, and are never sent. */
export const ConfigurationsResponse = z.object({
  ...Object.fromEntries(SETTING_NAMES.map((name) => [name, items[typeof EVERY[name].initial as keyof typeof items].optional()])),
  scan_all_policy: z.object({ type: z.string(), parameter: z.object({ daily_time: z.number().int() }).optional() }).optional(),
}).meta({ id: 'ConfigurationsResponse' });
export type ConfigurationsResponse = z.infer<typeof ConfigurationsResponse>;

/**
 * What the settings are when this is stored; what is not stored has its initial value.
 *
 * @throws Error for a stored value that its setting cannot have: nobody goes on with a guess
 */
export function configurationOf(stored: ReadonlyMap<string, unknown>): Configuration {
  const shown = SETTING_NAMES.filter((name) => !EVERY[name].secret);
  return Object.fromEntries(shown.map((name) => [name, storedValue(name, stored)])) as unknown as Configuration;
}

function storedValue(name: SettingName, stored: ReadonlyMap<string, unknown>): unknown {
  const { type, initial, fault, keepsFaulty = false } = EVERY[name];
  if (!stored.has(name)) return initial;
  const result = type.safeParse(stored.get(name));
  if (!result.success || (!keepsFaulty && fault(result.data) !== undefined)) throw new Error(`the setting ${name} in the database is not valid`);
  return result.data;
}

function isMapOfWords(json: string): boolean {
  try {
    return z.record(z.string(), z.string()).safeParse(JSON.parse(json)).success;
  } catch {
    return false;
  }
}

function groupFilterFault(text: string): string | undefined {
  const fault = patternFault(text);
  return fault === undefined ? undefined : `must be a regular expression: it ${fault}`;
}

function certificatesFault(value: string): string | undefined {
  const good = value.trim() === '' || (value.trim().startsWith('-----BEGIN CERTIFICATE-----') && !value.includes('PRIVATE KEY'));
  return good ? undefined : 'must be certificates in PEM form, without a key';
}

function hostsFault(value: string): string | undefined {
  const hosts = value.split(/[\s,]+/).filter((host) => host !== '');
  return hosts.length <= MOST_HOSTS && hosts.every((host) => HOST.test(host)) ? undefined : `must be up to ${MOST_HOSTS} hosts like ldap2.example.org or ldap2.example.org:3389, joined by spaces or commas`;
}

/** A login name is cut at its first colon (RFC 7617), and no name has spaces. */
function prefixFault(value: string): string | undefined {
  return /^[\x21-\x39\x3b-\x7e]{1,64}$/.test(value) ? undefined : 'must be 1 to 64 visible characters without spaces and colons';
}

function storageFault(value: number): string | undefined {
  return value === UNLIMITED_STORAGE || (value > 0 && value <= MOST_STORAGE) ? undefined : `must be ${UNLIMITED_STORAGE} (no limit) or 1 to ${MOST_STORAGE} bytes`;
}
