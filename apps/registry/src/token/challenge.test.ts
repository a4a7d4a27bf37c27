import { EventEmitter } from 'node:events';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { expect, test } from '@jest/globals';
import { parseRoute } from '@haven/oci';
import { parseAddressRanges, readSettings } from '@haven/runtime';
import { settings } from '../settings.js';
import { challenge, externalUrl } from './challenge.js';

const trustedProxies = parseAddressRanges('127.0.0.0/8');
const REQUIRED = { HAVEN_DATABASE_URL: 'postgres://db/haven', HAVEN_STORAGE: 'file:///blobs' };

function asked(headers: IncomingHttpHeaders, remoteAddress = '127.0.0.1'): IncomingMessage {
  return Object.assign(new EventEmitter(), { headers, socket: { remoteAddress } }) as unknown as IncomingMessage;
}

const HOSTILE: readonly IncomingHttpHeaders[] = [
  { host: 'evil.test' }, { host: 'reg.test', 'x-forwarded-host': 'evil.test' }, { host: 'reg.test', 'x-forwarded-proto': 'http', 'x-forwarded-host': 'evil.test' }, { host: 'reg.test', forwarded: 'host=evil.test;proto=http' },
  { host: 'evil.test"' }, {}, { host: 'a,b' },
];

test.each(HOSTILE)('B-17: with an external address %j does not say where clients send their passwords', (headers) => {
  const { HAVEN_EXTERNAL_URL: external } = readSettings(settings, { ...REQUIRED, HAVEN_EXTERNAL_URL: 'https://reg.example.org/' });
  const error = challenge(asked(headers), parseRoute('/v2/alpha/app/manifests/1'), 'pull', undefined, { externalUrl: external, trustedProxies }, 'missing');
  expect(error.headers).toEqual({ 'www-authenticate': 'Bearer realm="https://reg.example.org/service/token",service="harbor-registry",scope="repository:alpha/app:pull"' });
});

test('B-17: without one, only a trusted peer says more than the host that was asked for', () => {
  const options = { externalUrl: undefined, trustedProxies };
  const forwarded = { host: 'reg.test', 'x-forwarded-host': 'public.test', 'x-forwarded-proto': 'https', forwarded: 'host=evil.test' };
  expect(externalUrl(asked(forwarded), options)).toBe('https://public.test');
  expect(externalUrl(asked(forwarded, '192.0.2.1'), options)).toBe('http://reg.test');
  for (const host of ['evil.test"', 'evil.test/path', 'user@evil.test', 'a b', 'a,b', '', 'x'.repeat(300), 'a:123456', '[::1', 'a\r\nb']) expect(() => externalUrl(asked({ host }), options)).toThrow('Host header');
  expect(() => externalUrl(asked({ host: 'reg.test', 'x-forwarded-host': 'evil.test", x="' }), options)).toThrow('Host header');
});
