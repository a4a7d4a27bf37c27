import { describe, expect, test } from '@jest/globals';
import { originOf, pushOrigin, type Peer } from './forwarded.js';
import { RequestHeaders } from './request-headers.js';

const stranger: Peer = { address: '203.0.113.9', trusted: false, scheme: 'http' };
const friend: Peer = { address: '10.0.0.1', trusted: true, scheme: 'http' };

function headers(given: Readonly<Record<string, string>>): RequestHeaders {
  return new RequestHeaders(Object.entries({ Host: 'reg.test:8080', ...given }).flat());
}

describe('originOf', () => {
  const spoof = { 'X-Forwarded-For': '127.0.0.1', 'X-Forwarded-Proto': 'https', 'X-Forwarded-Host': 'evil.test', 'X-Forwarded-Port': '1', Forwarded: 'for=127.0.0.1;proto=https;host=evil.test' };

  test('believes a stranger nothing', () => {
    expect(originOf(stranger, headers(spoof))).toEqual({ chain: '203.0.113.9', scheme: 'http', host: 'reg.test:8080', port: '8080' });
  });

  test('believes a trusted peer, and adds it to the chain', () => {
    const origin = originOf(friend, headers({ 'X-Forwarded-For': '198.51.100.7', 'X-Forwarded-Proto': 'https', 'X-Forwarded-Host': 'public.test' }));
    expect(origin).toEqual({ chain: '198.51.100.7, 10.0.0.1', scheme: 'https', host: 'public.test', port: '443' });
  });

  test('takes the last value of each list, which the trusted peer added', () => {
    const origin = originOf(friend, headers({ 'X-Forwarded-Proto': 'http, https', 'X-Forwarded-Host': 'evil.test, public.test', 'X-Forwarded-Port': '1, 8443' }));
    expect(origin).toMatchObject({ scheme: 'https', host: 'public.test', port: '8443' });
  });

  test('reads the last element of Forwarded', () => {
    const origin = originOf(friend, headers({ Forwarded: 'for=1.2.3.4;host=evil.test, for="[2001:db8::1]:99"; proto=https; host="public.test:444"' }));
    expect(origin).toEqual({ chain: '2001:db8::1, 10.0.0.1', scheme: 'https', host: 'public.test:444', port: '444' });
  });

  test.each([
    { 'X-Forwarded-Proto': 'gopher' }, { 'X-Forwarded-Host': 'a b' }, { 'X-Forwarded-Host': 'a/b' }, { 'X-Forwarded-Port': 'x' }, { 'X-Forwarded-For': 'unknown' },
    { 'X-Forwarded-For': '1.2.3.4, evil' }, { 'X-Forwarded-For': `${'1.2.3.4, '.repeat(200)}1.2.3.4` }, { Forwarded: 'for=_hidden;host="a\\"b";proto=ftp' }, { Forwarded: '====' },
  ])('replaces the malformed %j by what the connection shows', (given) => {
    expect(originOf(friend, headers(given))).toEqual({ chain: '10.0.0.1', scheme: 'http', host: 'reg.test:8080', port: '8080' });
  });

  test('tells upstreams in four headers', () => {
    const flat: string[] = [];
    pushOrigin(flat, originOf(stranger, headers({})));
    expect(flat).toEqual(['x-forwarded-for', '203.0.113.9', 'x-forwarded-proto', 'http', 'x-forwarded-host', 'reg.test:8080', 'x-forwarded-port', '8080']);
  });
});
