import { describe, expect, test } from '@jest/globals';
import { needsUserinfo, personOf, type Claims } from './oidc-claims.js';
import { ProviderError } from './provider-connection.js';

const NAMES = { username: '', groups: 'groups' };
const ID = { iss: 'https://provider.test', sub: 'subject' };
const person = (claims: Claims, names = NAMES, userinfo: Claims = {}) => personOf({ ...ID, ...claims }, userinfo, names);

describe('the name', () => {
  test.each<[string, Claims, string, string]>([
    ['is that of the person', { name: 'Ada Lovelace', preferred_username: 'ada' }, '', 'Ada_Lovelace'],
    ['is the preferred one where there is no other', { preferred_username: 'ada' }, '', 'ada'],
    ['is the claim that the settings name', { name: 'Ada', email: 'ada@example.test' }, 'email', 'ada@example.test'],
    ['has neither spaces nor commas', { name: ' Lovelace, Ada ' }, '', 'Lovelace__Ada'],
    ['is empty when nobody says it', {}, '', ''],
    ['is empty when it is no text', { name: 7 }, '', ''],
  ])('%s', (_name, claims, username, expected) => {
    expect(person(claims, { ...NAMES, username }).suggestedName).toBe(expected);
  });

  test.each([undefined, 7, ['ada'], null, { a: 1 }])('is not made up where the claim that the settings name is %j', (value) => {
    expect(() => person({ nickname: value, name: 'Ada' }, { ...NAMES, username: 'nickname' })).toThrow(ProviderError);
  });
});

test.each([undefined, '', 7, 'x'.repeat(256), 'a\0b'])('the subject cannot be %j', (sub) => {
  expect(() => person({ sub })).toThrow(ProviderError);
});

test('the subject and the issuer are those of the ID token, whatever else says otherwise', () => {
  expect(person({}, NAMES, { name: 'Newer' })).toMatchObject({ issuer: ID.iss, subject: 'subject', realname: 'Newer' });
  expect(person({}, NAMES, { iss: 'https://other.test' })).toMatchObject({ issuer: ID.iss, subject: 'subject' });
});

describe('groups', () => {
  test.each<[unknown, string[]]>([
    [['a', 'b', 'a'], ['a', 'b']], ['single', ['single']], [undefined, []], [null, []], [[], []], [['', ' a', 'b\n', 'x'.repeat(256), 'ok'], ['ok']],
  ])('%j are %j', (value, expected) => {
    expect(person({ groups: value }).groups).toEqual(expected);
  });

  test.each([7, { a: 1 }, [7], [['a']], true])('are not guessed from %j', (value) => {
    expect(() => person({ groups: value })).toThrow(ProviderError);
  });

  test('are nobody’s business where the settings name no claim', () => {
    expect(person({ groups: { a: 1 } }, { ...NAMES, groups: '' }).groups).toEqual([]);
  });
});

test('an email address that the provider did not verify is not taken', () => {
  expect(['a@b.c', 'a@b.c', ''].map((email, index) => person({ email, email_verified: index === 0 }).email)).toEqual(['a@b.c', '', '']);
});

test('the userinfo endpoint is asked only for what is missing', () => {
  expect(needsUserinfo({ name: 'a', email: 'b', groups: [] }, NAMES)).toBe(false);
  expect(needsUserinfo({ name: 'a', email: 'b' }, NAMES)).toBe(true);
  expect(needsUserinfo({ name: 'a', email: 'b' }, { ...NAMES, groups: '' })).toBe(false);
  expect(needsUserinfo({ name: 'a', email: 'b', groups: [] }, { ...NAMES, username: 'nickname' })).toBe(true);
});
