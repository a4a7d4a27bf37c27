import { describe, expect, test } from '@jest/globals';
import type { Caller } from '@haven/access';
import { admitToProject, requireLogin, requireSystem } from './admission.js';
import { projectPermission, selfOr, systemPermission } from './requirement.js';

const anonymous: Caller = { subject: { kind: 'anonymous' } };
const user: Caller = { subject: { kind: 'user', id: 7, name: 'dave', sysadmin: false } };
const admin: Caller = { subject: { kind: 'user', id: 1, name: 'admin', sysadmin: true } };
const project = { id: 3, name: 'alpha', public: false, roles: ['developer' as const] };

function outcome(work: () => unknown): unknown {
  try {
    work();
    return 'let in';
  } catch (error) {
    return (error as { code: string }).code;
  }
}

test('requireLogin', () => {
  expect(outcome(() => requireLogin(anonymous))).toBe('UNAUTHORIZED');
  expect(outcome(() => requireLogin(user))).toBe('let in');
});

test('requireSystem', () => {
  const permission = systemPermission('user', 'list');
  expect([anonymous, user, admin].map((caller) => outcome(() => requireSystem(caller, permission)))).toEqual(['UNAUTHORIZED', 'FORBIDDEN', 'let in']);
  expect(outcome(() => requireSystem(user, selfOr('user', 'read'), '7'))).toBe('let in');
  for (const other of ['8', '07', '7 ', '', undefined]) expect(outcome(() => requireSystem(user, selfOr('user', 'read'), other))).toBe('FORBIDDEN');
});

describe('admitToProject', () => {
  const push = projectPermission('repository', 'push');

  test('answers the project to those with the permission', () => {
    expect(admitToProject(user, project, push)).toBe(project);
    expect(outcome(() => admitToProject(user, { ...project, roles: [] }, push))).toBe('FORBIDDEN');
    expect(outcome(() => admitToProject(anonymous, { ...project, roles: [] }, push))).toBe('UNAUTHORIZED');
  });

  test('tells only those who may see every project that one is missing', () => {
    expect([anonymous, user, admin].map((caller) => outcome(() => admitToProject(caller, undefined, push)))).toEqual(['UNAUTHORIZED', 'FORBIDDEN', 'NOT_FOUND']);
  });
});
