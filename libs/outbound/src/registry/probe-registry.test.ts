import { describe, expect, test } from '@jest/globals';
import { FakeOutboundClient, type FakeAnswer } from '../fake-outbound-client.js';
import { OutboundError } from '../outbound-error.js';
import { isHealthyRegistry } from './probe-registry.js';
import { tokenRequest } from './token-request.js';

const REGISTRY = { url: 'https://r.example/', insecure: false, caCertificate: '', accessKey: 'key', accessSecret: 'secret' };
const BASIC = `Basic ${Buffer.from('key:secret').toString('base64')}`;

function authorizations({ sent }: FakeOutboundClient): unknown[] {
  return sent.map(({ url, headers }) => [url, headers?.['Authorization']]);
}

describe('a registry is healthy', () => {
  test.each<[string, FakeAnswer, boolean]>([
    ['when it answers', () => ({}), true],
    ['not with another status', () => ({ status: 500 }), false],
    ['not by sending elsewhere', () => ({ status: 302, headers: { location: 'https://r.example/ok' } }), false],
    ['not when it takes no credentials', () => ({ status: 401, headers: { 'www-authenticate': 'Basic realm="a"' } }), false],
    ['not without a challenge', () => ({ status: 401 }), false],
    ['not when it cannot be reached', () => { throw new OutboundError('unreachable'); }, false],
  ])('%s', async (_when, answer, healthy) => { expect(await isHealthyRegistry(new FakeOutboundClient(answer), REGISTRY)).toBe(healthy); });

  test('when it takes the credentials by Basic authentication', async () => {
    const client = new FakeOutboundClient(({ headers }) => (headers?.['Authorization'] === BASIC ? {} : { status: 401, headers: { 'www-authenticate': 'Basic realm="a"' } }));
    expect(await isHealthyRegistry(client, REGISTRY)).toBe(true);
    expect(authorizations(client)).toEqual([['https://r.example/v2/', undefined], ['https://r.example/v2/', BASIC]]);
  });

  test('when it takes a token that its own host gives', async () => {
    const client = new FakeOutboundClient(({ url, headers }) => {
      if (url.startsWith('https://r.example/token')) return { body: '{"token":"abc"}' };
      return headers?.['Authorization'] === 'Bearer abc' ? {} : { status: 401, headers: { 'www-authenticate': 'Bearer realm="https://r.example/token",service="s t"' } };
    });
    expect(await isHealthyRegistry(client, REGISTRY)).toBe(true);
    expect(authorizations(client)).toEqual([['https://r.example/v2/', undefined], ['https://r.example/token?service=s+t', BASIC], ['https://r.example/v2/', 'Bearer abc']]);
  });

  test.each(['{"token":"a\\r\\nX: 1"}', '[]', '"a"', 'null', '', '{"token":1}'])('not with %s for a token', async (body) => {
    const client = new FakeOutboundClient(({ url }) => (url.includes('token') ? { body } : { status: 401, headers: { 'www-authenticate': 'Bearer realm="https://r.example/token"' } }));
    expect(await isHealthyRegistry(client, REGISTRY)).toBe(false);
  });

  test('without credentials, when it asks for some', async () => {
    const client = new FakeOutboundClient(() => ({ status: 401, headers: { 'www-authenticate': 'Bearer realm="https://evil.example/"' } }));
    expect(await isHealthyRegistry(client, { ...REGISTRY, accessSecret: '' })).toBe(true);
    expect(client.sent).toHaveLength(1);
  });
});

test.each([
  ['blanks', ' '.repeat(1_000_000)], ['commas', ','.repeat(1_000_000)], ['beginnings of a realm', ',realm="'.repeat(100_000)], ['a realm without an end', `Bearer realm="${'a'.repeat(1_000_000)}`],
  ['many realms', 'Bearer realm="a" '.repeat(60_000)], ['backslashes', `Bearer realm="${'\\'.repeat(500_000)}`],
])('M-09: a challenge of %s is read in no time', (_of, challenge) => {
  const begun = performance.now();
  tokenRequest(challenge, 'https://r.example');
  expect(performance.now() - begun).toBeLessThan(100);
});

describe('H-11: credentials go nowhere else', () => {
  test.each([
    ['http://r.example/token', 'https://r.example'], ['https://evil.example/token', 'https://r.example'], ['http://169.254.169.254/', 'http://r.example'], ['https://r.example.evil/', 'https://r.example'],
    ['https://evil.example@r.example/', 'https://r.example'], ['https://auth.docker.io/token', 'https://r.example'], ['http://auth.docker.io/token', 'http://docker.io'], ['/token', 'https://r.example'], ['ftp://r.example/', 'https://r.example'],
    ['https://x/', 'https://constructor'],
  ])('%s is no realm of %s', (realm, registry) => {
    expect(tokenRequest(`Bearer realm="${realm}",service="s"`, registry)).toBeUndefined();
  });

  test('nothing is sent to such a realm', async () => {
    const client = new FakeOutboundClient(() => ({ status: 401, headers: { 'www-authenticate': 'Bearer realm="https://evil.example/token"' } }));
    expect(await isHealthyRegistry(client, REGISTRY)).toBe(false);
    expect(client.sent.map(({ url }) => url)).toEqual(['https://r.example/v2/']);
  });

  test.each([['https://auth.docker.io/token', 'https://registry-1.docker.io'], ['https://r.example:8443/t', 'http://r.example']])('%s is a realm of %s', (realm, registry) => {
    expect(tokenRequest(`Bearer realm="${realm}"`, registry)).toBe(realm);
  });
});
