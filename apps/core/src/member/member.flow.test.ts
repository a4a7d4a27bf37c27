import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startTestCore, type Answer, type TestCore } from '../testing/test-core.js';

const MEMBERS = '/api/v2.0/projects/alpha/members';
let core: TestCore;
let projectId: number;
const ids: Record<string, number> = {};

beforeAll(async () => {
  core = await startTestCore();
  for (const name of ['alice', 'bob', 'carol', 'dave']) ids[name] = await core.addUser(name);
  projectId = await core.addProject('alpha', { members: { alice: 1 } });
});
afterAll(() => core.stop());

function add(json: object, as = 'alice'): Promise<Answer> {
  return core.call('POST', MEMBERS, { as, json });
}

describe('adding a member', () => {
  test('by name or by id gives a role and an address', async () => {
    const byName = await add({ role_id: 2, member_user: { username: 'bob' } });
    expect(byName.status).toBe(201);
    const location = byName.headers.get('location') ?? '';
    expect(location).toMatch(/^\/api\/v2\.0\/projects\/alpha\/members\/\d+$/);
    expect((await core.call('GET', location, { as: 'alice' })).body).toEqual({
      id: Number(location.split('/').at(-1)), project_id: projectId, entity_name: 'bob', entity_id: ids['bob'], entity_type: 'u', role_id: 2, role_name: 'developer',
    });
    expect((await add({ role_id: 5, member_user: { user_id: ids['carol'] } })).status).toBe(201);
    const [event] = await core.database.query(`SELECT actor, payload FROM outbox WHERE type = 'member.changed' ORDER BY id LIMIT 1`);
    expect(event).toEqual({ actor: `user:${ids['alice'] ?? 0}`, payload: { project: projectId, name: 'alpha', user: ids['bob'] } });
  });

  test.each([
    ['somebody who is one already', { role_id: 3, member_user: { username: 'bob' } }, 409],
    ['nobody', { role_id: 3, member_user: { username: 'nobody' } }, 404],
    ['no id and no name', { role_id: 3, member_user: {} }, 400],
    ['a user and a group', { role_id: 3, member_user: { username: 'dave' }, member_group: { id: 1 } }, 400],
    ['a user of id 0', { role_id: 3, member_user: { user_id: 0 } }, 400],
    ['a user id that is no number', { role_id: 3, member_user: { user_id: 'x' } }, 422],
    ['a user id beyond all', { role_id: 3, member_user: { user_id: 2147483648 } }, 422],
    ['an unknown group', { role_id: 3, member_group: { id: 2000000 } }, 404],
    ['an unknown role', { role_id: 6, member_user: { username: 'dave' } }, 400],
    ['role 0', { role_id: 0, member_user: { username: 'dave' } }, 400],
    ['no role', { member_user: { username: 'dave' } }, 422],
  ])('refuses %s', async (_name, json, status) => {
    expect((await add(json)).status).toBe(status);
  });
});

describe('members', () => {
  test('are listed by name, filtered and paged', async () => {
    const all = await core.call('GET', MEMBERS, { as: 'alice' });
    expect((all.body as { entity_name: string }[]).map((member) => member.entity_name)).toEqual(['alice', 'bob', 'carol']);
    expect(all.headers.get('x-total-count')).toBe('3');
    const found = await core.call('GET', `${MEMBERS}?entityname=AR`, { as: 'alice' });
    expect(found.body).toEqual([expect.objectContaining({ entity_name: 'carol', role_name: 'limitedGuest' })]);
  });

  test('change their role, and lose it', async () => {
    const [{ id }] = (await core.call('GET', `${MEMBERS}?entityname=bob`, { as: 'alice' })).body as [{ id: number }];
    expect((await core.call('PUT', `${MEMBERS}/${id}`, { as: 'alice', json: { role_id: 4 } })).status).toBe(200);
    expect((await core.call('GET', '/api/v2.0/projects/alpha', { as: 'bob' })).body).toMatchObject({ current_user_role_id: 4 });
    expect((await core.call('PUT', `${MEMBERS}/${id}`, { as: 'alice', json: { role_id: 9 } })).status).toBe(400);
    expect((await core.call('DELETE', `${MEMBERS}/${id}`, { as: 'alice' })).status).toBe(200);
    expect((await core.call('GET', '/api/v2.0/projects/alpha', { as: 'bob' })).status).toBe(403);
    expect((await core.call('DELETE', `${MEMBERS}/${id}`, { as: 'alice' })).status).toBe(404);
  });

  test('of another project are out of reach', async () => {
    await core.addProject('bravo', { members: { dave: 2 } });
    const [{ id }] = (await core.call('GET', '/api/v2.0/projects/bravo/members', { as: 'admin' })).body as [{ id: number }];
    expect((await core.call('GET', `${MEMBERS}/${id}`, { as: 'alice' })).status).toBe(404);
    expect((await core.call('PUT', `${MEMBERS}/${id}`, { as: 'alice', json: { role_id: 1 } })).status).toBe(404);
    expect((await core.call('DELETE', `${MEMBERS}/${id}`, { as: 'alice' })).status).toBe(404);
    for (const odd of ['0', '-1', '1.5', 'x', '99999999999999999999']) expect((await core.call('GET', `${MEMBERS}/${odd}`, { as: 'alice' })).status).toBe(422);
  });

  test('are gone when their account is, and do not come back with a namesake', async () => {
    expect((await core.call('DELETE', `/api/v2.0/users/${ids['carol'] ?? 0}`, { as: 'admin' })).status).toBe(200);
    expect((await core.call('GET', `${MEMBERS}?entityname=carol`, { as: 'alice' })).body).toEqual([]);
    await core.addUser('carol');
    expect((await core.call('GET', '/api/v2.0/projects/alpha', { as: 'carol' })).status).toBe(403);
  });
});
