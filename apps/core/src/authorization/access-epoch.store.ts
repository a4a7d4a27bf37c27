import type { Transaction } from '@haven/database';

/**
 * How far ahead of the clock a withdrawal is dated: longer than a transaction takes to commit and than the clocks of
 * replicas differ. So every token whose rights were read before the withdrawal was visible is refused, whichever
 * replica issued it; one whose rights were read afterwards has seen the withdrawal and is dated after it (TokenService).
 */
const GUARD_SECONDS = 10;

/**
 * Refuses, from now on, the registry tokens that these subjects (`user:3`) and projects (`project:5`) have been given
 * so far, also those that have seen a withdrawal of the same second and are dated after that. Part of the transaction that
 * takes the rights away; broadcast `access-changed` once it has committed.
 */
export async function withdrawTokens(transaction: Transaction, subjects: readonly string[]): Promise<void> {
  await transaction.execute(
    `INSERT INTO access_epoch (subject, not_before, changed_at)
     SELECT subject, date_trunc('second', clock_timestamp()) + make_interval(secs => $2), clock_timestamp()
     FROM unnest($1::text[]) AS subject ORDER BY subject
     ON CONFLICT (subject) DO UPDATE SET not_before = greatest(access_epoch.not_before + interval '1 millisecond', excluded.not_before), changed_at = excluded.changed_at`,
    [subjects, GUARD_SECONDS],
  );
}
