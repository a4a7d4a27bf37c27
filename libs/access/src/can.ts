import { permissionsOf, publicPermissions, type Action, type ProjectResource } from './permission.js';
import type { SystemResource } from './robot-permission.js';
import type { Role } from './role.js';
import type { Subject } from './subject.js';

/** One right that a robot was given. */
export type RobotGrant =
  | { readonly kind: 'system'; readonly resource: string; readonly action: string }
  | {
      readonly kind: 'project';
      /** The project's id, or `*` for all projects. */
      readonly project: number | '*';
      readonly resource: string;
      readonly action: string;
    };

/** A subject with what was given to it beyond project roles. Only robots have grants. */
export interface Caller {
  readonly subject: Subject;
  readonly robot?: {
    /** Where the robot was made. For a robot of a project, push includes pull, as in Harbor. */
    readonly level: 'system' | 'project';
    readonly grants: readonly RobotGrant[];
  };
}

/** What a decision needs to know of a project. */
export interface ProjectAccess {
  readonly id: number;
  readonly public: boolean;
  /** The caller's own roles there; empty for somebody who is no member, for robots and for the anonymous caller. */
  readonly roles: readonly Role[];
}

/** What a registry token can allow on a repository. */
export type RepositoryAction = 'pull' | 'push' | 'delete';

export const REPOSITORY_ACTIONS: readonly RepositoryAction[] = ['pull', 'push', 'delete'];

/**
 * Whether the caller may do `action` to `resource` in this project.
 *
 * System administrators may do everything but `scanner-pull`, which is for scanners' robots alone. Roles count for
 * users only, grants for robots only; the public column counts for everybody, and only in public projects.
 */
export function can(caller: Caller, action: Action, resource: ProjectResource, project: ProjectAccess): boolean {
  return holds(caller, action, resource, project) || (project.public === true && publicPermissions.has(`${resource}:${action}`));
}

/** Whether the caller may do it by a right of its own, and not just because the project is public now. */
function holds(caller: Caller, action: Action, resource: ProjectResource, project: ProjectAccess): boolean {
  const { subject } = caller;
  if (isSysadmin(subject)) return action !== 'scanner-pull';
  if (subject.kind === 'user') return project.roles.some((role) => permissionsOf(role).has(`${resource}:${action}`));
  return subject.kind === 'robot' && robotCan(caller, action, resource, project.id);
}

/** Whether the caller may do `action` to a `resource` that belongs to no project. */
export function canOnSystem(caller: Caller, action: Action, resource: SystemResource): boolean {
  const { subject } = caller;
  if (isSysadmin(subject)) return action !== 'scanner-pull';
  if (subject.kind !== 'robot' || caller.robot?.level !== 'system') return false;
  return caller.robot.grants.some((grant) => grant.kind === 'system' && grant.resource === resource && grant.action === action);
}

/**
 * Whether the caller may give this right to a robot of that level: only what it holds itself, where it holds it. What
 * everybody may do in a public project is nobody's to give, as the project can become private.
 *
 * @param project of the grant, with the caller's roles; undefined for grants on the system or on all projects
 */
export function mayGrant(caller: Caller, level: 'system' | 'project', grant: RobotGrant, project?: ProjectAccess): boolean {
  if (isSysadmin(caller.subject)) return true;
  if (grant.kind === 'system') return canOnSystem(caller, grant.action as Action, grant.resource as SystemResource);
  const where = grant.project === '*' ? NOWHERE : project;
  if (where === undefined || (grant.project !== '*' && where.id !== grant.project)) return false;
  const resource = grant.resource as ProjectResource;
  if (!holds(caller, grant.action as Action, resource, where)) return false;
  return level === 'system' || !impliesPull(grant) || holds(caller, 'pull', resource, where);
}

/** No project has this id, so that only grants on all projects count there. */
const NOWHERE: ProjectAccess = { id: 0, public: false, roles: [] };

/** For the robot of a project, push includes pull. */
function impliesPull({ resource, action }: RobotGrant): boolean {
  return resource === 'repository' && action === 'push';
}

/**
 * Which of the asked actions the caller may do in the repositories of a project: what a token for them may say.
 * A token never carries more than was asked for; unknown words and `*` give nothing.
 */
export function repositoryActions(caller: Caller, project: ProjectAccess, asked: readonly string[]): RepositoryAction[] {
  return REPOSITORY_ACTIONS.filter((action) => asked.includes(action) && can(caller, action, 'repository', project));
}

function isSysadmin(subject: Subject): boolean {
  return subject.kind === 'user' && subject.sysadmin === true;
}

function robotCan(caller: Caller, action: Action, resource: ProjectResource, project: number): boolean {
  const { robot } = caller;
  if (robot === undefined) return false;
  const accepted: string[] = resource === 'repository' && action === 'pull' && robot.level === 'project' ? ['pull', 'push'] : [action];
  return robot.grants.some(
    (grant) => grant.kind === 'project' && (grant.project === '*' || grant.project === project) && grant.resource === resource && accepted.includes(grant.action),
  );
}
