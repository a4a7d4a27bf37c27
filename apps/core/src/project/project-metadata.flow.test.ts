import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { tableState } from '../testing/table-state.js';
import { startTestCore, type Answer, type TestCore } from '../testing/test-core.js';

let core: TestCore;
let alpha = 0;
beforeAll(async () => {
  core = await startTestCore();
  for (const name of ['alice', 'mia', 'dave', 'gina', 'bob']) await core.addUser(name);
  alpha = await core.addProject('alpha', { members: { alice: 1, mia: 4, dave: 2, gina: 3 } });
});
afterAll(() => core.stop());

const METADATA = '/api/v2.0/projects/alpha/metadatas';
const code = (answer: Answer): unknown => [answer.status, (answer.body as { errors?: { code: string }[] } | undefined)?.errors?.[0]?.code];
const state = (): Promise<string> => tableState(core.database, 'project', 'access_epoch', 'outbox', 'cve_allowlist', 'retention_policy');

describe('the settings of a project one by one', () => {
  test('are set, changed, shown and taken back, with and without a slash at the end', async () => {
    expect((await core.call('POST', `${METADATA}/`, { as: 'alice', json: { auto_scan: '1' } })).status).toBe(200);
    expect((await core.call('GET', `${METADATA}/auto_scan`, { as: 'alice' })).body).toEqual({ auto_scan: 'true' });
    expect(code(await core.call('POST', METADATA, { as: 'alice', json: { auto_scan: 'true' } }))).toEqual([409, 'CONFLICT']);
    expect((await core.call('PUT', `${METADATA}/auto_scan`, { as: 'alice', json: { auto_scan: 'f' } })).status).toBe(200);
    expect((await core.call('GET', `${METADATA}/`, { as: 'admin' })).body).toEqual({ public: 'false', auto_scan: 'false' });
    expect((await core.call('DELETE', `${METADATA}/auto_scan`, { as: 'alice' })).status).toBe(200);
    expect((await core.call('GET', METADATA, { as: 'admin' })).body).toEqual({ public: 'false' });
    for (const method of ['GET', 'DELETE', 'PUT']) {
      const json = method === 'PUT' ? { json: { auto_scan: 'true' } } : {};
      expect(code(await core.call(method, `${METADATA}/auto_scan`, { as: 'alice', ...json }))).toEqual([404, 'NOT_FOUND']);
    }
  });

  test('are listed for those with the right to list, which administrators of the project lack', async () => {
    expect((await core.call('GET', METADATA, { as: 'alice' })).status).toBe(403);
    expect((await core.call('GET', `${METADATA}/public`, { as: 'mia' })).body).toEqual({ public: 'false' });
  });

  test.each([
    ['POST', '', {}], ['POST', '', { auto_scan: 'true', severity: 'low' }], ['POST', '', { auto_scan: 'perhaps' }], ['POST', '', { retention_id: '1' }], ['POST', '', { unknown: 'true' }],
    ['POST', '', { proxy_speed_kb: '1' }], ['POST', '', { projectScanner: 'x' }], ['POST', '', undefined], ['PUT', '/public', { auto_scan: 'true' }], ['PUT', '/public', { public: 'maybe' }],
    ['PUT', '/retention_id', { retention_id: '1' }], ['PUT', '/unknown', { unknown: '1' }], ['DELETE', '/retention_id', undefined], ['DELETE', '/constructor', undefined],
  ])('%s %s %j is 400 and changes nothing', async (method, path, json) => {
    const before = await state();
    expect(code(await core.call(method, `${METADATA}${path}`, { as: 'alice', ...(json === undefined ? {} : { json }) }))).toEqual([400, 'BAD_REQUEST']);
    expect((await state()).replace(/outbox: [\s\S]*?(?=\ncve_allowlist)/, '')).toEqual(before.replace(/outbox: [\s\S]*?(?=\ncve_allowlist)/, ''));
  });

  test.each([[{ auto_scan: true }], [['auto_scan']], ['auto_scan'], [{ auto_scan: 'true\0' }], [{ auto_scan: 'x'.repeat(300) }]])('%j is 422', async (json) => {
    expect((await core.call('POST', METADATA, { as: 'alice', json })).status).toBe(422);
  });

  test('the visibility has its effects whichever way it is changed', async () => {
    const id = await core.addProject('seen', { public: true, members: { alice: 1 } });
    const path = '/api/v2.0/projects/seen/metadatas/public';
    expect((await core.call('PUT', path, { as: 'alice', json: { public: '0' } })).status).toBe(200);
    expect((await core.call('GET', '/api/v2.0/projects/seen')).status).toBe(401);
    expect(await core.database.query('SELECT 1 FROM access_epoch WHERE subject = $1', [`project:${id}`])).toHaveLength(1);
    expect((await core.call('PUT', path, { as: 'alice', json: { public: 'T' } })).status).toBe(200);
    expect((await core.call('GET', '/api/v2.0/projects/seen')).status).toBe(200);
    expect((await core.call('DELETE', path, { as: 'alice' })).status).toBe(200);
    expect((await core.call('GET', '/api/v2.0/projects/seen')).status).toBe(401);
  });

  test('D-12: maintainers, developers and guests change nothing', async () => {
    const before = await state();
    for (const as of ['mia', 'dave', 'gina', 'bob']) {
      for (const key of ['public', 'prevent_vul', 'enable_content_trust', 'auto_scan', 'retention_id', 'unknown']) {
        const json = { [key]: 'true' };
        expect((await core.call('POST', METADATA, { as, json })).status).toBe(403);
        expect((await core.call('PUT', `${METADATA}/${key}`, { as, json })).status).toBe(403);
        expect((await core.call('DELETE', `${METADATA}/${key}`, { as })).status).toBe(403);
      }
    }
    const without = (text: string): string => text.replace(/outbox: [\s\S]*?(?=\ncve_allowlist)/, '');
    expect(without(await state())).toEqual(without(before));
  });
});

describe('the retention policy of a project', () => {
  test('shows itself as a setting, which only its own value may be given to', async () => {
    const [row] = await core.database.query<{ id: number }>(`INSERT INTO retention_policy (project_id, policy) VALUES ($1, '{}') RETURNING id`, [alpha]);
    const id = String(row?.id);
    expect((await core.call('GET', '/api/v2.0/projects/alpha', { as: 'alice' })).body).toMatchObject({ metadata: { retention_id: id } });
    expect((await core.call('GET', `${METADATA}/retention_id`, { as: 'alice' })).body).toEqual({ retention_id: id });
    const put = (retention_id: string): Promise<Answer> => core.call('PUT', '/api/v2.0/projects/alpha', { as: 'alice', json: { metadata: { retention_id } } });
    expect([(await put(id)).status, (await put('')).status, (await put('77')).status]).toEqual([200, 200, 400]);
  });
});

describe('D-17: a project named like the id of another', () => {
  test('is never mistaken for it, nor the other for it', async () => {
    const twin = await core.addProject(String(alpha), { members: { bob: 1 } });
    const named = { 'x-is-resource-name': 'true' };
    const before = await tableState(core.database, 'project');
    for (const [method, path, json] of [['GET', '', {}], ['PUT', '/metadatas/public', { public: 'true' }], ['POST', '/metadatas', { auto_scan: 'true' }], ['GET', '/members', {}], ['DELETE', '', {}]] as const) {
      const sent = method === 'GET' || method === 'DELETE' ? {} : { json };
      expect([path, (await core.call(method, `/api/v2.0/projects/${alpha}${path}`, { as: 'bob', ...sent })).status]).toEqual([path, 403]);
    }
    expect(await tableState(core.database, 'project')).toBe(before);
    expect((await core.call('GET', `/api/v2.0/projects/${alpha}`, { as: 'bob', headers: named })).body).toMatchObject({ project_id: twin });
    expect((await core.call('PUT', `/api/v2.0/projects/${alpha}/metadatas/public`, { as: 'bob', headers: named, json: { public: 'true' } })).status).toBe(200);
    expect((await core.call('GET', `/api/v2.0/projects/${alpha}`, { as: 'alice', headers: { 'x-is-resource-name': 'false' } })).body).toMatchObject({ project_id: alpha, metadata: { public: 'false' } });
    expect((await core.call('DELETE', `/api/v2.0/projects/${alpha}`, { as: 'bob', headers: named })).status).toBe(200);
    expect((await core.call('GET', `/api/v2.0/projects/${alpha}`, { as: 'alice' })).status).toBe(200);
  });
});
