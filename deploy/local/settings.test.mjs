import { expect, test } from '@jest/globals';
import { serviceEnvironment } from './settings.mjs';

const ports = { listen: 4001, private: 4002 };
const urls = { registry: ['http://127.0.0.1:1', 'http://127.0.0.1:2'], core: ['http://127.0.0.1:3'] };

function environment(service, env = {}, more = { databaseUrl: 'postgres://local', redisUrl: 'redis://local' }) {
  const all = serviceEnvironment(service, ports, { env, dataDir: '/srv/haven data', urls, ...more });
  return Object.fromEntries(Object.entries(all).filter(([name]) => name.startsWith('HAVEN_')));
}

test('each service gets what it needs and no secret of another', () => {
  expect(environment('proxy')).toEqual({
    HAVEN_PRIVATE_LISTEN: '127.0.0.1:4002', HAVEN_REDIS_URL: 'redis://local', HAVEN_SHUTDOWN_SECONDS: '10', HAVEN_STORAGE: 'file:///srv/haven%20data/storage',
    HAVEN_HTTP_PORT: '4001', HAVEN_REGISTRY_URLS: 'http://127.0.0.1:1,http://127.0.0.1:2', HAVEN_CORE_URLS: 'http://127.0.0.1:3',
  });
  expect(environment('registry')).toEqual({
    HAVEN_PRIVATE_LISTEN: '127.0.0.1:4002', HAVEN_REDIS_URL: 'redis://local', HAVEN_DATABASE_URL: 'postgres://local', HAVEN_SHUTDOWN_SECONDS: '10',
    HAVEN_STORAGE: 'file:///srv/haven%20data/storage', HAVEN_LISTEN: '127.0.0.1:4001',
  });
  expect(environment('core')).toMatchObject({ HAVEN_SECRET_KEY_FILE: '/srv/haven data/keys/secret.key', HAVEN_ADMIN_PASSWORD_OUT: '/srv/haven data/run/admin-password' });
  expect(environment('log-collector')).toEqual({
    HAVEN_PRIVATE_LISTEN: '127.0.0.1:4002', HAVEN_REDIS_URL: 'redis://local', HAVEN_SHUTDOWN_SECONDS: '10', HAVEN_LOG_DIR: '/srv/haven data/logs',
  });
  const secrets = { HAVEN_ADMIN_PASSWORD: 'a', HAVEN_SECRET_KEY: 'b', HAVEN_S3_SECRET_KEY_FILE: '/c', HAVEN_TLS_KEY: '/d' };
  const seen = (service) => Object.keys(secrets).filter((name) => environment(service, secrets)[name] !== undefined);
  expect(['core', 'registry', 'job-service', 'log-collector', 'proxy'].map(seen)).toEqual([
    ['HAVEN_ADMIN_PASSWORD', 'HAVEN_SECRET_KEY', 'HAVEN_S3_SECRET_KEY_FILE'], ['HAVEN_S3_SECRET_KEY_FILE'], ['HAVEN_SECRET_KEY', 'HAVEN_S3_SECRET_KEY_FILE'], [],
    ['HAVEN_S3_SECRET_KEY_FILE', 'HAVEN_TLS_KEY'],
  ]);
});

test('a setting is never given twice, by value and by file', () => {
  const files = { HAVEN_STORAGE_FILE: '/a', HAVEN_DATABASE_URL_FILE: '/b', HAVEN_REDIS_URL_FILE: '/c', HAVEN_SECRET_KEY: 'd', HAVEN_HTTP_PORT_FILE: '/e', HAVEN_LOG_DIR_FILE: '/f' };
  for (const service of ['core', 'registry', 'job-service', 'log-collector', 'proxy']) {
    const names = Object.keys(environment(service, files, {})).map((name) => name.replace(/_FILE$/, ''));
    expect(new Set(names).size).toBe(names.length);
  }
  expect(environment('core', files, {})).toMatchObject({ HAVEN_STORAGE_FILE: '/a', HAVEN_DATABASE_URL_FILE: '/b', HAVEN_REDIS_URL_FILE: '/c', HAVEN_SECRET_KEY: 'd' });
});

test('what the operator sets wins over defaults, not over addresses that the launcher has chosen', () => {
  const env = environment('registry', { HAVEN_SHUTDOWN_SECONDS: '60', HAVEN_STORAGE: 's3://bucket', HAVEN_LISTEN: '0.0.0.0:1', HAVEN_LOG_LEVEL: 'debug', HAVEN_TRUSTED_PROXIES: '10.0.0.0/8' });
  expect(env).toMatchObject({ HAVEN_SHUTDOWN_SECONDS: '60', HAVEN_STORAGE: 's3://bucket', HAVEN_LISTEN: '127.0.0.1:4001', HAVEN_LOG_LEVEL: 'debug' });
  expect(env.HAVEN_TRUSTED_PROXIES).toBeUndefined();
  expect(environment('proxy', { HAVEN_TRUSTED_PROXIES: '10.0.0.0/8' }).HAVEN_TRUSTED_PROXIES).toBe('10.0.0.0/8');
});

test('nothing else of the launcher\'s environment reaches a service', () => {
  const names = Object.keys(serviceEnvironment('core', ports, { env: {}, dataDir: '/data', urls })).filter((name) => !name.startsWith('HAVEN_'));
  expect(names).toContain('PATH');
  expect(names.filter((name) => name.startsWith('npm_') || name.startsWith('JEST'))).toEqual([]);
});
