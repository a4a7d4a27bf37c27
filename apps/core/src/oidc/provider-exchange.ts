import * as openid from 'openid-client';
import { needsUserinfo, type ClaimNames, type Claims } from './oidc-claims.js';
import type { LoginAttempt } from './login-attempt.js';
import type { Provider } from './provider.service.js';
import { CLOCK_TOLERANCE, ProviderError, faultOfProvider, printable } from './provider-connection.js';

/** What a provider answered for a code or a refresh token. */
export interface Exchanged {
  /** Those of the ID token; after a refresh without one, only issuer and subject. */
  readonly idClaims: Claims;
  readonly userinfo: Claims;
  /** Whether the provider said anything about the person beyond who it is. */
  readonly described: boolean;
  /** Missing after a refresh that brought none. */
  readonly idToken: string | undefined;
  readonly refreshToken: string | undefined;
}

/** The provider knows the person's login no more: the refresh token was revoked, has expired, or was used up. */
export class LoginEnded extends Error {
  override readonly name = 'LoginEnded';
}

const GOOGLE = 'https://accounts.google.com';

/** Where the browser logs in: the authorization code flow (OpenID Connect Core 1.0, section 3.1) with PKCE and a nonce. */
export async function authorizationUrl({ connection, settings }: Provider, attempt: LoginAttempt, redirectUri: string): Promise<URL> {
  const { issuer, scopes_supported: known } = connection.serverMetadata();
  const scopes = settings.scopes.filter((scope) => scope !== 'offline_access' || !Array.isArray(known) || known.includes(scope));
  const google = issuer === GOOGLE ? { access_type: 'offline', prompt: 'consent' } : {}; // its own way to ask for a refresh token
  return openid.buildAuthorizationUrl(connection, {
    ...google, ...settings.extraParameters, redirect_uri: redirectUri, scope: scopes.join(' '), state: attempt.state, nonce: attempt.nonce,
    code_challenge: await openid.calculatePKCECodeChallenge(attempt.verifier), code_challenge_method: 'S256',
  });
}

/**
 * Exchanges the code in `callback`, the address that the browser came back to, and checks the ID token: signature,
 * issuer, audience, times, nonce (OpenID Connect Core 1.0, section 3.1.3.7).
 *
 * @throws ProviderError
 */
export async function exchangeCode(provider: Provider, callback: URL, { state, nonce, verifier }: LoginAttempt, names: ClaimNames): Promise<Exchanged> {
  return asked(async () => {
    const tokens = await openid.authorizationCodeGrant(provider.connection, callback, { expectedState: state, expectedNonce: nonce, pkceCodeVerifier: verifier, idTokenExpected: true });
    const idClaims = checkedClaims(tokens.claims(), provider);
    return exchanged(provider, tokens, idClaims, names);
  });
}

/**
 * Asks the provider about somebody without the browser.
 *
 * @throws LoginEnded when the provider does not vouch for the login any more, ProviderError for any other failure
 */
export async function refreshLogin(provider: Provider, refreshToken: string, person: { readonly issuer: string; readonly subject: string }, names: ClaimNames): Promise<Exchanged> {
  const { issuer } = provider.connection.serverMetadata();
  if (issuer !== person.issuer) throw new LoginEnded(`the account is of another provider (${printable(person.issuer)}) than the one that is set`);
  return asked(async () => {
    const tokens = await openid.refreshTokenGrant(provider.connection, refreshToken);
    const claims = tokens.claims();
    const idClaims = claims === undefined ? { iss: person.issuer, sub: person.subject } : checkedClaims(claims, provider);
    if (idClaims['iss'] !== person.issuer || idClaims['sub'] !== person.subject) throw new ProviderError('the provider answered a refresh with the ID token of somebody else');
    return exchanged(provider, tokens, idClaims, names);
  });
}

/** Where the browser logs out at the provider; undefined when that has no such address. */
export function endSessionUrl({ connection, settings }: Provider, idToken: string | undefined, returnTo: string): URL | undefined {
  if (connection.serverMetadata().end_session_endpoint === undefined) return undefined;
  return openid.buildEndSessionUrl(connection, { client_id: settings.clientId, post_logout_redirect_uri: returnTo, ...(idToken === undefined ? {} : { id_token_hint: idToken }) });
}

type Tokens = Awaited<ReturnType<typeof openid.authorizationCodeGrant>>;

async function exchanged({ connection }: Provider, tokens: Tokens, idClaims: Claims, names: ClaimNames): Promise<Exchanged> {
  const askUserinfo = connection.serverMetadata().userinfo_endpoint !== undefined && needsUserinfo(idClaims, names);
  const userinfo = askUserinfo ? await openid.fetchUserInfo(connection, tokens.access_token, String(idClaims['sub'])) : {};
  return { idClaims, userinfo, described: askUserinfo || tokens.id_token !== undefined, idToken: tokens.id_token, refreshToken: tokens.refresh_token };
}

/** What the library leaves to its callers. */
function checkedClaims(claims: openid.IDToken | undefined, { settings }: Provider): Claims {
  if (claims === undefined) throw new ProviderError('the provider sent no ID token');
  if (claims.azp !== undefined && claims.azp !== settings.clientId) throw new ProviderError('the ID token was made for another client (azp)');
  if (claims.iat > Date.now() / 1000 + CLOCK_TOLERANCE) throw new ProviderError(`the ID token is from the future (iat); compare the clocks of both machines, which may differ by ${CLOCK_TOLERANCE} s`);
  return claims;
}

async function asked<Result>(ask: () => Promise<Result>): Promise<Result> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof ProviderError) throw error;
    if (error instanceof openid.ResponseBodyError) {
      const message = `the provider refused: ${printable(`${error.error} ${error.error_description ?? ''}`).trim()}`;
      if (error.error === 'invalid_grant') throw new LoginEnded(message, { cause: error });
      throw new ProviderError(message, { cause: error });
    }
    throw new ProviderError(faultOfProvider(error), { cause: error });
  }
}
