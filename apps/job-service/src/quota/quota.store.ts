import type { Database, Transaction } from '@haven/database';

/** A project with a limit that is enforced; sizes in bytes. */
export interface LimitedProject {
  readonly id: number;
  readonly hard: number;
  readonly used: number;
  /** Whether it was told that the project has taken most of it. */
  readonly warned: boolean;
}

/** Those of the projects that have a limit. */
export async function projectsWithLimit(database: Database, ids: readonly number[]): Promise<LimitedProject[]> {
  const rows = await database.query<{ id: number; hard: string; used: string; warned: boolean }>(
    `SELECT p.id, p.storage_limit AS hard, project_used(p.id) AS used, coalesce(n.warned, false) AS warned FROM project p LEFT JOIN quota_notice n ON n.project_id = p.id
     WHERE p.id = ANY($1::int[]) AND p.storage_limit > 0 AND p.deleted_at IS NULL AND quota_is_enforced()`,
    [ids],
  );
  return rows.map(({ id, hard, used, warned }) => ({ id, hard: Number(hard), used: Number(used), warned }));
}

/** False when somebody else did it before. */
export async function markWarned(transaction: Transaction, projectId: number): Promise<boolean> {
  return (await transaction.execute(
    'INSERT INTO quota_notice (project_id, warned) VALUES ($1, true) ON CONFLICT (project_id) DO UPDATE SET warned = true WHERE NOT quota_notice.warned',
    [projectId],
  )) > 0;
}

export async function unmarkWarned(database: Database, projectId: number): Promise<void> {
  await database.execute('UPDATE quota_notice SET warned = false WHERE project_id = $1', [projectId]);
}

/** A project in which something was freed, and when at the earliest: by the database's clock, when its transaction began. */
export interface Freed {
  readonly projectId: number;
  readonly at: Date;
}

/**
 * The next refusal is news where something was freed since the last one that was told of: where that is older, or less is
 * used by now. Doing it again changes nothing, unless that is so again.
 */
export async function forgetRefusals(database: Database, freed: readonly Freed[]): Promise<void> {
  if (freed.length === 0) return;
  await database.execute(
    `UPDATE quota_notice n SET exceeded_at = NULL FROM unnest($1::int[], $2::timestamptz[]) AS f (project_id, at)
     WHERE n.project_id = f.project_id AND n.exceeded_at IS NOT NULL AND (n.exceeded_at < f.at OR n.exceeded_used > project_used(n.project_id))`,
    [freed.map(({ projectId }) => projectId), freed.map(({ at }) => at)],
  );
}
