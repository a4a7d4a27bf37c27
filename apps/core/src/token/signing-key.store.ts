import { Injectable } from '@nestjs/common';
import { Database, type Transaction } from '@haven/database';

/** A key pair of the token service as it is kept: the private half sealed. */
export interface StoredSigningKey {
  readonly kid: string;
  readonly publicJwk: object;
  readonly sealedPrivateJwk: string;
}

interface Row {
  readonly kid: string;
  readonly public_jwk: object;
  readonly sealed_private_jwk: string;
}

/** Held while looking for, and perhaps making, the key: replicas that start together agree on one. An arbitrary constant. */
const SIGNING_KEY_LOCK = 4_273_002;

@Injectable()
export class SigningKeyStore {
  constructor(private readonly database: Database) {}

  /** The newest key in use; made by `create` when there is none. */
  async findOrCreate(create: () => Promise<StoredSigningKey>): Promise<StoredSigningKey> {
    return this.database.transaction(async (transaction) => {
      await transaction.query('SELECT pg_advisory_xact_lock($1)', [SIGNING_KEY_LOCK]);
      return (await newest(transaction)) ?? insert(transaction, await create());
    });
  }
}

async function newest(transaction: Transaction): Promise<StoredSigningKey | undefined> {
  const [row] = await transaction.query<Row>(
    'SELECT kid, public_jwk, sealed_private_jwk FROM signing_key WHERE retired_at IS NULL ORDER BY created_at DESC, kid LIMIT 1',
  );
  return row && { kid: row.kid, publicJwk: row.public_jwk, sealedPrivateJwk: row.sealed_private_jwk };
}

async function insert(transaction: Transaction, key: StoredSigningKey): Promise<StoredSigningKey> {
  await transaction.execute('INSERT INTO signing_key (kid, public_jwk, sealed_private_jwk) VALUES ($1, $2, $3)', [
    key.kid, JSON.stringify(key.publicJwk), key.sealedPrivateJwk,
  ]);
  return key;
}
