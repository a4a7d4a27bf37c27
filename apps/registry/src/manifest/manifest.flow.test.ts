import { request as httpRequest } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { digestOf, OCI_IMAGE_INDEX, OCI_IMAGE_MANIFEST } from '@haven/oci';
import { errorCode, TestClient } from '../testing/test-client.js';

let client: TestClient;

beforeAll(async () => {
  client = await TestClient.start();
});
afterAll(() => client.stop());

describe('a manifest', () => {
  test('J-04: comes back byte for byte, by tag and by digest', async () => {
    const { digest, bytes } = await client.pushImage('v1', { odd: '\u0041', spacing: [1, 2] });
    for (const reference of ['v1', digest]) {
      const response = await client.call('GET', `/v2/alpha/app/manifests/${reference}`);
      expect(response.headers.get('content-type')).toBe(OCI_IMAGE_MANIFEST);
      expect(response.headers.get('docker-content-digest')).toBe(digest);
      expect(Buffer.from(await response.arrayBuffer()).equals(bytes)).toBe(true);
    }
    const known = await client.call('GET', '/v2/alpha/app/manifests/v1', { headers: { 'if-none-match': `"${digest}"` } });
    expect(known.status).toBe(304);
  });

  test('is what its tag names at once after the tag moved', async () => {
    await client.pushImage('moving', { annotations: { n: '0' } });
    for (let n = 1; n < 20; n += 1) {
      const [, { digest }] = await Promise.all([client.call('GET', '/v2/alpha/app/manifests/moving'), client.pushImage('moving', { annotations: { n: String(n) } })]);
      expect((await client.call('HEAD', '/v2/alpha/app/manifests/moving')).headers.get('docker-content-digest')).toBe(digest);
    }
  });

  test('pushed by digest takes tags as parameters', async () => {
    const { digest, bytes } = await client.pushImage('first');
    const response = await client.call('PUT', `/v2/alpha/app/manifests/${digest}?tag=second&tag=third`, { body: bytes, headers: { 'content-type': OCI_IMAGE_MANIFEST } });
    expect([response.status, response.headers.get('oci-tag')]).toEqual([201, 'second, third']);
    expect((await client.call('HEAD', '/v2/alpha/app/manifests/third')).headers.get('docker-content-digest')).toBe(digest);
    expect((await client.call('PUT', `/v2/alpha/app/manifests/${digest}?tag=.bad`, { body: bytes, headers: { 'content-type': OCI_IMAGE_MANIFEST } })).status).toBe(400);
  });

  test.each([
    ['not JSON', 'hello', OCI_IMAGE_MANIFEST, 400, 'MANIFEST_INVALID'],
    ['a key twice', '{"schemaVersion":2,"config":{},"config":{}}', OCI_IMAGE_MANIFEST, 400, 'MANIFEST_INVALID'],
    ['contradictory types', JSON.stringify({ schemaVersion: 2, mediaType: OCI_IMAGE_INDEX, manifests: [] }), OCI_IMAGE_MANIFEST, 400, 'MANIFEST_INVALID'],
    ['Docker schema 1', '{"schemaVersion":1}', 'application/vnd.docker.distribution.manifest.v1+json', 415, 'UNSUPPORTED'],
  ])('with %s is refused', async (_what, body, type, status, code) => {
    const response = await client.call('PUT', '/v2/alpha/app/manifests/bad', { body, headers: { 'content-type': type } });
    expect([response.status, await errorCode(response)]).toEqual([status, code]);
    expect((await client.call('HEAD', '/v2/alpha/app/manifests/bad')).status).toBe(404);
  });

  test('that names missing blobs is refused, naming them', async () => {
    const absent = digestOf(Buffer.from('never pushed'));
    const body = JSON.stringify({ schemaVersion: 2, mediaType: OCI_IMAGE_MANIFEST, config: { mediaType: 'a/b', digest: absent, size: 12 }, layers: [] });
    const response = await client.call('PUT', '/v2/alpha/app/manifests/missing', { body, headers: { 'content-type': OCI_IMAGE_MANIFEST } });
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({ errors: [{ code: 'MANIFEST_BLOB_UNKNOWN', detail: { digests: [absent] } }] });
  });

  test('that may be sparse is taken with a warning', async () => {
    const absent = digestOf(Buffer.from('kept elsewhere'));
    const body = JSON.stringify({ schemaVersion: 2, mediaType: OCI_IMAGE_INDEX, manifests: [{ mediaType: OCI_IMAGE_MANIFEST, digest: absent, size: 14 }] });
    await client.registry.database.execute(`UPDATE project SET metadata = '{"allow_sparse_manifests": "true"}' WHERE id = 1`);
    const response = await client.call('PUT', '/v2/alpha/app/manifests/sparse', { body, headers: { 'content-type': OCI_IMAGE_INDEX } });
    await client.registry.database.execute(`UPDATE project SET metadata = '{}' WHERE id = 1`);
    expect([response.status, response.headers.get('warning')]).toEqual([201, `299 - "alpha/app does not hold everything that this manifest names, such as ${absent}"`]);
    expect((await client.call('GET', `/v2/alpha/app/manifests/${absent}`)).status).toBe(404);
  });

  test('F-14, M-03: above 4 MiB is refused, announced or not', async () => {
    const size = 4 * 1024 * 1024 + 1;
    expect(await statusOfPut('/v2/alpha/app/manifests/huge', { 'content-length': String(size) }, 0)).toBe(413);
    expect(await statusOfPut('/v2/alpha/app/manifests/huge', { 'transfer-encoding': 'chunked' }, size)).toBe(413);
    expect((await client.call('HEAD', '/v2/alpha/app/manifests/huge')).status).toBe(404);
  });

  test('J-05: with as many layers as it can hold is answered soon, in no more bytes than were sent', async () => {
    const named = (digest: string, size: number): object => ({ mediaType: 'a/b', digest, size });
    const layer = named(await client.pushBlob(Buffer.from('layer')), 5);
    const made = (layers: readonly object[]): string => JSON.stringify({ schemaVersion: 2, mediaType: OCI_IMAGE_MANIFEST, config: layer, layers });
    const absent = Array.from({ length: 35_000 }, (_, index) => named(digestOf(Buffer.from(String(index))), 5));
    for (const [layers, statuses] of [[Array.from({ length: 35_000 }, () => layer), [201]], [absent, [404]], [Array.from({ length: 100_000 }, () => layer), [413]]] as const) {
      const body = made(layers);
      const before = performance.now();
      const response = await client.call('PUT', '/v2/alpha/app/manifests/many', { body, headers: { 'content-type': OCI_IMAGE_MANIFEST } });
      expect([statuses, (await response.text()).length < body.length]).toEqual([[response.status], true]);
      expect(performance.now() - before).toBeLessThan(15_000);
    }
  });

  test('with a subject is listed as its referrer', async () => {
    const { digest: subject } = await client.pushImage('signed');
    const { digest } = await client.pushImage('signature', { subject: { mediaType: OCI_IMAGE_MANIFEST, digest: subject, size: 1 }, artifactType: 'application/x.sign' });
    const response = await client.call('GET', `/v2/alpha/app/referrers/${subject}?artifactType=application/x.sign`);
    expect(response.headers.get('oci-filters-applied')).toBe('artifactType');
    expect(response.headers.get('content-type')).toBe(OCI_IMAGE_INDEX);
    expect(await response.json()).toMatchObject({ manifests: [{ digest, artifactType: 'application/x.sign' }] });
    expect(await (await client.call('GET', `/v2/alpha/other/referrers/${subject}`)).json()).toMatchObject({ manifests: [] });
  });

  test('is gone at once when deleted, by tag and by digest', async () => {
    const { digest } = await client.pushImage('gone');
    expect((await client.call('DELETE', '/v2/alpha/app/manifests/gone')).status).toBe(202);
    expect((await client.call('HEAD', '/v2/alpha/app/manifests/gone')).status).toBe(404);
    expect((await client.call('HEAD', `/v2/alpha/app/manifests/${digest}`)).status).toBe(200);
    expect((await client.call('DELETE', `/v2/alpha/app/manifests/${digest}`)).status).toBe(202);
    expect((await client.call('HEAD', `/v2/alpha/app/manifests/${digest}`)).status).toBe(404);
  });

  test('J-08: that rotted in storage is not served', async () => {
    const { digest } = await client.pushImage('rotten', { annotations: { rot: 'yes' } });
    await client.registry.storage.delete(digest);
    await client.registry.storage.put(digest, Buffer.from('something else'));
    const response = await client.call('GET', '/v2/alpha/app/manifests/rotten');
    expect([response.status, await errorCode(response)]).toEqual([500, 'UNKNOWN']);
  });
});

/** The answer to a PUT of `bytes` zeros that is read while the body is still being sent. */
function statusOfPut(path: string, headers: Record<string, string>, bytes: number): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const sending = httpRequest(`${client.registry.url}${path}`, { method: 'PUT', headers: { authorization: `Bearer ${client.developer}`, 'content-type': OCI_IMAGE_MANIFEST, ...headers } });
    sending.on('response', (response) => {
      resolve(response.statusCode);
      sending.destroy();
    });
    sending.on('error', reject);
    sending.write(Buffer.alloc(bytes));
    sending.flushHeaders();
  });
}
