import { createHmac, createPrivateKey, generateKeyPairSync, sign } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { openSecret } from '@haven/access';
import pg from 'pg';

/** The platform's own signing key, taken from its database with its key file: what only a burglar would have. */
export async function stolenSigningKey(platform) {
  const database = new pg.Client({ connectionString: platform.databaseUrl });
  await database.connect();
  try {
    const { rows } = await database.query('SELECT kid, public_jwk, sealed_private_jwk FROM signing_key WHERE retired_at IS NULL');
    const [{ kid, public_jwk: publicJwk, sealed_private_jwk: sealed }] = rows;
    const fileKey = Buffer.from(readFileSync(join(platform.dataDir, 'keys/secret.key'), 'utf8').trim(), 'hex');
    const jwk = JSON.parse(openSecret(fileKey, sealed, `signing-key:${kid}`));
    return { kid, publicJwk, privateKey: createPrivateKey({ key: jwk, format: 'jwk' }) };
  } finally {
    await database.end();
  }
}

/** A key of the same kind that the platform never saw. */
export function foreignKey() {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
}

/** A JWT with exactly this header and payload. `payload` may be text that is no JSON. */
export function jwt(header, payload, { key, secret, signature } = {}) {
  const encode = (part) => Buffer.from(typeof part === 'string' ? part : JSON.stringify(part)).toString('base64url');
  const content = `${encode(header)}.${encode(payload)}`;
  if (signature !== undefined) return `${content}.${signature}`;
  if (secret !== undefined) return `${content}.${createHmac('sha256', secret).update(content).digest('base64url')}`;
  return `${content}.${sign('sha256', Buffer.from(content), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`;
}

export function decoded(token) {
  const [header, payload] = token.split('.').slice(0, 2).map((part) => JSON.parse(Buffer.from(part, 'base64url').toString()));
  return { header, payload };
}
