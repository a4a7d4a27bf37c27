import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { digestOf, OCI_IMAGE_INDEX, OCI_IMAGE_MANIFEST } from '@haven/oci';
import { errorCode, TestClient } from '../testing/test-client.js';

const MIB = 1024 * 1024;

let client: TestClient;

beforeAll(async () => {
  client = await TestClient.start();
  await client.registry.database.execute('INSERT INTO immutability_rule (project_id, rule) VALUES (1, $1)', [JSON.stringify({
    action: 'immutable', template: 'immutable_template', tag_selectors: [{ kind: 'doublestar', decoration: 'matches', pattern: 'v*' }],
    scope_selectors: { repository: [{ kind: 'doublestar', decoration: 'repoMatches', pattern: 'app' }] },
  })]);
});
afterAll(() => client.stop());

async function answer(response: Response): Promise<object> {
  const { errors } = (await response.json()) as { errors: { code: string; message: string }[] };
  return { status: response.status, code: errors[0]?.code, message: errors[0]?.message };
}

const put = (bytes: Buffer, reference: string, repository = 'alpha/app'): Promise<Response> =>
  client.call('PUT', `/v2/${repository}/manifests/${reference}`, { body: bytes, headers: { 'content-type': OCI_IMAGE_MANIFEST } });

test('F-02: an immutable tag is made once and neither moved, nor pushed again, nor deleted', async () => {
  const first = await client.pushImage('v1');
  const other = await client.pushImage('latest', { annotations: { other: 'yes' } });
  const refused = { status: 412, code: 'PRECONDITION', message: "Failed to process request due to 'app:v1' configured as immutable." };
  expect(await answer(await put(other.bytes, 'v1'))).toEqual(refused);
  expect(await answer(await put(first.bytes, 'v1'))).toEqual(refused);
  const undeletable = { status: 412, code: 'PRECONDITION', message: 'the tag v1 configured as immutable, cannot be deleted.' };
  expect(await answer(await client.call('DELETE', '/v2/alpha/app/manifests/v1'))).toEqual(undeletable);
  expect(await answer(await client.call('DELETE', `/v2/alpha/app/manifests/${first.digest}`))).toEqual(undeletable);
  const head = await client.call('HEAD', '/v2/alpha/app/manifests/v1');
  expect(head.headers.get('docker-content-digest')).toBe(first.digest);
});

test('other tags, other repositories and pushes by digest are free', async () => {
  const image = await client.pushImage('v2');
  expect((await put(image.bytes, image.digest)).status).toBe(201);
  expect((await put(image.bytes, 'latest')).status).toBe(201);
  expect((await client.call('DELETE', '/v2/alpha/app/manifests/latest')).status).toBe(202);
  await client.pushImage('v2', {}, 'alpha/other');
  await client.pushImage('v2', { annotations: { other: 'yes' } }, 'alpha/other');
});

test('F-16: a push fails when the rules mean nothing', async () => {
  const image = await client.pushImage('stable');
  const [rule] = await client.registry.database.query<{ id: number }>(`INSERT INTO immutability_rule (project_id, rule) VALUES (1, '{"scope_selectors": 5}') RETURNING id`);
  expect((await put(image.bytes, 'stable')).status).toBe(500);
  await client.registry.database.execute('UPDATE immutability_rule SET disabled = true WHERE id = $1', [rule?.id]);
  expect((await put(image.bytes, 'stable')).status).toBe(201);
});

test('F-02: what an immutable tag names keeps its blobs and its children', async () => {
  const child = await client.pushImage('child', { annotations: { child: 'yes' } });
  const index = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: OCI_IMAGE_INDEX, manifests: [{ mediaType: OCI_IMAGE_MANIFEST, digest: child.digest, size: child.bytes.length }] }));
  expect((await client.call('PUT', '/v2/alpha/app/manifests/v3', { body: index, headers: { 'content-type': OCI_IMAGE_INDEX } })).status).toBe(201);
  for (const path of [`blobs/${digestOf(Buffer.from('layer'))}`, `blobs/${child.digest}`, `blobs/${digestOf(index)}`, `manifests/${child.digest}`]) {
    expect([path, (await client.call('DELETE', `/v2/alpha/app/${path}`)).status]).toEqual([path, 412]);
  }
  for (const path of [`blobs/${digestOf(Buffer.from('layer'))}`, `manifests/${child.digest}`, 'manifests/v3']) expect([path, (await client.call('HEAD', `/v2/alpha/app/${path}`)).status]).toEqual([path, 200]);
});

describe('F-04: under a rule for every tag', () => {
  let kept: { readonly digest: string; readonly bytes: Buffer };
  let other: { readonly digest: string; readonly bytes: Buffer };

  beforeAll(async () => {
    kept = await client.pushImage('latest', {}, 'alpha/other');
    await client.pushImage('Latest', {}, 'alpha/other');
    other = await client.pushImage('1', { annotations: { other: 'yes' } }, 'alpha/other');
    await client.registry.database.execute('INSERT INTO immutability_rule (project_id, rule) VALUES (1, $1)', [JSON.stringify({
      action: 'immutable', template: 'immutable_template', tag_selectors: [{ kind: 'doublestar', decoration: 'matches', pattern: '**' }],
      scope_selectors: { repository: [{ kind: 'doublestar', decoration: 'repoMatches', pattern: 'other' }] },
    })]);
  });

  const named = async (tag: string): Promise<string | null> => (await client.call('HEAD', `/v2/alpha/other/manifests/${tag}`)).headers.get('docker-content-digest');

  test.each(['latest', 'Latest', '1'])('no tag is an exception: %s is neither moved nor pushed again nor deleted', async (tag) => {
    const before = await named(tag);
    for (const { bytes } of [kept, other]) expect((await put(bytes, tag, 'alpha/other')).status).toBe(412);
    expect((await put(other.bytes, `${other.digest}?tag=${tag}`, 'alpha/other')).status).toBe(412);
    expect((await client.call('DELETE', `/v2/alpha/other/manifests/${tag}`)).status).toBe(412);
    expect(await named(tag)).toBe(before);
  });

  test('a push that names a new tag beside it makes neither', async () => {
    expect((await put(other.bytes, `${other.digest}?tag=new&tag=latest`, 'alpha/other')).status).toBe(412);
    expect([await named('new'), await named('latest')]).toEqual([null, kept.digest]);
  });

  test('no tag at all is no way around it, and a push by digest moves nothing', async () => {
    expect([400, 404]).toContain((await put(other.bytes, '', 'alpha/other')).status);
    expect((await put(kept.bytes, kept.digest, 'alpha/other')).status).toBe(201);
    expect((await put(other.bytes, 'latest ', 'alpha/other')).status).toBeGreaterThanOrEqual(400);
    expect([await named('latest'), await named('Latest'), await named('1')]).toEqual([kept.digest, kept.digest, other.digest]);
  });

  test.each([4 * MIB + 1, 50 * MIB])('F-14: a manifest of %i bytes is refused before anybody asks for the rules, announced or not', async (size) => {
    const bytes = Buffer.concat([other.bytes.subarray(0, -1), Buffer.from(`,"pad":"${'x'.repeat(size - other.bytes.length - 9)}"}`)]);
    expect(bytes).toHaveLength(size);
    const streamed = new Blob([new Uint8Array(bytes)]).stream();
    for (const body of [bytes, streamed]) {
      const response = await client.call('PUT', '/v2/alpha/other/manifests/latest', { body, headers: { 'content-type': OCI_IMAGE_MANIFEST } });
      expect([response.status, await errorCode(response)]).toEqual([413, 'REQUEST_ENTITY_TOO_LARGE']);
    }
    expect(await named('latest')).toBe(kept.digest);
  });
});
