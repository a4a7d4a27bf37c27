import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { digestOf } from '@haven/oci';
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
beforeEach(() => set({}));
afterEach(() => set({}));

/** What core does: the settings are written, then everybody is told. */
async function set(settings: Readonly<Record<string, unknown>>): Promise<void> {
  const { database, broadcasts } = client.registry;
  await database.execute('DELETE FROM setting');
  for (const [key, value] of Object.entries(settings)) await database.execute('INSERT INTO setting (key, value) VALUES ($1, $2::jsonb)', [key, JSON.stringify(value)]);
  broadcasts.publish('settings-changed', {});
}

/** Sends it to the one that never heard of the change itself. */
function call(method: string, path: string, body?: string, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${replica.url}${path}`, { method, headers: { authorization: `Bearer ${client.developer}`, ...headers }, ...(body === undefined ? {} : { body }) });
}

async function contents(): Promise<unknown> {
  const tables = ['repository', 'blob', 'repository_blob', 'manifest', 'tag', 'tag_event', 'upload', 'outbox', 'bin_entry'];
  return Promise.all(tables.map((table) => client.registry.database.query(`SELECT t::text FROM ${table} t ORDER BY 1`)));
}

describe('F-12: read-only mode', () => {
  test('refuses every write at once on every replica, also of uploads begun before, and changes nothing', async () => {
    const { digest } = await client.pushImage('1');
    const begun = await client.startUpload();
    const layer = digestOf(Buffer.from('layer'));
    await call('GET', '/v2/alpha/app/manifests/1');
    await client.registry.database.execute('UPDATE upload SET updated_at = updated_at');
    await set({ read_only: true });
    const before = await contents();
    const writes: readonly (readonly [string, string, string?])[] = [
      ['POST', '/v2/alpha/app/blobs/uploads/'], ['POST', `/v2/alpha/app/blobs/uploads/?digest=${digestOf(Buffer.from('new'))}`, 'new'],
      ['POST', `/v2/alpha/other/blobs/uploads/?mount=${layer}&from=alpha/app`], ['PATCH', begun, 'bytes'], ['PUT', `${begun}?digest=${digestOf(Buffer.from('bytes'))}`, 'bytes'],
      ['DELETE', begun], ['PUT', '/v2/alpha/app/manifests/2', '{}'], ['DELETE', '/v2/alpha/app/manifests/1'], ['DELETE', `/v2/alpha/app/manifests/${digest}`],
      ['DELETE', `/v2/alpha/app/blobs/${layer}`],
    ];
    for (const [method, path, body] of writes) {
      const response = await call(method, path, body);
      expect([method, path, response.status, await errorCode(response)]).toEqual([method, path, 403, 'DENIED']);
    }
    expect(await contents()).toEqual(before);
    expect((await call('GET', '/v2/alpha/app/manifests/1')).status).toBe(200);
    expect((await call('GET', `/v2/alpha/app/blobs/${layer}`)).status).toBe(200);
    expect((await call('GET', begun)).status).toBe(204);
  });

  test('ends at once, and the upload goes on', async () => {
    const begun = await client.startUpload();
    await set({ read_only: true });
    expect((await call('PATCH', begun, 'bytes')).status).toBe(403);
    await set({ read_only: false });
    expect((await call('PATCH', begun, 'bytes')).status).toBe(202);
    expect((await call('PUT', `${begun}?digest=${digestOf(Buffer.from('bytes'))}`)).status).toBe(201);
  });

  test('asks for a token first', async () => {
    await set({ read_only: true });
    expect((await fetch(`${replica.url}/v2/alpha/app/blobs/uploads/`, { method: 'POST' })).status).toBe(401);
  });

  test('settings that cannot be read let nothing be written', async () => {
    await set({ read_only: 'perhaps' });
    expect((await call('POST', '/v2/alpha/app/blobs/uploads/')).status).toBe(500);
    expect((await call('GET', '/v2/')).status).toBe(200);
  });
});

describe('pulls', () => {
  const pulled = async (settings: Readonly<Record<string, unknown>>): Promise<unknown> => {
    const { database } = client.registry;
    const other = await client.registry.replica();
    await client.pushImage('pulled');
    await database.execute(`UPDATE repository SET pull_count = 0`);
    await database.execute('UPDATE tag SET pulled_at = NULL');
    await database.execute('UPDATE manifest SET pulled_at = NULL');
    await set(settings);
    const response = await fetch(`${other.url}/v2/alpha/app/manifests/pulled`, { headers: { authorization: `Bearer ${client.developer}` } });
    expect(response.status).toBe(200);
    await other.stop();
    const [row] = await database.query(
      `SELECT r.pull_count::int AS count, t.pulled_at IS NOT NULL AS tag, m.pulled_at IS NOT NULL AS manifest
       FROM tag t JOIN repository r ON r.id = t.repository_id JOIN manifest m ON m.id = t.manifest_id WHERE t.name = 'pulled'`,
    );
    return row;
  };

  test.each([
    [{}, { count: 1, tag: true, manifest: true }],
    [{ pull_time_update_disable: true }, { count: 1, tag: false, manifest: false }],
    [{ pull_count_update_disable: true }, { count: 0, tag: true, manifest: true }],
    [{ pull_time_update_disable: true, pull_count_update_disable: true }, { count: 0, tag: false, manifest: false }],
  ])('with %j leave %j', async (settings, left) => {
    expect(await pulled(settings)).toEqual(left);
  });
});
