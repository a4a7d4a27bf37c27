import { describe, expect, test } from '@jest/globals';
import { hostnameOf, isHost, portOf } from './host.js';

describe('isHost', () => {
  test.each(['a', 'registry.example.com', 'a_b-c:8443', '127.0.0.1:1', '[::1]', '[fe80::1]:8080', 'localhost:65535'])('accepts %s', (host) => {
    expect(isHost(host)).toBe(true);
  });

  test.each(['', ':80', 'a:', 'a:x', 'a:123456', 'a b', 'a/b', 'a@b', 'user:pw@host', 'a,b', 'a"b', 'a\\b', '[::1', '::1', '[::1]x', '[x]', 'a:1:2', 'é.com', 'a%2e', `${'a'.repeat(300)}`])('refuses %j', (host) => {
    expect(isHost(host)).toBe(false);
  });

  test('takes a host apart', () => {
    expect([hostnameOf('a:80'), portOf('a:80')]).toEqual(['a', '80']);
    expect([hostnameOf('a'), portOf('a')]).toEqual(['a', '']);
    expect([hostnameOf('[::1]'), portOf('[::1]')]).toEqual(['[::1]', '']);
    expect([hostnameOf('[::1]:5'), portOf('[::1]:5')]).toEqual(['[::1]', '5']);
  });
});
