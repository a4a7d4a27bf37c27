import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { Clients, noClients } from './clients.mjs';
import { Haven } from './haven.mjs';
import { randomImage, writeLayout } from './image/synthetic.mjs';
import { expectStatus } from './registry/oci-client.mjs';
import { startRecorder } from './registry/recorder.mjs';

const TAGS = 250;

(noClients ? describe.skip : describe)('tags, mounts and deletion, as real clients see them', () => {
  let haven, clients, project, other, ann, oci;

  beforeAll(async () => {
    [haven, clients] = await Promise.all([Haven.start(), Clients.start()]);
    ann = await haven.user('ann');
    project = await haven.project({ members: { ann: 'maintainer' } });
    other = await haven.project({ members: { ann: 'maintainer' } });
    await clients.login(haven.host, ann);
    oci = haven.oci(ann);
  }, 180_000);

  afterAll(async () => {
    await clients?.stop();
    await haven?.stop();
  }, 60_000);

  async function pushed(repository, tag, image = randomImage({ layers: 2, size: 50_000 })) {
    const layout = clients.file(`${repository.replaceAll('/', '-')}-${tag}`);
    writeLayout(layout, [image], image);
    const { output, digest } = await clients.skopeo.push(layout, `${haven.host}/${repository}:${tag}`);
    expect([output, digest]).toEqual(['', image.digest]);
    return image;
  }

  test('skopeo lists 250 tags in order, over several pages', async () => {
    const repository = `${project}/many`;
    const image = randomImage();
    await oci.pushImage(repository, 'base', image);
    const names = Array.from({ length: TAGS }, (_, i) => `v${i}`);
    for (const tag of names) expectStatus(await oci.putManifest(repository, tag, image), 201, tag);
    const wanted = ['base', ...names].toSorted();
    const listed = await clients.skopeo.tags(`${haven.host}/${repository}`);
    expect(listed.tags).toEqual(wanted);
    const paged = await oci.tags(repository, 100);
    expect(paged).toEqual({ tags: wanted, pages: 3 });
  });

  test('docker mounts the layers of another repository instead of sending them', async () => {
    const recorder = await startRecorder(haven.url);
    try {
      await clients.docker.login(recorder.host, ann.user, ann.password);
      await pushed(`${project}/source`, '1');
      const source = `${recorder.host}/${project}/source:1`;
      const target = `${recorder.host}/${other}/deep/target:1`;
      await importSmallImage(source);
      expect((await clients.docker.push(source)).code).toBe(0);
      const sentBytes = bytesOfBodies(recorder);
      expect(sentBytes).toBeGreaterThan(100_000);
      recorder.forget();
      await clients.docker.tag(source, target);
      const { code, output } = await clients.docker.push(target);
      expect([code, output]).toEqual([0, expect.stringContaining(`Mounted from ${project}/source`)]);
      const mounts = recorder.requests.filter((request) => request.method === 'POST' && request.path.includes('mount='));
      expect(mounts.length).toBeGreaterThan(0);
      expect(mounts.map((request) => request.status)).toEqual(mounts.map(() => 201));
      expect(layerBytes(recorder)).toBeLessThan(5_000); // the config travels; the layer does not
    } finally {
      await recorder.stop();
    }
  });

  test('skopeo mounts too when it copies between repositories of one registry', async () => {
    const image = await pushed(`${project}/from`, '1', randomImage({ layers: 3, size: 200_000 }));
    const recorder = await startRecorder(haven.url);
    try {
      await clients.skopeo.login(recorder.host, ann.user, ann.password);
      await clients.skopeo.pull(`${recorder.host}/${project}/from:1`, clients.file('seen')); // it mounts what it has seen before
      recorder.forget();
      const { output, digest } = await clients.skopeo.copy(`${recorder.host}/${project}/from:1`, `${recorder.host}/${other}/to:1`);
      expect([output, digest]).toEqual(['', image.digest]);
      expect(layerBytes(recorder)).toBeLessThan(5_000);
    } finally {
      await recorder.stop();
    }
  });

  test('skopeo deletes an image; nobody can pull it, its neighbour stays', async () => {
    const repository = `${project}/goes`;
    const gone = await pushed(repository, 'gone');
    const stays = await pushed(repository, 'stays');
    const { output, code } = await clients.skopeo.delete(`${haven.host}/${repository}:gone`);
    expect([code, output]).toEqual([0, '']);
    const answer = await oci.getManifest(repository, gone.digest);
    expect(answer.status).toBe(404);
    for (const client of [clients.docker, clients.podman, clients.buildah, clients.ctr]) {
      const pulled = await client.pull(`${haven.host}/${repository}:gone`);
      expect(pulled.code).not.toBe(0);
      expect(pulled.output).toMatch(/not found|manifest unknown|404/i);
    }
    const kept = await clients.skopeo.pull(`${haven.host}/${repository}:stays`, clients.file('kept'));
    expect(kept.digest).toBe(stays.digest);
  });

  test('the REST API deletes an artifact; the pull that follows fails', async () => {
    const repository = `${project}/deep/er`;
    const image = await pushed(repository, '1');
    await haven.admin.deleteArtifact(project, 'deep/er', image.digest);
    const pulled = await clients.skopeo.pull(`${haven.host}/${repository}:1`, clients.file('deleted'));
    expect([pulled.code, pulled.output]).toEqual([1, expect.stringMatching(/manifest unknown|not found/i)]);
    const again = await pushed(repository, '1', image);
    expect(again.digest).toBe(image.digest);
  });

  test('a moved tag gives the new image to every client at once', async () => {
    const repository = `${project}/moves`;
    await pushed(repository, 'latest');
    const second = await pushed(repository, 'latest', randomImage({ layers: 1, size: 10_000 }));
    const raw = await clients.skopeo.raw(`${haven.host}/${repository}:latest`);
    expect(raw.text).toBe(second.bytes.toString());
  });

  async function importSmallImage(reference) {
    const folder = clients.file('small');
    mkdirSync(folder);
    writeFileSync(`${folder}/noise`, randomBytes(150_000));
    writeFileSync(`${folder}/Dockerfile`, 'FROM scratch\nCOPY noise /noise\nCMD ["/noise"]\n');
    await clients.docker.runWell(['build', '--quiet', '--tag', reference, folder]);
  }

  function bytesOfBodies(recorder) {
    return recorder.requests.reduce((sum, request) => sum + request.bytes, 0);
  }

  /** Bytes that went into blob uploads. */
  function layerBytes(recorder) {
    return recorder.requests.filter((request) => request.path.includes('/blobs/uploads/')).reduce((sum, request) => sum + request.bytes, 0);
  }
});
