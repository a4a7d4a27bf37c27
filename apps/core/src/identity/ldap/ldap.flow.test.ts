import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ConfigurationService } from '../../configuration/configuration.service.js';
import { TestBrowser } from '../../testing/browser.js';
import { basic, startTestCore, type Answer, type TestCore } from '../../testing/test-core.js';
import { DirectoryRefreshService } from './directory-refresh.service.js';
import { BASE, DIRECTORY_PASSWORD, group, groupDn, GROUPS, OpenLdap, openLdapObstacle, PEOPLE, person, personDn } from './testing/open-ldap.js';

const CURRENT = '/api/v2.0/users/current';
const TOKEN = '/service/token?service=harbor-registry&scope=repository:alpha/app:pull,push';
const START_MS = 300_000;
const SPECIAL = { uid: 'o(brien)*\\ é', dn: `cn=O\\,Brien \\+ \\"Sons\\" #1,${PEOPLE}` };
const EVIL = `cn=ops\\,ou=groups\\,dc=haven\\,dc=test,${GROUPS}`;

const PEOPLE_LDIF = [
  ...Array.from({ length: 3000 }, (_, index) => person(`user${index + 1}`)),
  ...['dave', 'nora', 'ned', 'olga', 'evan', 'gone', 'Admin', 'al', 'alice', 'renamed', 'a,b', 'robot$x'].map((uid) => person(uid, { dn: `cn=${uid.replace(',', '\\,')},${PEOPLE}` })),
  person(SPECIAL.uid, { dn: SPECIAL.dn, cn: 'O,Brien + "Sons" #1', mail: 'brien@haven.test' }),
  person('twin', { mail: 'same@haven.test' }), person('twin', { dn: `uid=twin,ou=more,${BASE}`, mail: 'same@haven.test' }),
];
const dn = (uid: string): string => `cn=${uid},${PEOPLE}`;
const GROUPS_LDIF = [
  ...Array.from({ length: 2000 }, (_, index) => group(`team${index + 1}`, [personDn('user1')])),
  group('developers', [dn('dave'), dn('gone'), personDn('user1')]),
  group('unique', [SPECIAL.dn], { unique: true }),
  group('level1', [dn('ned'), groupDn('level5')]), ...[2, 3, 4, 5].map((level) => group(`level${level}`, [groupDn(`level${level - 1}`)])),
  group('ops', [dn('olga')]), group('evil', [dn('evan')], { dn: EVIL }),
];

const obstacle = await openLdapObstacle();

(obstacle === undefined ? describe : describe.skip)(`with OpenLDAP${obstacle === undefined ? '' : ` (${obstacle})`}`, () => {
  let core: TestCore;
  let directory: OpenLdap;
  let calls = 0;

  /** From another address each time, so that nobody waits for the wrong passwords of earlier tests. */
  const call = (path: string, name: string, password = DIRECTORY_PASSWORD): Promise<Answer> => {
    calls += 1;
    return core.call('GET', path, { headers: { authorization: basic(name, password), 'x-forwarded-for': `2001:db8:${calls.toString(16)}::1` } });
  };
  const login = async (name: string, password?: string): Promise<number> => (await call(CURRENT, name, password)).status;
  const me = async (name: string): Promise<unknown> => (await call(CURRENT, name)).body;
  const configure = (json: object): Promise<Answer> => core.call('PUT', '/api/v2.0/configurations', { as: 'admin', json });
  const refresh = async (): Promise<void> => {
    await core.database.execute(`UPDATE haven_user SET source_confirmed_at = source_confirmed_at - interval '6 minutes', source_checked_at = NULL WHERE source = 'ldap'`);
    await core.service.app.get(DirectoryRefreshService, { strict: false }).refresh();
  };
  const groupsOf = async (name: string): Promise<string[]> => {
    const rows = await core.database.query<{ name: string }>(
      'SELECT g.name FROM user_group g JOIN user_group_member m ON m.group_id = g.id JOIN haven_user u ON u.id = m.user_id WHERE u.username = $1 ORDER BY g.name', [name]);
    return rows.map((row) => row.name);
  };
  const actions = async (name: string): Promise<unknown> => {
    const { status, body } = await call(TOKEN, name);
    if (status !== 200) return status;
    return (JSON.parse(Buffer.from((body as { token: string }).token.split('.')[1] ?? '', 'base64url').toString()) as { access: { actions: string[] }[] }).access[0]?.actions;
  };
  const accounts = (): Promise<unknown[]> => core.database.query('SELECT id, source, external_id, username, sysadmin FROM haven_user ORDER BY id');

  beforeAll(async () => {
    [directory, core] = await Promise.all([OpenLdap.start([...PEOPLE_LDIF, ...GROUPS_LDIF]), startTestCore()]);
    await core.addProject('alpha');
    await configure({ auth_mode: 'ldap_auth', ...directory.settings(), ldap_group_admin_dn: `CN=OPS, ou=Groups,${BASE}` });
    await core.call('POST', '/api/v2.0/projects/alpha/members', { as: 'admin', json: { role_id: 2, member_group: { ldap_group_dn: groupDn('developers') } } });
  }, START_MS);
  afterAll(async () => {
    await core?.stop();
    await directory?.stop();
  }, START_MS);

  describe('logging in', () => {
    test('makes an account at the first time, known by an id of the directory', async () => {
      expect(await login('user7')).toBe(200);
      expect(await me('user7')).toMatchObject({ username: 'user7', realname: 'user7', email: 'user7@haven.test', sysadmin_flag: false, admin_role_in_auth: false });
      const [row] = await core.database.query(`SELECT source, external_id FROM haven_user WHERE username = 'user7'`);
      expect(row).toEqual({ source: 'ldap', external_id: expect.stringMatching(/^entryUUID:[0-9a-f-]{36}$/) });
      expect(await login('user7', 'wrong')).toBe(401);
      expect((await core.database.query(`SELECT 1 FROM haven_user WHERE username = 'user7'`))).toHaveLength(1);
    });

    test('with a browser opens a session', async () => {
      const browser = new TestBrowser(core);
      expect((await browser.logIn('user8', DIRECTORY_PASSWORD)).status).toBe(200);
      expect((await browser.send('GET', CURRENT)).body).toMatchObject({ username: 'user8' });
    });

    test('ten times at once makes one account', async () => {
      expect(await Promise.all(Array.from({ length: 10 }, () => login('user9')))).toEqual(Array(10).fill(200));
      expect(await core.database.query(`SELECT 1 FROM haven_user WHERE username = 'user9'`)).toHaveLength(1);
    });

    test('is by the name in the directory, however it is typed; special characters are only characters', async () => {
      expect(await me('USER7')).toMatchObject({ username: 'user7' });
      expect(await me(SPECIAL.uid)).toMatchObject({ username: SPECIAL.uid, email: 'brien@haven.test' });
      expect(await groupsOf(SPECIAL.uid)).toEqual(['unique']);
      expect(await me('a,b')).toMatchObject({ username: 'a_b' });
    });

    test('A-05: no name is a filter', async () => {
      const before = await accounts();
      for (const name of ['*', 'al*', 'alice)(uid=*', '*)(objectClass=*', 'alice\\00', 'a\\6cice', '('.repeat(255), '('.repeat(4096), 'user7)(|(uid=*', '\\', 'uid=alice', 'user?']) expect([name.slice(0, 20), await login(name)]).toEqual([name.slice(0, 20), 401]);
      expect(await login('alice', '*')).toBe(401);
      expect(await accounts()).toEqual(before);
    });

    test('with an empty password is refused before the directory, which takes it for nobody, is asked', async () => {
      for (const password of ['', '\0']) expect(await login('user7', password)).toBe(401);
      const browser = new TestBrowser(core);
      expect((await browser.logIn('user7', '')).status).toBe(401);
    });

    test('A-07: nobody in the directory is the administrator', async () => {
      const before = await accounts();
      for (const name of ['admin', 'Admin', 'ADMIN', 'admin ', ' admin', 'ａdmin']) expect([name, await login(name)]).toEqual([name, 401]);
      expect(await accounts()).toEqual(before);
      expect((await core.call('GET', CURRENT, { as: 'admin' })).body).toMatchObject({ user_id: 1, sysadmin_flag: true });
      expect(core.logger.lines.some((line) => JSON.stringify(line).includes('built-in administrator'))).toBe(true);
    });

    test('two entries for one name are nobody, and the log says which they are', async () => {
      expect(await login('twin')).toBe(401);
      expect(core.logger.lines.some((line) => JSON.stringify(line).includes('uid=twin,ou=more'))).toBe(true);
    });

    test('B-16: a name of robots is refused; an email address that somebody has is left out', async () => {
      expect(await login('robot$x')).toBe(401);
      await directory.addPerson(`uid=double,${PEOPLE}`, 'double', { mail: 'USER7@haven.test' });
      expect(await me('double')).toMatchObject({ username: 'double', email: '' });
    });

    test('a person who was renamed and moved keeps the account; who comes to have the old name gets another', async () => {
      const before = await me('renamed') as { user_id: number };
      await directory.change((client) => client.modifyDN(dn('renamed'), `cn=moved,ou=more,${BASE}`));
      await directory.replace(`cn=moved,ou=more,${BASE}`, 'uid', ['moved']);
      expect(await me('moved')).toMatchObject({ user_id: before.user_id, username: 'moved' });
      await directory.addPerson(dn('renamed'), 'renamed');
      expect(((await me('renamed')) as { user_id: number }).user_id).not.toBe(before.user_id);
    });

    test('A-03: nobody registers, and nobody makes local accounts', async () => {
      await configure({ self_registration: true });
      const json = { username: 'local', email: 'l@haven.test', realname: 'L', password: 'Local-12345' };
      const before = await accounts();
      expect([401, 403]).toContain((await core.call('POST', '/api/v2.0/users', { json })).status);
      expect((await core.call('POST', '/api/v2.0/users', { json, headers: { authorization: basic('user7', DIRECTORY_PASSWORD) } })).status).toBe(403);
      expect((await core.call('POST', '/api/v2.0/users', { as: 'admin', json })).status).toBe(403);
      expect(await accounts()).toEqual(before);
    });

    test('the mode of logging in is fixed now', async () => {
      expect((await configure({ auth_mode: 'db_auth' })).status).toBe(400);
    });
  });

  describe('groups', () => {
    test('give a developer what docker needs to push, and take it back within the refresh', async () => {
      expect(await login('dave')).toBe(200);
      expect(await actions('dave')).toEqual(['pull', 'push']);
      const epoch = (): Promise<unknown[]> => core.database.query(`SELECT 1 FROM access_epoch e JOIN haven_user u ON e.subject = 'user:' || u.id WHERE u.username = 'dave'`);
      expect(await epoch()).toEqual([]);
      await directory.removeMember(groupDn('developers'), dn('dave'));
      await refresh();
      expect(await epoch()).toHaveLength(1);
      expect(await groupsOf('dave')).toEqual([]);
      expect(await actions('dave')).toEqual([]);
      await directory.addMember(groupDn('developers'), dn('dave'));
      await refresh();
      expect(await actions('dave')).toEqual(['pull', 'push']);
    });

    test('that are in groups count, five deep, and a cycle ends', async () => {
      expect(await login('ned')).toBe(200);
      expect(await groupsOf('ned')).toEqual(['level1', 'level2', 'level3', 'level4', 'level5']);
      await configure({ ldap_nested_groups: false });
      await refresh();
      expect(await groupsOf('ned')).toEqual(['level1']);
      await configure({ ldap_nested_groups: true });
    });

    test('A-08: only the group itself makes administrators, whatever other names look like', async () => {
      expect(await me('olga')).toMatchObject({ sysadmin_flag: false, admin_role_in_auth: true });
      expect((await call('/api/v2.0/users', 'olga')).status).toBe(200);
      expect(await me('evan')).toMatchObject({ admin_role_in_auth: false });
      expect((await call('/api/v2.0/users', 'evan')).status).toBe(403);
      await directory.addMember(groupDn('ops'), dn('evan'));
      await directory.removeMember(groupDn('ops'), dn('olga'));
      await refresh();
      expect((await call('/api/v2.0/users', 'olga')).status).toBe(403);
      expect((await call('/api/v2.0/users', 'evan')).status).toBe(200);
    });

    test('two thousand of one person are all taken over, in a login of about a second', async () => {
      const times: number[] = [];
      for (let round = 0; round < 8; round += 1) {
        core.service.app.get(ConfigurationService, { strict: false }).forget();
        await core.database.execute(`INSERT INTO access_epoch (subject, not_before, changed_at) SELECT 'user:' || id, now() - make_interval(secs => $1), now() FROM haven_user WHERE username = 'user1' ON CONFLICT (subject) DO UPDATE SET not_before = excluded.not_before`, [1000 - round]);
        const begun = performance.now();
        expect(await login('user1')).toBe(200);
        times.push(performance.now() - begun);
      }
      expect(await groupsOf('user1')).toHaveLength(2001);
      times.sort((a, b) => a - b);
      process.stderr.write(`logins with 2,001 groups, ms: ${times.map(Math.round).join(' ')}\n`);
      expect(times[4]).toBeLessThan(20_000);
    });
  });

  describe('who is out of the directory', () => {
    test('is out of everything at the next refresh, with and without a session', async () => {
      const browser = new TestBrowser(core);
      await browser.logIn('gone', DIRECTORY_PASSWORD);
      expect((await browser.send('GET', CURRENT)).status).toBe(200);
      expect(await login('gone')).toBe(200);
      await directory.remove(dn('gone'));
      await refresh();
      expect((await browser.send('GET', CURRENT)).status).toBe(401);
      expect(await login('gone')).toBe(401);
      expect(await groupsOf('gone')).toEqual([]);
    });

    test('and comes back as somebody else, without what the first one had', async () => {
      await directory.removeMember(groupDn('developers'), dn('gone'));
      await directory.addPerson(dn('gone'), 'gone');
      expect(await login('gone')).toBe(401); // the name belongs to the account of the one who left
      const [row] = await core.database.query<{ id: number }>(`SELECT id FROM haven_user WHERE username = 'gone'`);
      expect((await core.call('DELETE', `/api/v2.0/users/${row?.id ?? 0}`, { as: 'admin' })).status).toBe(200);
      expect(await login('gone')).toBe(200);
      expect(await actions('gone')).toEqual([]);
    });
  });

  describe('what administrators look up', () => {
    test('all of three thousand people, one of them, and none', async () => {
      const all = (await core.call('GET', '/api/v2.0/ldap/users/search', { as: 'admin' })).body as unknown[];
      expect(all.length).toBeGreaterThan(3000);
      expect((await core.call('GET', '/api/v2.0/ldap/users/search?username=user42', { as: 'admin' })).body).toEqual([{ username: 'user42', realname: 'user42', email: 'user42@haven.test' }]);
      expect((await core.call('GET', '/api/v2.0/ldap/users/search?username=user4*', { as: 'admin' })).body).toEqual([]);
      expect((await call('/api/v2.0/ldap/users/search', 'user7')).status).toBe(403);
    });

    test('groups by name and by DN', async () => {
      const search = (query: string): Promise<Answer> => core.call('GET', `/api/v2.0/ldap/groups/search?${query}`, { as: 'admin' });
      expect((await search('groupname=developers')).body).toEqual([{ id: 0, group_name: 'developers', group_type: 1, ldap_group_dn: groupDn('developers') }]);
      expect((await search(`groupdn=${encodeURIComponent(groupDn('level3'))}`)).body).toEqual([expect.objectContaining({ group_name: 'level3' })]);
      expect((await search('')).body).toHaveLength(2009);
      for (const query of ['groupname=develop*', `groupdn=${encodeURIComponent(personDn('user1'))}`, 'groupdn=cn%3Dnobody']) expect([query, (await search(query)).status]).toEqual([query, 404]);
      expect((await search('groupdn=*')).status).toBe(400);
    });

    test('imported people have accounts; the answer names the others', async () => {
      const add = (names: string[]): Promise<Answer> => core.call('POST', '/api/v2.0/ldap/users/import', { as: 'admin', json: { ldap_uid_list: names } });
      expect(await add(['user21', 'user22'])).toMatchObject({ status: 200, body: [] });
      expect(await add(['user23', 'nobody', '', 'twin', 'Admin'])).toMatchObject({
        status: 404,
        body: [{ uid: 'nobody', error: 'unknown_user' }, { uid: '', error: 'empty_uid' }, { uid: 'twin', error: expect.stringContaining('several entries') }, { uid: 'Admin', error: expect.stringContaining('built-in administrator') }],
      });
      expect(await core.database.query(`SELECT username FROM haven_user WHERE username IN ('user21', 'user22', 'user23') ORDER BY 1`)).toHaveLength(3);
    });

    test('people become members of projects before they have logged in', async () => {
      const add = (username: string): Promise<Answer> => core.call('POST', '/api/v2.0/projects/alpha/members', { as: 'admin', json: { role_id: 3, member_user: { username } } });
      expect((await add('USER31')).status).toBe(201);
      expect((await add('user31')).status).toBe(409);
      expect(await actions('user31')).toEqual(['pull']);
      expect((await add('nobody')).status).toBe(404);
      for (const name of ['Admin', 'twin']) expect([name, (await add(name)).status]).toEqual([name, 400]);
    });

    test('groups that the directory does not have are not made known', async () => {
      const make = (ldap_group_dn: string): Promise<Answer> => core.call('POST', '/api/v2.0/usergroups', { as: 'admin', json: { group_name: 'x', group_type: 1, ldap_group_dn } });
      expect((await make(groupDn('nowhere'))).status).toBe(400);
      expect((await make(personDn('user1'))).status).toBe(400);
      expect((await make(groupDn('team77').replace('cn=team', 'CN = Team'))).status).toBe(409); // known since user1 logged in
    });
  });
});
