import type { Configuration, SecretSetting } from '@haven/api';
import { authProxyFaults } from '../identity/auth-proxy/auth-proxy-settings.js';
import { settingsFaults } from '../identity/ldap/ldap-settings.js';

/** What whether people can log in depends on beside the settings. */
export interface ModeGrounds {
  /** The secrets that are set. */
  readonly secrets: ReadonlySet<SecretSetting>;
  /** The address of this server as browsers know it. */
  readonly externalUrl: string | undefined;
}

/** What keeps people from logging in with these settings, each as a sentence; empty when nothing does. */
export function modeFaults(wanted: Configuration, { secrets, externalUrl }: ModeGrounds): string[] {
  switch (wanted.auth_mode) {
    case 'db_auth': return [];
    case 'ldap_auth': return settingsFaults(wanted, secrets.has('ldap_search_password') ? 'set' : '');
    case 'oidc_auth': return providerFaults(wanted, externalUrl);
    case 'http_auth': return authProxyFaults(wanted);
    case 'uaa_auth': return ['this version cannot log people in that way; use ldap_auth, oidc_auth, http_auth or db_auth'];
  }
}

/** The provider must be known, and must be told where to send people back to. */
function providerFaults({ oidc_endpoint: endpoint, oidc_client_id: client }: Configuration, externalUrl: string | undefined): string[] {
  const faults = endpoint === '' || client === '' ? ['it needs oidc_endpoint and oidc_client_id; set them first, or together with it'] : [];
  return externalUrl === undefined ? [...faults, 'it needs HAVEN_EXTERNAL_URL, the address of this server as browsers know it; the administrator of the machine must set it'] : faults;
}
