import { describe, expect, test } from '@jest/globals';
import { configurationOf } from '@haven/api';
import { DirectoryEntry } from './directory-entry.js';
import { isBelow } from './group-lookup.js';
import { ldapSettings } from './ldap-settings.js';
import { externalIdOf, hasName, idFilter, personOf } from './person.js';

const settings = ldapSettings({ ...configurationOf(new Map()), ldap_url: 'ldaps://a', ldap_base_dn: 'dc=x', ldap_uid: 'uid', ldap_search_dn: 'cn=s,dc=x' }, 'secret');

describe('what an entry is told apart by', () => {
  test.each([
    [{ entryUUID: 'ABC-1' }, 'entryUUID:abc-1', '(entryUUID=abc-1)'],
    [{ objectGUID: Buffer.from('00112233445566778899aabbccddeeff', 'hex'), entryUUID: 'x' }, 'objectGUID:00112233445566778899aabbccddeeff', '(objectGUID=\\00\\11\\22\\33\\44\\55\\66\\77\\88\\99\\aa\\bb\\cc\\dd\\ee\\ff)'],
    [{ nsUniqueId: '1-2' }, 'nsUniqueId:1-2', '(nsUniqueId=1-2)'],
    [{}, 'dn:cn=a,dc=x', undefined],
    [{ entryUUID: [] }, 'dn:cn=a,dc=x', undefined],
  ])('%j', (attributes, id, filter) => {
    expect(externalIdOf(new DirectoryEntry({ dn: 'CN=A, dc=x', ...attributes }))).toBe(id);
    expect(idFilter(id)).toBe(filter);
  });

  test('nothing that ids hold ends a filter', () => {
    expect(idFilter('entryUUID:*)(uid=*')).toBe('(entryUUID=\\2a\\29\\28uid=\\2a)');
  });
});

test('people are described by the attributes that are there', () => {
  const described = (attributes: Record<string, string | string[] | Buffer>): unknown => personOf(new DirectoryEntry({ dn: 'cn=a', ...attributes }), settings);
  expect(described({ UID: 'jane', cn: 'Jane\nDoe', mail: 'jane@example.org' })).toEqual({ username: 'jane', realname: 'Jane Doe', email: 'jane@example.org' });
  expect(described({ uid: ['', 'jane', 'other'], email: 'j@example.org' })).toEqual({ username: 'jane', realname: 'jane', email: 'j@example.org' });
  expect(described({ uid: 'jane', mail: 'not an address' })).toEqual({ username: 'jane', realname: 'jane', email: '' });
  expect(described({ cn: 'Jane' })).toBeUndefined();
  expect(described({ uid: Buffer.from([0xff]) })).toBeUndefined();
});

test('the name that was typed must be the entry’s, as people compare names', () => {
  const entry = new DirectoryEntry({ dn: 'cn=a', uid: ['jane', 'Jane  Doe'] });
  for (const name of ['jane', 'JANE', 'jane ', 'jane doe']) expect([name, hasName(entry, name, settings)]).toEqual([name, true]);
  for (const name of ['*', 'jan', 'janе', 'jane)', '']) expect([name, hasName(entry, name, settings)]).toEqual([name, false]);
});

test('A-08: being below a base is a matter of parts, not of text', () => {
  for (const dn of ['cn=a,ou=groups,dc=x', 'CN=A, OU=Groups, DC=X', 'ou=groups,dc=x']) expect([dn, isBelow(dn, 'ou=groups,dc=x')]).toEqual([dn, true]);
  for (const dn of ['cn=a\\,ou=groups,dc=x', 'cn=a,ou=othergroups,dc=x', 'dc=x', 'cn=a,ou=groups\\,dc=x', 'x', '']) expect([dn, isBelow(dn, 'ou=groups,dc=x')]).toEqual([dn, false]);
});
