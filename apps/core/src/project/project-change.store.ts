import type { Transaction } from '@haven/database';

export interface NewProject {
  readonly name: string;
  readonly public: boolean;
  readonly ownerId: number;
  readonly metadata: Readonly<Record<string, string>>;
  readonly storageLimit: number;
}

/** Inserts the project with its creator as administrator; undefined when the name is taken. */
export async function insertProject(transaction: Transaction, project: NewProject): Promise<number | undefined> {
  const [row] = await transaction.query<{ id: number }>(
    `INSERT INTO project (name, public, owner_id, metadata, storage_limit) VALUES ($1, $2, $3, $4, $5)
     ON CONFLICT (name) WHERE deleted_at IS NULL DO NOTHING RETURNING id`,
    [project.name, project.public, project.ownerId, JSON.stringify(project.metadata), project.storageLimit],
  );
  if (row === undefined) return undefined;
  await transaction.execute('INSERT INTO member (project_id, user_id, role) VALUES ($1, $2, 1)', [row.id, project.ownerId]);
  return row.id;
}

/** Who owns what robots make: the system administrator who has been there longest. */
export async function firstAdministrator(transaction: Transaction): Promise<number> {
  const [row] = await transaction.query<{ id: number }>('SELECT id FROM haven_user WHERE sysadmin AND deleted_at IS NULL ORDER BY id LIMIT 1 FOR KEY SHARE');
  if (row === undefined) throw new Error('there is no system administrator');
  return row.id;
}

export async function hasRepositories(transaction: Pick<Transaction, 'query'>, id: number): Promise<boolean> {
  return (await transaction.query('SELECT 1 FROM repository WHERE project_id = $1 AND deleted_at IS NULL LIMIT 1', [id])).length > 0;
}

/** Adds these settings to the project's, and takes those away that are to be removed. */
export async function updateProject(
  transaction: Transaction, id: number, isPublic: boolean, change: { readonly metadata: Readonly<Record<string, string>>; readonly removed?: readonly string[] },
): Promise<void> {
  await transaction.execute(
    'UPDATE project SET public = $2, metadata = (metadata || $3::jsonb) - $4::text[], updated_at = now() WHERE id = $1',
    [id, isPublic, JSON.stringify(change.metadata), change.removed ?? []],
  );
}

/**
 * Takes the project away with everything that people made in it: members, robots, labels, rules with their schedules and runs, webhooks. Resolves to the
 * robots' ids. Runs go after what they are of: whoever is about to start one holds that, and has started it once it is gone.
 */
export async function binProject(transaction: Transaction, id: number): Promise<number[]> {
  await transaction.execute('UPDATE project SET deleted_at = now(), updated_at = now() WHERE id = $1', [id]);
  for (const [table, vendors] of [['retention_policy', ['RETENTION']], ['webhook_policy', ['WEBHOOK', 'SLACK']]] as const) {
    const policies = (await transaction.query<{ id: string }>(`DELETE FROM ${table} WHERE project_id = $1 RETURNING id`, [id])).map((policy) => policy.id);
    for (const kept of ['schedule', 'execution']) await transaction.execute(`DELETE FROM ${kept} WHERE vendor_type = ANY($1) AND vendor_id = ANY($2::bigint[])`, [vendors, policies]);
  }
  for (const table of ['member', 'robot_permission', 'immutability_rule', 'cve_allowlist', 'label']) await transaction.execute(`DELETE FROM ${table} WHERE project_id = $1`, [id]);
  const robots = await transaction.query<{ id: number }>('DELETE FROM robot WHERE project_id = $1 RETURNING id', [id]);
  return robots.map((robot) => robot.id);
}
