import { expect, test } from '@jest/globals';
import { readSettings, runtimeSettings } from '@haven/runtime';
import { proxySettings } from './settings.js';

test('has usable defaults: no TLS, nobody trusted, upstreams on loopback', () => {
  const settings = readSettings(proxySettings, {});
  expect(settings).toMatchObject({
    HAVEN_HTTP_PORT: 8080, HAVEN_LISTEN_HOST: '0.0.0.0', HAVEN_REGISTRY_URLS: ['http://127.0.0.1:8081'], HAVEN_CORE_URLS: ['http://127.0.0.1:8082'], HAVEN_ACCESS_LOG: 'changes', HAVEN_PRIVATE_LISTEN: { host: '127.0.0.1', port: 9080 },
  });
  expect(settings.HAVEN_HTTPS_PORT).toBeUndefined();
  expect(settings.HAVEN_TRUSTED_PROXIES.includes('127.0.0.1')).toBe(false);
});

test('TLS is set completely or not at all', () => {
  expect(() => readSettings(proxySettings, { HAVEN_HTTPS_PORT: '8443' })).toThrow(/HAVEN_TLS_CERT[\s\S]*HAVEN_TLS_KEY/);
  expect(readSettings(proxySettings, { HAVEN_HTTPS_PORT: '8443', HAVEN_TLS_CERT: '/c', HAVEN_TLS_KEY: '/k' }).HAVEN_HTTPS_PORT).toBe(8443);
});

test.each([{ HAVEN_HTTP_PORT: '70000' }, { HAVEN_REGISTRY_URLS: 'ftp://x' }, { HAVEN_TRUSTED_PROXIES: 'everyone' }, { HAVEN_ACCESS_LOG: 'some' }, { HAVEN_HEADERS_SECONDS: '61' }, { HAVEN_STORAGE: '/path' }])('refuses %j', (environment) => {
  expect(() => readSettings(proxySettings, environment)).toThrow(Object.keys(environment)[0]);
});

test('every setting of its own is described', () => {
  const shared = Object.keys(runtimeSettings(1));
  const own = Object.entries(proxySettings.shape).filter(([name]) => !shared.includes(name));
  expect(own.filter(([, schema]) => schema.description === undefined).map(([name]) => name)).toEqual([]);
});
