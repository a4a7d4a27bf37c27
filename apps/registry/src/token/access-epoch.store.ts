import type { Database } from '@haven/database';

export interface AccessEpochRow {
  /** 'user:3', 'robot:7' or 'project:5'. */
  readonly subject: string;
  readonly notBefore: Date;
  readonly changedAt: Date;
}

/** Revocations written since `since` (all, for the start of time), oldest first. */
export async function readAccessEpochs(database: Pick<Database, 'query'>, since: Date): Promise<AccessEpochRow[]> {
  const rows = await database.query<{ subject: string; not_before: Date; changed_at: Date }>(
    'SELECT subject, not_before, changed_at FROM access_epoch WHERE changed_at > $1 ORDER BY changed_at',
    [since],
  );
  return rows.map((row) => ({ subject: row.subject, notBefore: row.not_before, changedAt: row.changed_at }));
}
