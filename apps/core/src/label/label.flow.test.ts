import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Label } from '@haven/api';
import { startTestCore, type TestCore } from '../testing/test-core.js';

const LABELS = '/api/v2.0/labels';
let core: TestCore;
let alpha: number;
let bravo: number;
let open: number;

beforeAll(async () => {
  core = await startTestCore();
  for (const name of ['alice', 'mia', 'gina', 'bob', 'eve']) await core.addUser(name);
  alpha = await core.addProject('alpha', { members: { alice: 1, mia: 4, gina: 3 } });
  bravo = await core.addProject('bravo', { members: { bob: 1 } });
  open = await core.addProject('open', { public: true, members: { bob: 1 } });
});
afterAll(() => core.stop());

async function make(as: string, json: object): Promise<number> {
  const { status, headers } = await core.call('POST', LABELS, { as, json });
  expect(status).toBe(201);
  const id = /^\/api\/v2\.0\/labels\/(\d+)$/.exec(headers.get('location') ?? '')?.[1];
  expect(id).toBeDefined();
  return Number(id);
}

async function names(query: string, as?: string): Promise<string[]> {
  const { status, body } = await core.call('GET', `${LABELS}?${query}`, { as });
  expect(status).toBe(200);
  return (body as Label[]).map(({ name }) => name);
}

describe('a label', () => {
  test('of the installation is made by administrators and listed by anybody', async () => {
    const id = await make('admin', { name: 'stable', description: 'good', color: '#61717D', scope: 'g' });
    const { body } = await core.call('GET', `${LABELS}/${id}`, { as: 'admin' });
    expect(body).toEqual({
      id, name: 'stable', description: 'good', color: '#61717D', scope: 'g', project_id: 0, creation_time: expect.any(String), update_time: expect.any(String),
    });
    expect(await names('scope=g')).toEqual(['stable']);
    expect((await core.call('GET', `${LABELS}/${id}`)).status).toBe(401);
    expect((await core.call('GET', `${LABELS}/${id}`, { as: 'alice' })).status).toBe(403);
    expect((await core.call('POST', LABELS, { json: { name: 'mine', scope: 'g' } })).status).toBe(401);
    expect((await core.call('POST', LABELS, { as: 'alice', json: { name: 'mine', scope: 'g' } })).status).toBe(403);
  });

  test('of a project belongs to it', async () => {
    const id = await make('mia', { name: 'qa', scope: 'p', project_id: alpha });
    expect(await names(`scope=p&project_id=${alpha}`, 'gina')).toEqual(['qa']);
    expect((await core.call('GET', `${LABELS}/${id}`, { as: 'gina' })).body).toMatchObject({ scope: 'p', project_id: alpha });
    expect((await core.call('PUT', `${LABELS}/${id}`, { as: 'gina', json: { name: 'x' } })).status).toBe(403);
    expect((await core.call('PUT', `${LABELS}/${id}`, { as: 'mia', json: { name: 'tested', color: 'red', scope: 'g', project_id: bravo } })).status).toBe(200);
    expect((await core.call('GET', `${LABELS}/${id}`, { as: 'mia' })).body).toMatchObject({ name: 'tested', color: 'red', scope: 'p', project_id: alpha });
    expect((await core.call('DELETE', `${LABELS}/${id}`, { as: 'mia' })).status).toBe(200);
    expect((await core.call('DELETE', `${LABELS}/${id}`, { as: 'admin' })).status).toBe(404);
    const audits = await core.database.query<{ payload: object }>(`SELECT payload FROM outbox WHERE type = 'audit.recorded' AND payload->>'resourceType' = 'label' AND payload->>'result' = 'true' AND payload->>'project' = $1 ORDER BY id`, [String(alpha)]);
    expect(audits.map(({ payload }) => payload)).toMatchObject([
      { operation: 'create', resource: 'qa', description: 'create label: qa', result: true }, { operation: 'update', resource: 'tested' }, { operation: 'delete', resource: 'tested' },
    ]);
  });

  test('is the only one of its name where it belongs', async () => {
    await make('admin', { name: 'twice', scope: 'g' });
    const other = await make('bob', { name: 'twice', scope: 'p', project_id: open });
    const second = await make('bob', { name: 'second', scope: 'p', project_id: open });
    const { status, body } = await core.call('POST', LABELS, { as: 'admin', json: { name: 'twice', scope: 'g' } });
    expect([status, body]).toEqual([409, { errors: [{ code: 'CONFLICT', message: expect.stringContaining('twice') }] }]);
    expect((await core.call('PUT', `${LABELS}/${second}`, { as: 'bob', json: { name: 'twice' } })).status).toBe(409);
    expect((await core.call('PUT', `${LABELS}/${other}`, { as: 'bob', json: { name: 'twice', description: 'again' } })).status).toBe(200);
  });

  test('of a public project is shown to everybody', async () => {
    const id = await make('bob', { name: 'seen', scope: 'p', project_id: open });
    expect(await names(`scope=p&project_id=${open}&name=SEE`)).toEqual(['seen']);
    expect((await core.call('GET', `${LABELS}/${id}`)).status).toBe(200);
  });

  test('is found, sorted and paged', async () => {
    for (const name of ['b', 'a', 'c']) await make('alice', { name: `page-${name}`, scope: 'p', project_id: alpha });
    const query = `scope=p&project_id=${alpha}&name=page`;
    expect(await names(query, 'alice')).toEqual(['page-a', 'page-b', 'page-c']);
    expect(await names(`${query}&sort=-name&page_size=2&page=2`, 'alice')).toEqual(['page-a']);
    expect(await names(`${query}&q=name%3D~B`, 'alice')).toEqual(['page-b']);
    const { headers } = await core.call('GET', `${LABELS}?${query}&page_size=1`, { as: 'alice' });
    expect([headers.get('x-total-count'), headers.get('link')]).toEqual(['3', expect.stringContaining('rel="next"')]);
  });
});

describe('D-09: a label of another project', () => {
  test('looks like one that does not exist', async () => {
    const foreign = await make('bob', { name: 'secret', scope: 'p', project_id: bravo });
    for (const [method, json] of [['GET', undefined], ['PUT', { name: 'taken over' }], ['DELETE', undefined]] as const) {
      for (const as of [undefined, 'eve', 'alice']) {
        const hidden = await core.call(method, `${LABELS}/${foreign}`, { as, json });
        const missing = await core.call(method, `${LABELS}/2147483647`, { as, json });
        expect(hidden.status).toBe(as === undefined ? 401 : 403);
        expect([missing.status, missing.body]).toEqual([hidden.status, hidden.body]);
      }
    }
    expect((await core.call('GET', `${LABELS}/${foreign}`, { as: 'bob' })).body).toMatchObject({ name: 'secret' });
  });

  test('is neither listed nor made', async () => {
    for (const project of [bravo, 2_147_483_647]) {
      expect((await core.call('GET', `${LABELS}?scope=p&project_id=${project}`, { as: 'alice' })).status).toBe(403);
      expect((await core.call('GET', `${LABELS}?scope=p&project_id=${project}`)).status).toBe(401);
      expect((await core.call('POST', LABELS, { as: 'alice', json: { name: 'planted', scope: 'p', project_id: project } })).status).toBe(403);
    }
    expect(await core.database.query(`SELECT 1 FROM label WHERE name = 'planted'`)).toEqual([]);
  });
});

describe('wrong input', () => {
  test.each([
    ['GET', '', undefined, 400], ['GET', '?scope=x', undefined, 400], ['GET', '?scope=p', undefined, 400], ['GET', '?scope=p&project_id=0', undefined, 400],
    ['GET', '?scope=p&project_id=x', undefined, 422], ['GET', '?scope=p&project_id=99999999999', undefined, 422], ['GET', '?scope=g&scope=p', undefined, 422], ['GET', '?scope=g&page_size=101', undefined, 422],
    ['GET', '?scope=g&q=name', undefined, 400], ['GET', '/0', undefined, 422], ['GET', '/2147483648', undefined, 422], ['GET', '/x', undefined, 422],
    ['POST', '', { name: 'x' }, 400], ['POST', '', { name: '', scope: 'g' }, 400], ['POST', '', { scope: 'g' }, 400], ['POST', '', { name: 'x'.repeat(129), scope: 'g' }, 400],
    ['POST', '', { name: 'a\0b', scope: 'g' }, 422], ['POST', '', { name: 7, scope: 'g' }, 422], ['POST', '', [], 422], ['POST', '', { name: 'x', scope: 'g', color: 'javascript:alert(1)' }, 400],
    ['POST', '', { name: 'x', scope: 'p' }, 400], ['POST', '', { name: 'x', scope: 'p', project_id: -1 }, 422], ['POST', '', { name: 'x', scope: 'p', project_id: 2_147_483_647 }, 404],
    ['PUT', '/2147483647', { name: 'x' }, 404], ['DELETE', '/2147483647', undefined, 404],
  ] as const)('%s %s %j is %d', async (method, path, json, status) => {
    const answer = await core.call(method, `${LABELS}${path}`, { as: 'admin', json });
    expect([answer.status, answer.body]).toEqual([status, { errors: [{ code: expect.any(String), message: expect.any(String) }] }]);
  });
});
