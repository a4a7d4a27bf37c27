import type { Digest } from '@haven/oci';
import type { Queryable } from '@haven/database';

/**
 * Makes stored bytes that the catalog does not know a blob that no repository holds, which garbage collection removes when
 * its grace time is over. Resolves to false when the catalog knows the blob already.
 *
 * Whoever finds such bytes must not delete them himself. A push asks for the row (claimBlob), stores the bytes, in the place
 * of those that are there already, and then writes the row: between the first and the last of these nobody can tell
 * that it is going on. With a row there is always something to tell it by: a push that comes later refreshes `used_at` or
 * is refused, and one that was under way finds the row and links the blob, for which it has as long as any other push.
 *
 * @param size in bytes, of the blob that the digest names, not of a file that only bears its name: the row keeps it
 */
export async function adoptBlob(database: Queryable, digest: Digest, size: number): Promise<boolean> {
  const rows = await database.query(
    `WITH recorded AS (INSERT INTO blob (digest, size) VALUES ($1, $2) ON CONFLICT (digest) DO NOTHING RETURNING digest),
     noted AS (INSERT INTO unlinked_blob (digest) SELECT digest FROM recorded ON CONFLICT (digest) DO UPDATE SET unlinked_at = clock_timestamp())
     SELECT digest FROM recorded`,
    [digest, size],
  );
  return rows.length > 0;
}
