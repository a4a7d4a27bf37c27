import { createServer, type Server } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { openGate, type TcpGate } from '../../testing/tcp-gate.js';
import { basic, startTestCore, type Answer, type TestCore } from '../../testing/test-core.js';
import { DirectoryRefreshService } from './directory-refresh.service.js';
import { BASE, DIRECTORY_PASSWORD, group, OpenLdap, openLdapObstacle, person, personDn, SEARCH_PASSWORD } from './testing/open-ldap.js';

const CURRENT = '/api/v2.0/users/current';
const START_MS = 300_000;
const AWAY = `ou=away,${BASE}`;

const obstacle = await openLdapObstacle();

/** LDIF of a place below the base. */
const place = (name: string): string => `dn: ou=${name},${BASE}\nobjectClass: organizationalUnit\nou: ${name}\n`;

(obstacle === undefined ? describe : describe.skip)(`two servers that refer to each other${obstacle === undefined ? '' : ` (${obstacle})`}`, () => {
  let core: TestCore;
  let near: OpenLdap;
  let far: OpenLdap;
  /** In front of the far one, as references name it. */
  let gate: TcpGate;
  let calls = 0;

  const call = (name: string, password = DIRECTORY_PASSWORD, path = CURRENT): Promise<Answer> => {
    calls += 1;
    return core.call('GET', path, { headers: { authorization: basic(name, password), 'x-forwarded-for': `2001:db8:${calls.toString(16)}::1` } });
  };
  const login = async (name: string, password?: string): Promise<number> => (await call(name, password)).status;
  const configure = async (json: object): Promise<void> => {
    const { status, body } = await core.call('PUT', '/api/v2.0/configurations', { as: 'admin', json });
    if (status !== 200) throw new Error(JSON.stringify(body));
  };
  const ping = async (json: object = {}): Promise<{ success: boolean; message: string }> => (await core.call('POST', '/api/v2.0/ldap/ping', { as: 'admin', json })).body as { success: boolean; message: string };
  const groupsOf = async (name: string): Promise<string[]> => {
    const rows = await core.database.query<{ name: string }>('SELECT g.name FROM user_group g JOIN user_group_member m ON m.group_id = g.id JOIN haven_user u ON u.id = m.user_id WHERE u.username = $1 ORDER BY g.name', [name]);
    return rows.map((row) => row.name);
  };
  const refer = (from: OpenLdap, name: string, ...to: readonly string[]): Promise<void> => from.change((client) => client.add(`ou=${name},${BASE}`, { objectClass: ['referral', 'extensibleObject'], ou: name.split(',', 1), ref: [...to] }));
  const at = (server: OpenLdap, name: string): string => `ldap://127.0.0.1:${server.server.port}/ou=${name},${BASE}`;
  const follow = (): object => ({ ldap_referral_hosts: `127.0.0.1:${near.server.port} 127.0.0.1:${far.server.port}, 127.0.0.1:${gate.port}` });
  /** What is set before each test. */
  const usual = (): object => ({ ...near.settings(), ldap_ca_certificate: `${near.authority}\n${far.authority}`, ldap_timeout: 3, ldap_referral_hosts: '', ldap_start_tls: true });
  /** Everybody is refused, the administrator is not; resolves to the reason in the log and in the ping. */
  const troubled = async (name: string): Promise<readonly [log: string, ping: string]> => {
    core.logger.lines.length = 0;
    expect(await login(name)).toBe(401);
    expect((await core.call('GET', CURRENT, { as: 'admin' })).status).toBe(200);
    const log = JSON.stringify(core.logger.lines);
    for (const secret of [DIRECTORY_PASSWORD, SEARCH_PASSWORD]) expect(log).not.toContain(secret);
    const { success, message } = await ping();
    expect(success).toBe(false);
    return [log, message];
  };

  beforeAll(async () => {
    near = await OpenLdap.start([person('ann'), person('both'), group('developers', [personDn('ann'), `uid=rita,${AWAY}`])]);
    far = await OpenLdap.start([
      place('away'), ...['rita', 'rolf', 'both', 'sam', 'sue'].map((uid) => person(uid, { dn: `uid=${uid},${AWAY}` })), group('testers', [`uid=rolf,${AWAY}`], { dn: `cn=testers,${AWAY}` }),
    ]);
    gate = await openGate('127.0.0.1', far.server.port);
    await refer(near, 'away', `ldap://127.0.0.1:${gate.port}/${AWAY}`);
    core = await startTestCore();
    await configure({ auth_mode: 'ldap_auth', ...usual() });
  }, START_MS);
  afterEach(() => configure(usual()));
  afterAll(async () => {
    await core?.stop();
    await gate?.shut();
    await near?.stop();
    await far?.stop();
  }, START_MS);

  describe('not followed, as nothing is set', () => {
    test('who is on the other server is nobody; the log and the ping say that there is another server', async () => {
      core.logger.lines.length = 0;
      expect(await login('ann')).toBe(200);
      expect([await login('rita'), await login('rita', 'wrong')]).toEqual([401, 401]);
      const told = core.logger.lines.filter(({ message }) => message.includes('refers to another server'));
      expect(told.map(({ level, fields }) => [level, fields['reference']])).toEqual([['warn', `ldap://127.0.0.1:${gate.port}/${AWAY}??sub`]]);
      expect(await ping()).toEqual({ success: true, message: expect.stringContaining(`which are not asked (ldap_referral_hosts): ldap://127.0.0.1:${gate.port}/${AWAY}`) });
    });

    test('a base that is on the other server only is an error that says where it is', async () => {
      await configure({ ldap_base_dn: AWAY });
      for (const text of await troubled('rita')) expect(text).toMatch(/says that ou=away,dc=haven,dc=test is on another server \(ldap:\/\/127\.0\.0\.1:\d+\/ou=away.*ldap_referral_hosts/);
    });

    test('a group that is only there gives nobody anything, and keeps nobody out', async () => {
      await near.replace(personDn('ann'), 'seeAlso', [`cn=testers,${AWAY}`]);
      const groups = { ldap_group_base_dn: BASE, ldap_group_membership_attribute: 'seeAlso' };
      await configure(groups);
      expect(await login('ann')).toBe(200);
      expect(await groupsOf('ann')).toEqual(['developers']);
      await configure({ ...groups, ...follow() });
      expect(await login('ann')).toBe(200);
      expect(await groupsOf('ann')).toEqual(['developers', 'testers']);
    });

    test('hosts that are none cannot be set', async () => {
      for (const hosts of ['ldap://b.test', 'b.test/', 'b test:x', 'b.test:', '*', 'a@b']) {
        const { status, body } = await core.call('PUT', '/api/v2.0/configurations', { as: 'admin', json: { ldap_referral_hosts: hosts } });
        expect([hosts, status, JSON.stringify(body)]).toEqual([hosts, 400, expect.stringContaining('ldap_referral_hosts')]);
      }
    });

    test('another host than the one that is set is not followed', async () => {
      await configure({ ldap_referral_hosts: `localhost:${gate.port} 127.0.0.1 127.0.0.2:${gate.port}` });
      expect(await login('rita')).toBe(401);
      expect(await ping()).toEqual({ success: true, message: expect.stringContaining('not asked') });
    });
  });

  describe('followed to the hosts that are set', () => {
    test('people there log in with their password there, over TLS, and have their groups', async () => {
      await configure(follow());
      expect([await login('rita'), await login('rita', 'wrong'), await login('ann'), await login('nobody')]).toEqual([200, 401, 200, 401]);
      expect((await call('rita')).body).toMatchObject({ username: 'rita', email: 'rita@haven.test' });
      expect(await groupsOf('rita')).toEqual(['developers']);
      expect(await ping()).toEqual({ success: true, message: expect.not.stringContaining('not asked') });
    });

    test('also when everything is there', async () => {
      await configure({ ...follow(), ldap_base_dn: AWAY, ldap_group_base_dn: AWAY });
      expect([await login('rolf'), await login('rolf', 'wrong'), await login('ann')]).toEqual([200, 401, 401]);
      expect(await groupsOf('rolf')).toEqual(['testers']);
      expect(await ping()).toMatchObject({ success: true });
    });

    test('a name that is on both servers is nobody’s', async () => {
      await configure(follow());
      core.logger.lines.length = 0;
      expect(await login('both')).toBe(401);
      expect(JSON.stringify(core.logger.lines)).toMatch(/several entries have uid=.*uid=both,ou=people.*uid=both,ou=away/);
      await configure({ ldap_referral_hosts: '' });
      expect(await login('both')).toBe(200);
    });

    test('the refresh finds people there, too, and shuts out who has left', async () => {
      await configure(follow());
      const refresh = async (): Promise<void> => {
        await core.database.execute(`UPDATE haven_user SET source_confirmed_at = source_confirmed_at - interval '6 minutes', source_checked_at = NULL WHERE source = 'ldap'`);
        await core.service.app.get(DirectoryRefreshService, { strict: false }).refresh();
      };
      const confirmed = (): Promise<unknown[]> => core.database.query(`SELECT username FROM haven_user WHERE source = 'ldap' AND source_confirmed_at > now() - interval '1 minute' AND username IN ('rita', 'leaver') ORDER BY 1`);
      await far.addPerson(`uid=leaver,${AWAY}`, 'leaver');
      expect([await login('leaver'), await login('rita')]).toEqual([200, 200]);
      await refresh();
      expect(await confirmed()).toEqual([{ username: 'leaver' }, { username: 'rita' }]);
      await far.remove(`uid=leaver,${AWAY}`);
      await refresh();
      expect(await confirmed()).toEqual([{ username: 'rita' }]);
      await configure({ ldap_referral_hosts: '' });
      await refresh();
      expect(await confirmed()).toEqual([]); // whose server is not asked any more is out
    });

    test('the connection there is kept, and made anew when it was lost', async () => {
      await configure(follow());
      expect(await login('rita')).toBe(200);
      gate.counts();
      for (let round = 0; round < 5; round += 1) expect(await login(`nobody${round}`)).toBe(401);
      expect(gate.counts().accepted).toBe(0);
      await gate.shut();
      await gate.open();
      expect(await login('rolf')).toBe(200);
      expect(gate.counts().accepted).toBe(2); // to search, and to check the password
    });
  });

  describe('in trouble', () => {
    test('a certificate that is not trusted: the search account’s password is not sent', async () => {
      await configure({ ...follow(), ldap_ca_certificate: near.authority });
      for (const text of await troubled('rita')) expect(text).toMatch(/following a reference of the directory to .*certificate is not trusted/);
    });

    test('a server that is down, and one that is slow', async () => {
      await configure(follow());
      far.server.pause();
      try {
        const begun = performance.now();
        for (const text of await troubled('sam')) expect(text).toMatch(/did not answer|ldap_timeout/);
        expect(performance.now() - begun).toBeLessThan(20_000);
      } finally {
        far.server.resume();
      }
      await refer(near, 'down', `ldap://127.0.0.1:9/ou=down,${BASE}`);
      await configure({ ldap_referral_hosts: '127.0.0.1:9', ldap_base_dn: `ou=down,${BASE}` });
      for (const text of await troubled('rita')) expect(text).toMatch(/following a reference of the directory to ldap:\/\/127\.0\.0\.1:9.*cannot be reached/);
    });

    test('one that is down, to which two copies of a place refer: whom it knows is not taken for somebody who has left', async () => {
      const copy = await openGate('127.0.0.1', far.server.port);
      await far.change((client) => client.add(`ou=copied,${BASE}`, { objectClass: ['organizationalUnit'], ou: 'copied' }));
      await far.change((client) => client.add(`ou=there,${BASE}`, { objectClass: ['organizationalUnit'], ou: 'there' }));
      await far.addPerson(`uid=gwen,ou=there,${BASE}`, 'gwen');
      await refer(far, 'there,ou=copied', `ldap://127.0.0.1:${gate.port}/ou=there,${BASE}`);
      await refer(near, 'copied', at(far, 'copied'), `ldap://127.0.0.1:${copy.port}/ou=copied,${BASE}`);
      await configure({ ldap_referral_hosts: `127.0.0.1:${far.server.port} 127.0.0.1:${copy.port} 127.0.0.1:${gate.port}`, ldap_base_dn: `ou=copied,${BASE}` });
      expect(await login('gwen')).toBe(200);
      await gate.shut();
      try {
        await core.database.execute(`UPDATE haven_user SET source_confirmed_at = source_confirmed_at - interval '6 minutes', source_checked_at = NULL WHERE username = 'gwen'`);
        await core.service.app.get(DirectoryRefreshService, { strict: false }).refresh();
        expect(await core.database.query(`SELECT source_confirmed_at IS NOT NULL AS kept, source_checked_at IS NOT NULL AS asked FROM haven_user WHERE username = 'gwen'`)).toEqual([{ kept: true, asked: true }]);
        for (const text of await troubled('gwen')) expect(text).toMatch(/following a reference of the directory to .*cannot be reached/);
      } finally {
        await gate.open();
        await copy.shut();
      }
    });

    test('without TLS passwords do not go there, whatever the first server speaks', async () => {
      const heard: Buffer[] = [];
      const listener: Server = createServer((socket) => socket.on('error', () => undefined).on('data', (chunk: Buffer) => heard.push(chunk)));
      await new Promise<void>((resolve) => void listener.listen(0, '127.0.0.1', resolve));
      const { port } = listener.address() as { port: number };
      try {
        await refer(near, 'clear', `ldap://127.0.0.1:${port}/ou=clear,${BASE}`);
        await configure({ ldap_referral_hosts: `127.0.0.1:${port}`, ldap_base_dn: `ou=clear,${BASE}`, ldap_start_tls: false });
        for (const text of await troubled('rita')) expect(text).toMatch(/would carry passwords in clear/);
        expect(heard).toEqual([]);
      } finally {
        await new Promise((resolve) => void listener.close(resolve));
      }
    });

    test('a circle of the two is told from a way, in log and ping', async () => {
      await refer(near, 'ring', at(far, 'ring'));
      await refer(far, 'ring', at(near, 'ring'));
      await configure({ ...follow(), ldap_base_dn: `ou=ring,${BASE}` });
      for (const text of await troubled('rita')) expect(text).toMatch(/in a circle: ldaps:\/\/127\.0\.0\.1:\d+\/ou=ring.* → ldap:\/\/127\.0\.0\.1:\d+\/ou=ring/);
    });

    test('a way that is too long ends', async () => {
      for (let step = 1; step <= 8; step += 1) await refer(step % 2 === 1 ? near : far, `step${step}`, at(step % 2 === 1 ? far : near, `step${step + 1}`));
      await configure({ ...follow(), ldap_base_dn: `ou=step1,${BASE}` });
      const begun = performance.now();
      for (const text of await troubled('rita')) expect(text).toContain('more than 5 deep');
      expect(performance.now() - begun).toBeLessThan(10_000);
    });

    test('a circle anywhere below the base stops logins rather than let the wrong one in', async () => {
      await configure(follow());
      for (const text of await troubled('sue')) expect(text).toMatch(/in a circle|more than 5 deep/);
      await configure({ ldap_referral_hosts: '' });
      expect(await login('ann')).toBe(200);
    });
  });
});
