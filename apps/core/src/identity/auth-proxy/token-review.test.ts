import { describe, expect, test } from '@jest/globals';
import { configurationOf } from '@haven/api';
import { AuthProxyFault } from './auth-proxy-fault.js';
import { authProxySettings } from './auth-proxy-settings.js';
import { externalUserOf, readReview, reviewRequest } from './token-review.js';

const review = (status: unknown, more: object = {}): string => JSON.stringify({ apiVersion: 'authentication.k8s.io/v1beta1', kind: 'TokenReview', status, ...more });

describe('a token review', () => {
  test('is asked for in the version that the address names', () => {
    const version = (address: string): string => (JSON.parse(reviewRequest('t', new URL(address))) as { apiVersion: string }).apiVersion;
    expect(version('https://k8s.test/apis/authentication.k8s.io/v1/tokenreviews')).toBe('authentication.k8s.io/v1');
    expect(version('https://k8s.test/apis/authentication.k8s.io/v1beta1/tokenreviews')).toBe('authentication.k8s.io/v1beta1');
    expect(version('https://proxy.test/review')).toBe('authentication.k8s.io/v1beta1');
    expect(JSON.parse(reviewRequest('to"ken', new URL('https://proxy.test/')))).toEqual({ apiVersion: 'authentication.k8s.io/v1beta1', kind: 'TokenReview', spec: { token: 'to"ken' } });
  });

  test('says whose a good token is', () => {
    expect(readReview(review({ authenticated: true, user: { username: 'ann', uid: '7', groups: ['a', 'b', 'a'], extra: { x: ['y'] } } }))).toEqual({ username: 'ann', uid: '7', groups: ['a', 'b'] });
    expect(readReview(review({ authenticated: true, user: { username: 'ann', uid: '', groups: null } }))).toEqual({ username: 'ann', uid: undefined, groups: [] });
  });

  test.each([[{ authenticated: false, user: {} }], [{}], [{ user: { username: 'ann' } }], [{ authenticated: false, error: 'expired', user: { username: 'ann' } }]])('says that a token is nobody’s: %j', (status) => {
    expect(readReview(review(status))).toBeUndefined();
  });

  test.each<[string, string]>([
    ['nothing', ''], ['text', 'yes'], ['a list', '[]'], ['null', 'null'], ['another kind', JSON.stringify({ kind: 'Status', status: { authenticated: true, user: { username: 'ann' } } })],
    ['no kind', JSON.stringify({ status: { authenticated: true, user: { username: 'ann' } } })], ['no status', review(undefined)],
    ['a text for yes', review({ authenticated: 'true', user: { username: 'ann' } })], ['a number for yes', review({ authenticated: 1, user: { username: 'ann' } })],
    ['no user', review({ authenticated: true })], ['no name', review({ authenticated: true, user: {} })], ['an empty name', review({ authenticated: true, user: { username: '' } })],
    ['a name that is none', review({ authenticated: true, user: { username: ['ann'] } })], ['an id with NUL', review({ authenticated: true, user: { username: 'ann', uid: 'a\0' } })],
    ['groups that are none', review({ authenticated: true, user: { username: 'ann', groups: [1] } })], ['a group for groups', review({ authenticated: true, user: { username: 'ann', groups: 'admins' } })],
    ['too many groups', review({ authenticated: true, user: { username: 'ann', groups: Array.from({ length: 2001 }, (_, index) => `g${index}`) } })],
    ['yes and an error', review({ authenticated: true, error: 'the token could not be checked', user: { username: 'ann' } })],
  ])('is no answer with %s', (_name, body) => {
    expect(() => readReview(body)).toThrow(AuthProxyFault);
  });

  test('never shows values of the answer in what it says of it', () => {
    expect(() => readReview(review({ authenticated: true, user: { username: ['secret-value'], uid: 'secret-value\0' } }))).not.toThrow('secret-value');
  });
});

describe('the account of somebody', () => {
  const settings = authProxySettings({
    ...configurationOf(new Map()), http_authproxy_endpoint: 'https://proxy.test/login', http_authproxy_tokenreview_endpoint: 'https://proxy.test/review',
    http_authproxy_admin_groups: 'ops, root', http_authproxy_admin_usernames: 'boss,chief',
  });

  test('is known by the id that is never given to somebody else, or by the name where there is none', () => {
    expect(externalUserOf({ username: 'ann', uid: '7', groups: ['a'] }, settings)).toEqual({ source: 'http', externalId: 'uid:7', username: 'ann', realname: 'ann', email: '', groups: [{ name: 'a' }], admin: false });
    expect(externalUserOf({ username: 'ann', uid: undefined, groups: [] }, settings).externalId).toBe('name:ann');
    expect(externalUserOf({ username: 'ann', uid: 'name:bob', groups: [] }, settings).externalId).toBe('uid:name:bob');
  });

  test.each<[string, readonly string[], boolean]>([
    ['ann', ['ops'], true], ['ann', ['x', 'root'], true], ['boss', [], true], ['chief', ['x'], true],
    ['ann', ['Ops'], false], ['Boss', [], false], ['ann', ['ops,root'], false], ['boss,chief', [], false], ['ops', ['boss'], false], ['ann', [''], false],
  ])('%s in %j is an administrator: %s', (username, groups, admin) => {
    expect(externalUserOf({ username, uid: undefined, groups }, settings).admin).toBe(admin);
  });

  test('no setting makes nobody an administrator', () => {
    const bare = { ...settings, adminGroups: [], adminUsernames: [] };
    expect(externalUserOf({ username: '', uid: undefined, groups: [''] }, bare).admin).toBe(false);
  });
});
