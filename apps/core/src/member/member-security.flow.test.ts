import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startTestCore, type Answer, type TestCore } from '../testing/test-core.js';
import { requireUnchanged, tableState } from '../testing/table-state.js';

const ALPHA = '/api/v2.0/projects/alpha/members';
const BRAVO = '/api/v2.0/projects/bravo/members';
let core: TestCore;
const ids: Record<string, number> = {};

beforeAll(async () => {
  core = await startTestCore();
  for (const name of ['alice', 'mia', 'dave', 'bob', 'eve', 'root']) ids[name] = await core.addUser(name, { sysadmin: name === 'root' });
  await core.addProject('alpha', { members: { alice: 1, mia: 4, dave: 2 } });
  await core.addProject('bravo', { members: { bob: 1, eve: 3 } });
});
afterAll(() => core.stop());

async function memberId(path: string, name: string): Promise<number> {
  const { body } = await core.call('GET', `${path}?entityname=${name}`, { as: 'admin' });
  return (body as { id: number }[])[0]?.id ?? 0;
}

/** Runs what must not change who is a member of what. */
async function unchanged(work: () => Promise<void>): Promise<void> {
  const before = await tableState(core.database, 'member', 'user_group');
  await work();
  await requireUnchanged(before, core.database, 'member', 'user_group');
}

describe('D-08: members of another project', () => {
  test('are not found in this one, and not reached in theirs', async () => {
    const theirs = await memberId(BRAVO, 'eve');
    await unchanged(async () => {
      for (const [method, json] of [['GET'], ['PUT', { role_id: 1 }], ['DELETE']] as const) {
        const [foreign, missing] = [await core.call(method, `${ALPHA}/${theirs}`, { as: 'alice', json }), await core.call(method, `${ALPHA}/2000000`, { as: 'alice', json })];
        expect([foreign.status, foreign.body]).toEqual([404, missing.body]);
        expect((await core.call(method, `${BRAVO}/${theirs}`, { as: 'alice', json })).status).toBe(403);
      }
    });
  });

  test('somebody whose id was guessed is added like anybody, and nobody is not', async () => {
    expect((await core.call('POST', ALPHA, { as: 'alice', json: { role_id: 3, member_user: { user_id: 2_000_000 } } })).status).toBe(404);
    const added = await core.call('POST', ALPHA, { as: 'alice', json: { role_id: 3, member_user: { user_id: ids['bob'] } } });
    expect(added.status).toBe(201);
    expect((await core.call('DELETE', added.headers.get('location') ?? '', { as: 'alice' })).status).toBe(200);
  });
});

describe('E-10: roles', () => {
  test('are given by administrators of the project only', async () => {
    const own = { mia: await memberId(ALPHA, 'mia'), dave: await memberId(ALPHA, 'dave') };
    await unchanged(async () => {
      for (const as of ['mia', 'dave'] as const) {
        expect((await core.call('POST', ALPHA, { as, json: { role_id: 1, member_user: { username: 'eve' } } })).status).toBe(403);
        expect((await core.call('PUT', `${ALPHA}/${own[as]}`, { as, json: { role_id: 1 } })).status).toBe(403);
        expect((await core.call('DELETE', `${ALPHA}/${own[as]}`, { as })).status).toBe(403);
      }
    });
  });

  test.each([[0, 400], [-1, 400], [6, 400], [99, 400], [2_147_483_648, 400], ['1', 422], [1.5, 422], [1e300, 422], [null, 422], [[1], 422], [true, 422]])('there is no role %j', async (role, status) => {
    const dave = await memberId(ALPHA, 'dave');
    await unchanged(async () => {
      expect((await core.call('POST', ALPHA, { as: 'alice', json: { role_id: role, member_user: { username: 'eve' } } })).status).toBe(status);
      expect((await core.call('PUT', `${ALPHA}/${dave}`, { as: 'alice', json: { role_id: role } })).status).toBe(status);
    });
  });

  test.each<[string, object]>([
    ['null for a user', { member_user: null }], ['a text for a user', { member_user: 'eve' }], ['a list for a user', { member_user: ['eve'] }], ['a number for a name', { member_user: { username: 5 } }],
    ['NUL in a name', { member_user: { username: 'e\0' } }], ['a negative id', { member_user: { user_id: -1 } }], ['a text for a group', { member_group: 'staff' }], ['a text for a group id', { member_group: { id: '1' } }],
    ['a group id beyond all', { member_group: { id: 2_147_483_648 } }], ['nothing', {}], ['an empty group', { member_group: {} }], ['a group of type 9', { member_group: { group_name: 'x', group_type: 9 } }],
    ['an LDAP group without its DN', { member_group: { group_name: 'x', group_type: 1 } }],
  ])('nobody becomes a member by %s', async (_name, change) => {
    await unchanged(async () => {
      for (const as of ['alice', 'admin']) {
        const { status } = await core.call('POST', ALPHA, { as, json: { role_id: 3, ...change } });
        expect([400, 422]).toContain(status);
      }
    });
  });

  test('a system administrator who is added as a guest loses nothing', async () => {
    const add = (): Promise<Answer> => core.call('POST', ALPHA, { as: 'alice', json: { role_id: 3, member_user: { username: 'root' } } });
    expect((await add()).status).toBe(201);
    expect((await core.call('PUT', '/api/v2.0/projects/alpha', { as: 'root', json: {} })).status).toBe(200);
    expect((await add()).status).toBe(409);
  });
});
