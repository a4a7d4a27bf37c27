import type { Queryable } from '@haven/database';

/** The account that the first start made. */
const FIRST_ADMINISTRATOR = 1;

/** Whether anybody but the first administrator has an account. */
export async function hasOtherUsers(database: Queryable): Promise<boolean> {
  return (await database.query('SELECT 1 FROM haven_user WHERE id <> $1 AND deleted_at IS NULL LIMIT 1', [FIRST_ADMINISTRATOR])).length > 0;
}

/** A user whose name begins with this text; undefined when there is none. */
export async function userNamedLike(database: Queryable, beginning: string): Promise<string | undefined> {
  const sql = 'SELECT username FROM haven_user WHERE starts_with(username, $1) AND deleted_at IS NULL ORDER BY id LIMIT 1';
  const [row] = await database.query<{ username: string }>(sql, [beginning]);
  return row?.username;
}
