import { describe, expect, test } from '@jest/globals';
import { parseServers } from './directory-url.js';

describe('servers', () => {
  test.each([
    ['directory.example.org', [['directory.example.org', 389, false]]],
    ['ldap://directory.example.org', [['directory.example.org', 389, false]]],
    ['ldaps://directory.example.org/', [['directory.example.org', 636, true]]],
    ['directory.example.org:636', [['directory.example.org', 636, true]]],
    ['ldap://directory.example.org:636', [['directory.example.org', 636, true]]],
    ['ldaps://a:1636 ldap://b:1389,c', [['a', 1636, true], ['b', 1389, false], ['c', 389, false]]],
    ['ldaps://[2001:db8::1]:1636', [['2001:db8::1', 1636, true]]],
    ['LDAPS://a', [['a', 636, true]]],
  ] as const)('%s', (text, expected) => {
    const servers = parseServers(text);
    expect(typeof servers === 'string' ? servers : servers.map(({ host, port, secure }) => [host, port, secure])).toEqual(expected);
  });

  test.each(['', ' , ', 'https://a', 'ldap://', 'ldap://user:password@a', 'ldap://a/dc=x', 'ldap://a?x', 'ldap://a#x', 'ldap://a:99999', 'ldap://a:0', 'file:///etc/passwd', 'a, http://b', Array(11).fill('a').join(' ')])('H-02: %j is refused with a sentence', (text) => {
    expect(parseServers(text)).toEqual(expect.stringMatching(/^ldap_url /));
  });
});
