import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ProxyStub } from '../apps/core/dist/identity/auth-proxy/testing/proxy-stub.js';
import { selfSigned } from '../libs/runtime/dist/index.js';
import { Clients, noClients } from './clients.mjs';
import { Haven, newPassword, until } from './haven.mjs';
import { randomImage } from './image/synthetic.mjs';
import { drained } from './registry/oci-client.mjs';

const describeWithClients = noClients ? describe.skip : describe;

describe('people of an authenticating proxy', () => {
  let haven, proxy, clients, project;
  const passwordOf = (name) => proxy.people.get(name).password;
  const reference = (name) => `${haven.host}/${project}/${name}:1`;

  beforeAll(async () => {
    [haven, proxy, clients] = await Promise.all([Haven.start(), new ProxyStub(selfSigned('127.0.0.1')).start(), noClients ? undefined : Clients.start()]);
    proxy.add('ann', { groups: ['developers'] });
    proxy.add('bob', { groups: [] });
    proxy.add('admin', { groups: ['developers'] });
    const configured = await haven.admin.request('PUT', '/configurations', { auth_mode: 'http_auth', ...proxy.settings() });
    if (configured.status !== 200) throw new Error(await configured.text());
    project = await haven.project();
    const added = await haven.admin.request('POST', `/projects/${project}/members`, { role_id: 2, member_group: { group_name: 'developers', group_type: 2 } });
    if (added.status !== 201) throw new Error(await added.text());
    if (!clients) return;
    const folder = clients.file('root');
    mkdirSync(folder);
    writeFileSync(join(folder, 'hello'), 'Hello\n');
    execFileSync('tar', ['-C', folder, '-cf', clients.file('root.tar'), '.']);
    await clients.docker.runWell(['import', clients.file('root.tar'), 'small:1']);
  }, 600_000);

  afterAll(async () => {
    await clients?.stop();
    await haven?.stop();
    await proxy?.stop();
  }, 60_000);

  const pushes = (user, password) => haven.oci({ user, password }).pushImage(`${project}/app`, 'v1', randomImage({ layers: 1, size: 1000 }));
  const tokenStatus = async (user, password) => (await drained(await haven.oci({ user, password }).requestToken([`repository:${project}/app:pull,push`]))).status;

  describeWithClients('docker', () => {
    test.each([['a password', 'ann', () => passwordOf('ann')], ['a token of the proxy', 'tokenreview$ann', () => proxy.token('ann')]])('logs in with %s, pushes and pulls', async (_name, user, secret) => {
      const { code, output } = await clients.docker.login(haven.host, user, secret());
      expect([code, output]).toEqual([0, expect.stringMatching(/Login Succeeded/)]);
      const target = `by-${user.replace('$', '-')}`;
      await clients.docker.runWell(['tag', 'small:1', reference(target)]);
      const pushed = await clients.docker.push(reference(target));
      expect([pushed.code, pushed.output]).toEqual([0, expect.anything()]);
      expect((await clients.docker.pull(reference(target))).code).toBe(0);
      expect((await haven.admin.artifacts(project, target)).map(({ digest }) => digest)).toEqual([pushed.digest]);
    });

    test.each([
      ['a wrong password', 'ann', () => newPassword()], ['a token of somebody else', 'tokenreview$ann', () => proxy.token('bob')], ['a token of nobody', 'tokenreview$ann', () => newPassword()],
      ['the proxy’s admin and its password', 'admin', () => passwordOf('admin')], ['the proxy’s admin and a token', 'tokenreview$admin', () => proxy.token('admin')],
    ])('is refused with %s', async (_name, user, secret) => {
      const { code, output } = await clients.docker.login(haven.host, user, secret());
      expect(code).not.toBe(0);
      expect(output).toMatch(/401|unauthorized/i);
      expect(output).not.toMatch(/internal|stack|500/i);
    });
  });

  test('plain clients push as developers, and not as others', async () => {
    await pushes('ann', passwordOf('ann'));
    await pushes('tokenreview$ann', proxy.token('ann'));
    await expect(pushes('bob', passwordOf('bob'))).rejects.toThrow(/401/);
  });

  test('while the proxy is in trouble nobody new gets in; tokens that were given, and the administrator, go on', async () => {
    const { token } = await (await haven.oci({ user: 'ann', password: passwordOf('ann') }).requestToken([`repository:${project}/app:pull,push`])).json();
    const upload = async () => (await drained(await haven.oci().request('POST', `/v2/${project}/app/blobs/uploads/`, { token }))).status;
    expect(await upload()).toBe(202);
    proxy.override.login = (_request, response) => { response.writeHead(500).end(); return true; };
    proxy.override.review = proxy.override.login;
    expect([await tokenStatus('bob', newPassword()), await tokenStatus('tokenreview$bob', proxy.token('bob'))]).toEqual([401, 401]);
    expect((await haven.admin.request('GET', '/users/current')).status).toBe(200);
    expect(await upload()).toBe(202);
    await until('what was right a moment ago is asked for again', async () => (await tokenStatus('ann', passwordOf('ann'))) === 401, { seconds: 45, every: 1000 });
    proxy.override = {};
    expect(await tokenStatus('ann', passwordOf('ann'))).toBe(200);
  }, 90_000);
});
