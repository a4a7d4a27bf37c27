import { describe, expect, test } from '@jest/globals';
import { can, canOnSystem, mayGrant, repositoryActions, type Caller, type ProjectAccess, type RobotGrant } from './can.js';
import type { Role } from './role.js';

const anonymous: Caller = { subject: { kind: 'anonymous' } };
const user: Caller = { subject: { kind: 'user', id: 3, name: 'dave', sysadmin: false } };
const admin: Caller = { subject: { kind: 'user', id: 1, name: 'admin', sysadmin: true } };

function project(access: Partial<ProjectAccess> = {}): ProjectAccess {
  return { id: 5, public: false, roles: [], ...access };
}

function robot(level: 'system' | 'project', ...grants: RobotGrant[]): Caller {
  return { subject: { kind: 'robot', id: 7, name: 'robot$ci' }, robot: { level, grants } };
}

function grant(action: string, at: number | '*' = 5, resource = 'repository'): RobotGrant {
  return { kind: 'project', project: at, resource, action };
}

describe('people', () => {
  test('a role counts in its project', () => {
    expect(can(user, 'push', 'repository', project({ roles: ['developer'] }))).toBe(true);
    expect(can(user, 'delete', 'repository', project({ roles: ['developer'] }))).toBe(false);
    expect(can(user, 'list', 'metadata', project({ roles: ['projectAdmin'] }))).toBe(false);
  });

  test('several roles add up', () => {
    expect(can(user, 'push', 'repository', project({ roles: ['guest', 'developer'] }))).toBe(true);
  });

  test('no role, no right; a role that does not exist neither', () => {
    expect(can(user, 'pull', 'repository', project())).toBe(false);
    expect(can(user, 'pull', 'repository', project({ roles: ['__proto__' as Role, 'public' as Role] }))).toBe(false);
    expect(can(anonymous, 'pull', 'repository', project())).toBe(false);
  });

  test('the anonymous caller has no roles, whatever it is said to have', () => {
    expect(can(anonymous, 'push', 'repository', project({ public: true, roles: ['projectAdmin'] }))).toBe(false);
  });
});

describe('public projects', () => {
  test.each([['anonymous', anonymous], ['a user who is no member', user], ['a robot of elsewhere', robot('project', grant('push', 6))]])('%s may pull and list, and no more', (_who, caller) => {
    const open = project({ public: true });
    expect(can(caller, 'pull', 'repository', open)).toBe(true);
    expect(can(caller, 'list', 'repository', open)).toBe(true);
    expect(can(caller, 'read', 'repository', open)).toBe(false);
    expect(can(caller, 'push', 'repository', open)).toBe(false);
    expect(can(caller, 'read', 'sbom', open)).toBe(false);
    expect(can(caller, 'list', 'member', open)).toBe(false);
    expect(can(caller, 'read', 'quota', open)).toBe(false);
  });

  test.each(['true', 'false', 1, {}])('only true is public, not %j', (value) => {
    expect(can(anonymous, 'pull', 'repository', project({ public: value as boolean }))).toBe(false);
  });
});

describe('system administrators', () => {
  test('may do everything but pull as a scanner', () => {
    expect(can(admin, 'list', 'metadata', project())).toBe(true);
    expect(can(admin, 'delete', 'repository', project())).toBe(true);
    expect(canOnSystem(admin, 'update', 'configuration')).toBe(true);
    expect(can(admin, 'scanner-pull', 'repository', project({ roles: ['projectAdmin'] }))).toBe(false);
    expect(canOnSystem(admin, 'scanner-pull', 'registry')).toBe(false);
  });

  test('only true makes one', () => {
    const almost: Caller = { subject: { kind: 'user', id: 3, name: 'x', sysadmin: 'true' as unknown as boolean } };
    expect(can(almost, 'pull', 'repository', project())).toBe(false);
    expect(canOnSystem(almost, 'list', 'user')).toBe(false);
  });

  test('others have no rights on the system', () => {
    expect(canOnSystem(user, 'list', 'user')).toBe(false);
    expect(canOnSystem(anonymous, 'read', 'catalog')).toBe(false);
  });
});

describe('robots', () => {
  test('hold what they were given, where they were given it', () => {
    const ci = robot('project', grant('pull'), grant('create', 5, 'tag'));
    expect(can(ci, 'pull', 'repository', project())).toBe(true);
    expect(can(ci, 'create', 'tag', project())).toBe(true);
    expect(can(ci, 'push', 'repository', project())).toBe(false);
    expect(can(ci, 'delete', 'tag', project())).toBe(false);
    expect(can(ci, 'pull', 'repository', project({ id: 6 }))).toBe(false);
  });

  test('may be given all projects', () => {
    expect(can(robot('system', grant('push', '*')), 'push', 'repository', project({ id: 99 }))).toBe(true);
  });

  test('push includes pull for robots of a project only', () => {
    expect(can(robot('project', grant('push')), 'pull', 'repository', project())).toBe(true);
    expect(can(robot('system', grant('push')), 'pull', 'repository', project())).toBe(false);
    expect(can(robot('project', grant('push', 5, 'artifact')), 'pull', 'artifact', project())).toBe(false);
  });

  test('roles and wildcards mean nothing to them', () => {
    expect(can(robot('project'), 'push', 'repository', project({ roles: ['projectAdmin'] }))).toBe(false);
    expect(can(robot('system', grant('*', '*')), 'push', 'repository', project())).toBe(false);
    expect(can({ subject: { kind: 'robot', id: 7, name: 'x' } }, 'pull', 'repository', project())).toBe(false);
  });

  test('grants in projects and on the system are apart', () => {
    const system: RobotGrant = { kind: 'system', resource: 'scanner', action: 'read' };
    expect(canOnSystem(robot('system', system), 'read', 'scanner')).toBe(true);
    expect(can(robot('system', system), 'read', 'scanner', project())).toBe(false);
    expect(canOnSystem(robot('system', grant('read', '*', 'scanner')), 'read', 'scanner')).toBe(false);
    expect(canOnSystem(robot('project', system), 'read', 'scanner')).toBe(false);
  });

  test('grants on anybody else mean nothing', () => {
    const robotRights: Caller['robot'] & {} = { level: 'system', grants: [grant('push', '*'), { kind: 'system', resource: 'catalog', action: 'read' }] };
    for (const { subject } of [user, anonymous]) {
      expect(can({ subject, robot: robotRights }, 'push', 'repository', project())).toBe(false);
      expect(canOnSystem({ subject, robot: robotRights }, 'read', 'catalog')).toBe(false);
    }
  });
});

test('B-09: a token gets what was asked for and is held, and no more', () => {
  const guest = project({ roles: ['guest'] });
  expect(repositoryActions(user, guest, ['pull', 'push', 'delete', '*'])).toEqual(['pull']);
  expect(repositoryActions(user, project({ roles: ['projectAdmin'] }), ['delete', 'pull'])).toEqual(['pull', 'delete']);
  expect(repositoryActions(admin, project(), ['*'])).toEqual([]);
  expect(repositoryActions(admin, project(), ['scanner-pull', 'push', 'push'])).toEqual(['push']);
  expect(repositoryActions(anonymous, project({ public: true }), ['pull', 'push'])).toEqual(['pull']);
});

describe('giving rights to robots', () => {
  const alphaAdmin = project({ roles: ['projectAdmin'] });

  test('administrators of a project give what they hold there, and nothing elsewhere', () => {
    expect(mayGrant(user, 'project', grant('push'), alphaAdmin)).toBe(true);
    expect(mayGrant(user, 'project', grant('list', 5, 'metadata'), alphaAdmin)).toBe(false);
    expect(mayGrant(user, 'project', grant('push', 6), alphaAdmin)).toBe(false);
    expect(mayGrant(user, 'project', grant('push', 6), undefined)).toBe(false);
    expect(mayGrant(user, 'system', grant('push', '*'), alphaAdmin)).toBe(false);
    expect(mayGrant(user, 'system', { kind: 'system', resource: 'catalog', action: 'read' })).toBe(false);
  });

  test('that a project is public gives nobody anything to pass on', () => {
    expect(mayGrant(user, 'project', grant('pull'), project({ public: true }))).toBe(false);
    expect(mayGrant(robot('system', grant('push')), 'system', grant('pull'), project({ public: true }))).toBe(false);
  });

  test('robots give what they hold, where they hold it', () => {
    expect(mayGrant(robot('system', grant('pull')), 'system', grant('pull'), project())).toBe(true);
    expect(mayGrant(robot('system', grant('pull')), 'system', grant('pull', '*'))).toBe(false);
    expect(mayGrant(robot('system', grant('pull', '*')), 'system', grant('pull', '*'))).toBe(true);
    expect(mayGrant(robot('system', grant('pull', '*')), 'system', grant('pull'), project())).toBe(true);
    expect(mayGrant(robot('system', grant('pull')), 'system', grant('push'), project())).toBe(false);
    expect(mayGrant(robot('system', { kind: 'system', resource: 'label', action: 'create' }), 'system', { kind: 'system', resource: 'label', action: 'create' })).toBe(true);
    expect(mayGrant(robot('system'), 'system', { kind: 'system', resource: 'label', action: 'create' })).toBe(false);
  });

  test('who may push but not pull cannot make a robot of a project that may push, because that one could pull', () => {
    expect(mayGrant(robot('system', grant('push')), 'system', grant('push'), project())).toBe(true);
    expect(mayGrant(robot('system', grant('push')), 'project', grant('push'), project())).toBe(false);
    expect(mayGrant(robot('system', grant('push'), grant('pull')), 'project', grant('push'), project())).toBe(true);
  });

  test('system administrators give everything', () => {
    expect(mayGrant(admin, 'system', grant('list', '*', 'metadata'))).toBe(true);
    expect(mayGrant(admin, 'system', { kind: 'system', resource: 'user', action: 'create' })).toBe(true);
  });
});
