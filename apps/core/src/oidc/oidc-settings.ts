import { createHash } from 'node:crypto';
import { Problem, type Configuration } from '@haven/api';

/** What is known of the OpenID provider that people log in at. */
export interface OidcSettings {
  /** The issuer, as the provider itself writes it. */
  readonly endpoint: string;
  readonly clientId: string;
  /** '' for a client that has none. */
  readonly clientSecret: string;
  readonly verifyCertificate: boolean;
  readonly scopes: readonly string[];
  /** Sent along to the provider when a login begins. */
  readonly extraParameters: Readonly<Record<string, string>>;
}

const DEFAULT_SCOPES = ['openid', 'profile', 'email', 'offline_access'];
/** What the flow itself says: nobody may say it otherwise through oidc_extra_redirect_parms. */
const OURS: readonly string[] = [
  'client_id', 'response_type', 'response_mode', 'redirect_uri', 'scope', 'state', 'nonce', 'code_challenge', 'code_challenge_method', 'request', 'request_uri',
];

/** @throws Problem PRECONDITION where the settings do not name a provider */
export function oidcSettingsOf(configuration: Configuration, clientSecret: string): OidcSettings {
  const { oidc_endpoint: endpoint, oidc_client_id: clientId, oidc_verify_cert: verifyCertificate, oidc_scope: scope, oidc_extra_redirect_parms: extra } = configuration;
  if (endpoint === '' || clientId === '') {
    throw new Problem('PRECONDITION', 'logging in through OpenID Connect is not set up yet: an administrator must set oidc_endpoint and oidc_client_id');
  }
  return { endpoint, clientId, clientSecret, verifyCertificate, scopes: scopesOf(scope), extraParameters: extraParametersOf(extra) };
}

/** The text that equal settings of the connection share, without showing the secret. */
export function connectionKey({ endpoint, clientId, clientSecret, verifyCertificate }: OidcSettings): string {
  return createHash('sha256').update(JSON.stringify([endpoint, clientId, clientSecret, verifyCertificate])).digest('base64');
}

/** A list with commas, as the Harbor API has it, or with spaces, as OAuth has it; openid is always asked for. */
function scopesOf(text: string): readonly string[] {
  const named = text.split(/[\s,]+/).filter((scope) => scope !== '');
  return named.length === 0 ? DEFAULT_SCOPES : [...new Set(['openid', ...named])];
}

function extraParametersOf(json: string): Readonly<Record<string, string>> {
  const parameters = JSON.parse(json) as Record<string, string>; // the setting is checked when it is set and when it is read
  return Object.fromEntries(Object.entries(parameters).filter(([name]) => !OURS.includes(name)));
}
