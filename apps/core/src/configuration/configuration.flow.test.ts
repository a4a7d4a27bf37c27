import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { ConfigurationsReq } from '@haven/api';
import { startTestCore, type Answer, type TestCore } from '../testing/test-core.js';
import { ConfigurationService } from './configuration.service.js';

const SETTINGS = '/api/v2.0/configurations';
const MARKERS = { ldap_search_password: 'marker-of-ldap', oidc_client_secret: `marker-of-oidc${'x'.repeat(1000)}`, uaa_client_secret: 'marker-of-uaa' } as const;

let core: TestCore;
beforeAll(async () => {
  core = await startTestCore();
  await core.addUser('alice');
});
afterAll(() => core.stop());
afterEach(async () => {
  await core.database.execute('DELETE FROM setting');
  core.service.app.get(ConfigurationService, { strict: false }).forget();
});

const put = (json: unknown): Promise<Answer> => core.call('PUT', SETTINGS, { as: 'admin', json });
const shown = async (): Promise<Record<string, { value: unknown; editable: boolean }>> =>
  (await core.call('GET', SETTINGS, { as: 'admin' })).body as Record<string, { value: unknown; editable: boolean }>;
const settings = (): Promise<unknown[]> => core.database.query('SELECT key, value FROM setting ORDER BY key');

describe('reading the settings', () => {
  test('shows each with its value and whether it can change', async () => {
    const found = await shown();
    expect(found['token_expiration']).toEqual({ value: 30, editable: true });
    expect(found['robot_name_prefix']).toEqual({ value: 'robot$', editable: true });
    expect(found['oidc_extra_redirect_parms']).toEqual({ value: '{}', editable: true });
    expect(found['bin_retention_days']).toEqual({ value: 7, editable: true });
    expect(found['scan_all_policy']).toEqual({ type: 'none' });
  });

  test('the mode of logging in is fixed once there are users', async () => {
    expect((await shown())['auth_mode']).toEqual({ value: 'db_auth', editable: false });
    await core.database.execute(`UPDATE haven_user SET deleted_at = now() WHERE username = 'alice'`);
    expect((await shown())['auth_mode']).toEqual({ value: 'db_auth', editable: true });
    await core.database.execute(`UPDATE haven_user SET deleted_at = NULL WHERE username = 'alice'`);
  });

  test('is for administrators, and so is changing them (D-16)', async () => {
    for (const [as, status] of [[undefined, 401], ['alice', 403]] as const) {
      expect((await core.call('GET', SETTINGS, { as })).status).toBe(status);
      expect((await core.call('PUT', SETTINGS, { as, json: { read_only: true } })).status).toBe(status);
      expect((await core.call('PUT', SETTINGS, { as, body: '{', headers: { 'content-type': 'application/json' } })).status).toBeGreaterThanOrEqual(400);
    }
    expect(await settings()).toEqual([]);
  });

  test('the internal form of other servers, with all secrets, is not served', async () => {
    expect((await core.call('GET', '/api/v2.0/internalconfig', { as: 'admin' })).status).toBe(404);
    expect((await core.call('GET', '/api/v2.0/internalconfig', { headers: { authorization: 'Harbor-Secret x' } })).status).toBe(404);
  });
});

describe('changing settings', () => {
  test('keeps what is not named, takes null for nothing and drops what it does not know', async () => {
    expect((await put({ banner_message: 'hello', token_expiration: 60 })).status).toBe(200);
    expect((await put({ token_expiration: null, banner_message: 'bye', unknown: { nested: true }, scan_all_policy: { type: 'daily' } })).status).toBe(200);
    expect(await settings()).toEqual([{ key: 'banner_message', value: 'bye' }, { key: 'token_expiration', value: 60 }]);
    expect(await shown()).toMatchObject({ banner_message: { value: 'bye' }, token_expiration: { value: 60 }, scan_all_policy: { type: 'none' } });
  });

  test('writes one line of the audit trail, and none when nothing changes', async () => {
    await core.database.execute('DELETE FROM outbox');
    await put({ token_expiration: 45, read_only: false, storage_per_project: 1000 });
    await put({ token_expiration: 45 });
    const events = await core.database.query(`SELECT payload FROM outbox WHERE type = 'audit.recorded' AND payload->>'resourceType' = 'configuration'`);
    expect(events).toEqual([{ payload: {
      operation: 'update', resourceType: 'configuration', resource: 'configuration', description: 'update configuration: storage_per_project, token_expiration', result: true,
    } }]);
  });

  const semantic: readonly ConfigurationsReq[] = [
    { robot_name_prefix: '' }, { robot_name_prefix: '  ' }, { robot_name_prefix: 'alice' }, { robot_name_prefix: 'a' }, { robot_name_prefix: 'robot:' }, { token_expiration: 0 },
    { token_expiration: -1 }, { token_expiration: 10_000_000_000 }, { session_timeout: 0 }, { robot_token_duration: 0 }, { storage_per_project: 0 },
    { storage_per_project: -5 }, { storage_per_project: 1024 ** 5 + 1 }, { project_creation_restriction: 'nobody' as 'everyone' }, { auth_mode: 'saml' as 'db_auth' },
    { ldap_url: '' }, { ldap_uid: ' ' }, { ldap_base_dn: '' }, { ldap_scope: 7 }, { oidc_extra_redirect_parms: 'x=y' }, { skip_audit_log_database: true },
    { audit_log_forward_endpoint: 'http://host' }, { bin_retention_days: 4000 },
  ];
  test.each(semantic)('A-24 and its like: %j is 400 and changes nothing', async (body) => {
    const { status, body: answer } = await put({ ...body, banner_message: 'must not stick' });
    expect([status, answer]).toEqual([400, { errors: [{ code: 'BAD_REQUEST', message: expect.stringContaining(Object.keys(body)[0] ?? '') }] }]);
    expect(await settings()).toEqual([]);
  });

  test.each([{ read_only: 'yes' }, { token_expiration: '30' }, { token_expiration: 1.5 }, { banner_message: ['a'] }, { ldap_url: 5 }, { ldap_search_password: 5 }, { banner_message: 'a\0' }, ['x'], 'x', 5])(
    '%j is 422 and changes nothing', async (body) => {
      expect((await put(body)).status).toBe(422);
      expect(await settings()).toEqual([]);
    });

  test('to another mode of logging in is refused with the reason', async () => {
    expect((await put({ auth_mode: 'ldap_auth' })).body).toEqual({ errors: [{ code: 'BAD_REQUEST', message: expect.stringContaining('no user but') }] });
    await core.database.execute(`UPDATE haven_user SET deleted_at = now() WHERE username = 'alice'`);
    expect((await put({ auth_mode: 'ldap_auth' })).body).toEqual({ errors: [{ code: 'BAD_REQUEST', message: expect.stringContaining('ldap_url is empty') }] });
    expect((await put({ auth_mode: 'uaa_auth' })).body).toEqual({ errors: [{ code: 'BAD_REQUEST', message: expect.stringContaining('cannot log people in that way') }] });
    expect((await put({ auth_mode: 'http_auth' })).body).toEqual({ errors: [{ code: 'BAD_REQUEST', message: expect.stringContaining('http_authproxy_endpoint is not set') }] });
    expect((await put({ auth_mode: 'oidc_auth' })).body).toEqual({ errors: [{ code: 'BAD_REQUEST', message: expect.stringContaining('needs oidc_endpoint') }] });
    const directory = { auth_mode: 'ldap_auth', ldap_url: 'ldaps://127.0.0.1', ldap_base_dn: 'dc=example,dc=org', ldap_uid: 'uid', ldap_search_dn: 'cn=search,dc=example,dc=org' };
    for (const wrong of [{}, { ldap_search_password: 'x', ldap_base_dn: 'example' }, { ldap_search_password: 'x', ldap_filter: '(a=b' }, { ldap_search_password: 'x', ldap_url: 'ldap://127.0.0.1', ldap_start_tls: false }, { ldap_search_password: 'x', ldap_search_dn: 'EXTERNAL' }, { ldap_search_password: 'x', ldap_url: 'https://127.0.0.1' }]) {
      expect([wrong, (await put({ ...directory, ...wrong })).status]).toEqual([wrong, 400]);
    }
    expect(await settings()).toEqual([]);
    expect((await put({ ...directory, ldap_search_password: 'x' })).status).toBe(200);
    for (const breaking of [{ ldap_search_password: '' }, { ldap_base_dn: 'example' }, { ldap_group_search_filter: '(((' }]) expect([breaking, (await put(breaking)).status]).toEqual([breaking, 400]);
    expect((await put({ auth_mode: 'db_auth' })).status).toBe(200);
    for (const table of ['setting', 'outbox']) await core.database.execute(`DELETE FROM ${table}`);
    core.service.app.get(ConfigurationService, { strict: false }).forget();
    await core.database.execute(`UPDATE haven_user SET deleted_at = NULL WHERE username = 'alice'`);
    expect(await settings()).toEqual([]);
  });

  test('the audit trail can leave the database only when it goes somewhere else', async () => {
    expect((await put({ skip_audit_log_database: true, audit_log_forward_endpoint: 'logs.example.org:514' })).status).toBe(200);
    expect((await put({ audit_log_forward_endpoint: '' })).status).toBe(400);
    expect((await put({ audit_log_forward_endpoint: '', skip_audit_log_database: false })).status).toBe(200);
  });

  test('several at once are each judged by what the others left', async () => {
    const wanted = Array.from({ length: 10 }, (_, index) => ({ token_expiration: index + 1, [`${index % 2 === 0 ? 'ldap' : 'uaa'}_verify_cert`]: index % 3 === 0 }));
    const answers = await Promise.all(wanted.map((body) => put(body)));
    expect(answers.map((answer) => answer.status)).toEqual(wanted.map(() => 200));
  });
});

describe('secrets among the settings', () => {
  const everything = async (): Promise<string> => {
    const tables = await core.database.query<{ name: string }>(`SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'public' AND table_type = 'BASE TABLE'`);
    const rows = await Promise.all(tables.map(({ name }) => core.database.query(`SELECT t::text FROM "${name}" t`)));
    return JSON.stringify(rows);
  };

  test('K-01: leave no trace in the audit trail, the log, the database or an answer', async () => {
    const answers = [
      await put(MARKERS),
      await put({ ...MARKERS, token_expiration: 0 }),
      await put({ ldap_search_password: { nested: 'marker-of-nested' } }),
      await core.call('PUT', SETTINGS, { as: 'admin', body: '{"ldap_search_password":"marker-of-broken', headers: { 'content-type': 'application/json' } }),
      await core.call('PUT', SETTINGS, { as: 'alice', json: MARKERS }),
    ];
    expect(answers.map((answer) => answer.status)).toEqual([200, 400, 422, 400, 403]);
    expect(JSON.stringify(answers)).not.toContain('marker-of');
    expect(await everything()).not.toContain('marker-of');
    expect(JSON.stringify(core.logger.lines)).not.toContain('marker-of');
    const [event] = await core.database.query<{ description: string }>(`SELECT payload->>'description' AS description FROM outbox WHERE payload->>'description' LIKE '%ldap_search_password%'`);
    expect(event?.description).toBe('update configuration: ldap_search_password, oidc_client_secret, uaa_client_secret');
  });

  test('K-02: are never shown', async () => {
    await put(MARKERS);
    for (const path of [SETTINGS, '/api/v2.0/systeminfo']) expect(JSON.stringify((await core.call('GET', path, { as: 'admin' })).body)).not.toContain('marker-of');
    for (const name of Object.keys(MARKERS)) expect(await shown()).not.toHaveProperty(name);
  });

  test('open for the one who needs them, only in their own place, and can be taken away', async () => {
    await put(MARKERS);
    const service = core.service.app.get(ConfigurationService, { strict: false });
    expect(await service.secret('ldap_search_password')).toBe(MARKERS.ldap_search_password);
    await core.database.execute(`UPDATE setting SET value = (SELECT value FROM setting WHERE key = 'ldap_search_password') WHERE key = 'oidc_client_secret'`);
    await expect(service.secret('oidc_client_secret')).rejects.toThrow('does not open');
    expect((await put({ ldap_search_password: '' })).status).toBe(200);
    expect(await service.secret('ldap_search_password')).toBe('');
  });
});

test('a stored setting that cannot be is an error, not a default', async () => {
  await core.database.execute(`INSERT INTO setting (key, value) VALUES ('read_only', '"perhaps"')`);
  core.service.app.get(ConfigurationService, { strict: false }).forget();
  expect((await core.call('POST', '/api/v2.0/projects', { as: 'admin', json: { project_name: 'never' } })).status).toBe(500);
  expect((await core.call('GET', '/api/v2.0/ping')).status).toBe(200);
});
