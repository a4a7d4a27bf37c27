import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Clients, noClients } from './clients.mjs';
import { Haven } from './haven.mjs';
import { damagedBlobs } from './image/layers.mjs';
import { digestOf, imageOf, indexOf, packedBlob, writeLayout } from './image/synthetic.mjs';

const ARCHITECTURES = ['amd64', 'arm64', 's390x'];

(noClients ? describe.skip : describe)('images for several architectures', () => {
  let haven, clients, project, ann, name, indexDigest;

  beforeAll(async () => {
    [haven, clients] = await Promise.all([Haven.start(), Clients.start()]);
    ann = await haven.user('ann');
    project = await haven.project({ members: { ann: 'developer' } });
    await clients.login(haven.host, ann);
    name = `${haven.host}/${project}/multi:1`;
  }, 180_000);

  afterAll(async () => {
    await clients?.stop();
    await haven?.stop();
  }, 60_000);

  test('buildah builds one image per architecture and pushes their index', async () => {
    const images = [];
    for (const architecture of ARCHITECTURES) {
      writeFileSync(clients.file(architecture), `built for ${architecture}\n`);
      images.push({ architecture, name: await clients.buildah.build(`localhost/hello-${architecture}`, { architecture, file: clients.file(architecture) }) });
    }
    await clients.buildah.index('localhost/multi', images);
    const pushed = await clients.buildah.pushIndex('localhost/multi', name);
    expect([pushed.output, pushed.code]).toEqual([expect.anything(), 0]);
    indexDigest = pushed.digest;
    const raw = await clients.skopeo.raw(name);
    expect(digestOf(Buffer.from(raw.text))).toBe(indexDigest);
    expect(JSON.parse(raw.text).manifests.map((entry) => entry.platform.architecture)).toEqual(ARCHITECTURES);
  });

  test('docker pulls one foreign platform of it', async () => {
    const pulled = await clients.docker.pull(name, { platform: 'linux/arm64' });
    expect([pulled.digest, pulled.code]).toEqual([indexDigest, 0]);
    expect((await clients.docker.inspect(name)).Architecture).toBe('arm64');
  });

  test('podman pulls another one', async () => {
    const pulled = await clients.podman.pull(name, { architecture: 's390x' });
    expect([pulled.output, pulled.code]).toEqual([expect.anything(), 0]);
    expect(await clients.podman.runWell(['image', 'inspect', '--format', '{{.Architecture}}', name])).toBe('s390x');
  });

  test('ctr pulls one platform', async () => {
    const pulled = await clients.ctr.pull(name, { platform: 'linux/arm64' });
    expect([pulled.digest, pulled.code]).toEqual([indexDigest, 0]);
  });

  test('skopeo copies one platform: the manifest the index names', async () => {
    const { manifests } = JSON.parse((await clients.skopeo.raw(name)).text);
    const pulled = await clients.skopeo.pull(name, clients.file('one'), { architecture: 'arm64' });
    expect(pulled.digest).toBe(manifests.find((entry) => entry.platform.architecture === 'arm64').digest);
  });

  test('skopeo copies all of it to another repository, digest for digest, and out again', async () => {
    const copy = `${haven.host}/${project}/copy/of-multi:1`;
    const copied = await clients.skopeo.copy(name, copy, { all: true });
    expect([copied.output, copied.digest]).toEqual(['', indexDigest]);
    const layout = clients.file('all');
    const pulled = await clients.skopeo.pull(copy, layout, { all: true });
    expect(pulled.digest).toBe(indexDigest);
    const digests = digestsBelow(layout, indexDigest);
    expect(digests.length).toBe(1 + ARCHITECTURES.length * 3);
    expect(await damagedBlobs(layout, digests)).toEqual([]);
  });

  test('podman pushes an index it made from another tool\'s images', async () => {
    const images = ARCHITECTURES.map((architecture) => imageOf([packedBlob(20_000), packedBlob(20_000)], { architecture }));
    const index = indexOf(images);
    writeLayout(clients.file('made'), images, index);
    const target = `${haven.host}/${project}/made:1`;
    const pushed = await clients.skopeo.push(clients.file('made'), target, { all: true });
    expect([pushed.output, pushed.digest]).toEqual(['', index.digest]);
    await clients.podman.runWell(['manifest', 'create', 'localhost/again']);
    for (const image of images.slice(0, 2)) await clients.podman.runWell(['manifest', 'add', '--tls-verify=false', 'localhost/again', `docker://${haven.host}/${project}/made@${image.digest}`]);
    const again = await clients.podman.pushIndex('localhost/again', `${haven.host}/${project}/again:1`);
    expect([again.output, again.code]).toEqual([expect.anything(), 0]);
    const raw = await clients.skopeo.raw(`${haven.host}/${project}/again:1`);
    expect(digestOf(Buffer.from(raw.text))).toBe(again.digest);
    expect(JSON.parse(raw.text).manifests.map((entry) => entry.digest)).toEqual(images.slice(0, 2).map((image) => image.digest));
  });

  test('the REST API shows the index with its platforms', async () => {
    const artifacts = await haven.admin.artifacts(project, 'multi');
    const index = artifacts.find((artifact) => artifact.digest === indexDigest);
    expect(index.references.map((reference) => reference.platform.architecture).toSorted()).toEqual(ARCHITECTURES.toSorted());
  });

  function digestsBelow(layout, digest) {
    const content = JSON.parse(readFileSync(join(layout, 'blobs', ...digest.split(':')), 'utf8'));
    const blobs = [content.config, ...(content.layers ?? [])].filter(Boolean).map((entry) => entry.digest);
    return [digest, ...blobs, ...(content.manifests ?? []).flatMap((entry) => digestsBelow(layout, entry.digest))];
  }
});
