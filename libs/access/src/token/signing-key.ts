import { calculateJwkThumbprint, exportJWK, generateKeyPair, type JWK } from 'jose';

export const TOKEN_ALGORITHM = 'ES256';

/** A key pair of the token service. The private half is a secret: keep it sealed. */
export interface SigningKey {
  /** The RFC 7638 thumbprint (SHA-256, base64url) of the public key. */
  readonly kid: string;
  readonly publicJwk: JWK;
  readonly privateJwk: JWK;
}

/** Public keys by key id. */
export type PublicKeySet = Readonly<Record<string, JWK>>;

/** A new P-256 key pair. */
export async function generateSigningKey(): Promise<SigningKey> {
  const pair = await generateKeyPair(TOKEN_ALGORITHM, { extractable: true });
  const publicJwk = await exportJWK(pair.publicKey);
  return { kid: await calculateJwkThumbprint(publicJwk, 'sha256'), publicJwk, privateJwk: await exportJWK(pair.privateKey) };
}
