import { actionsIn, type Action, type ProjectResource } from './permission.js';

/** The things outside projects that permissions are about. */
export type SystemResource = keyof typeof SYSTEM_GRANTS | keyof typeof ADMINISTRATORS_ONLY;

/** One line of what a robot can be given, as Harbor's `GET /permissions` lists it. */
export interface GrantablePermission {
  readonly resource: string;
  readonly action: Action;
}

/** What a robot with rights on the whole system can be given. */
const SYSTEM_GRANTS = {
  'audit-log': 'l',
  'catalog': 'r',
  'garbage-collection': 'crlu stop',
  'jobservice-monitor': 'l stop',
  'label': 'crud',
  'ldap-user': 'cl',
  'preheat-instance': 'crudl',
  'project': 'cl',
  'purge-audit': 'crlu stop',
  'quota': 'rlu',
  'registry': 'crudl',
  'replication': 'crl',
  'replication-adapter': 'l',
  'replication-policy': 'crudl',
  'robot': 'crld',
  'scan-all': 'cru stop',
  'scanner': 'crudl',
  'security-hub': 'rl',
  'system-volumes': 'r',
  'user': 'crudl',
  'user-group': 'crudl',
} as const satisfies Record<string, string>;

/** What nobody but system administrators can do outside projects. */
const ADMINISTRATORS_ONLY = {
  'configuration': 'ru',
  'event': 'l',
  'notification-policy': 'crudl',
  'robot': 'u',
} as const satisfies Record<string, string>;

/** What a robot can be given in a project. Never: changing robots or the configuration, running retention by hand. */
const PROJECT_GRANTS = {
  'project': 'rud',
  'metadata': 'crudl',
  'repository': 'rudl pull push',
  'artifact': 'crdl',
  'scan': 'cr stop',
  'sbom': 'cr stop',
  'tag': 'cdl',
  'accessory': 'l',
  'artifact-addition': 'r',
  'artifact-label': 'cd',
  'scanner': 'cr',
  'preheat-policy': 'crudl',
  'immutable-tag': 'cudl',
  'notification-policy': 'crudl',
  'tag-retention': 'crudl',
  'label': 'crudl',
  'log': 'l',
  'quota': 'r',
  'robot': 'crld',
  'export-cve': 'cr',
  'member': 'crudl',
} as const satisfies Partial<Record<ProjectResource, string>>;

/**
 * What only a robot of the system can be given in a project: rights to let others in. With them, the robot of a
 * project, which its administrators make, could make more of itself. Stricter than Harbor.
 */
const SYSTEM_ROBOTS_ONLY: ReadonlySet<string> = new Set(['robot:create', 'member:create']);

/** Everything that can be given to a robot on the whole system. */
export const grantableSystemPermissions: readonly GrantablePermission[] = expand(SYSTEM_GRANTS);

/** Everything that can be given to a robot of the system in a project. */
export const grantableProjectPermissions: readonly GrantablePermission[] = expand(PROJECT_GRANTS);

/** Everything that can be given to a robot of one project. */
export const projectRobotPermissions: readonly GrantablePermission[] = grantableProjectPermissions
  .filter(({ resource, action }) => !SYSTEM_ROBOTS_ONLY.has(`${resource}:${action}`));

/** Everything that can be done outside projects. */
export const systemPermissions: readonly { readonly resource: SystemResource; readonly action: Action }[] =
  [...grantableSystemPermissions, ...expand(ADMINISTRATORS_ONLY)] as { resource: SystemResource; action: Action }[];

/**
 * Whether a robot can be given this; anything else in a request to make or change a robot is to be refused.
 *
 * @param level where the robot is made
 * @param kind whether it is a right on the whole system or in projects; the robot of a project has none on the system
 */
export function isGrantable(level: 'system' | 'project', kind: 'system' | 'project', resource: string, action: string): boolean {
  return grantable(level, kind).some((permission) => permission.resource === resource && permission.action === action);
}

function grantable(level: 'system' | 'project', kind: 'system' | 'project'): readonly GrantablePermission[] {
  if (level === 'project') return kind === 'project' ? projectRobotPermissions : [];
  return kind === 'system' ? grantableSystemPermissions : grantableProjectPermissions;
}

function expand(table: Readonly<Record<string, string>>): GrantablePermission[] {
  return Object.entries(table).flatMap(([resource, notation]) => actionsIn(notation).map((action) => ({ resource, action })));
}
