import { describe, expect, test } from '@jest/globals';
import { configurationOf } from '@haven/api';
import { ldapSettings, settingsFaults } from './ldap-settings.js';

const good = {
  ...configurationOf(new Map()), ldap_url: 'ldaps://a', ldap_base_dn: 'dc=x', ldap_uid: 'uid', ldap_search_dn: 'cn=search,dc=x',
};

test('settings that do', () => {
  expect(settingsFaults(good, 'secret')).toEqual([]);
  const settings = ldapSettings({ ...good, ldap_group_admin_dn: 'CN=Ops, DC=x', ldap_filter: 'objectClass=person', ldap_scope: 1 }, 'secret');
  expect(settings).toMatchObject({ scope: 'one', filter: '(objectClass=person)', timeoutMs: 5000, groups: { baseDn: 'dc=x', filter: '', nameAttribute: 'cn', membershipAttribute: 'memberof', adminKey: 'cn=ops,dc=x' } });
  expect(settings.fingerprint).not.toBe(ldapSettings(good, 'secret').fingerprint);
  expect(ldapSettings(good, 'one').fingerprint).not.toBe(ldapSettings(good, 'two').fingerprint);
});

describe('settings that do not', () => {
  test.each([
    [{ ldap_url: '' }, 'ldap_url'], [{ ldap_base_dn: '' }, 'ldap_base_dn'], [{ ldap_base_dn: 'example' }, 'ldap_base_dn'], [{ ldap_search_dn: ' ' }, 'ldap_search_dn'], [{ ldap_search_dn: 'EXTERNAL' }, 'ldap_search_dn'],
    [{ ldap_uid: 'uid)(x=*' }, 'ldap_uid'], [{ ldap_filter: '(a=' }, 'ldap_filter'], [{ ldap_group_search_filter: '((' }, 'ldap_group_search_filter'], [{ ldap_group_base_dn: 'groups' }, 'ldap_group_base_dn'],
    [{ ldap_group_admin_dn: 'ops' }, 'ldap_group_admin_dn'], [{ ldap_group_attribute_name: 'c n' }, 'ldap_group_attribute_name'], [{ ldap_group_membership_attribute: '*' }, 'ldap_group_membership_attribute'],
  ])('%j', (change, named) => {
    expect(settingsFaults({ ...good, ...change }, 'secret')).toEqual([expect.stringContaining(named)]);
    expect(() => ldapSettings({ ...good, ...change }, 'secret')).toThrow(named);
  });

  test('no password of the search account', () => {
    expect(settingsFaults(good, '')).toEqual([expect.stringContaining('ldap_search_password')]);
  });
});

test('passwords go in clear only when two settings say so', () => {
  const clear = (ldap_start_tls: boolean, ldap_verify_cert: boolean): string[] => settingsFaults({ ...good, ldap_url: 'ldaps://a ldap://b', ldap_start_tls, ldap_verify_cert }, 'secret');
  expect([clear(true, true), clear(true, false), clear(false, false)]).toEqual([[], [], []]);
  expect(clear(false, true)).toEqual([expect.stringContaining('ldap://b:389 would carry passwords in clear')]);
});
