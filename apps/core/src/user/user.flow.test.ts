import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { PASSWORD, startTestCore, type Answer, type TestCore } from '../testing/test-core.js';

const USERS = '/api/v2.0/users';
let core: TestCore;
beforeAll(async () => {
  core = await startTestCore();
});
afterAll(() => core.stop());

function create(change: object, as = 'admin'): Promise<Answer> {
  return core.call('POST', USERS, { as, json: { username: 'someone', email: 'someone@example.org', realname: 'Some One', comment: '', password: 'Good-enough-1', ...change } });
}

describe('making an account', () => {
  test('gives it an address; it can log in and is no administrator', async () => {
    const { status, headers } = await create({ username: 'first', email: 'first@example.org' });
    expect(status).toBe(201);
    const { body } = await core.call('GET', headers.get('location') ?? '', { as: 'admin' });
    expect(body).toEqual({
      user_id: expect.any(Number), username: 'first', email: 'first@example.org', realname: 'Some One', comment: '', sysadmin_flag: false, admin_role_in_auth: false,
      creation_time: expect.any(String), update_time: expect.any(String),
    });
    const begun = Date.now();
    const own = (await core.call('GET', `${USERS}/current`, { as: 'first', password: 'Good-enough-1' })).body as { last_login_time: string };
    expect(own).toEqual({ ...(body as object), last_login_time: expect.any(String) });
    expect(Math.abs(Date.parse(own.last_login_time) - begun)).toBeLessThan(60_000);
    expect((await core.call('GET', headers.get('location') ?? '', { as: 'admin' })).body).toEqual(own);
    expect(JSON.stringify(body)).not.toContain('scrypt');
  });

  test.each([
    [{ username: '' }], [{ username: 'a,b' }], [{ username: 'robot$x' }], [{ username: 'a:b' }], [{ username: ' a' }], [{ username: 'a"b' }], [{ username: 'a\nb' }],
    [{ email: 'not-an-address' }], [{ email: 'a@b c' }], [{ realname: 'a#b' }], [{ comment: 'x'.repeat(31) }],
    [{ password: 'short1A' }], [{ password: 'no-upper-case-1' }], [{ password: 'NO-LOWER-CASE-1' }], [{ password: 'No-digits-here' }], [{ password: `A1${'a'.repeat(127)}` }],
  ])('refuses %j', async (change) => {
    expect((await create(change)).status).toBe(400);
  });

  test('refuses what is taken, in any case for addresses, and what is missing or too long', async () => {
    await create({ username: 'taken', email: 'taken@example.org' });
    expect((await create({ username: 'taken', email: 'other@example.org' })).status).toBe(409);
    expect((await create({ username: 'other', email: 'TAKEN@example.org' })).status).toBe(409);
    expect((await create({ username: 'a'.repeat(256) })).status).toBe(422);
    expect((await core.call('POST', USERS, { as: 'admin', json: { username: 'x' } })).status).toBe(422);
  });

  test('takes no flag that makes an administrator', async () => {
    const { headers } = await create({ username: 'sneaky', email: '', sysadmin_flag: true, sysadmin: true });
    expect((await core.call('GET', headers.get('location') ?? '', { as: 'admin' })).body).toMatchObject({ sysadmin_flag: false, email: '' });
  });
});

describe('finding accounts', () => {
  test('lists are for administrators; search tells everybody ids and names only', async () => {
    await core.addUser('findable');
    const list = await core.call('GET', `${USERS}?q=username%3D~findable`, { as: 'admin' });
    expect(list.body).toEqual([expect.objectContaining({ username: 'findable' })]);
    expect((await core.call('GET', USERS, { as: 'admin' })).body).not.toContainEqual(expect.objectContaining({ user_id: 1 }));
    const found = await core.call('GET', `${USERS}/search?username=FINDAB`, { as: 'findable' });
    expect(found.body).toEqual([{ user_id: expect.any(Number), username: 'findable' }]);
    expect((await core.call('GET', `${USERS}/search?username=%25`, { as: 'findable' })).body).toEqual([]);
    for (const query of ['', '?username=']) expect((await core.call('GET', `${USERS}/search${query}`, { as: 'findable' })).status).toBe(422);
    for (const q of ['password_hash=x', 'comment=x', 'cli_secret=~a']) expect((await core.call('GET', `${USERS}?q=${encodeURIComponent(q)}`, { as: 'admin' })).status).toBe(400);
  });
});

describe('changing an account', () => {
  test('changes what is named and keeps the rest', async () => {
    const id = await core.addUser('changing');
    expect((await core.call('PUT', `${USERS}/${id}`, { as: 'changing', json: { email: 'c@example.org', realname: 'Changing' } })).status).toBe(200);
    expect((await core.call('PUT', `${USERS}/${id}`, { as: 'changing', json: { comment: 'hello' } })).status).toBe(200);
    expect((await core.call('GET', `${USERS}/current`, { as: 'changing' })).body).toMatchObject({ email: 'c@example.org', realname: 'Changing', comment: 'hello' });
    const other = await core.addUser('changing-too');
    expect((await core.call('PUT', `${USERS}/${other}`, { as: 'changing-too', json: { email: 'C@example.org' } })).status).toBe(409);
    expect((await core.call('PUT', `${USERS}/999999`, { as: 'admin', json: { realname: 'x' } })).status).toBe(404);
  });

  test('one’s own password needs the old one', async () => {
    const id = await core.addUser('own');
    const change = (json: object, as = 'own', password = PASSWORD): Promise<Answer> => core.call('PUT', `${USERS}/${id}/password`, { as, password, json });
    expect((await change({ new_password: 'Another-one-2' })).status).toBe(403);
    expect((await change({ old_password: 'wrong', new_password: 'Another-one-2' })).status).toBe(403);
    expect((await change({ old_password: PASSWORD, new_password: PASSWORD })).status).toBe(400);
    expect((await change({ old_password: PASSWORD, new_password: 'weak' })).status).toBe(400);
    expect((await change({ old_password: PASSWORD, new_password: 'Another-one-2' })).status).toBe(200);
    expect((await core.call('GET', `${USERS}/current`, { as: 'own' })).status).toBe(401);
    expect((await core.call('GET', `${USERS}/current`, { as: 'own', password: 'Another-one-2' })).status).toBe(200);
  });

  test('another’s password is for administrators', async () => {
    const id = await core.addUser('forgetful');
    await core.addUser('other');
    expect((await core.call('PUT', `${USERS}/${id}/password`, { as: 'other', json: { new_password: 'Another-one-2' } })).status).toBe(403);
    expect((await core.call('PUT', `${USERS}/${id}/password`, { as: 'admin', json: { new_password: 'Another-one-2' } })).status).toBe(200);
    expect((await core.call('PUT', `${USERS}/1/password`, { as: 'admin', json: { new_password: 'Another-one-2' } })).status).toBe(403);
  });

  test('makes and unmakes administrators, but never the first one', async () => {
    const id = await core.addUser('promoted');
    expect((await core.call('GET', USERS, { as: 'promoted' })).status).toBe(403);
    await core.call('PUT', `${USERS}/${id}/sysadmin`, { as: 'admin', json: { sysadmin_flag: true } });
    expect((await core.call('GET', USERS, { as: 'promoted' })).status).toBe(200);
    expect((await core.call('PUT', `${USERS}/1/sysadmin`, { as: 'promoted', json: { sysadmin_flag: false } })).status).toBe(403);
    await core.call('PUT', `${USERS}/${id}/sysadmin`, { as: 'admin', json: { sysadmin_flag: false } });
    expect((await core.call('GET', USERS, { as: 'promoted' })).status).toBe(403);
  });
});

describe('deleting an account', () => {
  test('frees name and address; the first account and one’s own stay', async () => {
    const { headers } = await create({ username: 'leaving', email: 'leaving@example.org' });
    const location = headers.get('location') ?? '';
    expect((await core.call('DELETE', location, { as: 'admin' })).status).toBe(200);
    expect((await core.call('GET', location, { as: 'admin' })).status).toBe(404);
    expect((await core.call('DELETE', location, { as: 'admin' })).status).toBe(404);
    expect((await create({ username: 'leaving', email: 'leaving@example.org' })).status).toBe(201);
    expect((await core.call('DELETE', `${USERS}/1`, { as: 'admin' })).status).toBe(403);
    const own = await core.addUser('root2', { sysadmin: true });
    expect((await core.call('DELETE', `${USERS}/${own}`, { as: 'root2' })).status).toBe(403);
    const events = await core.database.query<{ type: string }>(`SELECT type FROM outbox WHERE payload->>'name' = 'leaving' ORDER BY id`);
    expect(events.map((event) => event.type)).toEqual(['user.created', 'user.deleted', 'user.created']);
  });

  test('leaves projects that it owned usable', async () => {
    const id = await core.addUser('owner');
    expect((await core.call('POST', '/api/v2.0/projects', { as: 'owner', json: { project_name: 'orphaned', public: true } })).status).toBe(201);
    await core.call('DELETE', `${USERS}/${id}`, { as: 'admin' });
    expect((await core.call('GET', '/api/v2.0/projects/orphaned')).body).toMatchObject({ name: 'orphaned', owner_name: 'owner' });
  });
});

describe('what I may do', () => {
  test('is told per project, relative to it when asked', async () => {
    await core.addUser('reader');
    const id = await core.addProject('readable', { members: { reader: 5 } });
    const permissions = async (query: string, as = 'reader'): Promise<string[]> => {
      const { body } = await core.call('GET', `${USERS}/current/permissions?${query}`, { as });
      return (body as { resource: string; action: string }[]).map(({ resource, action }) => `${resource}:${action}`);
    };
    expect(await permissions(`scope=/project/${id}`)).toEqual(expect.arrayContaining([`/project/${id}:read`, `/project/${id}/repository:pull`]));
    expect(await permissions(`scope=/project/${id}&relative=true`)).toEqual(expect.arrayContaining(['.:read', 'repository:pull', 'artifact:list']));
    expect(await permissions(`scope=/project/${id}`)).not.toContain(`/project/${id}/repository:push`);
    expect(await permissions(`scope=/project/${id}&relative=true`, 'admin')).toContain('member:create');
    expect(await permissions('scope=/system')).toEqual([]);
    expect(await permissions('', 'admin')).toContain('/system/user:create');
    expect(await permissions('scope=/project/999999', 'admin')).toEqual([]);
    expect(await permissions('scope=nonsense', 'admin')).toEqual([]);
  });
});
