import { actionsIn, type Action, type ProjectResource } from './permission.js';

/** The things outside projects that permissions are about. */
export type SystemResource = keyof typeof SYSTEM_GRANTS | 'configuration';

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

/** Everything that can be given to a robot on the whole system. */
export const grantableSystemPermissions: readonly GrantablePermission[] = expand(SYSTEM_GRANTS);

/** Everything that can be given to a robot in a project. */
export const grantableProjectPermissions: readonly GrantablePermission[] = expand(PROJECT_GRANTS);

/** Whether a robot can be given this; anything else in a request to create a robot is to be refused. */
export function isGrantable(kind: 'system' | 'project', resource: string, action: string): boolean {
  const list = kind === 'system' ? grantableSystemPermissions : grantableProjectPermissions;
  return list.some((permission) => permission.resource === resource && permission.action === action);
}

function expand(table: Readonly<Record<string, string>>): GrantablePermission[] {
  return Object.entries(table).flatMap(([resource, notation]) => actionsIn(notation).map((action) => ({ resource, action })));
}
