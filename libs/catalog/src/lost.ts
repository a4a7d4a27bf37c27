import type { Digest } from '@haven/oci';
import type { Queryable, Transaction } from '@haven/database';

/** A row of a blob as somebody saw it; one that was deleted and made anew is another. */
export interface SeenBlob {
  readonly digest: Digest;
  /** As text, exact to the microsecond. */
  readonly createdAt: string;
}

/** Whether storage has lost the blob of this digest: then it, and the manifest that it may be, is told of to nobody. */
export function isLost(digest: string): string {
  return `EXISTS (SELECT 1 FROM blob lost WHERE lost.digest = ${digest} AND lost.state = 'lost')`;
}

/**
 * Marks a blob of which storage has no bytes, or other ones, as lost. From then on nobody is told that there is such a blob,
 * so that clients send it again, and whatever names it stays as it is and works again when one has (see keepStored). What
 * projects are charged for stays the same, too. Resolves to false when there is nothing to mark (any more).
 *
 * A push puts bytes in their place first and then takes the row FOR KEY SHARE; here the row is taken FOR UPDATE first, and
 * then `isStillSo` looks at storage. So either the push came first, and its bytes are seen, or it finds the row marked and
 * makes it present again: no push is acknowledged whose blob is lost afterwards. A kill leaves the row as it was, or marked.
 *
 * @param isStillSo whether storage is still without the bytes; must be quick, as pushes of this blob wait for the answer
 */
export async function loseBlob(transaction: Transaction, { digest, createdAt }: SeenBlob, isStillSo: () => Promise<boolean>): Promise<boolean> {
  const held = await transaction.query(`SELECT digest FROM blob WHERE digest = $1 AND created_at = $2::timestamptz AND state = 'present' FOR UPDATE`, [digest, createdAt]);
  if (held.length === 0 || !(await isStillSo())) return false;
  await transaction.execute(`UPDATE blob SET state = 'lost' WHERE digest = $1`, [digest]);
  return true;
}

/**
 * Makes a lost blob present again whose bytes are back in storage and were compared with its digest. Nobody deletes bytes of
 * a blob that is not being deleted, so they are still there. Resolves to false when it is not lost any more.
 */
export async function regainBlob(database: Queryable, { digest, createdAt }: SeenBlob): Promise<boolean> {
  return (await database.execute(`UPDATE blob SET state = 'present' WHERE digest = $1 AND created_at = $2::timestamptz AND state = 'lost'`, [digest, createdAt])) > 0;
}
