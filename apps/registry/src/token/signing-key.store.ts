import type { Database } from '@haven/database';
import type { PublicKeySet } from '@haven/access';

/** Reads the public halves of core's signing keys, by key id. */
export async function readPublicKeys(database: Database): Promise<PublicKeySet> {
  const rows = await database.query<{ kid: string; public_jwk: PublicKeySet[string] }>('SELECT kid, public_jwk FROM signing_key WHERE retired_at IS NULL');
  return Object.fromEntries(rows.map((row) => [row.kid, row.public_jwk]));
}
