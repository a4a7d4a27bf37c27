import { Problem, SETTING_NAMES, settingOf, type Configuration, type ConfigurationsReq, type SettingName } from '@haven/api';
import { modeFaults, type ModeGrounds } from './login-mode-faults.js';

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
export function requirePossible(changes: SettingChanges, current: Configuration, others: ModeGrounds & { readonly users: boolean }): void {
  if (changes.has('auth_mode') && others.users) throw new Problem('BAD_REQUEST', 'auth_mode can change only while there is no user but the first administrator');
  const wanted: Configuration = { ...current, ...Object.fromEntries(changes) };
  requireWorkingMode(changes, wanted, others);
  requireFreshClientSecret(changes, current, others);
  if (wanted.skip_audit_log_database && wanted.audit_log_forward_endpoint === '') {
    throw new Problem('BAD_REQUEST', 'skip_audit_log_database needs audit_log_forward_endpoint: otherwise the audit trail would be lost');
  }
}

/** The secret that is stored was given for the provider that is stored: no other server gets to see it. */
function requireFreshClientSecret(changes: SettingChanges, { oidc_endpoint: before }: Configuration, { secrets }: ModeGrounds): void {
  const after = changes.get('oidc_endpoint');
  if (typeof after !== 'string' || before === '' || changes.has('oidc_client_secret') || !secrets.has('oidc_client_secret') || hostOf(after) === hostOf(before)) return;
  throw new Problem('BAD_REQUEST', 'oidc_endpoint: send oidc_client_secret along with an address on another host; the stored one is not given to it');
}

function hostOf(address: string): string {
  return URL.canParse(address) ? new URL(address).origin : address;
}

/** Nobody can switch to a mode in which nobody could log in, nor break the one that is on. */
function requireWorkingMode(changes: SettingChanges, wanted: Configuration, grounds: ModeGrounds): void {
  const [prefix = ''] = wanted.auth_mode.split('_', 1);
  if (![...changes.keys()].some((name) => name === 'auth_mode' || name.startsWith(`${prefix}_`))) return;
  const faults = modeFaults(wanted, grounds);
  if (faults.length > 0) throw new Problem('BAD_REQUEST', `auth_mode ${wanted.auth_mode}: ${faults.slice(0, MOST_FAULTS).join('; ')}`);
}
