import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { basic, startTestCore, type Answer, type TestCore } from '../../testing/test-core.js';
import { DirectoryRefreshService } from './directory-refresh.service.js';
import { ActiveDirectory, DOMAIN_PASSWORD } from './testing/active-directory.js';
import { domainControllerObstacle } from './testing/domain-controller.js';

const LDAP_GROUP = 1;
const DEVELOPER = 2;
const START_MS = 600_000;
/** More than a domain answers in one page (1,000), and more members than it answers at once (1,500). */
const CROWD = 1_600;

const obstacle = await domainControllerObstacle();

(obstacle === undefined ? describe : describe.skip)(`with an Active Directory domain${obstacle === undefined ? '' : ` (${obstacle})`}`, () => {
  let directory: ActiveDirectory;
  let core: TestCore;
  let calls = 0;

  /** Calls as somebody of the domain, each time from another address: nobody waits for the wrong passwords of earlier calls. */
  function call(name: string, password: string, path: string): Promise<Answer> {
    calls += 1;
    return core.call('GET', path, { headers: { authorization: basic(name, password), 'x-forwarded-for': `2001:db8:${calls.toString(16)}::1` } });
  }

  async function login(name: string, password = DOMAIN_PASSWORD): Promise<number> {
    return (await call(name, password, '/api/v2.0/users/current')).status;
  }

  async function account(name: string): Promise<Readonly<Record<string, unknown>>> {
    const { status, body } = await call(name, DOMAIN_PASSWORD, '/api/v2.0/users/current');
    expect(status).toBe(200);
    return body as Record<string, unknown>;
  }

  /** What a registry token lets somebody do in project alpha. */
  async function actions(name: string): Promise<unknown> {
    const { status, body } = await call(name, DOMAIN_PASSWORD, '/service/token?service=harbor-registry&scope=repository:alpha/app:pull,push');
    if (status !== 200) return status;
    const claims = JSON.parse(Buffer.from((body as { token: string }).token.split('.')[1] ?? '', 'base64url').toString()) as { access: { actions: string[] }[] };
    return claims.access[0]?.actions ?? [];
  }

  /** What the log has said about refused logins so far. */
  function reasons(): string[] {
    return core.logger.lines.filter(({ level }) => level === 'warn').map(({ fields }) => String(fields['reason']));
  }

  async function becomeDevelopers(group: string): Promise<void> {
    const member = { role_id: DEVELOPER, member_group: { group_name: group, group_type: LDAP_GROUP, ldap_group_dn: directory.group(group) } };
    await required(core.call('POST', '/api/v2.0/projects/alpha/members', { as: 'admin', json: member }), 201);
  }

  function configure(json: object): Promise<Answer> {
    return core.call('PUT', '/api/v2.0/configurations', { as: 'admin', json });
  }

  function ping(json: object): Promise<Answer> {
    return core.call('POST', '/api/v2.0/ldap/ping', { as: 'admin', json: { ...settings(), ...json } });
  }

  /** What was asked of the domain until now is as old as it may be. */
  async function refreshTimePasses(): Promise<void> {
    await core.database.execute(`UPDATE haven_user SET source_confirmed_at = source_confirmed_at - interval '6 minutes', source_checked_at = source_checked_at - interval '6 minutes' WHERE source = 'ldap'`);
    await core.service.app.get(DirectoryRefreshService, { strict: false }).refresh();
  }

  function settings(): Record<string, unknown> {
    const { baseDn, administrator, password } = directory.controller;
    return {
      ldap_url: directory.url, ldap_base_dn: baseDn, ldap_search_dn: administrator, ldap_search_password: password, ldap_uid: 'sAMAccountName', ldap_scope: 2,
      ldap_filter: '(objectClass=user)', ldap_verify_cert: true, ldap_ca_certificate: readFileSync(directory.controller.authority, 'utf8'), ldap_timeout: 10,
    };
  }

  beforeAll(async () => {
    directory = await ActiveDirectory.start({ crowd: CROWD });
    core = await startTestCore();
    await core.addProject('alpha');
    for (const name of ['ann', 'ben', 'cora', 'dora', 'egon', 'fay', 'gus', 'hal', 'ida', 'jon', 'kim', 'lea']) await directory.addPerson(name);
    await directory.addGroup('inner', [directory.person('ann')]);
    await directory.addGroup('middle', [directory.group('inner')]);
    await directory.addGroup('outer', [directory.group('middle'), directory.person('ben')]);
    await directory.join('inner', directory.group('outer'));
    await directory.addGroup('hidden', [directory.person('jon')], 'People');
    await directory.addGroup('above-hidden', [directory.group('hidden', 'People')]);
    await directory.addGroup('primary');
    await directory.addGroup('above-primary', [directory.group('primary')]);
    const group = { ldap_group_base_dn: `OU=Groups,${directory.controller.baseDn}`, ldap_group_search_filter: '(objectClass=group)', ldap_group_attribute_name: 'cn', ldap_group_search_scope: 2, ldap_nested_groups: true };
    await required(configure({ ...settings(), ...group, auth_mode: 'ldap_auth' }), 200);
    for (const name of ['outer', 'above-hidden', 'above-primary']) await becomeDevelopers(name);
  }, START_MS);

  afterAll(async () => {
    await core?.stop();
    await directory?.stop();
  }, 60_000);

  test('people log in with their account name, whichever way it is spelled', async () => {
    expect(await account('ann')).toMatchObject({ username: 'ann', email: 'ann@mail.example', sysadmin_flag: false });
    const id = (await account('ann'))['user_id'];
    expect((await account('ANN'))['user_id']).toBe(id);
    expect(await login('ann', 'wrong')).toBe(401);
    expect(await login('nobody')).toBe(401);
    for (const name of ['*', 'ann)(cn=*', 'a*', 'ann\\2a', 'HAVEN\\ann']) expect([name, await login(name)]).toEqual([name, 401]);
    const [row] = await core.database.query<{ external_id: string }>('SELECT external_id FROM haven_user WHERE username = $1', ['ann']);
    expect(row?.external_id).toMatch(/^objectGUID:[0-9a-f]{32}$/);
  });

  test.each(['userPrincipalName', 'mail'])('people log in with their %s', async (attribute) => {
    const name = attribute === 'mail' ? 'hal@mail.example' : 'hal@haven.test';
    expect((await configure({ ldap_uid: attribute })).status).toBe(200);
    try {
      expect(await account(name)).toMatchObject({ username: name });
      expect(await login('hal')).toBe(401);
    } finally {
      expect((await configure({ ldap_uid: 'sAMAccountName' })).status).toBe(200);
    }
  });

  test('somebody who gets another name stays who they are', async () => {
    const before = await account('gus');
    await directory.rename('gus', 'gustav');
    expect(await account('gustav')).toMatchObject({ user_id: before['user_id'], username: 'gustav' });
    await directory.addPerson('gus');
    expect((await account('gus'))['user_id']).not.toBe(before['user_id']);
  });

  test('somebody who was moved is found again, where another has the old place', async () => {
    const before = await account('ida');
    await directory.move('ida', `OU=Moved,OU=People,${directory.controller.baseDn}`);
    await directory.addPerson('ida', { sAMAccountName: 'other-ida', userPrincipalName: 'other-ida@haven.test' });
    await refreshTimePasses();
    const [row] = await core.database.query<{ source_place: string; confirmed: boolean }>(
      'SELECT source_place, source_confirmed_at IS NOT NULL AS confirmed FROM haven_user WHERE id = $1', [before['user_id']]);
    expect(row).toEqual({ source_place: `CN=ida,OU=Moved,OU=People,${directory.controller.baseDn}`, confirmed: true });
    expect((await account('ida'))['user_id']).toBe(before['user_id']);
  });

  test('groups give roles through groups, also in a circle', async () => {
    expect(await actions('ann')).toEqual(['pull', 'push']);
    expect(await actions('ben')).toEqual(['pull', 'push']);
    expect(await actions('cora')).toEqual([]);
  });

  test('the domain follows memberships itself, also through groups that are not below the base for groups', async () => {
    expect(await actions('jon')).toEqual(['pull', 'push']);
    const rows = await core.database.query<{ name: string }>('SELECT g.name FROM user_group g JOIN user_group_member m ON m.group_id = g.id JOIN haven_user u ON u.id = m.user_id WHERE u.username = $1 ORDER BY g.name', ['jon']);
    expect(rows.map(({ name }) => name)).toEqual(['above-hidden']);
  });

  test('only direct groups count where nested ones are not wanted', async () => {
    await required(configure({ ldap_nested_groups: false }), 200);
    expect([await actions('jon'), await actions('ann'), await actions('ben')]).toEqual([[], [], ['pull', 'push']]);
    await required(configure({ ldap_nested_groups: true }), 200);
    expect([await actions('jon'), await actions('ann')]).toEqual([['pull', 'push'], ['pull', 'push']]);
  });

  test('the group of administrators may hold people through groups, and need not be one that is taken over', async () => {
    await directory.addGroup('half', [directory.person('kim')]);
    await directory.addGroup('registry-admins', [directory.group('half')], 'People');
    expect(await account('kim')).toMatchObject({ sysadmin_flag: false, admin_role_in_auth: false });
    await required(configure({ ldap_group_admin_dn: directory.group('registry-admins', 'People').toLowerCase().replace(',', ', ') }), 200);
    expect(await account('kim')).toMatchObject({ sysadmin_flag: false, admin_role_in_auth: true });
    expect(await account('jon')).toMatchObject({ admin_role_in_auth: false });
    await directory.leave('half', directory.person('kim'));
    await refreshTimePasses();
    expect(await account('kim')).toMatchObject({ admin_role_in_auth: false });
  });

  test('the primary group, which lists nobody, gives roles, too', async () => {
    expect(await actions('fay')).toEqual([]);
    await directory.join('primary', directory.person('fay'));
    await directory.set(directory.person('fay'), 'primaryGroupID', await directory.groupNumber('primary'));
    await refreshTimePasses();
    expect(await actions('fay')).toEqual(['pull', 'push']);
  });

  test('who is out of a group has lost its role within the refresh time', async () => {
    expect(await actions('ben')).toEqual(['pull', 'push']);
    await directory.leave('outer', directory.person('ben'));
    await refreshTimePasses();
    expect(await actions('ben')).toEqual([]);
    await directory.leave('middle', directory.group('inner'));
    await refreshTimePasses();
    expect(await actions('ann')).toEqual([]);
  });

  test.each([
    ['disabled', 'userAccountControl', '514', '512', 'disabled'],
    ['expired', 'accountExpires', '130000000000000000', '0', 'expired'],
    ['told to change the password', 'pwdLastSet', '0', '-1', 'password'],
  ])('an account that is %s is refused, although it has just logged in', async (_, attribute, shut, open, word) => {
    expect(await login('dora')).toBe(200);
    const id = (await account('dora'))['user_id'];
    await directory.set(directory.person('dora'), attribute, shut);
    await refreshTimePasses();
    expect(await core.database.query('SELECT 1 FROM haven_user WHERE id = $1 AND source_confirmed_at IS NOT NULL', [id])).toEqual([]);
    expect(await login('dora')).toBe(401);
    expect(reasons()).toContainEqual(expect.stringContaining(word));
    await directory.set(directory.person('dora'), attribute, open);
    expect(await login('dora')).toBe(200);
  });

  test('an account that is locked is refused as well', async () => {
    await directory.set(directory.controller.baseDn, 'lockoutThreshold', '3');
    expect(await login('hal')).toBe(200);
    await directory.failLogins('hal', 4);
    await refreshTimePasses();
    expect(await login('hal')).toBe(401);
    expect(reasons()).toContainEqual(expect.stringContaining('locked'));
    await directory.set(directory.controller.baseDn, 'lockoutThreshold', '0');
  });

  test('A-15: a changed password counts at once, and the old one no more', async () => {
    expect(await login('egon', 'Another-Pass-2')).toBe(401);
    await directory.setPassword('egon', 'Another-Pass-2');
    expect(await login('egon')).toBe(401);
    expect(await login('egon', 'Another-Pass-2')).toBe(200);
  });

  test('nothing that the domain says about an account reaches the client', async () => {
    await directory.set(directory.person('cora'), 'userAccountControl', '514');
    const shut = await call('cora', DOMAIN_PASSWORD, '/api/v2.0/users/current');
    const unknown = await call('nobody', DOMAIN_PASSWORD, '/api/v2.0/users/current');
    expect([shut.status, shut.body]).toEqual([401, unknown.body]);
  });

  test('the ping tells what is wrong with the connection', async () => {
    expect((await ping({})).body).toMatchObject({ success: true });
    const { unnamedAddress, address } = directory.controller;
    for (const change of [{ ldap_url: `ldap://${address}`, ldap_start_tls: true }, { ldap_url: `ldaps://${address}:3269` }, { ldap_search_dn: 'Administrator@haven.test' }]) {
      expect((await ping(change)).body).toMatchObject({ success: true });
    }
    for (const [change, words] of [
      [{ ldap_url: `ldaps://${unnamedAddress}` }, /certificate is not trusted.*altnames/],
      [{ ldap_ca_certificate: '' }, /certificate is not trusted/],
      [{ ldap_url: `ldap://${address}`, ldap_start_tls: false }, /in clear/],
      [{ ldap_url: `ldap://${address}`, ldap_start_tls: false, ldap_verify_cert: false }, /encrypt/i],
      [{ ldap_search_password: 'wrong' }, /does not take ldap_search_dn with ldap_search_password/],
      [{ ldap_search_dn: 'cora@haven.test', ldap_search_password: DOMAIN_PASSWORD }, /shuts ldap_search_dn out.*disabled/],
    ] as const) {
      expect((await ping(change)).body).toEqual({ success: false, message: expect.stringMatching(words) });
    }
  });

  // Last: the test's domain, unlike a large one's, looks at all members of the group whenever somebody's groups are read.
  test('one among more members than the domain tells at once gets the role of the group', async () => {
    await directory.join('crowd', directory.person('lea'), 'Crowd');
    await directory.addGroup('above-crowd', [directory.group('crowd', 'Crowd')]);
    await becomeDevelopers('above-crowd');
    expect(await actions('lea')).toEqual(['pull', 'push']);
  });

  test('everybody is found, page by page', async () => {
    const { status, body } = await core.call('GET', '/api/v2.0/ldap/users/search', { as: 'admin' });
    expect(status).toBe(200);
    expect(new Set((body as { username: string }[]).map(({ username }) => username)).size).toBeGreaterThan(CROWD);
  });
});

async function required(answer: Promise<Answer>, wanted: number): Promise<void> {
  const { status, body } = await answer;
  if (status !== wanted) throw new Error(`${status} instead of ${wanted}: ${JSON.stringify(body)}`);
}
