import { Problem, SETTING_NAMES, settingOf, type Configuration, type ConfigurationsReq, type SettingName } from '@haven/api';

/** The modes of logging in that this version can do. */
const WORKING_MODES: readonly string[] = ['db_auth', 'oidc_auth'];
const MOST_FAULTS = 5;

/** What a request changes, by the setting's name; '' takes a secret away. */
export type SettingChanges = ReadonlyMap<SettingName, unknown>;

/**
 * What really changes: null means nothing, and what is as it was already is no change. Secrets are always taken as new.
 *
 * @throws Problem BAD_REQUEST, naming every setting that cannot have its value
 */
export function changesOf(request: ConfigurationsReq, current: Configuration): SettingChanges {
  const given = SETTING_NAMES.flatMap((name): [SettingName, unknown][] => {
    const value = request[name];
    return value === undefined || value === null ? [] : [[name, value]];
  });
  const faults = given.flatMap(([name, value]) => {
    const fault = settingOf(name).fault(value);
    return fault === undefined ? [] : [`${name} ${fault}`];
  });
  if (faults.length > 0) throw new Problem('BAD_REQUEST', faults.slice(0, MOST_FAULTS).join('; '));
  const known = current as Readonly<Record<string, unknown>>;
  return new Map(given.filter(([name, value]) => settingOf(name).secret || known[name] !== value));
}

/** What may be wrong with several settings together, or with what this version can do. Throws as `changesOf` does. */
export function requirePossible(changes: SettingChanges, current: Configuration, others: { readonly users: boolean; readonly externalUrl: string | undefined }): void {
  const mode = changes.get('auth_mode');
  if (mode !== undefined && others.users) throw new Problem('BAD_REQUEST', 'auth_mode can change only while there is no user but the first administrator');
  if (mode !== undefined && !WORKING_MODES.includes(String(mode))) {
    throw new Problem('BAD_REQUEST', `auth_mode: this version logs people in only with ${WORKING_MODES.join(', ')}; ${String(mode)} is not available yet`);
  }
  const wanted: Configuration = { ...current, ...Object.fromEntries(changes) };
  if (mode === 'oidc_auth') requireProvider(wanted, others.externalUrl);
  if (wanted.skip_audit_log_database && wanted.audit_log_forward_endpoint === '') {
    throw new Problem('BAD_REQUEST', 'skip_audit_log_database needs audit_log_forward_endpoint: otherwise the audit trail would be lost');
  }
}

/** People could not log in any more: the provider must be known, and must be told where to send them back to. */
function requireProvider({ oidc_endpoint: endpoint, oidc_client_id: client }: Configuration, externalUrl: string | undefined): void {
  if (endpoint === '' || client === '') throw new Problem('BAD_REQUEST', 'auth_mode oidc_auth needs oidc_endpoint and oidc_client_id; set them first, or together with it');
  if (externalUrl === undefined) {
    throw new Problem('BAD_REQUEST', 'auth_mode oidc_auth needs HAVEN_EXTERNAL_URL, the address of this server as browsers know it; the administrator of the machine must set it');
  }
}
