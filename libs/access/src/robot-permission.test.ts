import { expect, test } from '@jest/globals';
import { grantableProjectPermissions, grantableSystemPermissions, isGrantable, projectRobotPermissions, systemPermissions } from './robot-permission.js';

function spelled(list: readonly { resource: string; action: string }[]): string[] {
  const actions = new Map<string, string[]>();
  for (const { resource, action } of list) actions.set(resource, [...(actions.get(resource) ?? []), action]);
  return [...actions].map(([resource, names]) => `${resource} ${names.toSorted().join(',')}`).toSorted();
}

test('what a system robot can be given', () => {
  expect(spelled(grantableSystemPermissions)).toEqual([
    'audit-log list', 'catalog read', 'garbage-collection create,list,read,stop,update', 'jobservice-monitor list,stop', 'label create,delete,read,update',
    'ldap-user create,list', 'preheat-instance create,delete,list,read,update', 'project create,list', 'purge-audit create,list,read,stop,update',
    'quota list,read,update', 'registry create,delete,list,read,update', 'replication create,list,read', 'replication-adapter list',
    'replication-policy create,delete,list,read,update', 'robot create,delete,list,read', 'scan-all create,read,stop,update',
    'scanner create,delete,list,read,update', 'security-hub list,read', 'system-volumes read', 'user create,delete,list,read,update',
    'user-group create,delete,list,read,update',
  ]);
});

test('what a robot can be given in a project', () => {
  expect(spelled(grantableProjectPermissions)).toEqual([
    'accessory list', 'artifact create,delete,list,read', 'artifact-addition read', 'artifact-label create,delete', 'export-cve create,read',
    'immutable-tag create,delete,list,update', 'label create,delete,list,read,update', 'log list', 'member create,delete,list,read,update',
    'metadata create,delete,list,read,update', 'notification-policy create,delete,list,read,update', 'preheat-policy create,delete,list,read,update',
    'project delete,read,update', 'quota read', 'repository delete,list,pull,push,read,update', 'robot create,delete,list,read',
    'sbom create,read,stop', 'scan create,read,stop', 'scanner create,read', 'tag create,delete,list', 'tag-retention create,delete,list,read,update',
  ]);
});

test.each([
  ['project', 'robot', 'update'], ['system', 'robot', 'update'], ['project', 'configuration', 'update'], ['system', 'configuration', 'read'], ['project', 'tag-retention', 'operate'],
  ['project', 'repository', 'create'], ['project', 'repository', '*'], ['project', '*', '*'], ['project', '*', 'pull'], ['project', 'repository', 'scanner-pull'], ['system', 'repository', 'pull'],
  ['project', 'repository', 'Pull'], ['project', 'Repository', 'pull'], ['project', '__proto__', 'toString'], ['project', '', ''],
] as const)('never to be given: %s %s:%s', (kind, resource, action) => {
  for (const level of ['system', 'project'] as const) expect(isGrantable(level, kind, resource, action)).toBe(false);
});

test('to be given', () => {
  expect(isGrantable('project', 'project', 'repository', 'pull')).toBe(true);
  expect(isGrantable('system', 'project', 'repository', 'pull')).toBe(true);
  expect(isGrantable('system', 'system', 'catalog', 'read')).toBe(true);
});

test('the robot of a project gets nothing on the system and no right to let others in', () => {
  expect(isGrantable('project', 'system', 'catalog', 'read')).toBe(false);
  for (const resource of ['robot', 'member']) {
    expect(isGrantable('project', 'project', resource, 'create')).toBe(false);
    expect(isGrantable('system', 'project', resource, 'create')).toBe(true);
  }
  expect(projectRobotPermissions).toHaveLength(grantableProjectPermissions.length - 2);
});

test('administrators can do on the system what robots can be given, change its settings and robots, and have it tell others what happens', () => {
  const more = systemPermissions.filter((permission) => !grantableSystemPermissions.includes(permission as never));
  expect(spelled(more)).toEqual(['configuration read,update', 'event list', 'notification-policy create,delete,list,read,update', 'robot update']);
  expect(systemPermissions).toHaveLength(grantableSystemPermissions.length + 9);
});
