import { expect, test } from '@jest/globals';
import { grantableProjectPermissions, grantableSystemPermissions, isGrantable } from './robot-permission.js';

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
  ['project', 'repository', 'create'], ['project', 'repository', '*'], ['project', '*', 'pull'], ['project', 'repository', 'scanner-pull'], ['system', 'repository', 'pull'],
  ['project', '__proto__', 'toString'], ['project', '', ''],
] as const)('never to be given: %s %s:%s', (kind, resource, action) => {
  expect(isGrantable(kind, resource, action)).toBe(false);
});

test('to be given', () => {
  expect(isGrantable('project', 'repository', 'pull')).toBe(true);
  expect(isGrantable('system', 'catalog', 'read')).toBe(true);
});
