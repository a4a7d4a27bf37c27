import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Clients, noClients } from './clients.mjs';
import { runWell } from './clients/run.mjs';
import { Haven } from './haven.mjs';
import { randomImage, writeLayout } from './image/synthetic.mjs';

const REFUSED = /unauthorized|denied|401|403|authentication required|insufficient_scope|access to the resource/i;

(noClients ? describe.skip : describe)('who may do what, as real clients see it', () => {
  let haven, clients, project, image, layout;
  const accounts = {};

  beforeAll(async () => {
    [haven, clients] = await Promise.all([Haven.start(), Clients.start()]);
    for (const name of ['dave', 'gina', 'lars', 'mia', 'eve']) accounts[name] = await haven.user(name);
    project = await haven.project({ members: { dave: 'developer', gina: 'guest', lars: 'limitedGuest', mia: 'maintainer' } });
    image = randomImage({ layers: 2, size: 30_000 });
    layout = clients.file('image');
    writeLayout(layout, [image], image);
    await as('dave');
    const pushed = await clients.skopeo.push(layout, name(project));
    if (pushed.digest !== image.digest) throw new Error(`the first push failed: ${pushed.output}`);
  }, 180_000);

  afterAll(async () => {
    await clients?.stop();
    await haven?.stop();
  }, 60_000);

  const name = (projectName, repository = 'app', tag = '1') => `${haven.host}/${projectName}/${repository}:${tag}`;

  async function as(who) {
    for (const client of [clients.skopeo, clients.podman, clients.docker, clients.ctr]) {
      if (who === undefined) await client.logout(haven.host);
      else await client.login(haven.host, accounts[who].user, accounts[who].password);
    }
  }

  let pulls = 0;
  const pull = (reference) => clients.skopeo.pull(reference, clients.file(`pulled-${(pulls += 1)}`));

  test.each(['gina', 'lars', 'mia'])('%s, a member, pulls', async (who) => {
    await as(who);
    expect((await pull(name(project))).digest).toBe(image.digest);
  });

  test.each(['gina', 'lars'])('%s, who may only read, cannot push', async (who) => {
    await as(who);
    const pushed = await clients.skopeo.push(layout, name(project, 'app', 'new'));
    expect([pushed.code, pushed.output]).toEqual([1, expect.stringMatching(REFUSED)]);
    expect((await haven.oci(accounts.dave).head(`${project}/app`, 'manifests', 'new')).status).toBe(404);
  });

  test('docker, logged in as a guest, pulls but cannot push', async () => {
    // skopeo's image is no file system; docker gets one that it made itself.
    await as('dave');
    await clients.docker.runWell(['import', await tinyTar(), name(project, 'tiny')]);
    expect((await clients.docker.push(name(project, 'tiny'))).code).toBe(0);
    await as('gina');
    expect((await clients.docker.pull(name(project, 'tiny'))).code).toBe(0);
    await clients.docker.tag(name(project, 'tiny'), name(project, 'tiny', 'again'));
    const pushed = await clients.docker.push(name(project, 'tiny', 'again'));
    expect([pushed.code, pushed.output]).toEqual([1, expect.stringMatching(REFUSED)]);
  });

  test('a developer pushes but cannot delete; a maintainer can', async () => {
    await as('dave');
    const own = randomImage();
    writeLayout(clients.file('own'), [own], own);
    expect((await clients.skopeo.push(clients.file('own'), name(project, 'deletable'))).digest).toBe(own.digest);
    const refused = await clients.skopeo.delete(name(project, 'deletable'));
    expect([refused.code, refused.output]).toEqual([1, expect.stringMatching(REFUSED)]);
    await as('mia');
    expect((await clients.skopeo.delete(name(project, 'deletable'))).code).toBe(0);
  });

  test('eve, who is no member, can neither pull nor push', async () => {
    await as('eve');
    for (const client of [clients.podman, clients.docker, clients.ctr]) {
      const pulled = await client.pull(name(project));
      expect(pulled.code).not.toBe(0);
      expect(pulled.output).toMatch(REFUSED);
    }
    const pushed = await clients.skopeo.push(layout, name(project, 'app', 'eve'));
    expect([pushed.code, pushed.output]).toEqual([1, expect.stringMatching(REFUSED)]);
  });

  test('eve learns nothing about what exists', async () => {
    const eve = haven.oci(accounts.eve);
    const there = await eve.getManifest(`${project}/app`, '1');
    const absent = await eve.getManifest(`${project}/nothing`, '1');
    const nowhere = await eve.getManifest('ghost/nothing', '1');
    expect([there.status, absent.status, nowhere.status]).toEqual([401, 401, 401]);
    const bodies = await Promise.all([there, absent, nowhere].map(async (answer) => (await answer.text()).replaceAll(/(?:ghost|p\d+-[0-9a-f]+)\/(?:nothing|app)/g, 'NAME')));
    expect(new Set(bodies).size).toBe(1);
  });

  test('the public pulls from a public project, and only that', async () => {
    await as('dave');
    const open = await haven.project({ isPublic: true, members: { dave: 'developer' } });
    expect((await clients.skopeo.push(layout, name(open))).digest).toBe(image.digest);
    await as(undefined);
    expect((await pull(name(open))).digest).toBe(image.digest);
    const closed = await pull(name(project));
    expect([closed.code, closed.output]).toEqual([1, expect.stringMatching(REFUSED)]);
    const pushed = await clients.skopeo.push(layout, name(open, 'app', 'anonymous'));
    expect([pushed.code, pushed.output]).toEqual([1, expect.stringMatching(REFUSED)]);
  });

  test('the project "library" is open to the public from the first start', async () => {
    await clients.skopeo.login(haven.host, haven.adminAccount.user, haven.adminAccount.password);
    expect((await clients.skopeo.push(layout, name('library'))).digest).toBe(image.digest);
    await as(undefined);
    expect((await pull(name('library'))).digest).toBe(image.digest);
  });

  test('a member who is removed can no longer pull, with a token from before as well', async () => {
    const temporary = await haven.user('tess');
    await haven.admin.addMember(project, 'tess', 'guest');
    const oci = haven.oci(temporary);
    const token = await oci.token(`repository:${project}/app:pull`);
    expect((await oci.getManifest(`${project}/app`, '1', { token })).status).toBe(200);
    await haven.admin.removeMember(project, 'tess');
    expect((await haven.oci(temporary).getManifest(`${project}/app`, '1')).status).toBe(401);
    await refusedWithin(5, () => oci.getManifest(`${project}/app`, '1', { token }));
  });

  test('N-02: a private project that was public is closed at once to a token from before', async () => {
    const open = await haven.project({ isPublic: true, members: { dave: 'developer' } });
    await haven.oci(accounts.dave).pushImage(`${open}/app`, '1', image);
    const visitor = haven.oci();
    const token = await visitor.token(`repository:${open}/app:pull`);
    expect((await visitor.getManifest(`${open}/app`, '1', { token })).status).toBe(200);
    const response = await haven.admin.request('PUT', `/projects/${open}`, { metadata: { public: 'false' } });
    expect(response.status).toBe(200);
    await refusedWithin(5, () => visitor.getManifest(`${open}/app`, '1', { token }));
  });

  /** The change travels to the registry as a broadcast; it may take a moment, and no longer. */
  async function refusedWithin(seconds, call) {
    const end = Date.now() + seconds * 1000;
    let status;
    do {
      const response = await call();
      await response.arrayBuffer();
      status = response.status;
      if (status === 401) return;
    } while (Date.now() < end);
    throw new Error(`still answered ${status} after ${seconds} s`);
  }

  async function tinyTar() {
    const file = clients.file('tiny.tar');
    await runWell('tar', ['-C', '/etc', '-cf', file, 'debian_version', 'hostname']);
    return file;
  }
});
