import type { Transaction } from '@haven/database';
import type { ExternalUser } from './external-user.js';

/** What an account was before its system described it anew. */
export interface KnownAccount {
  readonly id: number;
  readonly username: string;
  readonly admin: boolean;
}

/** The account of this identity, locked until the transaction ends. */
export async function lockIdentity(transaction: Transaction, { source, externalId }: Pick<ExternalUser, 'source' | 'externalId'>): Promise<KnownAccount | undefined> {
  const [row] = await transaction.query<{ id: number; username: string; source_admin: boolean }>(
    'SELECT id, username, source_admin FROM haven_user WHERE source = $1 AND external_id = $2 AND deleted_at IS NULL FOR UPDATE',
    [source, externalId],
  );
  return row && { id: row.id, username: row.username, admin: row.source_admin };
}

/** The name of the account that the installation was set up with. */
export async function builtInName(transaction: Transaction): Promise<string> {
  const [row] = await transaction.query<{ username: string }>('SELECT username FROM haven_user WHERE id = 1');
  return row?.username ?? 'admin';
}

/** Whether an account of another identity has the name. */
export async function nameIsTaken(transaction: Transaction, { source, externalId, username }: ExternalUser): Promise<boolean> {
  const sql = 'SELECT 1 FROM haven_user WHERE username = $1 AND (source, external_id) <> ($2, $3) AND deleted_at IS NULL';
  return (await transaction.query(sql, [username, source, externalId])).length > 0;
}

const FREE_EMAIL = `CASE WHEN EXISTS (SELECT 1 FROM haven_user o WHERE lower(o.email) = lower($4) AND o.deleted_at IS NULL
  AND (o.source, o.external_id) <> ($1, $2)) THEN NULL ELSE nullif($4, '') END`;

/** The new account's id; undefined when somebody has the name, or the identity, by now. An email address that is somebody else's is left out. */
export async function insertExternal(transaction: Transaction, user: ExternalUser): Promise<number | undefined> {
  const [row] = await transaction.query<{ id: number }>(
    `INSERT INTO haven_user (source, external_id, username, email, realname, source_admin, source_place, source_confirmed_at)
     VALUES ($1, $2, $3, ${FREE_EMAIL}, $5, $6, $7, now()) ON CONFLICT DO NOTHING RETURNING id`,
    [user.source, user.externalId, user.username, user.email, user.realname, user.admin, user.place ?? null],
  );
  return row?.id;
}

/** Describes an account anew. */
export async function updateExternal(transaction: Transaction, id: number, user: ExternalUser): Promise<void> {
  await transaction.execute(
    `UPDATE haven_user SET email = ${FREE_EMAIL}, realname = $5, source_admin = $6, source_place = $7, source_confirmed_at = now(), username = $3,
       updated_at = CASE WHEN (username, realname, source_admin) IS DISTINCT FROM ($3, $5, $6) THEN now() ELSE updated_at END
     WHERE id = $8`,
    [user.source, user.externalId, user.username, user.email, user.realname, user.admin, user.place ?? null, id],
  );
}
