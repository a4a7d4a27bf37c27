import { isGrantable, type RobotGrant } from '@haven/access';
import { Problem, type RobotPermission } from '@haven/api';
import type { RobotLevel } from './robot-rules.js';

const EVERYTHING = '*';
const SYSTEM = '/';
const MOST_GRANTS = 10_000;

/** What a request wants a robot to be given, with projects by their names. */
export type WantedGrant =
  | { readonly kind: 'system'; readonly resource: string; readonly action: string }
  | { readonly kind: 'project'; readonly namespace: string; readonly resource: string; readonly action: string };

/** A grant of a robot with the name of its project; undefined for grants on the system and on all projects. */
export type NamedGrant = RobotGrant & { readonly projectName?: string | undefined };

/**
 * Reads the permissions of a request, without looking at projects.
 *
 * @throws Problem BAD_REQUEST for what is malformed or in no list of what robots can be given
 */
export function wantedGrants(level: RobotLevel, permissions: readonly RobotPermission[] | undefined): WantedGrant[] {
  if (permissions === undefined || permissions.length === 0) throw new Problem('BAD_REQUEST', 'permissions must say what the robot may do; GET /permissions lists what there is');
  if (level === 'project' && permissions.length !== 1) throw new Problem('BAD_REQUEST', 'the robot of a project has exactly one entry in permissions: that of its project');
  const wanted = permissions.flatMap((permission) => grantsOf(level, permission));
  if (wanted.length > MOST_GRANTS) throw new Problem('BAD_REQUEST', `permissions may have at most ${MOST_GRANTS} lines in all`);
  return [...new Map(wanted.map((grant) => [JSON.stringify(grant), grant])).values()];
}

function grantsOf(level: RobotLevel, { kind, namespace, access }: RobotPermission): WantedGrant[] {
  if (kind !== 'system' && kind !== 'project') throw new Problem('BAD_REQUEST', 'permissions: kind must be "system" or "project"');
  if (level === 'project' && kind === 'system') throw new Problem('BAD_REQUEST', 'permissions: the robot of a project cannot have rights on the system');
  if (kind === 'system' && namespace !== SYSTEM) throw new Problem('BAD_REQUEST', `permissions: namespace must be "${SYSTEM}" where kind is "system"`);
  if (level === 'project' && namespace === EVERYTHING) throw new Problem('BAD_REQUEST', 'permissions: namespace must name the project of the robot');
  if (access.length === 0) throw new Problem('BAD_REQUEST', `permissions: access of "${namespace.slice(0, 64)}" is empty; say what the robot may do there`);
  return access.map(({ resource, action, effect }) => {
    if (effect !== undefined && effect !== null && effect !== '' && effect !== 'allow') throw new Problem('BAD_REQUEST', 'permissions: effect can only be "allow"; leave out what the robot may not do');
    if (!isGrantable(level, kind, resource, action)) throw new Problem('BAD_REQUEST', `permissions: ${resource}:${action} cannot be given to a robot ${describe(level, kind)}; GET /permissions lists what can`);
    return kind === 'system' ? { kind, resource, action } : { kind, namespace, resource, action };
  });
}

function describe(level: RobotLevel, kind: 'system' | 'project'): string {
  return level === 'project' ? 'of a project' : `on ${kind === 'system' ? 'the system' : 'a project'}`;
}

/** The names of projects that are wanted. */
export function namespacesOf(wanted: readonly WantedGrant[]): string[] {
  return [...new Set(wanted.flatMap((grant) => (grant.kind === 'project' && grant.namespace !== EVERYTHING ? [grant.namespace] : [])))];
}

/** The grant behind a wish; undefined when there is no project of that name among `ids`. */
export function grantFor(wanted: WantedGrant, ids: ReadonlyMap<string, number>): RobotGrant | undefined {
  const { resource, action } = wanted;
  if (wanted.kind === 'system') return { kind: 'system', resource, action };
  const project = wanted.namespace === EVERYTHING ? EVERYTHING : ids.get(wanted.namespace);
  return project === undefined ? undefined : { kind: 'project', project, resource, action };
}

/** Grants in the form of the API: an entry for the system, for all projects and for each project. */
export function permissionsOf(grants: readonly NamedGrant[]): RobotPermission[] {
  const entries = new Map<string, RobotPermission>();
  for (const grant of grants) {
    const namespace = grant.kind === 'system' ? SYSTEM : (grant.projectName ?? EVERYTHING);
    const key = `${grant.kind} ${namespace}`;
    const entry = entries.get(key) ?? { kind: grant.kind, namespace, access: [] };
    entry.access.push({ resource: grant.resource, action: grant.action, effect: 'allow' });
    entries.set(key, entry);
  }
  return [...entries.values()];
}

/** One text for each different grant. */
export function keyOf(grant: RobotGrant): string {
  return `${grant.kind} ${grant.kind === 'project' ? grant.project : SYSTEM} ${grant.resource}:${grant.action}`;
}
