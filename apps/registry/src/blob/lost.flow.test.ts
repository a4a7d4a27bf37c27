import { randomBytes } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { loseBlob } from '@haven/catalog';
import { digestOf, OCI_IMAGE_MANIFEST, type Digest } from '@haven/oci';
import { errorCode, TestClient } from '../testing/test-client.js';
import type { Replica } from '../testing/test-registry.js';

let client: TestClient;
let replica: Replica;
beforeAll(async () => {
  client = await TestClient.start();
  replica = await client.registry.replica();
});
afterAll(async () => {
  await replica.stop();
  await client.stop();
});

const fileOf = (digest: Digest): string => client.registry.storage.localFile(digest) ?? '';

const damages: readonly (readonly [string, (digest: Digest, bytes: Buffer) => Promise<void>])[] = [
  ['missing', (digest) => rm(fileOf(digest))],
  ['too short', (digest, bytes) => writeFile(fileOf(digest), bytes.subarray(1))],
  ['others of the same size', (digest, bytes) => writeFile(fileOf(digest), randomBytes(bytes.length))],
];

/** What the job service does with what its comparison of storage with the catalog finds: it marks it, and tells everybody. */
async function compare(digest: Digest): Promise<void> {
  const { database, storage, broadcasts } = client.registry;
  const seen = await storage.stat(digest);
  const [row] = await database.query<{ created_at: string }>('SELECT created_at::text FROM blob WHERE digest = $1', [digest]);
  expect(await database.transaction((transaction) => loseBlob(transaction, { digest, createdAt: row?.created_at ?? '' }, async () => (await storage.stat(digest))?.version === seen?.version))).toBe(true);
  broadcasts.publish('blobs-lost', {});
}

const head = async (path: string, url = client.registry.url): Promise<number> => (await fetch(`${url}${path}`, { method: 'HEAD', headers: { authorization: `Bearer ${client.developer}` } })).status;

const body = async (path: string): Promise<Buffer> => Buffer.from(await (await client.call('GET', path)).arrayBuffer());

describe.each(damages)('a blob whose bytes are %s', (_what, damage) => {
  test('is unknown once that was found, so that clients send it again, and then everything works as before', async () => {
    const layer = randomBytes(200_000);
    const digest = await client.pushBlob(layer);
    const descriptor = { mediaType: 'application/vnd.oci.image.layer.v1.tar', digest, size: layer.length };
    const image = await client.pushImage('app', { layers: [descriptor], annotations: { layer: digest } });
    const path = `/v2/alpha/app/blobs/${digest}`;
    await damage(digest, layer);
    // Both replicas remember it from here on.
    expect([await head(path), await head(path, replica.url)]).toEqual([200, 200]);
    await compare(digest);
    expect([await head(path), await head(path, replica.url)]).toEqual([404, 404]);
    const missing = await client.call('GET', path);
    expect([missing.status, await errorCode(missing)]).toEqual([404, 'BLOB_UNKNOWN']);
    expect((await client.call('POST', `/v2/alpha/other/blobs/uploads/?mount=${digest}&from=alpha/app`)).status).toBe(202);
    const refused = await client.call('PUT', '/v2/alpha/app/manifests/again', { body: image.bytes, headers: { 'content-type': OCI_IMAGE_MANIFEST } });
    expect([refused.status, await errorCode(refused)]).toEqual([404, 'MANIFEST_BLOB_UNKNOWN']);
    expect(await head('/v2/alpha/app/manifests/app')).toBe(200);
    await client.pushBlob(layer);
    expect([await head(path), await head(path, replica.url)]).toEqual([200, 200]);
    expect((await body(path)).equals(layer)).toBe(true);
    expect((await client.call('PUT', '/v2/alpha/app/manifests/again', { body: image.bytes, headers: { 'content-type': OCI_IMAGE_MANIFEST } })).status).toBe(201);
  });

  test('is healed by a push into another repository, too, streamed in pieces', async () => {
    const layer = randomBytes(900_000);
    const digest = await client.pushBlob(layer);
    await damage(digest, layer);
    await compare(digest);
    let location = await client.startUpload('alpha/other');
    for (const [from, to] of [[0, 500_000], [500_000, 900_000]] as const) {
      const answer = await client.call('PATCH', location, { body: layer.subarray(from, to), headers: { 'content-range': `${from}-${to - 1}` } });
      expect(answer.status).toBe(202);
      location = answer.headers.get('location') ?? '';
    }
    expect((await client.call('PUT', `${location}?digest=${digest}`)).status).toBe(201);
    expect((await body(`/v2/alpha/app/blobs/${digest}`)).equals(layer)).toBe(true);
  });

  test('is a manifest: it is unknown, by tag and digest, until it is put again', async () => {
    const name = `lost-${randomBytes(4).toString('hex')}`;
    const { digest, bytes } = await client.pushImage(name, { annotations: { name } });
    const paths = [`/v2/alpha/app/manifests/${name}`, `/v2/alpha/app/manifests/${digest}`];
    await damage(digest, bytes);
    await compare(digest);
    for (const path of paths) {
      expect([await head(path), await head(path, replica.url)]).toEqual([404, 404]);
      expect(await errorCode(await client.call('GET', path))).toBe('MANIFEST_UNKNOWN');
    }
    expect((await client.call('PUT', `/v2/alpha/app/manifests/${digest}`, { body: bytes, headers: { 'content-type': OCI_IMAGE_MANIFEST } })).status).toBe(201);
    for (const path of paths) {
      expect([await head(path), await head(path, replica.url)]).toEqual([200, 200]);
      expect((await body(path)).equals(bytes)).toBe(true);
    }
    expect(digestOf(await client.registry.storage.readAll(digest, 10_000))).toBe(digest);
  });
});

test('a push heals bytes that nobody has found to be wrong yet', async () => {
  const layer = randomBytes(300_000);
  const digest = await client.pushBlob(layer);
  await writeFile(fileOf(digest), randomBytes(layer.length));
  await client.pushBlob(layer, 'alpha/other');
  expect((await body(`/v2/alpha/app/blobs/${digest}`)).equals(layer)).toBe(true);
});
