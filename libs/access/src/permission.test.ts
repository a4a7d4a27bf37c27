import { describe, expect, test } from '@jest/globals';
import { actionsIn, permissionsOf, publicPermissions } from './permission.js';
import { ROLES, roleFromNumber, roleNumber, strongestRole, type Role } from './role.js';

/** The whole matrix, spelled out once more and the other way round: who may do this. A admin, M maintainer, D developer, G guest, L limited guest, P public. */
const EXPECTED = `
project:read AMDGLP
project:update A
project:delete A
member:create A
member:read AMDG
member:update A
member:delete A
member:list AMDG
metadata:create A
metadata:read AM
metadata:update A
metadata:delete A
log:list A
label:create AM
label:read AMDGP
label:update AM
label:delete AM
label:list AMDGP
quota:read AMDGL
repository:create AMD
repository:read AMDGL
repository:update AMD
repository:delete AM
repository:list AMDGLP
repository:pull AMDGLP
repository:push AMD
tag-retention:create AMD
tag-retention:read AMD
tag-retention:update AMD
tag-retention:delete AMD
tag-retention:list AMD
tag-retention:operate AMD
immutable-tag:create AM
immutable-tag:update AM
immutable-tag:delete AM
immutable-tag:list AM
configuration:read AMDGL
configuration:update A
robot:create A
robot:read AMDG
robot:update A
robot:delete A
robot:list AMDG
notification-policy:create A
notification-policy:read AM
notification-policy:update A
notification-policy:delete A
notification-policy:list AM
scan:create AM
scan:read AMDGLP
scan:stop AM
sbom:create AM
sbom:read AMDGL
sbom:stop AM
scanner:create A
scanner:read AMDGLP
artifact:create AMD
artifact:read AMDGLP
artifact:delete AM
artifact:list AMDGLP
artifact-addition:read AMDGLP
tag:create AMD
tag:delete AM
tag:list AMDGLP
accessory:list AMDGLP
artifact-label:create AMD
artifact-label:delete AMD
preheat-policy:create A
preheat-policy:read A
preheat-policy:update A
preheat-policy:delete A
preheat-policy:list A
export-cve:create AMD
export-cve:read AMD
export-cve:list AMD
`;

function expectedFor(letter: string): string[] {
  return EXPECTED.trim().split('\n').map((line) => line.split(' ')).filter(([, who]) => who?.includes(letter)).map(([permission]) => permission ?? '').toSorted();
}

describe('the role matrix', () => {
  test.each([['projectAdmin', 'A'], ['maintainer', 'M'], ['developer', 'D'], ['guest', 'G'], ['limitedGuest', 'L']] as const)('%s', (role, letter) => {
    expect([...permissionsOf(role)].toSorted()).toEqual(expectedFor(letter));
  });

  test('everybody in a public project', () => {
    expect([...publicPermissions].toSorted()).toEqual(expectedFor('P'));
  });

  test.each(['', 'admin', 'public', 'Developer', '__proto__', 'constructor', 'toString', '1'])('the role %j does not exist and may do nothing', (role) => {
    expect([...permissionsOf(role as Role)]).toEqual([]);
  });

  test('scanner-pull is in nobody\'s role', () => {
    expect(ROLES.flatMap((role) => [...permissionsOf(role)]).filter((permission) => permission.endsWith('scanner-pull'))).toEqual([]);
  });
});

test('the tables refuse letters they do not know', () => {
  expect(() => actionsIn('crx')).toThrow('unknown letter');
  expect(actionsIn('cl stop')).toEqual(['create', 'list', 'stop']);
  expect(actionsIn('')).toEqual([]);
});

test('roles have the numbers of Harbor\'s API', () => {
  expect(ROLES.map((role) => [role, roleNumber(role)])).toEqual([['projectAdmin', 1], ['maintainer', 4], ['developer', 2], ['guest', 3], ['limitedGuest', 5]]);
  expect([0, 1, 2, 3, 4, 5, 6, 1.5, Number.NaN].map(roleFromNumber)).toEqual([undefined, 'projectAdmin', 'developer', 'guest', 'maintainer', 'limitedGuest', undefined, undefined, undefined]);
  expect(() => roleNumber('root' as Role)).toThrow(RangeError);
});

test('the strongest role goes by rank, not by number', () => {
  expect(strongestRole(['guest', 'maintainer', 'developer'])).toBe('maintainer');
  expect(strongestRole(['limitedGuest', 'guest'])).toBe('guest');
  expect(strongestRole([])).toBeUndefined();
});
