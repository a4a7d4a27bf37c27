import { describe, expect, test } from '@jest/globals';
import { mayFollow, parseReferral, referralHosts } from './referral-url.js';

describe('a reference of a directory', () => {
  test('is read with what it changes of the search', () => {
    expect(parseReferral('ldap://b.test:3389/ou=away,dc=x??sub')).toEqual({
      text: 'ldap://b.test:3389/ou=away,dc=x??sub', server: { host: 'b.test', port: 3389, secure: false, name: 'ldap://b.test:3389' }, base: 'ou=away,dc=x', scope: 'sub', filter: undefined,
    });
    expect(parseReferral('LDAPS://b.test/cn=O%5c%2cBrien%20%c3%a9,dc=x??base?(uid=*)')).toMatchObject({ server: { port: 636, secure: true }, base: 'cn=O\\,Brien é,dc=x', scope: 'base', filter: '(uid=*)' });
    expect(parseReferral('ldap://[::1]')).toMatchObject({ server: { host: '::1', port: 389 }, base: undefined, scope: undefined, filter: undefined });
    expect(parseReferral('ldap://b.test/????x-ext=1')).toMatchObject({ base: undefined });
  });

  test.each([
    '', 'b.test', 'http://b.test/', 'ldap:///dc=x', 'ldap://', 'ldap://b test/', 'ldap://user:secret@b.test/', 'ldap://b.test:0/', 'ldap://b.test:99999/', 'ldap://b.test,c.test/', 'ldap://b.test c.test/',
    'ldap://b.test/no-dn', 'ldap://b.test/dc=%zz', 'ldap://b.test/dc=x??tree', 'ldap://b.test/dc=x???(uid=', 'ldap://b.test/dc=x????!critical=1', `ldap://b.test/dc=${'x'.repeat(2048)}`, 'ldapi://%2ftmp%2fsocket/',
  ])('cannot be followed when it is %j', (text) => {
    expect(parseReferral(text)).toBeUndefined();
  });
});

describe('hosts that references may lead to', () => {
  const allowed = (setting: string, address: string): boolean => mayFollow(parseReferral(address) ?? (() => { throw new Error(address); })(), referralHosts(setting));

  test.each([
    ['b.test', 'ldap://b.test/'], ['b.test', 'ldaps://B.TEST/'], ['B.test', 'ldap://b.test:389/'], ['a.test, b.test', 'ldaps://b.test:636/'], ['b.test:3389', 'ldap://b.test:3389/'],
    ['[::1]', 'ldap://[::1]/'], ['[::1]:3389', 'ldap://[::1]:3389/'], ['127.0.0.1:3389', 'ldap://127.0.0.1:3389/'],
  ])('%s allows %s', (setting, address) => {
    expect(allowed(setting, address)).toBe(true);
  });

  test.each([
    ['', 'ldap://b.test/'], ['b.test', 'ldap://b.test:3389/'], ['b.test:3389', 'ldap://b.test/'], ['b.test', 'ldap://evil.b.test/'], ['b.test', 'ldap://b.test.evil/'], ['b.test', 'ldap://bxtest/'],
    ['127.0.0.1', 'ldap://127.0.0.2/'], ['b.test', 'ldap://b.test./'],
  ])('%j does not allow %s', (setting, address) => {
    expect(allowed(setting, address)).toBe(false);
  });
});
