import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { AccessEpochs, RegistryTokenVerifier, type PublicKeySet, type RegistryTokenClaims } from '@haven/access';
import { ConfigurationService } from '../configuration/configuration.service.js';
import { startTestCore, type Answer, type TestCore } from '../testing/test-core.js';

const GROUPS = '/api/v2.0/usergroups';
const MEMBERS = '/api/v2.0/projects/alpha/members';
let core: TestCore;
const ids: Record<string, number> = {};

beforeAll(async () => {
  core = await startTestCore();
  for (const name of ['alice', 'gus', 'gwen', 'eve']) ids[name] = await core.addUser(name);
  await core.addProject('alpha', { members: { alice: 1 } });
  await core.addProject('bravo');
});
afterAll(() => core.stop());

function create(json: object, as = 'admin'): Promise<Answer> {
  return core.call('POST', GROUPS, { as, json });
}

async function created(name: string, change: object = {}): Promise<number> {
  const { status, headers } = await create({ group_name: name, group_type: 3, ...change });
  expect(status).toBe(201);
  return Number(headers.get('location')?.split('/').at(-1));
}

async function put(group: number, ...people: string[]): Promise<void> {
  for (const person of people) await core.database.execute('INSERT INTO user_group_member (group_id, user_id) VALUES ($1, $2)', [group, ids[person] ?? 0]);
}

async function setMode(mode: string): Promise<void> {
  await core.database.execute(`INSERT INTO setting (key, value) VALUES ('auth_mode', $1) ON CONFLICT (key) DO UPDATE SET value = excluded.value`, [JSON.stringify(mode)]);
  core.service.app.get(ConfigurationService, { strict: false }).forget();
}

describe('groups', () => {
  test('are made known, shown, found, renamed and deleted', async () => {
    const id = await created('developers', { group_type: 1, ldap_group_dn: 'cn=devs, dc=example,dc=org' });
    expect((await core.call('GET', `${GROUPS}/${id}`, { as: 'admin' })).body).toEqual({ id, group_name: 'developers', group_type: 1, ldap_group_dn: 'cn=devs, dc=example,dc=org' });
    const found = await core.call('GET', `${GROUPS}?ldap_group_dn=CN%3Ddevs%2CDC%3Dexample%2CDC%3Dorg`, { as: 'admin' });
    expect(found.body).toEqual([expect.objectContaining({ id })]);
    expect((await core.call('GET', `${GROUPS}?group_name=VELOP`, { as: 'admin' })).body).toEqual([expect.objectContaining({ id })]);
    expect((await core.call('PUT', `${GROUPS}/${id}`, { as: 'admin', json: { group_name: 'engineers', group_type: 3, ldap_group_dn: 'cn=other' } })).status).toBe(200);
    expect((await core.call('GET', `${GROUPS}/${id}`, { as: 'admin' })).body).toMatchObject({ group_name: 'engineers', group_type: 1, ldap_group_dn: 'cn=devs, dc=example,dc=org' });
    expect((await core.call('DELETE', `${GROUPS}/${id}`, { as: 'admin' })).status).toBe(200);
    for (const method of ['GET', 'DELETE']) expect((await core.call(method, `${GROUPS}/${id}`, { as: 'admin' })).status).toBe(404);
    expect((await core.call('PUT', `${GROUPS}/${id}`, { as: 'admin', json: { group_name: 'x' } })).status).toBe(404);
    const audits = await core.database.query<{ operation: string }>(`SELECT payload->>'operation' AS operation FROM outbox WHERE payload->>'resourceType' = 'user_group' AND payload->>'result' = 'true' ORDER BY id`);
    expect(audits.map(({ operation }) => operation)).toEqual(['create', 'update', 'delete']);
  });

  test('may be searched by everybody who is logged in, without their DN', async () => {
    const id = await created('searchable', { group_type: 1, ldap_group_dn: 'cn=searchable' });
    expect((await core.call('GET', `${GROUPS}/search?groupname=ARCHA`, { as: 'eve' })).body).toEqual([{ id, group_name: 'searchable', group_type: 1 }]);
    expect((await core.call('GET', `${GROUPS}/search?groupname=%25`, { as: 'eve' })).body).toEqual([]);
    expect((await core.call('GET', `${GROUPS}/search?groupname=a`)).status).toBe(401);
    for (const query of ['', '?groupname=']) expect((await core.call('GET', `${GROUPS}/search${query}`, { as: 'eve' })).status).toBe(422);
  });

  test.each([
    ['nothing', {}, 400], ['no name', { group_type: 3 }, 400], ['an empty name', { group_type: 3, group_name: '' }, 400], ['a name with a line break', { group_type: 3, group_name: 'a\nb' }, 400],
    ['no type', { group_name: 'x' }, 400], ['type 0', { group_name: 'x', group_type: 0 }, 400], ['type 4', { group_name: 'x', group_type: 4 }, 400], ['a type beyond all', { group_name: 'x', group_type: 9007199254740991 }, 400],
    ['an LDAP group without a DN', { group_name: 'x', group_type: 1 }, 400], ['a malformed DN', { group_name: 'x', group_type: 1, ldap_group_dn: 'admins' }, 400],
    ['a filter for a DN', { group_name: 'x', group_type: 1, ldap_group_dn: '*)(objectClass=*' }, 400], ['an OIDC group with a DN', { group_name: 'x', group_type: 3, ldap_group_dn: 'cn=x' }, 400],
    ['a text for the type', { group_name: 'x', group_type: '3' }, 422], ['a number for the name', { group_name: 3, group_type: 3 }, 422], ['NUL', { group_name: 'a\0', group_type: 3 }, 422], ['a list', [], 422], ['a long name', { group_name: 'x'.repeat(256), group_type: 3 }, 422],
  ])('are not made of %s', async (_name, json, status) => {
    const before = await core.database.query('SELECT * FROM user_group ORDER BY id');
    expect((await create(json)).status).toBe(status);
    expect(await core.database.query('SELECT * FROM user_group ORDER BY id')).toEqual(before);
  });

  test('are there once, however their DN is spelled', async () => {
    await created('one', { group_type: 1, ldap_group_dn: 'cn=once,dc=x' });
    expect((await create({ group_name: 'two', group_type: 1, ldap_group_dn: 'CN=Once, DC=X' })).status).toBe(409);
    await created('same-name');
    expect((await create({ group_name: 'same-name', group_type: 3 })).status).toBe(409);
    const other = await created('same-name', { group_type: 2 });
    const third = await created('third', { group_type: 2 });
    expect((await core.call('PUT', `${GROUPS}/${third}`, { as: 'admin', json: { group_name: 'same-name' } })).status).toBe(409);
    expect((await core.call('PUT', `${GROUPS}/${other}`, { as: 'admin', json: {} })).status).toBe(400);
  });

  test('are listed as far as people can come with them', async () => {
    await created('mode-ldap', { group_type: 1, ldap_group_dn: 'cn=mode' });
    for (const type of [2, 3]) await created(`mode-${type}`, { group_type: type });
    const listed = async (path: string): Promise<string[]> => ((await core.call('GET', `${GROUPS}${path}`, { as: 'admin' })).body as { group_name: string }[]).map(({ group_name: name }) => name);
    expect(await listed('?group_name=mode-')).toEqual(['mode-2', 'mode-3', 'mode-ldap']);
    for (const [mode, only] of [['ldap_auth', 'mode-ldap'], ['http_auth', 'mode-2'], ['oidc_auth', 'mode-3']] as const) {
      await setMode(mode);
      expect(await listed('?group_name=mode-')).toEqual([only]);
      expect(await listed('/search?groupname=mode-')).toEqual([only]);
    }
    await setMode('db_auth');
  });
});

describe('E-15: groups are made by system administrators only', () => {
  test('by nobody else, by no way', async () => {
    const existing = await created('clash');
    await created('directory-admins', { group_type: 1, ldap_group_dn: 'cn=ops,dc=x' });
    const before = await core.database.query('SELECT * FROM user_group ORDER BY id');
    expect((await create({ group_name: 'admins', group_type: 1, ldap_group_dn: 'cn=ops,dc=x' }, 'alice')).status).toBe(403);
    expect((await core.call('POST', GROUPS, { json: { group_name: 'admins', group_type: 1, ldap_group_dn: 'cn=ops,dc=x' } })).status).toBe(401);
    const asMember = (group: object): Promise<Answer> => core.call('POST', MEMBERS, { as: 'alice', json: { role_id: 3, member_group: group } });
    expect((await asMember({ group_name: 'clash', group_type: 2 })).status).toBe(403);
    expect((await asMember({ group_name: 'clash', ldap_group_dn: 'cn=new,dc=x' })).status).toBe(403);
    expect((await asMember({ group_name: 'clash', ldap_group_dn: 'not a name' })).status).toBe(400);
    expect(await core.database.query('SELECT * FROM user_group ORDER BY id')).toEqual(before);
    expect(await core.database.query('SELECT 1 FROM member WHERE group_id = $1', [existing])).toEqual([]);
  });
});

describe('groups as members', () => {
  const roles = async (name: string): Promise<unknown> => {
    const { status, body } = await core.call('GET', '/api/v2.0/projects/alpha', { as: name });
    return status === 200 ? [(body as Record<string, unknown>)['current_user_role_id'], (body as Record<string, number[]>)['current_user_role_ids']?.toSorted()] : status;
  };

  test('give their people their role, beside what these have themselves', async () => {
    const team = await created('team');
    const leads = await created('leads');
    await put(team, 'gus', 'gwen');
    await put(leads, 'gus');
    expect(await roles('gus')).toBe(403);
    const added = await core.call('POST', MEMBERS, { as: 'alice', json: { role_id: 3, member_group: { group_name: 'team', group_type: 3 } } });
    expect(added.status).toBe(201);
    expect((await core.call('GET', added.headers.get('location') ?? '', { as: 'alice' })).body).toMatchObject({ entity_name: 'team', entity_id: team, entity_type: 'g', role_id: 3, role_name: 'guest' });
    expect((await core.call('POST', MEMBERS, { as: 'alice', json: { role_id: 2, member_group: { id: team } } })).status).toBe(409);
    expect((await core.call('POST', MEMBERS, { as: 'alice', json: { role_id: 4, member_group: { id: leads } } })).status).toBe(201);
    expect(await roles('gwen')).toEqual([3, [3]]);
    expect(await roles('gus')).toEqual([4, [3, 4]]);
    expect(await roles('eve')).toBe(403);
    expect((await core.call('GET', '/api/v2.0/projects?name=alpha', { as: 'gwen' })).body).toEqual([expect.objectContaining({ name: 'alpha', current_user_role_id: 3 })]);
    const listed = await core.call('GET', `${MEMBERS}?entityname=team`, { as: 'gwen' });
    expect(listed.body).toEqual([expect.objectContaining({ entity_type: 'g', entity_name: 'team' })]);
    expect((await core.call('GET', '/api/v2.0/projects/alpha/summary', { as: 'alice' })).body).toMatchObject({ guest_count: 1, maintainer_count: 1 });
  });

  test('of LDAP are found by any spelling of their DN, and made known by administrators', async () => {
    const added = await core.call('POST', MEMBERS, { as: 'admin', json: { role_id: 2, member_group: { ldap_group_dn: 'cn=fresh,dc=x' } } });
    expect(added.status).toBe(201);
    expect((await core.call('GET', `${GROUPS}?ldap_group_dn=cn%3Dfresh%2Cdc%3Dx`, { as: 'admin' })).body).toEqual([expect.objectContaining({ group_name: 'cn=fresh,dc=x', group_type: 1 })]);
    expect((await core.call('POST', MEMBERS, { as: 'alice', json: { role_id: 3, member_group: { ldap_group_dn: 'CN=Fresh, DC=x', group_type: 1, group_name: '' } } })).status).toBe(409);
  });

  test('E-10: of another way to log in are refused', async () => {
    const wrong = await created('other-mode');
    await setMode('ldap_auth');
    expect((await core.call('POST', MEMBERS, { as: 'admin', json: { role_id: 3, member_group: { id: wrong } } })).status).toBe(400);
    expect((await core.call('POST', MEMBERS, { as: 'admin', json: { role_id: 3, member_group: { group_name: 'other-mode', group_type: 3 } } })).status).toBe(400);
    await setMode('db_auth');
  });
});

describe('taking a group away takes back the tokens of its people', () => {
  const verifier = new RegistryTokenVerifier(async () => {
    const rows = await core.database.query<{ kid: string; public_jwk: PublicKeySet[string] }>('SELECT kid, public_jwk FROM signing_key WHERE retired_at IS NULL');
    return Object.fromEntries(rows.map((row) => [row.kid, row.public_jwk]));
  });
  const token = async (as: string): Promise<RegistryTokenClaims> => {
    const { body } = await core.call('GET', '/service/token?service=harbor-registry&scope=repository:bravo/app:pull,push', { as });
    return verifier.verify((body as { token: string }).token);
  };
  const revoked = async (claims: RegistryTokenClaims): Promise<boolean> => {
    const epochs = new AccessEpochs();
    for (const row of await core.database.query<{ subject: string; not_before: Date }>('SELECT subject, not_before FROM access_epoch')) epochs.raise(row.subject, row.not_before);
    return epochs.isRevoked(claims);
  };
  const join = async (name: string, role: number): Promise<{ readonly group: number; readonly member: string; readonly claims: RegistryTokenClaims }> => {
    const group = await created(name);
    const person = `person-of-${name}`;
    ids[person] = await core.addUser(person);
    await put(group, person);
    const { headers } = await core.call('POST', '/api/v2.0/projects/bravo/members', { as: 'admin', json: { role_id: role, member_group: { id: group } } });
    const claims = await token(person);
    expect(claims.access).toEqual([expect.objectContaining({ actions: role === 3 ? ['pull'] : ['pull', 'push'] })]);
    return { group, member: headers.get('location') ?? '', claims };
  };

  test('by its membership', async () => {
    const { member, claims } = await join('leaving', 2);
    expect((await core.call('DELETE', member, { as: 'admin' })).status).toBe(200);
    expect(await revoked(claims)).toBe(true);
    expect((await token('person-of-leaving')).access).toEqual([expect.objectContaining({ actions: [] })]);
  });

  test('by its role', async () => {
    const { member, claims } = await join('weaker', 2);
    expect((await core.call('PUT', member, { as: 'admin', json: { role_id: 3 } })).status).toBe(200);
    expect(await revoked(claims)).toBe(true);
    const stronger = await join('stronger', 3);
    expect((await core.call('PUT', stronger.member, { as: 'admin', json: { role_id: 2 } })).status).toBe(200);
    expect(await revoked(stronger.claims)).toBe(false);
  });

  test('altogether', async () => {
    const { group, member, claims } = await join('deleted', 2);
    expect((await core.call('DELETE', `${GROUPS}/${group}`, { as: 'admin' })).status).toBe(200);
    expect(await revoked(claims)).toBe(true);
    expect((await core.call('GET', member, { as: 'admin' })).status).toBe(404);
    expect((await core.call('GET', '/api/v2.0/projects/bravo', { as: 'person-of-deleted' })).status).toBe(403);
  });
});
