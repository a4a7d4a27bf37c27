import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Clients, noClients } from './clients.mjs';
import { Haven, newPassword } from './haven.mjs';
import { debianRootFileSystem } from './image/debian.mjs';
import { layerHashes } from './image/layers.mjs';
import { expectStatus } from './registry/oci-client.mjs';

const OTHERS = ['podman', 'skopeo', 'buildah', 'ctr'];

/** A real Debian image goes in through each client and comes out of each other one, byte for byte. */
(noClients ? describe.skip : describe)('push by one client, pull by another', () => {
  let haven, clients, ann, project, rootFiles, layers, reference, pushedDigest;

  beforeAll(async () => {
    rootFiles = await debianRootFileSystem();
    if (rootFiles.note) console.log(rootFiles.note);
    [haven, clients] = await Promise.all([Haven.start(), Clients.start()]);
    ann = await haven.user('ann');
    project = await haven.project({ members: { ann: 'developer' } });
    reference = `${haven.host}/${project}/debian:12`;
    layers = await buildDebian();
  }, 600_000);

  afterAll(async () => {
    await clients?.stop();
    await haven?.stop();
  }, 60_000);

  /** Imports the root file system and builds an image on it. Resolves to the hashes of its layers' tars. */
  async function buildDebian() {
    const folder = clients.file('build');
    mkdirSync(folder);
    writeFileSync(join(folder, 'hello'), 'Hello from the second layer\n');
    writeFileSync(join(folder, 'Dockerfile'), 'FROM base:latest\nCOPY hello /hello\nCMD ["/bin/bash"]\n');
    await clients.docker.runWell(['import', rootFiles.file, 'base:latest']);
    await clients.docker.runWell(['build', '--quiet', '--tag', reference, folder]);
    const built = await clients.docker.inspect(reference);
    return built.RootFS.Layers.map((digest) => digest.replace('sha256:', ''));
  }

  test('the image holds exactly the Debian files', () => {
    expect(layers).toHaveLength(2);
    expect(layers[0]).toBe(rootFiles.sha256);
  });

  test.each(['docker', 'podman', 'skopeo', 'buildah'])('%s refuses a wrong password with a clear message', async (name) => {
    const { code, output } = await clients[name].login(haven.host, ann.user, newPassword());
    expect(code).not.toBe(0);
    expect(output).toMatch(/401|unauthorized|invalid username\/password/i);
    expect(output).not.toMatch(/internal|stack|500/i);
  });

  test.each(['docker', 'podman', 'skopeo', 'buildah'])('%s logs in', async (name) => {
    const { code, output } = await clients[name].login(haven.host, ann.user, ann.password);
    expect([code, output]).toEqual([0, expect.stringMatching(/Login Succeeded/)]);
  });

  test('ctr with a wrong password is refused', async () => {
    await clients.ctr.login(haven.host, ann.user, newPassword());
    const { code, output } = await clients.ctr.pull(reference);
    expect(code).not.toBe(0);
    expect(output).toMatch(/401|unauthorized/i);
    await clients.ctr.login(haven.host, ann.user, ann.password);
  });

  test('docker pushes it', async () => {
    const { code, output, digest } = await clients.docker.push(reference);
    expect([code, output]).toEqual([0, expect.stringContaining('Pushed')]);
    const head = await haven.oci(ann).head(`${project}/debian`, 'manifests', '12');
    expect(head.status).toBe(200);
    expect(head.headers.get('docker-content-digest')).toBe(digest);
    pushedDigest = digest;
  });

  test.each(['podman', 'buildah', 'ctr'])('%s pulls the same bytes and pushes them under another name', async (name) => {
    const client = clients[name];
    const pulled = await client.pull(reference);
    expect([pulled.output, pulled.digest]).toEqual([expect.anything(), pushedDigest]);
    await client.save(reference, clients.file(`${name}.tar`));
    expect(await layerHashes({ archive: clients.file(`${name}.tar`) })).toEqual(layers);
    await pushAndCompare(client, reference, `${haven.host}/${project}/by-${name}:12`);
  });

  test('skopeo copies the same bytes to an OCI layout and back under another name', async () => {
    const layout = clients.file('layout');
    const pulled = await clients.skopeo.pull(reference, layout);
    expect([pulled.output, pulled.digest]).toEqual(['', pushedDigest]);
    expect(await layerHashes({ layout })).toEqual(layers);
    const pushed = await clients.skopeo.push(layout, `${haven.host}/${project}/by-skopeo:12`);
    expect([pushed.output, pushed.digest]).toEqual(['', pushedDigest]);
  });

  async function pushAndCompare(client, source, target) {
    const pushed = await client.push(source, { target });
    expect([pushed.code, pushed.output]).toEqual([0, expect.anything()]);
    const repository = target.slice(haven.host.length + 1).replace(/:12$/, '');
    const head = await haven.oci(ann).head(repository, 'manifests', '12');
    expect(head.headers.get('docker-content-digest')).toBe(pushed.digest);
  }

  test.each(OTHERS)('docker pulls what %s pushed', async (name) => {
    const target = `${haven.host}/${project}/by-${name}:12`;
    await clients.docker.forgetImages();
    const pulled = await clients.docker.pull(target);
    expect([pulled.code, pulled.output]).toEqual([0, expect.stringContaining('Download')]);
    const head = await haven.oci(ann).head(`${project}/by-${name}`, 'manifests', '12');
    expect(pulled.digest).toBe(head.headers.get('docker-content-digest'));
    await clients.docker.save(target, clients.file('docker.tar'));
    expect(await layerHashes({ archive: clients.file('docker.tar') })).toEqual(layers);
  });

  test('docker can no longer push after logging out', async () => {
    await clients.docker.runWell(['logout', haven.host]);
    const { code, output } = await clients.docker.push(`${haven.host}/${project}/by-${OTHERS.at(-1)}:12`); // the one it pulled last
    expect(code).not.toBe(0);
    expect(output).toMatch(/denied|unauthorized|no basic auth|authentication required/i);
  });

  test('the REST API lists every pushed repository with its artifact', async () => {
    for (const name of OTHERS) {
      const artifacts = await haven.admin.artifacts(project, `by-${name}`);
      expect(artifacts).toHaveLength(1);
      expect(artifacts[0].tags.map((tag) => tag.name)).toEqual(['12']);
    }
    expectStatus(await haven.admin.request('GET', '/ping'), 200, 'ping');
  });
});
