import type { Queryable } from '@haven/database';

/** A registry that nobody has looked at for some time; its secret is sealed. */
export interface RegistryToCheck {
  readonly id: number;
  readonly name: string;
  readonly url: string;
  readonly insecure: boolean;
  readonly caCertificate: string;
  readonly accessKey: string;
  readonly sealedSecret: string | undefined;
  readonly healthy: boolean;
  /** Of what is stored about it: another one after every change. */
  readonly version: string;
}

interface Row {
  readonly id: number;
  readonly name: string;
  readonly url: string;
  readonly insecure: boolean;
  readonly ca_certificate: string;
  readonly access_key: string;
  readonly access_secret: string | null;
  readonly status: string;
  readonly version: string;
}

/**
 * The registry that was looked at longest ago, if that is longer than `seconds`. It counts as looked at from now on, so
 * that no other process takes it; nothing is locked meanwhile. `withSecrets`: also those that have a secret.
 */
export async function takeDueRegistry(database: Queryable, seconds: number, withSecrets: boolean): Promise<RegistryToCheck | undefined> {
  const [row] = await database.query<Row>(
    `UPDATE registry SET checked_at = now() WHERE id = (
       SELECT id FROM registry WHERE (checked_at IS NULL OR checked_at < now() - $1 * interval '1 second') AND ($2 OR access_secret IS NULL)
       ORDER BY checked_at NULLS FIRST, id LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED)
     RETURNING id, name, url, insecure, ca_certificate, access_key, access_secret, status, updated_at::text AS version`,
    [seconds, withSecrets],
  );
  return row && {
    id: row.id, name: row.name, url: row.url, insecure: row.insecure, caCertificate: row.ca_certificate, accessKey: row.access_key,
    sealedSecret: row.access_secret ?? undefined, healthy: row.status === 'healthy', version: row.version,
  };
}

/** False when somebody has changed the registry since: then it was looked at anew, too. */
export async function noteHealth(database: Queryable, { id, version }: RegistryToCheck, healthy: boolean): Promise<boolean> {
  return (await database.execute(
    'UPDATE registry SET status = $3, checked_at = now() WHERE id = $1 AND updated_at = $2::timestamptz', [id, version, healthy ? 'healthy' : 'unhealthy'])) > 0;
}
