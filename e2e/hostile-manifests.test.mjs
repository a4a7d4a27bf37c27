import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { request } from 'node:http';
import { Haven } from './haven.mjs';
import { blobOf, descriptor, digestOf, imageOf, indexOf, MEDIA, randomBlob, randomImage } from './image/synthetic.mjs';
import { drained, errorCodes, expectStatus } from './registry/oci-client.mjs';
import { rawRequest, sendRaw } from './registry/raw-http.mjs';

const MIB = 1024 * 1024;

describe('hostile manifests', () => {
  let haven, oci, project, repository, image, config, layer;

  beforeAll(async () => {
    haven = await Haven.start();
    const dave = await haven.user('dave');
    project = await haven.project({ members: { dave: 'developer' } });
    repository = `${project}/app`;
    oci = haven.oci(dave);
    image = randomImage({ layers: 1, size: 1_000 });
    await oci.pushImage(repository, 'good', image);
    config = descriptor(image.config, MEDIA.config);
    layer = descriptor(image.layers[0], MEDIA.layer);
  }, 180_000);

  afterAll(async () => {
    await haven?.stop();
  }, 60_000);

  const put = (content, { tag = 'bad', mediaType = MEDIA.image } = {}) => oci.putManifest(repository, tag, { bytes: Buffer.from(content) }, { mediaType });
  const manifest = (fields) => JSON.stringify({ schemaVersion: 2, mediaType: MEDIA.image, config, layers: [layer], ...fields });

  /** Status, codes, whether the answer tells about the inside, and whether something came into being. */
  async function outcome(response) {
    const tells = /( at .*\.(?:js|ts)|\/home\/|\/tmp\/|node_modules|SELECT|constraint)/.exec(response.bodyText)?.[1];
    return [response.status, errorCodes(response), tells, (await oci.head(repository, 'manifests', 'bad')).status];
  }

  const refused = (status, code) => [status, [code], undefined, 404];
  const INVALID = refused(400, 'MANIFEST_INVALID');

  test.each([
    ['no JSON', 'this is no JSON'],
    ['nothing', ''],
    ['an array', '[]'],
    ['null', 'null'],
    ['a number', '5'],
    ['JSON with something after it', `{"schemaVersion":2} x`],
    ['no UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d])],
    ['a binary file', randomBytes(2_000)],
    ['JSON cut short', '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.mani'],
  ])('%s is refused', async (_, content) => {
    expect(await outcome(await put(content))).toEqual(INVALID);
  });

  test('a key that occurs twice is refused: two readers could read two images', async () => {
    const content = manifest({}).replace('"schemaVersion":2', `"schemaVersion":2,"layers":[]`);
    expect(await outcome(await put(content))).toEqual(INVALID);
    const deep = manifest({}).replace('"size":', '"size":1,"size":');
    expect(await outcome(await put(deep))).toEqual(INVALID);
    const escaped = manifest({}).replace('"layers"', '"l\\u0061yers":[],"layers"');
    expect(await outcome(await put(escaped))).toEqual(INVALID);
  });

  test('media types that contradict each other are refused', async () => {
    expect(await outcome(await put(manifest({}), { mediaType: MEDIA.index }))).toEqual(INVALID);
    expect(await outcome(await put(manifest({ mediaType: MEDIA.index }), { mediaType: MEDIA.image }))).toEqual(INVALID);
    const both = manifest({ manifests: [descriptor(image, MEDIA.image)] });
    expect(await outcome(await put(both))).toEqual(INVALID);
  });

  test.each([
    ['a negative size', { layers: [{ size: -1 }] }],
    ['a fraction as size', { layers: [{ size: 1.5 }] }],
    ['an absurd size', { layers: [{ size: 1e18 }] }],
    ['a text as size', { layers: [{ size: '1000' }] }],
    ['no digest', { layers: [{ digest: undefined }] }],
    ['a digest that is none', { layers: [{ digest: 'sha256:nothing' }] }],
    ['a digest with a path', { layers: [{ digest: 'sha256:../../../../etc/passwd' }] }],
    ['a number as digest', { layers: [{ digest: 5 }] }],
    ['layers that are no list', { layers: {} }],
    ['a layer that is no object', { layers: ['layer'] }],
    ['no config', { config: undefined }],
    ['a config that is a list', { config: [] }],
    ['annotations that are no texts', { annotations: { a: 5 } }],
    ['a subject without a digest', { subject: { mediaType: MEDIA.image, size: 5 } }],
  ])('J-05: %s is refused', async (_, fields) => {
    const layers = Array.isArray(fields.layers) ? fields.layers.map((change) => (typeof change === 'object' ? { ...layer, ...change } : change)) : fields.layers;
    const response = await put(manifest({ ...fields, ...('layers' in fields ? { layers } : {}) }));
    expect([response.status, ['MANIFEST_INVALID', 'SIZE_INVALID', 'DIGEST_INVALID'].includes(errorCodes(response)[0])]).toEqual([400, true]);
    expect((await oci.head(repository, 'manifests', 'bad')).status).toBe(404);
  });

  test('J-05: a size that is not the stored blob\'s is refused', async () => {
    const response = await put(manifest({ layers: [{ ...layer, size: layer.size + 1 }] }));
    expect(response.status).toBe(400);
    expect(response.bodyText).toContain(layer.digest);
  });

  test('blobs that are missing are named, all of them', async () => {
    const missing = [randomBlob(10), randomBlob(20)];
    const response = await put(manifest({ layers: [layer, ...missing.map((blob) => descriptor(blob, MEDIA.layer))] }));
    expect(await outcome(response)).toEqual(refused(404, 'MANIFEST_BLOB_UNKNOWN'));
    for (const blob of missing) expect(response.bodyText).toContain(blob.digest);
    expect(response.bodyText).not.toContain(layer.digest);
  });

  test('an index whose child is missing is refused by name', async () => {
    const child = randomImage();
    const response = await oci.putManifest(repository, 'bad', indexOf([image, child]));
    expect(response.status).toBe(404);
    expect(response.bodyText).toContain(child.digest);
  });

  test('Docker schema 1 is refused with words that help', async () => {
    const content = JSON.stringify({ schemaVersion: 1, name: 'app', tag: 'bad', architecture: 'amd64', fsLayers: [], history: [], signatures: [] });
    for (const mediaType of ['application/vnd.docker.distribution.manifest.v1+json', 'application/vnd.docker.distribution.manifest.v1+prettyjws', 'application/json']) {
      const response = await put(content, { tag: 'schema1', mediaType });
      expect([400, 405, 415]).toContain(response.status);
      expect(response.bodyText).toMatch(/schema ?(?:version )?1/i);
    }
  });

  test('nesting without end is refused quickly', async () => {
    for (const content of [`${'['.repeat(200_000)}${']'.repeat(200_000)}`, `${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`]) {
      const started = Date.now();
      expect(await outcome(await put(content))).toEqual(INVALID);
      expect(Date.now() - started).toBeLessThan(1_500);
    }
  });

  describe('size', () => {
    const padded = (size) => {
      const base = Buffer.byteLength(manifest({ annotations: { a: '' } }));
      return manifest({ annotations: { a: 'x'.repeat(size - base) } });
    };

    test('F-14: exactly 4 MiB is taken', async () => {
      const content = padded(4 * MIB);
      expect(Buffer.byteLength(content)).toBe(4 * MIB);
      expectStatus(await put(content, { tag: 'large' }), 201, 'a manifest of 4 MiB');
      const back = Buffer.from(await (await oci.getManifest(repository, 'large')).arrayBuffer());
      expect(digestOf(back)).toBe(digestOf(Buffer.from(content)));
    });

    test('F-14, M-03: one byte more is answered 413, announced or not', async () => {
      const content = padded(4 * MIB + 1);
      const announced = await put(content);
      expect(announced.status).toBe(413);
      async function* stream() {
        yield Buffer.from(content);
      }
      const streamed = await drained(await oci.request('PUT', `/v2/${repository}/manifests/bad`, { headers: { 'content-type': MEDIA.image }, body: stream() }));
      expect(streamed.status).toBe(413);
      expect((await oci.head(repository, 'manifests', 'bad')).status).toBe(404);
    });

    test('F-14, M-03: an endless body is answered without being read to its end', async () => {
      const headers = { Host: haven.host, Authorization: `Bearer ${await oci.token(`repository:${repository}:pull,push`)}`, 'Content-Type': MEDIA.image, 'Transfer-Encoding': 'chunked' };
      // Past the largest manifest, and not past what is read and thrown away so that the answer is not lost: it never ends.
      const MORE_THAN_READ = 11;
      const piece = `100000\r\n${'x'.repeat(MIB)}\r\n`;
      const { answers, closed } = await sendRaw(haven.url, [rawRequest('PUT', `/v2/${repository}/manifests/bad`, headers), ...Array(MORE_THAN_READ).fill(piece)], { quietMs: 4_000 });
      expect(answers.map((answer) => answer.status)).toEqual([413]);
      expect(closed).toBe(true);
    });

    test('M-03: a hundred large manifests that do not end do not swell the processes while they last', async () => {
      const headers = { authorization: `Bearer ${await oci.token(`repository:${repository}:pull,push`)}`, 'content-type': MEDIA.image, 'transfer-encoding': 'chunked' };
      const most = Buffer.alloc(4 * MIB - 1, ' ');
      const before = haven.residentMiB();
      const statuses = [];
      const open = Array.from({ length: 100 }, () => {
        const sending = request(`${haven.url}/v2/${repository}/manifests/bad`, { method: 'PUT', agent: false, headers });
        sending.on('response', (response) => statuses.push(response.resume().statusCode)).on('error', () => undefined);
        sending.write(most);
        return sending;
      });
      // One account has room for four that large.
      for (const deadline = Date.now() + 60_000; statuses.length < 96 && Date.now() < deadline;) await new Promise((resolve) => { setTimeout(resolve, 50); });
      const during = haven.residentMiB();
      expect(new Set(statuses)).toEqual(new Set([429]));
      expect(statuses.length).toBeGreaterThanOrEqual(96);
      for (const name of ['proxy', 'registry']) expect(during[name] - before[name]).toBeLessThan(150);
      expectStatus(await oci.head(repository, 'manifests', 'good'), 200, 'still there');
      for (const sending of open) sending.destroy();
    }, 90_000);

    test('M-19: a compressed body is refused', async () => {
      const response = await oci.putManifest(repository, 'bad', image, { headers: { 'content-type': MEDIA.image, 'content-encoding': 'gzip' } });
      expect(await outcome(response)).toEqual(refused(415, 'UNSUPPORTED'));
    });
  });

  describe('names', () => {
    test('J-02: a digest in the path that is not the content\'s is refused', async () => {
      const other = randomImage();
      const response = await oci.putManifest(repository, other.digest, image);
      expect([response.status, errorCodes(response)]).toEqual([400, ['DIGEST_INVALID']]);
    });

    test.each(['..', '.hidden', '-dash', 'a'.repeat(129), 'a+b', 'täg', 'a b', 'a%2fb', 'latest%00', 'sha256:zz'])('tag %j is refused', async (tag) => {
      const headers = { Host: haven.host, Authorization: `Bearer ${await oci.token(`repository:${repository}:pull,push`)}`, 'Content-Type': MEDIA.image, 'Content-Length': image.size };
      const target = `/v2/${repository}/manifests/${Buffer.from(tag).toString('latin1').replace(' ', '%20')}`;
      const { answers } = await sendRaw(haven.url, [rawRequest('PUT', target, headers), image.bytes]);
      expect([400, 404]).toContain(answers[0].status);
    });
  });

  describe('bytes', () => {
    test('J-04: odd but legal JSON comes back byte for byte', async () => {
      const odd = `\n{ "layers" :[ ],\t"config":${JSON.stringify(config)} ,"mediaType":"${MEDIA.image}","schemaVersion":2, "x":1e0, "big":9007199254740993, "u":"\\u00e9\\ud83d\\ude00" }\n\n`;
      expectStatus(await put(odd, { tag: 'odd' }), 201, 'odd manifest');
      const response = await oci.getManifest(repository, 'odd');
      expect(await response.text()).toBe(odd);
      expect(response.headers.get('docker-content-digest')).toBe(digestOf(Buffer.from(odd)));
    });

    test('J-07: an artifact of an unknown type is taken as it is', async () => {
      const data = randomBlob(300);
      const empty = blobOf('{}');
      for (const blob of [data, empty]) expectStatus(await oci.pushBlob(repository, blob), 201, 'blob');
      const content = JSON.stringify({
        schemaVersion: 2, mediaType: MEDIA.image, artifactType: 'application/vnd.nobody.knows', config: descriptor(empty, MEDIA.empty),
        layers: [descriptor(data, 'application/x-whatever')],
      });
      expect((await put(content, { tag: 'artifact' })).status).toBe(201);
    });

    test('J-07: an index that names blobs, as build caches do, is taken', async () => {
      const index = JSON.stringify({
        schemaVersion: 2, mediaType: MEDIA.index,
        manifests: [{ ...layer, mediaType: 'application/vnd.docker.image.rootfs.diff.tar.gzip' }, { ...config, mediaType: 'application/vnd.buildkit.cacheconfig.v0' }],
      });
      expect((await put(index, { tag: 'cache', mediaType: MEDIA.index })).status).toBe(201);
    });

    test('J-05: the same layer twice and a config that is also a layer are taken', async () => {
      const same = imageOf([image.layers[0], image.layers[0]]);
      expectStatus(await oci.pushBlob(repository, same.config), 201, 'config');
      expect((await oci.putManifest(repository, 'twice', same)).status).toBe(201);
      expect((await put(manifest({ layers: [{ ...config, mediaType: MEDIA.layer }] }), { tag: 'both' })).status).toBe(201);
    });
  });
});
