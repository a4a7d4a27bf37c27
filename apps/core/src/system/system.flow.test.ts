import { statfs } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { openGate } from '../testing/tcp-gate.js';
import { startCore, startTestCore, type TestCore } from '../testing/test-core.js';
import { volumesOf } from './volumes.js';

/** What it looks like is all that is checked of it. */
const CERTIFICATES = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----';

let core: TestCore;
let withoutRedis: TestCore;
beforeAll(async () => {
  core = await startTestCore({ environment: { HAVEN_EXTERNAL_URL: 'https://registry.example.org/', HAVEN_CA: CERTIFICATES } });
  withoutRedis = await startTestCore({ environment: { HAVEN_REDIS_URL: 'redis://127.0.0.1:1' } });
  await core.addUser('alice');
});
afterAll(async () => {
  await core.stop();
  await withoutRedis.stop();
});

describe('health', () => {
  test('names what was looked at', async () => {
    const healthy = ['core', 'database', 'redis', 'storage'].map((name) => ({ name, status: 'healthy' }));
    expect((await core.call('GET', '/api/v2.0/health')).body).toEqual({ status: 'healthy', components: healthy });
  });

  test('is degraded, not unhealthy, without Redis, and everything else goes on', async () => {
    const { status, body } = await withoutRedis.call('GET', '/api/v2.0/health');
    expect(status).toBe(200);
    expect(body).toMatchObject({ status: 'degraded', components: expect.arrayContaining([{ name: 'redis', status: 'unhealthy', error: expect.any(String) }]) });
    expect(JSON.stringify(body)).not.toContain('127.0.0.1');
    expect((await withoutRedis.call('POST', '/api/v2.0/projects', { as: 'admin', json: { project_name: 'alpha' } })).status).toBe(201);
    expect((await withoutRedis.call('PUT', '/api/v2.0/projects/alpha', { as: 'admin', json: { metadata: { public: 'true' } } })).status).toBe(200);
    expect((await withoutRedis.call('GET', '/service/token?service=harbor-registry&scope=repository:alpha/app:pull')).status).toBe(200);
  });

  test('is not asked for credentials', async () => {
    for (const path of ['/api/v2.0/health', '/api/v2.0/ping', '/api/version']) {
      expect((await core.call('GET', path, { headers: { authorization: 'Basic nonsense' } })).status).toBe(200);
    }
  });
});

test('ping and version', async () => {
  expect((await core.call('GET', '/api/v2.0/ping')).body).toBe('Pong');
  expect((await core.call('GET', '/api/version')).body).toEqual({ version: 'v2.0' });
});

describe('systeminfo', () => {
  test('tells strangers how to log in and nothing else', async () => {
    expect((await core.call('GET', '/api/v2.0/systeminfo')).body).toEqual({ auth_mode: 'db_auth', primary_auth_mode: false, self_registration: false, banner_message: '' });
  });

  test('tells those logged in more', async () => {
    expect((await core.call('GET', '/api/v2.0/systeminfo', { as: 'alice' })).body).toMatchObject({
      auth_mode: 'db_auth', harbor_version: expect.stringMatching(/^v2\./), external_url: 'https://registry.example.org', registry_url: 'registry.example.org',
      read_only: false, registry_storage_provider_name: 'filesystem', project_creation_restriction: 'everyone', current_time: expect.any(String),
    });
  });

  test('L-07: tells strangers neither the version nor where anything is', async () => {
    const { body, headers } = await core.call('GET', '/api/v2.0/systeminfo');
    expect(headers.get('server')).toBeNull();
    expect(headers.get('x-powered-by')).toBeNull();
    for (const path of ['/api/v2.0/systeminfo', '/api/v2.0/health', '/api/version', '/api/v2.0/nowhere']) {
      expect(JSON.stringify((await core.call('GET', path)).body)).not.toMatch(/haven-0|2\.15|filesystem|registry\.example|\/tmp/);
    }
    expect(body).not.toHaveProperty('harbor_version');
  });

  test('has a certificate for clients, where one was given', async () => {
    const { status, body, headers } = await core.call('GET', '/api/v2.0/systeminfo/getcert');
    expect([status, body, headers.get('content-disposition'), headers.get('content-type')]).toEqual([200, `${CERTIFICATES}\n`, 'attachment; filename=ca.crt', 'application/octet-stream']);
    expect((await core.call('GET', '/api/v2.0/systeminfo', { as: 'alice' })).body).toMatchObject({ has_ca_root: true });
    const without = await withoutRedis.call('GET', '/api/v2.0/systeminfo/getcert');
    expect([without.status, without.headers.get('content-disposition'), without.body]).toEqual([404, null, { errors: [{ code: 'NOT_FOUND', message: expect.any(String) }] }]);
    expect((await withoutRedis.call('GET', '/api/v2.0/systeminfo', { as: 'admin' })).body).toMatchObject({ has_ca_root: false });
  });

  test('has the size of the volume for administrators', async () => {
    const { bsize, blocks } = await statfs(core.folder);
    const { body } = await core.call('GET', '/api/v2.0/systeminfo/volumes', { as: 'admin' });
    expect(body).toEqual({ storage: [{ total: blocks * bsize, free: expect.any(Number) }] });
    expect((await core.call('GET', '/api/v2.0/systeminfo/volumes', { as: 'alice' })).status).toBe(403);
    expect((await core.call('GET', '/api/v2.0/systeminfo/volumes')).status).toBe(401);
  });

  test('refuses wrong passwords', async () => {
    expect((await core.call('GET', '/api/v2.0/systeminfo', { as: 'alice', password: 'wrong' })).status).toBe(401);
  });
});

test.each(['not a certificate', `${CERTIFICATES}\n-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----`])('a HAVEN_CA that must not be given out stops the start', async (certificates) => {
  await expect(startTestCore({ environment: { HAVEN_CA: certificates } })).rejects.toThrow('HAVEN_CA');
});

test('volumes: a bucket has none, and a folder that is gone is no answer', async () => {
  expect(await volumesOf(undefined)).toEqual({ storage: [] });
  await expect(volumesOf('/no/such/folder')).rejects.toMatchObject({ code: 'SERVICE_UNAVAILABLE' });
});

describe('E-13: what is for debugging', () => {
  test.each(['/debug/pprof/', '/metrics', '/livez', '/readyz', '/healthz?verbose', '/_next', '/.env', '/swagger.json', '/api/v2.0/../metrics', '/api/v2.0/internalconfig', '/main.js.map'])('%s is not there', async (path) => {
    expect((await core.call('GET', path)).status).toBe(404);
    expect((await core.call('GET', path, { as: 'admin' })).status).toBe(404);
  });
});

test('K-04: nothing of the inside is in the answer while the database is away', async () => {
  const address = new URL(core.databaseUrl);
  const gate = await openGate(address.hostname, Number(address.port));
  address.host = `127.0.0.1:${gate.port}`;
  const service = await startCore({ HAVEN_DATABASE_URL: address.href, HAVEN_STORAGE: `file://${core.folder}`, HAVEN_SECRET_KEY: core.secretKey });
  try {
    await gate.shut();
    for (const path of ['projects', 'search?q=a', 'systeminfo', 'health', 'statistics', 'quotas', 'configurations', 'system/CVEAllowlist', 'projects/library/metadatas/public']) {
      const answer = await fetch(`http://127.0.0.1:${service.address?.port ?? 0}/api/v2.0/${path}`, { headers: { authorization: 'Basic YWRtaW46eA==' } });
      const text = await answer.text();
      expect([path, path === 'health' ? 200 : 503, /postgres|127\.0\.0\.1|ECONN|SELECT|\.ts|\.js|stack/i.test(text)]).toEqual([path, answer.status, false]);
      expect(answer.headers.get('x-request-id')).toEqual(expect.any(String));
    }
  } finally {
    await service.stop();
    await gate.shut();
  }
});

test('while the database is away, answers are 503 with Retry-After, and ping goes on', async () => {
  const address = new URL(core.databaseUrl);
  const gate = await openGate(address.hostname, Number(address.port));
  address.host = `127.0.0.1:${gate.port}`;
  const service = await startCore({ HAVEN_DATABASE_URL: address.href, HAVEN_STORAGE: `file://${core.folder}`, HAVEN_SECRET_KEY: core.secretKey });
  const get = (path: string): Promise<Response> => fetch(`http://127.0.0.1:${service.address?.port ?? 0}${path}`);
  try {
    expect((await get('/api/v2.0/projects')).status).toBe(200);
    await gate.shut();
    const refused = await get('/api/v2.0/projects');
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '2']);
    expect(await refused.json()).toEqual({ errors: [{ code: 'SERVICE_UNAVAILABLE', message: expect.any(String) }] });
    expect((await get('/api/v2.0/ping')).status).toBe(200);
    await gate.open();
    expect((await get('/api/v2.0/projects')).status).toBe(200);
  } finally {
    await service.stop();
    await gate.shut();
  }
});
