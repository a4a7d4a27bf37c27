import { CompactSign, importJWK, type CryptoKey } from 'jose';
import { claimsToPayload, payloadToClaims, type RegistryTokenClaims } from './claims.js';
import { TOKEN_ALGORITHM, type SigningKey } from './signing-key.js';
import { TokenError } from './token-error.js';

/** The longest token, in characters: fits into one HTTP header of common servers. */
export const MAX_TOKEN_LENGTH = 8 * 1024;

const imported = new WeakMap<SigningKey, Promise<CryptoKey>>();

/**
 * Signs a registry token.
 *
 * @throws TokenError when the claims are not what a verifier would accept, or name so many repositories that the
 *   token would be longer than 8 KiB.
 */
export async function signRegistryToken(key: SigningKey, claims: RegistryTokenClaims): Promise<string> {
  const payload = claimsToPayload(claims);
  payloadToClaims(payload, claims.issuedAt);
  const token = await new CompactSign(new TextEncoder().encode(JSON.stringify(payload)))
    .setProtectedHeader({ alg: TOKEN_ALGORITHM, typ: 'JWT', kid: key.kid })
    .sign(await privateKey(key));
  if (token.length > MAX_TOKEN_LENGTH) throw new TokenError('too many scopes for one token');
  return token;
}

function privateKey(key: SigningKey): Promise<CryptoKey> {
  const known = imported.get(key);
  if (known !== undefined) return known;
  const loading = importJWK(key.privateJwk, TOKEN_ALGORITHM) as Promise<CryptoKey>;
  imported.set(key, loading);
  return loading;
}
