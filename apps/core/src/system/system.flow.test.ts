import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { openGate } from '../testing/tcp-gate.js';
import { startCore, startTestCore, type TestCore } from '../testing/test-core.js';

let core: TestCore;
let withoutRedis: TestCore;
beforeAll(async () => {
  core = await startTestCore({ environment: { HAVEN_EXTERNAL_URL: 'https://registry.example.org/' } });
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

  test('refuses wrong passwords', async () => {
    expect((await core.call('GET', '/api/v2.0/systeminfo', { as: 'alice', password: 'wrong' })).status).toBe(401);
  });
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
