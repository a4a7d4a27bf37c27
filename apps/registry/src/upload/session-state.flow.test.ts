import { readdir } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { digestOf } from '@haven/oci';
import { errorCode, TestClient } from '../testing/test-client.js';

const BYTES = Buffer.from('hello');
const all = ['pull', 'push', 'delete'] as const;

let client: TestClient;
beforeAll(async () => {
  client = await TestClient.start();
});
afterAll(() => client.stop());

const idIn = (location: string): string => location.split('/').at(-1) ?? '';

async function send(method: string, location: string, token?: string): Promise<[number, string]> {
  const query = method === 'PUT' ? `${location.includes('?') ? '&' : '?'}digest=${digestOf(BYTES)}` : '';
  const response = await client.call(method, `${location}${query}`, { ...(token === undefined ? {} : { token }), ...(method === 'PATCH' || method === 'PUT' ? { body: BYTES } : {}) });
  return [response.status, response.status >= 400 ? await errorCode(response) : ''];
}

async function rows(): Promise<unknown> {
  return client.registry.database.query('SELECT * FROM upload ORDER BY id');
}

/** Nothing but the id is in the address of a session: name, owner, offset and hash are kept on the server. */
describe('B-18: the address of a session is an id in a repository, and opens nothing else', () => {
  test('names and ids do not run into each other', async () => {
    const deep = await client.registry.token({ 'alpha/a': all, 'alpha/a/b': all, 'alpha/ab': all });
    const start = async (name: string): Promise<string> => (await client.call('POST', `/v2/${name}/blobs/uploads/`, { token: deep })).headers.get('location') ?? '';
    const id = idIn(await start('alpha/a'));
    await start('alpha/a/b');
    const before = await rows();
    for (const path of [`alpha/a/b/blobs/uploads/${id}`, `alpha/ab/blobs/uploads/${id}`, `alpha/a/blobs/uploads/b-${id}`, `alpha/a/b/blobs/uploads/b-${id}`, `alpha/a/blobs/uploads/${id.slice(1)}`]) {
      for (const method of ['GET', 'PATCH', 'PUT', 'DELETE']) expect([path, await send(method, `/v2/${path}`, deep)]).toEqual([path, [404, 'BLOB_UPLOAD_UNKNOWN']]);
    }
    expect(await rows()).toEqual(before);
    expect(await send('PUT', `/v2/alpha/a/blobs/uploads/${id}`, deep)).toEqual([201, '']);
  });

  test('a character changed anywhere is another session, and there is none', async () => {
    const location = await client.startUpload();
    const id = idIn(location);
    const before = await rows();
    for (let at = 0; at < id.length; at += 1) {
      for (const other of [id[at] === '0' ? '1' : '0', 'g', '.', '-'].filter((character) => character !== id[at])) {
        expect(await send('PATCH', location.replace(id, `${id.slice(0, at)}${other}${id.slice(at + 1)}`))).toEqual([404, 'BLOB_UPLOAD_UNKNOWN']);
      }
    }
    expect(await rows()).toEqual(before);
  });

  test('another replica knows the session; another installation does not', async () => {
    const location = await client.startUpload();
    const replica = await client.registry.replica();
    const elsewhere = await TestClient.start();
    try {
      const patched = await fetch(`${replica.url}${location}`, { method: 'PATCH', headers: { authorization: `Bearer ${client.developer}` }, body: BYTES });
      expect([patched.status, patched.headers.get('range')]).toEqual([202, '0-4']);
      expect((await elsewhere.call('PATCH', location, { body: BYTES })).status).toBe(404);
      const finished = await client.call('PUT', `${location}?digest=${digestOf(BYTES)}`);
      expect(finished.status).toBe(201);
    } finally {
      await replica.stop();
      await elsewhere.stop();
    }
  });
});

describe('C-05: nothing of a session is taken from the client', () => {
  const STATES = [
    '{"__proto__":{"received":5}}', '{"Offset":9007199254740991}', '{"offset":-1}', '{"id":"../../etc/passwd","received":5}', 'O:8:"stdClass":0:{}', 'cos\nsystem\n(S\'id\'\ntR.', '_$$ND_FUNC$$_function(){}()', '\0', 'x'.repeat(4_000),
  ].map((text) => Buffer.from(text).toString('base64url'));

  test.each(['_state', 'state', 'offset', 'received', 'uuid', 'id'])('what comes as %s is not read', async (name) => {
    for (const state of STATES) {
      const location = await client.startUpload();
      const patched = await client.call('PATCH', `${location}?${name}=${state}`, { body: BYTES, headers: { 'x-upload-offset': '7', 'upload-offset': '7' } });
      expect([patched.status, patched.headers.get('range')]).toEqual([202, '0-4']);
      expect(patched.headers.get('location')).toBe(location);
      const finished = await client.call('PUT', `${location}?${name}=${state}&digest=${digestOf(BYTES)}`);
      expect([finished.status, finished.headers.get('docker-content-digest')]).toEqual([201, digestOf(BYTES)]);
    }
  });

  test.each(['%00', 'a%00b', '..%2f..%2fetc', '%2f', 'a%2fb', '__proto__', 'constructor', `${'0'.repeat(8)}-0000-0000-0000-${'0'.repeat(12)}`, 'x'.repeat(300)])('the id %s is unknown or refused', async (id) => {
    for (const method of ['GET', 'PATCH', 'PUT', 'DELETE']) {
      const [status, code] = await send(method, `/v2/alpha/app/blobs/uploads/${id}`);
      expect([400, 404]).toContain(status);
      expect(code).toMatch(/^[A-Z_]+$/);
    }
  });

  test.each<[string, unknown]>([
    ['an id that leads elsewhere', { id: '../../outside', received: 0 }], ['an absolute one', { id: '/tmp/outside', received: 0 }], ['a negative offset', { id: 'a', received: -5 }],
    ['a huge offset', { id: 'a', received: 2 ** 52 }], ['a text as offset', { id: 'a', received: '5' }], ['a list', []], ['nothing', null],
  ])('even a row with %s, which only a burglar could write, leads nowhere', async (_name, state) => {
    const location = await client.startUpload();
    await client.registry.database.execute('UPDATE upload SET state = $2 WHERE id = $1', [idIn(location), JSON.stringify(state)]);
    const before = (await readdir(client.registry.folder, { recursive: true })).filter((name) => !name.includes('haven/uploads')).sort();
    const [status] = await send('PATCH', location);
    expect(status).toBeGreaterThanOrEqual(400);
    // A small blob comes whole in its last request, and is checked: it needs no state.
    for (const method of ['PUT', 'DELETE']) await send(method, location);
    expect((await readdir(client.registry.folder, { recursive: true })).filter((name) => !name.includes('haven/uploads')).sort()).toEqual(before);
    await client.registry.database.execute('DELETE FROM upload WHERE id = $1', [idIn(location)]);
  });
});
