import type { Transaction } from '@haven/database';
import { keyOfDn } from '../group/distinguished-name.js';
import type { ExternalGroup, ExternalSource } from './external-user.js';

/** The numbers that groups of each system have in the API. */
const TYPES: Readonly<Record<ExternalSource, number>> = { ldap: 1, http: 2, oidc: 3 };
const LONGEST_NAME = 255;

interface Keyed {
  readonly name: string;
  readonly dn: string | undefined;
  /** What the group is told apart by: its DN's key, or its name. */
  readonly key: string;
}

/**
 * Puts an account into exactly these groups of its system, making known those that are not yet. Resolves to whether it
 * is out of any that it was in.
 */
export async function joinGroups(transaction: Transaction, userId: number, source: ExternalSource, groups: readonly ExternalGroup[]): Promise<{ readonly lost: boolean }> {
  const type = TYPES[source];
  const wanted = [...new Map(groups.flatMap((group) => keyed(group)).map((group) => [group.key, group])).values()];
  const keys = wanted.map(({ key }) => key).sort();
  const column = type === 1 ? 'dn_key' : 'name';
  if (await isInExactly(transaction, userId, { type, column, keys })) return { lost: false };
  await transaction.execute(
    `INSERT INTO user_group (name, type, ldap_group_dn, dn_key)
     SELECT w.name, $1, w.dn, CASE WHEN w.dn IS NULL THEN NULL ELSE w.key END FROM unnest($2::text[], $3::text[], $4::text[]) AS w (name, dn, key)
     WHERE NOT EXISTS (SELECT 1 FROM user_group g WHERE g.type = $1 AND g.${column} = w.key) ORDER BY w.key ON CONFLICT DO NOTHING`,
    [type, wanted.map(({ name }) => name), wanted.map(({ dn }) => dn ?? null), wanted.map(({ key }) => key)],
  );
  const lost = await transaction.execute(
    `DELETE FROM user_group_member m USING user_group g WHERE g.id = m.group_id AND m.user_id = $1 AND g.type = $2 AND NOT g.${column} = ANY($3::text[])`,
    [userId, type, keys],
  );
  await transaction.execute(
    `INSERT INTO user_group_member (group_id, user_id) SELECT g.id, $1 FROM user_group g WHERE g.type = $2 AND g.${column} = ANY($3::text[])
     ON CONFLICT (group_id, user_id) DO NOTHING`,
    [userId, type, keys],
  );
  return { lost: lost > 0 };
}

/** As it is at nearly every login, and whenever a system is asked again about somebody. */
async function isInExactly(transaction: Transaction, userId: number, { type, column, keys }: { readonly type: number; readonly column: string; readonly keys: readonly string[] }): Promise<boolean> {
  const [difference] = await transaction.query(
    `SELECT 1 FROM (SELECT g.${column} AS key FROM user_group_member m JOIN user_group g ON g.id = m.group_id WHERE m.user_id = $1 AND g.type = $2) held
     FULL JOIN unnest($3::text[]) AS wanted (key) ON wanted.key = held.key WHERE held.key IS NULL OR wanted.key IS NULL LIMIT 1`,
    [userId, type, keys],
  );
  return difference === undefined;
}

/** Nothing for a group that cannot be stored; it would give nobody anything. */
function keyed({ name, dn }: ExternalGroup): Keyed[] {
  const short = [...name.trim()].slice(0, LONGEST_NAME).join('').trim();
  if (dn === undefined) return short === '' || short !== name || /\p{Cc}/u.test(name) ? [] : [{ name, dn, key: name }];
  const key = keyOfDn(dn);
  return key === undefined || dn.length > 1024 ? [] : [{ name: short === '' ? dn.slice(0, LONGEST_NAME) : short, dn, key }];
}
