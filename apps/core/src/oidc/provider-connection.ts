import * as openid from 'openid-client';
import { OutboundError } from '@haven/outbound';
import { outboundReason } from '../outbound/outbound-reason.js';
import type { OidcSettings } from './oidc-settings.js';
import type { ProviderFetch } from './provider-fetch.js';

/** Signatures that ID tokens may have: with keys of which only the provider has the private half. */
const ALGORITHMS: readonly string[] = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'];
/** Seconds that the provider's clock may differ from ours. */
export const CLOCK_TOLERANCE = 60;

/** The provider does not answer, or what it answers cannot be worked with. The message is for administrators. */
export class ProviderError extends Error {
  override readonly name = 'ProviderError';
}

/**
 * Asks a provider what it is (OpenID Connect Discovery 1.0). ID tokens are held to their signature, whatever brought them.
 *
 * @throws ProviderError saying what is wrong with it
 */
export async function connectToProvider(settings: OidcSettings, send: ProviderFetch): Promise<openid.Configuration> {
  const endpoint = endpointUrl(settings.endpoint);
  const insecure = endpoint.protocol === 'http:' ? [openid.allowInsecureRequests] : [];
  const options = { [openid.customFetch]: send as unknown as openid.CustomFetch, execute: insecure, timeout: 15 };
  const metadata = await discovered(endpoint, settings.clientId, options);
  requireUsable(metadata, endpoint);
  const client = { [openid.clockTolerance]: CLOCK_TOLERANCE, ...(settings.clientSecret === '' ? {} : { client_secret: settings.clientSecret }) };
  const connection = new openid.Configuration({ ...metadata, id_token_signing_alg_values_supported: algorithmsOf(metadata) }, settings.clientId, client, authentication(settings, metadata));
  connection[openid.customFetch] = send as unknown as openid.CustomFetch;
  connection.timeout = 15;
  if (endpoint.protocol === 'http:') openid.allowInsecureRequests(connection);
  openid.enableNonRepudiationChecks(connection);
  return connection;
}

/** What may be told to administrators about why a provider could not be reached or understood. */
export function faultOfProvider(error: unknown): string {
  let deepest: Error | undefined;
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (cause instanceof OutboundError) return outboundReason(cause);
    if (cause instanceof ProviderError) return cause.message;
    deepest = cause; // the library's outer errors only say that something is wrong
  }
  return deepest === undefined ? 'the provider could not be asked' : `the provider's answer is not valid: ${printable(deepest.message)}${clockHint(deepest.message)}`;
}

/** Times that do not fit are nearly always those of a clock that is wrong. */
function clockHint(reason: string): string {
  return /unexpected JWT "(?:exp|nbf|iat)"/.test(reason) ? `; compare the clocks of both machines, which may differ by ${CLOCK_TOLERANCE} s` : '';
}

/** Text of others, fit for a line of a log or an answer. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}]+/gu, ' ').slice(0, 200);
}

/** @throws ProviderError unless this is an address that a provider can have */
export function endpointUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') {
    throw new ProviderError('the address of the provider must be the http:// or https:// address of its issuer, without a name, a query or a fragment');
  }
  return url;
}

async function discovered(endpoint: URL, clientId: string, options: openid.DiscoveryRequestOptions): Promise<openid.ServerMetadata> {
  try {
    return (await openid.discovery(endpoint, clientId, undefined, undefined, options)).serverMetadata();
  } catch (cause) {
    throw new ProviderError(faultOfProvider(cause), { cause });
  }
}

/** Everything that the flow needs is there, and none of it lowers the protection that the address of the provider has. */
function requireUsable(metadata: openid.ServerMetadata, endpoint: URL): void {
  const { authorization_endpoint: authorization, token_endpoint: token, jwks_uri: keys, userinfo_endpoint: userinfo, end_session_endpoint: end, response_types_supported: types } = metadata;
  for (const [name, url] of Object.entries({ authorization_endpoint: authorization, token_endpoint: token, jwks_uri: keys })) {
    if (typeof url !== 'string') throw new ProviderError(`the provider's metadata has no ${name}`);
  }
  for (const url of [authorization, token, keys, userinfo, end]) {
    if (url === undefined) continue;
    const protocol = URL.canParse(url) ? new URL(url).protocol : '';
    if (protocol !== 'https:' && !(protocol === 'http:' && endpoint.protocol === 'http:')) throw new ProviderError("an address in the provider's metadata is not an https:// address");
  }
  if (Array.isArray(types) && !types.includes('code')) throw new ProviderError('the provider does not know the authorization code flow (response_type code)');
  if (algorithmsOf(metadata).length === 0) throw new ProviderError(`the provider signs ID tokens with none of ${ALGORITHMS.join(', ')}`);
}

function algorithmsOf({ id_token_signing_alg_values_supported: offered }: openid.ServerMetadata): string[] {
  return Array.isArray(offered) ? offered.filter((algorithm) => ALGORITHMS.includes(algorithm)) : ['RS256'];
}

function authentication({ clientSecret }: OidcSettings, { token_endpoint_auth_methods_supported: methods }: openid.ServerMetadata): openid.ClientAuth {
  if (clientSecret === '') return openid.None();
  const basic = !Array.isArray(methods) || methods.includes('client_secret_basic');
  return basic ? clientSecretBasic(clientSecret) : openid.ClientSecretPost(clientSecret);
}

/**
 * RFC 6749, section 2.3.1: both are encoded as in a form. Only what a form has to encode is: providers that forget to
 * decode are many, and the library's own encodes letters such as "-", too.
 */
function clientSecretBasic(secret: string): openid.ClientAuth {
  const encoded = (text: string): string => new URLSearchParams({ '': text }).toString().slice(1);
  return (_server, client, _body, headers) => {
    headers.set('authorization', `Basic ${Buffer.from(`${encoded(client.client_id)}:${encoded(secret)}`).toString('base64')}`);
  };
}
