import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { OCI_IMAGE_MANIFEST } from '@haven/oci';
import { TestClient } from '../testing/test-client.js';

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

test('an immutable tag is made once and neither moved, nor pushed again, nor deleted', async () => {
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

test('a push fails when the rules cannot be read', async () => {
  const image = await client.pushImage('stable');
  const [rule] = await client.registry.database.query<{ id: number }>(`INSERT INTO immutability_rule (project_id, rule) VALUES (1, '{"scope_selectors": 5}') RETURNING id`);
  expect((await put(image.bytes, 'stable')).status).toBe(500);
  await client.registry.database.execute('UPDATE immutability_rule SET disabled = true WHERE id = $1', [rule?.id]);
  expect((await put(image.bytes, 'stable')).status).toBe(201);
});
