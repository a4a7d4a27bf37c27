import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DIRECTORY_PASSWORD, group, groupDn, OpenLdap, openLdapObstacle, PEOPLE, person, personDn } from '../apps/core/dist/identity/ldap/testing/open-ldap.js';
import { Clients, noClients } from './clients.mjs';
import { Haven, newPassword, until } from './haven.mjs';
import { randomImage } from './image/synthetic.mjs';
import { drained } from './registry/oci-client.mjs';

const obstacle = await openLdapObstacle();
if (obstacle) console.log(`The flows with a directory are skipped: ${obstacle}.`);
const describeWithClients = noClients ? describe.skip : describe;

const DEVELOPERS = groupDn('developers');
const SPECIAL = 'o(brien)*\\ é';
const SPECIAL_DN = `cn=O\\,Brien \\+ \\"Sons\\" #1,${PEOPLE}`;
/** The shortest that `ldap_refresh_minutes` can be, half a minute for the look that follows, and some for slow machines. */
const REFRESH_SECONDS = 60 + 30 + 30;

/** A company's OpenLDAP, over TLS; dave and the special name are developers directly, nina through two groups, olaf not at all. */
const ENTRIES = [
  ...['dave', 'nina', 'olaf', 'carl', 'theo', 'newcomer'].map((uid) => person(uid)),
  person(SPECIAL, { dn: SPECIAL_DN, cn: 'O,Brien + "Sons" #1' }),
  group('developers', [personDn('dave'), personDn('carl'), SPECIAL_DN, groupDn('team')]),
  group('team', [personDn('theo'), groupDn('squad')]), group('squad', [personDn('nina')]),
];

(obstacle ? describe.skip : describe)('people of an LDAP directory', () => {
  let haven, directory, clients, project, robot;
  const account = (user, password = DIRECTORY_PASSWORD) => ({ user, password });

  beforeAll(async () => {
    [haven, directory, clients] = await Promise.all([Haven.start(), OpenLdap.start(ENTRIES), noClients ? undefined : Clients.start()]);
    const configured = await haven.admin.request('PUT', '/configurations', { auth_mode: 'ldap_auth', ...directory.settings(), ldap_timeout: 2, ldap_refresh_minutes: 1 });
    if (configured.status !== 200) throw new Error(await configured.text());
    project = await haven.project();
    const added = await haven.admin.request('POST', `/projects/${project}/members`, { role_id: 2, member_group: { ldap_group_dn: DEVELOPERS } });
    if (added.status !== 201) throw new Error(await added.text());
    robot = await projectRobot();
    if (clients) await smallImage();
  }, 600_000);

  afterAll(async () => {
    await clients?.stop();
    await haven?.stop();
    await directory?.stop();
  }, 60_000);

  async function projectRobot() {
    const permissions = [{ kind: 'project', namespace: project, access: ['pull', 'push'].map((action) => ({ resource: 'repository', action })) }];
    const { name, secret } = await (await haven.admin.request('POST', '/robots', { name: 'ci', level: 'project', duration: -1, permissions })).json();
    return { user: name, password: secret };
  }

  const reference = (name) => `${haven.host}/${project}/${name}:1`;

  /** An image that docker and podman hold under the names that they will push. */
  async function smallImage() {
    const folder = clients.file('root');
    mkdirSync(folder);
    writeFileSync(join(folder, 'hello'), 'Hello\n');
    execFileSync('tar', ['-C', folder, '-cf', clients.file('root.tar'), '.']);
    await clients.docker.runWell(['import', clients.file('root.tar'), 'small:1']);
    await clients.podman.runWell(['import', '--quiet', clients.file('root.tar'), 'small:1']);
  }

  async function pushWith(client, name) {
    await client.runWell(['tag', 'small:1', reference(name)]);
    return client.push(reference(name));
  }

  const bearerStatus = async (token) => (await drained(await haven.oci().request('POST', `/v2/${project}/app/blobs/uploads/`, { token }))).status;
  const pushes = (who) => haven.oci(who).pushImage(`${project}/app`, 'v1', randomImage({ layers: 1, size: 1000 }));
  const tokenOf = (who, actions = 'pull,push') => haven.oci(who).requestToken([`repository:${project}/app:${actions}`]);

  /** What the sign-in page does. */
  async function signIn({ user, password }) {
    const visit = await fetch(`${haven.url}/c/login`);
    const cookies = visit.headers.getSetCookie().map((text) => text.split(';', 1)[0]);
    const headers = { cookie: cookies.join('; '), 'x-harbor-csrf-token': visit.headers.get('x-harbor-csrf-token') };
    const answer = await fetch(`${haven.url}/c/login`, { method: 'POST', headers, body: new URLSearchParams({ principal: user, password }) });
    return { status: answer.status, body: await answer.text(), cookie: answer.headers.getSetCookie().find((text) => text.startsWith('sid='))?.split(';', 1)[0] };
  }

  /** Status and body of a login through each door. */
  async function throughAllDoors(who) {
    const api = await haven.rest(who).request('GET', '/users/current');
    const token = await tokenOf(who);
    const basic = await fetch(`${haven.url}/v2/`, { headers: haven.oci(who).basic() });
    const form = await signIn(who);
    return [[api.status, await api.text()], [token.status, await token.text()], [basic.status, await basic.text()], [form.status, form.body]];
  }

  describeWithClients('docker and podman', () => {
    test.each(['docker', 'podman'])('%s refuses a wrong password with a clear message', async (name) => {
      const { code, output } = await clients[name].login(haven.host, 'dave', newPassword());
      expect(code).not.toBe(0);
      expect(output).toMatch(/401|unauthorized|invalid username\/password/i);
      expect(output).not.toMatch(/internal|stack|500/i);
    });

    test.each([['docker', 'dave'], ['podman', 'nina'], ['docker', SPECIAL], ['podman', SPECIAL]])('%s logs in as %s, a developer of the group, pushes and pulls', async (name, user) => {
      const client = clients[name];
      const { code, output } = await client.login(haven.host, user, DIRECTORY_PASSWORD);
      expect([code, output]).toEqual([0, expect.stringMatching(/Login Succeeded/)]);
      const target = `by-${name}-${user === SPECIAL ? 'special' : user}`;
      const pushed = await pushWith(client, target);
      expect([pushed.code, pushed.output]).toEqual([0, expect.anything()]);
      expect((await client.pull(reference(target))).code).toBe(0);
      expect((await haven.admin.artifacts(project, target)).map(({ digest, tags }) => [digest, tags.map((tag) => tag.name)])).toEqual([[pushed.digest, ['1']]]);
    });

    test('who is in the directory and not in the group logs in, and pushes nothing', async () => {
      expect((await clients.docker.login(haven.host, 'olaf', DIRECTORY_PASSWORD)).code).toBe(0);
      const { code, output } = await pushWith(clients.docker, 'by-olaf');
      expect(code).not.toBe(0);
      expect(output).toMatch(/denied|unauthorized/i);
      for (const [client, user] of [['docker', 'dave'], ['podman', 'nina']]) expect((await clients[client].login(haven.host, user, DIRECTORY_PASSWORD)).code).toBe(0);
    });
  });

  test('plain clients push as developers, directly and through nested groups', async () => {
    for (const user of ['dave', 'nina', SPECIAL]) await pushes(account(user));
    await expect(pushes(account('olaf'))).rejects.toThrow(/401/);
  });

  test('A-15: a new password in the directory counts, and the old one only while it was just found right', async () => {
    for (let time = 0; time < 2; time++) expect((await tokenOf(account('theo'))).status).toBe(200);
    await directory.replace(personDn('theo'), 'userPassword', ['New-one-of-theo-2']);
    expect((await tokenOf(account('theo', 'New-one-of-theo-2'))).status).toBe(200);
    await until('the old password is refused', async () => (await tokenOf(account('theo'))).status === 401, { seconds: 45, every: 1000 });
    expect((await tokenOf(account('theo', 'New-one-of-theo-2'))).status).toBe(200);
  }, 90_000);

  test('out of the group, directly or through one between: within the refresh time neither old tokens nor new ones push, without a new login', async () => {
    const held = await Promise.all(['dave', 'nina', 'carl'].map(async (user) => [user, (await (await tokenOf(account(user))).json()).token]));
    const session = (await signIn(account('dave'))).cookie;
    const projectStatus = async () => (await fetch(`${haven.url}/api/v2.0/projects/${project}`, { headers: { cookie: session } })).status;
    expect(await Promise.all(held.map(([, token]) => bearerStatus(token)))).toEqual([202, 202, 202]);
    expect(await projectStatus()).toBe(200);
    await directory.removeMember(DEVELOPERS, personDn('dave'));
    await directory.removeMember(groupDn('team'), groupDn('squad'));
    await until('the tokens of those who left are refused', async () => (await Promise.all(held.map(([, token]) => bearerStatus(token)))).join() === '401,401,202', { seconds: REFRESH_SECONDS, every: 2000 });
    expect(await projectStatus()).toBe(403); // logged in still, without the role
    for (const user of ['dave', 'nina']) {
      expect((await tokenOf(account(user))).status).toBe(200);
      await expect(pushes(account(user))).rejects.toThrow(/401/);
    }
    await pushes(account('carl'));
  }, (REFRESH_SECONDS + 60) * 1000);

  describeWithClients('docker and podman, logged in before,', () => {
    test.each(['docker', 'podman'])('%s, which stayed logged in, pushes no longer', async (name) => {
      const { code, output } = await pushWith(clients[name], 'too-late');
      expect(code).not.toBe(0);
      expect(output).toMatch(/denied|unauthorized|authentication required/i);
    });
  });

  test('back in the group they push again', async () => {
    await directory.addMember(DEVELOPERS, personDn('dave'));
    const { token } = await (await tokenOf(account('nina'))).json();
    await until('the role is back', async () => (await pushes(account('dave')), true), { seconds: REFRESH_SECONDS, every: 2000 });
    expect(await bearerStatus(token)).toBe(401); // nina is not
  }, (REFRESH_SECONDS + 30) * 1000);

  describe('A-25: while the directory is down', () => {
    let session, before;

    beforeAll(async () => {
      session = (await signIn(account('dave'))).cookie;
      before = (await (await tokenOf(account('dave'))).json()).token;
      await directory.server.halt();
      // What the directory said counts for half a minute more (docs/operations/directory.md): nobody is told so again after that.
      await until('the directory is asked again', async () => (await tokenOf(account('dave'))).status === 401, { seconds: 60, every: 1000 });
    }, 90_000);

    test.each([['who was here before', 'carl', DIRECTORY_PASSWORD], ['who was never here', 'newcomer', DIRECTORY_PASSWORD], ['with a wrong password', 'olaf', 'wrong'], ['without a password', 'carl', ''], ['nobody', 'nobody', 'x']])(
      '%s gets a plain 401 at every door', async (_name, user, password) => {
        for (const [status, body] of await throughAllDoors(account(user, password))) {
          expect(status).toBe(401);
          expect(JSON.parse(body)).toMatchObject({ errors: [{ code: 'UNAUTHORIZED', message: expect.any(String) }] });
          expect(body).not.toMatch(/ldap|directory|127\.0\.0\.1|ECONN|reach/i);
        }
      });

    test('the log says why', () => {
      expect(haven.lastLines(400)).toMatch(/nobody could be asked whether a password is right.*cannot be reached/);
    });

    describeWithClients('docker as one of them', () => {
      test('docker says so plainly, too', async () => {
        const { code, output } = await clients.docker.login(haven.host, 'carl', DIRECTORY_PASSWORD);
        expect(code).not.toBe(0);
        expect(output).toMatch(/401|unauthorized/i);
        expect(output).not.toMatch(/internal|stack|500/i);
      });
    });

    test('the built-in administrator logs in through every door and pushes; robots push', async () => {
      const statuses = (await throughAllDoors(haven.adminAccount)).map(([status]) => status);
      expect([statuses[0], statuses[1], statuses[3]]).toEqual([200, 200, 200]);
      for (const who of [haven.adminAccount, robot]) await pushes(who);
      expect((await haven.admin.request('GET', '/configurations')).status).toBe(200);
    });

    describeWithClients('docker as administrator', () => {
      test('docker logs in as administrator, pushes and pulls', async () => {
        expect((await clients.docker.login(haven.host, haven.adminAccount.user, haven.adminAccount.password)).code).toBe(0);
        const pushed = await pushWith(clients.docker, 'by-admin');
        expect([pushed.code, pushed.output]).toEqual([0, expect.anything()]);
        expect((await clients.docker.pull(reference('by-admin'))).digest).toBe(pushed.digest);
      });
    });

    test('who is logged in goes on for a while; the ping says what is wrong', async () => {
      expect((await fetch(`${haven.url}/api/v2.0/users/current`, { headers: { cookie: session } })).status).toBe(200);
      expect(await bearerStatus(before)).toBe(202);
      expect(await (await haven.admin.request('POST', '/ldap/ping', {})).json()).toEqual({ success: false, message: expect.stringContaining('cannot be reached') });
    });

    test('back up, it is as before', async () => {
      await directory.server.revive();
      await until('the directory lets people in again', async () => (await tokenOf(account('carl'))).status === 200, { seconds: 30, every: 500 });
      await pushes(account('carl'));
      await pushes(account('dave'));
      expect((await tokenOf(account('newcomer'))).status).toBe(200);
      expect((await tokenOf(account('carl', 'wrong'))).status).toBe(401);
      expect((await fetch(`${haven.url}/api/v2.0/users/current`, { headers: { cookie: session } })).status).toBe(200);
    }, 60_000);
  });
});
