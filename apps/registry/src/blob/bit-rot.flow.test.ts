import { randomBytes } from 'node:crypto';
import { open, truncate } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { digestOf, OCI_IMAGE_MANIFEST, type Digest } from '@haven/oci';
import { errorCode, TestClient } from '../testing/test-client.js';

const SIZE = 3_000_000;

let client: TestClient;
beforeAll(async () => { client = await TestClient.start(); });
afterAll(() => client.stop());

function fileOf(digest: Digest): string {
  return client.registry.storage.localFile(digest) ?? '';
}

async function overwrite(digest: Digest, bytes: Buffer): Promise<void> {
  const file = await open(fileOf(digest), 'w');
  await file.writeFile(bytes);
  await file.close();
}

interface Reading {
  readonly status: number | undefined;
  readonly bytes: Buffer;
  /** Whether the answer came to its end, with as many bytes as it announced. */
  readonly whole: boolean;
}

/** Reads over a connection that is used again, as proxies do. */
function read(path: string, agent: Agent): Promise<Reading> {
  return new Promise((resolve) => {
    const asking = request(`${client.registry.url}${path}`, { agent, headers: { authorization: `Bearer ${client.developer}` } }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk)).on('error', () => undefined);
      response.on('close', () => resolve({ status: response.statusCode, bytes: Buffer.concat(chunks), whole: response.complete }));
    });
    asking.on('error', () => resolve({ status: undefined, bytes: Buffer.alloc(0), whole: false }));
    asking.end();
  });
}

describe('J-08: a blob whose file', () => {
  test.each([
    ['lost its end', (bytes: Buffer) => bytes.subarray(0, SIZE - 1)], ['lost most of it', (bytes: Buffer) => bytes.subarray(0, 10)], ['is empty', () => Buffer.alloc(0)],
    ['grew by a byte', (bytes: Buffer) => Buffer.concat([bytes, Buffer.from('x')])], ['is that of a larger one', () => randomBytes(2 * SIZE)],
  ])('%s is never served as if it were whole, nor does it spoil the next answer', async (_name, damage) => {
    const content = randomBytes(SIZE);
    const [digest, other] = [await client.pushBlob(content), await client.pushBlob(Buffer.from('sound'))];
    await overwrite(digest, damage(content));
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    try {
      const damaged = await read(`/v2/alpha/app/blobs/${digest}`, agent);
      expect(damaged.whole && damaged.status === 200).toBe(false);
      expect(damaged.bytes.length).toBeLessThan(SIZE);
      const next = await read(`/v2/alpha/app/blobs/${other}`, agent);
      expect([next.status, next.bytes.toString(), next.whole]).toEqual([200, 'sound', true]);
    } finally {
      agent.destroy();
    }
    expect(client.registry.logger.lines).toContainEqual(expect.objectContaining({ level: 'error', fields: expect.objectContaining({ path: `/v2/alpha/app/blobs/${digest}` }) }));
  });

  test('is shorter than a range that is asked for answers with an error', async () => {
    const digest = await client.pushBlob(randomBytes(SIZE));
    await truncate(fileOf(digest), 1000);
    const response = await client.call('GET', `/v2/alpha/app/blobs/${digest}`, { headers: { range: 'bytes=900-1100' } });
    expect([response.status, await errorCode(response)]).toEqual([500, 'UNKNOWN']);
  });

  test('is the config of an image keeps that image from being accepted', async () => {
    const config = Buffer.from(JSON.stringify({ architecture: 'amd64', os: 'linux', config: {}, rootfs: { type: 'layers', diff_ids: [] } }));
    const descriptor = { mediaType: 'application/vnd.oci.image.config.v1+json', digest: await client.pushBlob(config), size: config.length };
    const { bytes } = await client.pushImage('sound', { config: descriptor });
    await overwrite(descriptor.digest, Buffer.from(config.toString().replace('amd64', 'arm64')));
    const response = await client.call('PUT', '/v2/alpha/app/manifests/again', { body: bytes, headers: { 'content-type': OCI_IMAGE_MANIFEST } });
    expect([response.status, await errorCode(response)]).toEqual([500, 'UNKNOWN']);
    expect((await client.call('GET', '/v2/alpha/app/manifests/again')).status).toBe(404);
    await client.pushBlob(config);
    expect((await client.call('PUT', '/v2/alpha/app/manifests/again', { body: bytes, headers: { 'content-type': OCI_IMAGE_MANIFEST } })).status).toBe(201);
  });

  test('changed places with that of a manifest opens nothing: what is served is what was asked for, or nothing', async () => {
    const { digest, bytes } = await client.pushImage('swapped', { annotations: { swapped: 'yes' } });
    const layer = await client.pushBlob(Buffer.alloc(bytes.length, 'x'));
    await overwrite(digest, Buffer.alloc(bytes.length, 'x'));
    await overwrite(layer, bytes);
    const response = await client.call('GET', '/v2/alpha/app/manifests/swapped');
    expect([response.status, await errorCode(response)]).toEqual([500, 'UNKNOWN']);
    // Bytes of blobs are compared with their digests by whoever pulls, and by the reconciler, which reads them all.
    const served = Buffer.from(await (await client.call('GET', `/v2/alpha/app/blobs/${layer}`)).arrayBuffer());
    expect(digestOf(served)).not.toBe(layer);
  });
});
