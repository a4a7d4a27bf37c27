import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { Catalog } from '@haven/catalog';
import { digestOf } from '@haven/oci';
import { FakeLogger } from '@haven/runtime';
import { TestClient } from '../testing/test-client.js';

const MIB = 1024 * 1024;
const LIMIT = 4 * MIB;

let client: TestClient;
let catalog: Catalog;

beforeAll(async () => {
  client = await TestClient.start();
  catalog = new Catalog(client.registry.database, new FakeLogger());
});
afterAll(() => client.stop());
beforeEach(() => limit(LIMIT));

/** Alpha may hold so many bytes more than it does. */
async function limit(room: number): Promise<void> {
  const { used } = await catalog.usage(1);
  await client.registry.database.execute('UPDATE project SET storage_limit = $1 WHERE id = 1', [used + room]);
}

async function refusal(response: Response): Promise<{ status: number; code: string; message: string }> {
  const { errors } = (await response.json()) as { errors: { code: string; message: string }[] };
  return { status: response.status, code: errors[0]?.code ?? '', message: errors[0]?.message ?? '' };
}

async function sessions(): Promise<number> {
  const [row] = await client.registry.database.query<{ count: string }>('SELECT count(*) FROM upload');
  return Number(row?.count);
}

/** A body of unknown length. */
function chunked(content: Buffer): ReadableStream {
  return new ReadableStream({
    start(controller) {
      for (let at = 0; at < content.length; at += 65_536) controller.enqueue(content.subarray(at, at + 65_536));
      controller.close();
    },
  });
}

describe('F-13: a project with a limit', () => {
  test('is charged for what it holds, once', async () => {
    const before = (await catalog.usage(1)).used;
    const content = randomBytes(MIB);
    await client.pushBlob(content);
    await client.pushBlob(content, 'alpha/other');
    expect((await catalog.usage(1)).used).toBe(before + MIB);
    expect(await catalog.recomputeUsage(1)).toBe(before + MIB);
  });

  test('refuses an announced blob before its bytes are taken', async () => {
    const before = await catalog.usage(1);
    const content = randomBytes(LIMIT + MIB / 2);
    for (const [method, suffix] of [['PATCH', ''], ['PUT', `?digest=${digestOf(content)}`]] as const) {
      const location = await client.startUpload();
      const refused = await refusal(await client.call(method, `${location}${suffix}`, { body: content }));
      expect([refused.status, refused.code]).toEqual([403, 'DENIED']);
      expect(refused.message).toMatch(/^Quota exceeded when processing the request of adding 4\.5 MiB of storage resource, which when updated to current usage of [\d.]+ (MiB|KiB|Byte) will exceed the configured upper limit of [\d.]+ (MiB|KiB)\.$/);
      const status = await client.call('GET', location);
      expect([status.status, status.headers.get('range')]).toEqual([204, '0-0']);
    }
    const whole = await client.call('POST', `/v2/alpha/app/blobs/uploads/?digest=${digestOf(content)}`, { body: content });
    expect(whole.status).toBe(403);
    expect(await client.registry.storage.stat(digestOf(content))).toBeUndefined();
    expect(await catalog.usage(1)).toEqual(before);
  });

  test('counts what a session received already', async () => {
    const location = await client.startUpload();
    expect((await client.call('PATCH', location, { body: randomBytes(3 * MIB) })).status).toBe(202);
    expect((await client.call('PATCH', location, { body: randomBytes(2 * MIB) })).status).toBe(403);
    expect((await client.call('PATCH', location, { body: randomBytes(MIB) })).status).toBe(202);
  });

  test('stops a body of unknown length where the room ends, and ends its session', async () => {
    const location = await client.startUpload();
    const response = await client.call('PATCH', location, { body: chunked(randomBytes(LIMIT + MIB)) });
    expect((await refusal(response)).code).toBe('DENIED');
    expect((await client.call('GET', location)).status).toBe(404);
    const fits = await client.startUpload();
    expect((await client.call('PATCH', fits, { body: chunked(randomBytes(MIB)) })).status).toBe(202);
  });

  test('that is full opens no session, yet takes what it holds already', async () => {
    const content = randomBytes(MIB);
    const digest = await client.pushBlob(content);
    await limit(0);
    const open = await sessions();
    const refused = await refusal(await client.call('POST', '/v2/alpha/app/blobs/uploads/'));
    expect([refused.status, refused.code]).toEqual([403, 'DENIED']);
    expect(await sessions()).toBe(open);
    expect((await client.call('POST', `/v2/alpha/other/blobs/uploads/?mount=${digest}&from=alpha/app`)).status).toBe(201);
    const large = await client.call('POST', `/v2/alpha/other/blobs/uploads/?digest=${digest}`, { body: content });
    expect(large.status).toBe(201);
  });

  test('refuses what no longer fits when it is finished, and leaves its bytes to garbage collection', async () => {
    const location = await client.startUpload();
    const content = randomBytes(2 * MIB);
    expect((await client.call('PATCH', location, { body: content })).status).toBe(202);
    await limit(MIB);
    const digest = digestOf(content);
    const refused = await client.call('PUT', `${location}?digest=${digest}`);
    expect((await refusal(refused)).message).toContain('adding 2.0 MiB of storage resource');
    expect((await client.call('HEAD', `/v2/alpha/app/blobs/${digest}`)).status).toBe(404);
    expect((await client.call('GET', location)).status).toBe(404);
    expect(await client.registry.database.query('SELECT 1 FROM unlinked_blob WHERE digest = $1', [digest])).toHaveLength(1);
  });

  test('refuses a manifest for which there is no room', async () => {
    await client.pushImage('fits');
    await limit(100);
    await expect(client.pushImage('large', { annotations: { text: 'x'.repeat(1000) } })).rejects.toThrow('answered 403');
    await client.registry.database.execute(`INSERT INTO setting (key, value) VALUES ('quota_per_project_enable', 'false')`);
    await client.pushImage('large', { annotations: { text: 'x'.repeat(1000) } });
    await client.registry.database.execute('DELETE FROM setting');
    expect((await catalog.usage(1)).used).toBe(await catalog.recomputeUsage(1));
  });
});
