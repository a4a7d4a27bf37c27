import { expect, test } from '@jest/globals';
import { decideOnGroups, mayLogIn, requireUsableFilter, type GroupDecision } from './oidc-groups.js';

const SETTINGS = { oidc_admin_group: '', oidc_group_filter: '', oidc_login_groups: '' };

test.each<[string, Partial<typeof SETTINGS>, string[], GroupDecision & { readonly allowed: boolean }]>([
  ['nothing is set', {}, ['a'], { allowed: true, administrator: false, groups: ['a'] }],
  ['there are no groups', { oidc_admin_group: '' }, [], { allowed: true, administrator: false, groups: [] }],
  ['the filter keeps some', { oidc_group_filter: '^dev-' }, ['dev-a', 'a-dev-'], { allowed: true, administrator: false, groups: ['dev-a'] }],
  ['the filter is found anywhere in a name', { oidc_group_filter: 'dev$' }, ['a-dev', 'developers'], { allowed: true, administrator: false, groups: ['a-dev'] }],
  ['administrators are found before the filter', { oidc_group_filter: '^dev-', oidc_admin_group: 'root' }, ['root'], { allowed: true, administrator: true, groups: [] }],
  ['names are compared exactly', { oidc_admin_group: 'root', oidc_login_groups: 'Staff' }, ['Root', 'staff'], { allowed: false, administrator: false, groups: ['Root', 'staff'] }],
  ['one of the login groups is enough', { oidc_login_groups: 'staff, crew ,' }, ['crew'], { allowed: true, administrator: false, groups: ['crew'] }],
  ['the filter does not hide a login group', { oidc_login_groups: 'staff', oidc_group_filter: '^dev-' }, ['staff'], { allowed: true, administrator: false, groups: [] }],
  ['without groups nobody is in a login group', { oidc_login_groups: 'staff' }, [], { allowed: false, administrator: false, groups: [] }],
  ['nobody is in the group without a name', { oidc_admin_group: '' }, [''], { allowed: true, administrator: false, groups: [''] }],
])('%s', (_name, settings, groups, decision) => {
  const all = { ...SETTINGS, ...settings };
  expect({ allowed: mayLogIn(groups, all), ...decideOnGroups(groups, all) }).toEqual(decision);
});

test('a filter that cannot be used gives nobody groups, and says nothing about who may log in', () => {
  const settings = { ...SETTINGS, oidc_login_groups: 'dev', oidc_group_filter: '^(?!tmp-)' };
  expect(() => decideOnGroups(['dev'], settings)).toThrow('oidc_group_filter cannot be used: set another one, or none');
  expect(() => { requireUsableFilter(settings); }).toThrow('oidc_group_filter cannot be used');
  expect([mayLogIn(['dev'], settings), mayLogIn(['ops'], settings)]).toEqual([true, false]);
});

test('M-09: a filter that backtracking would never end with takes no time', () => {
  const begun = performance.now();
  const groups = Array.from({ length: 200 }, (_, index) => `${'a'.repeat(200)}${index}!`);
  expect(decideOnGroups(groups, { ...SETTINGS, oidc_group_filter: '^(a+)+$' }).groups).toEqual([]);
  expect(performance.now() - begun).toBeLessThan(500);
});
