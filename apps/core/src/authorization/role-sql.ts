import { canOnSystem, roleFromNumber, type Caller, type Role } from '@haven/access';
import type { SqlConditions } from '../listing/sql-conditions.js';

/**
 * SQL for the numbers of a user's roles in a project: the user's own and those of the user's groups. This and
 * `restrictToVisible` are the only places that say how people come to roles.
 *
 * @param project SQL for the project's id
 * @param user the placeholder of the user's id (0 for nobody)
 */
export function rolesSql(project: string, user: string): string {
  return `ARRAY(SELECT DISTINCT role::int FROM project_role WHERE project_id = ${project} AND user_id = ${user})`;
}

/** The roles behind what `rolesSql` selected, strongest first. */
export function rolesOf(numbers: readonly number[]): Role[] {
  return numbers.flatMap((number) => roleFromNumber(number) ?? []);
}

/** The caller's user id; 0 for robots and for nobody. */
export function userIdOf({ subject }: Caller): number {
  return subject.kind === 'user' ? subject.id : 0;
}

/** The projects that the caller may see in lists, beside the public ones: all of them, or these. */
export type VisibleProjects =
  | { readonly kind: 'all' }
  | { readonly kind: 'of-user'; readonly userId: number }
  | { readonly kind: 'these'; readonly ids: readonly number[] };

/** Robots see the projects that they were given something in; one that was given something in all sees all. */
export function visibleProjects(caller: Caller): VisibleProjects {
  const { subject, robot } = caller;
  if (canOnSystem(caller, 'list', 'project')) return { kind: 'all' };
  if (subject.kind === 'user') return { kind: 'of-user', userId: subject.id };
  const grants = subject.kind === 'robot' ? (robot?.grants ?? []) : [];
  const projects = new Set(grants.flatMap((grant) => (grant.kind === 'project' ? [grant.project] : [])));
  return projects.has('*') ? { kind: 'all' } : { kind: 'these', ids: [...projects].filter((id) => id !== '*') };
}

/** Restricts a list to the projects that the caller may see; `project` is the alias of the table. */
export function restrictToVisible(conditions: SqlConditions, visible: VisibleProjects, project = 'p'): void {
  if (visible.kind === 'all') return;
  const own = visible.kind === 'of-user'
    ? `${project}.id IN (SELECT project_id FROM project_role WHERE user_id = ${conditions.value(visible.userId)})`
    : `${project}.id = ANY(${conditions.value(visible.ids)}::int[])`;
  conditions.add(`${project}.public OR ${own}`);
}
