import type { Queryable } from '@haven/database';
import { isRetentionScope, type RetentionRule } from '@haven/policy';
import type { NewExecution } from '../execution.js';
import type { ExecutionTrigger } from '../status.js';

/** A retention policy as it is stored: its JSON is that of the Harbor API, without id and scope. */
export interface StoredRetention {
  readonly algorithm: string;
  readonly rules: readonly RetentionRule[];
  readonly trigger: { readonly kind: string; readonly settings: { readonly cron: string } };
}

/** The attributes of a retention execution: the rules are those of the moment it started. */
export interface RetentionRun {
  readonly dry_run: boolean;
  readonly project_id: number;
  readonly rules: readonly RetentionRule[];
}

/** The attributes of a retention task; `repository` is its name without the project. */
export interface RetentionTask {
  readonly repository: string;
  readonly repository_id: number;
  /** Artifacts looked at, and those of them that stay; missing until the task has looked. */
  readonly total?: number;
  readonly retained?: number;
}

export interface RetentionToPlan {
  readonly policyId: number;
  readonly trigger: ExecutionTrigger;
  readonly startedBy: string;
  readonly dryRun: boolean;
  /** When it must not run at all: why, for people. */
  readonly refusal?: string;
}

interface PolicyRow {
  readonly project_id: number;
  readonly project: string;
  readonly policy: StoredRetention;
}

const NO_RESOURCES = 'no resources for retention';

/** The execution of a retention policy, with a task for each repository that it is about; undefined when the policy is gone. */
export async function planRetention(database: Queryable, { policyId, trigger, startedBy, dryRun, refusal }: RetentionToPlan): Promise<NewExecution | undefined> {
  const [row] = await database.query<PolicyRow>(
    'SELECT r.project_id, p.name AS project, r.policy FROM retention_policy r JOIN project p ON p.id = r.project_id WHERE r.id = $1 AND p.deleted_at IS NULL',
    [policyId],
  );
  if (row === undefined) return undefined;
  const { rules } = row.policy;
  const attributes: RetentionRun = { dry_run: dryRun, project_id: row.project_id, rules };
  const planned = { vendorType: 'RETENTION', vendorId: policyId, trigger, startedBy, attributes: { ...attributes } } as const;
  if (refusal !== undefined) return { ...planned, tasks: [], outcome: { status: 'Error', message: refusal } };
  const repositories = await repositoriesOf(database, row.project_id, row.project);
  const tasks = repositories.filter(({ name }) => isRetentionScope(rules, name)).map(({ id, name }): RetentionTask => ({ repository: name, repository_id: id }));
  return { ...planned, tasks: tasks.map((task) => ({ ...task })), outcome: { status: 'Success', message: NO_RESOURCES } };
}

/** The repositories of a project, by their names without it. */
async function repositoriesOf(database: Queryable, projectId: number, project: string): Promise<{ readonly id: number; readonly name: string }[]> {
  const rows = await database.query<{ id: string; name: string }>('SELECT id, name FROM repository WHERE project_id = $1 AND deleted_at IS NULL ORDER BY name', [projectId]);
  return rows.map(({ id, name }) => ({ id: Number(id), name: name.slice(project.length + 1) }));
}
