import { randomBytes } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { digestOf } from '@haven/oci';
import { errorCode, TestClient } from '../testing/test-client.js';

let client: TestClient;

beforeAll(async () => {
  client = await TestClient.start();
});
afterAll(() => client.stop());

describe('a blob', () => {
  test('comes back as it was sent, whole, by range and by condition', async () => {
    const content = randomBytes(3 * 1024 * 1024 + 17);
    const digest = await client.pushBlob(content);
    const whole = await client.call('GET', `/v2/alpha/app/blobs/${digest}`);
    expect(Buffer.from(await whole.arrayBuffer()).equals(content)).toBe(true);
    const part = await client.call('GET', `/v2/alpha/app/blobs/${digest}`, { headers: { range: 'bytes=5-1048580' } });
    expect([part.status, part.headers.get('content-range')]).toEqual([206, `bytes 5-1048580/${content.length}`]);
    expect(Buffer.from(await part.arrayBuffer()).equals(content.subarray(5, 1048581))).toBe(true);
    const beyond = await client.call('GET', `/v2/alpha/app/blobs/${digest}`, { headers: { range: `bytes=${content.length}-` } });
    expect([beyond.status, beyond.headers.get('content-range')]).toEqual([416, `bytes */${content.length}`]);
    const known = await client.call('GET', `/v2/alpha/app/blobs/${digest}`, { headers: { 'if-none-match': `"${digest}"` } });
    expect(known.status).toBe(304);
    const head = await client.call('HEAD', `/v2/alpha/app/blobs/${digest}`);
    expect([head.status, head.headers.get('content-length')]).toEqual([200, String(content.length)]);
  });

  test('is handed over as a file to the proxy that asks for it', async () => {
    const digest = await client.pushBlob(Buffer.from('to be sent by the proxy'));
    const response = await client.call('GET', `/v2/alpha/app/blobs/${digest}`, { headers: { 'x-haven-send-file': '1', range: 'bytes=3-6' } });
    const hex = digest.slice('sha256:'.length);
    expect(response.headers.get('x-haven-file')).toBe(`docker/registry/v2/blobs/sha256/${hex.slice(0, 2)}/${hex}/data;3-6`);
    expect([response.status, response.headers.get('content-range'), await response.text()]).toEqual([206, 'bytes 3-6/23', '']);
  });

  test('J-03: arrives in chunks that must follow on each other', async () => {
    const content = randomBytes(300_000);
    const digest = digestOf(content);
    const location = await client.startUpload();
    const first = await client.call('PATCH', location, { body: content.subarray(0, 100_000), headers: { 'content-range': '0-99999' } });
    expect([first.status, first.headers.get('range')]).toEqual([202, '0-99999']);
    for (const range of ['150000-249999', '50000-149999']) {
      const refused = await client.call('PATCH', location, { body: content.subarray(0, 100_000), headers: { 'content-range': range } });
      expect([refused.status, refused.headers.get('range'), await errorCode(refused)]).toEqual([416, '0-99999', 'RANGE_INVALID']);
    }
    expect((await client.call('PATCH', location, { body: 'x', headers: { 'content-range': 'bytes a-b' } })).status).toBe(400);
    expect((await client.call('PATCH', location, { body: 'xyz', headers: { 'content-range': '100000-100009' } })).status).toBe(400);
    for (const [range, code] of [['0-199999', 'RANGE_INVALID'], ['150000-349999', 'RANGE_INVALID'], ['-5-10', 'BLOB_UPLOAD_INVALID'], ['100000-150000', 'SIZE_INVALID']] as const) {
      const refused = await client.call('PUT', `${location}?digest=${digest}`, { body: content.subarray(100_000), headers: { 'content-range': range } });
      expect([range, refused.status, await errorCode(refused)]).toEqual([range, code === 'RANGE_INVALID' ? 416 : 400, code]);
    }
    const status = await client.call('GET', location);
    expect([status.status, status.headers.get('range')]).toEqual([204, '0-99999']);
    const last = await client.call('PUT', `${location}?digest=${digest}`, { body: content.subarray(100_000), headers: { 'content-range': '100000-299999' } });
    expect([last.status, last.headers.get('docker-content-digest')]).toEqual([201, digest]);
    expect((await client.call('GET', location)).status).toBe(404);
  });

  test('may be named by sha512', async () => {
    const content = randomBytes(70_000);
    const digest = digestOf(content, 'sha512');
    const location = await client.startUpload();
    await client.call('PATCH', location, { body: content });
    expect((await client.call('PUT', `${location}?digest=${digest}`)).status).toBe(201);
    expect(Buffer.from(await (await client.call('GET', `/v2/alpha/app/blobs/${digest}`)).arrayBuffer()).equals(content)).toBe(true);
  });

  test('J-02: that is not what its digest says is never stored', async () => {
    const content = randomBytes(1000);
    const wrong = digestOf(Buffer.from('something else'));
    const response = await client.call('PUT', `${await client.startUpload()}?digest=${wrong}`, { body: content });
    expect([response.status, await errorCode(response)]).toEqual([400, 'DIGEST_INVALID']);
    expect((await client.call('HEAD', `/v2/alpha/app/blobs/${wrong}`)).status).toBe(404);
    expect(await client.registry.storage.stat(wrong)).toBeUndefined();
    const odd = await client.call('PUT', `${await client.startUpload()}?digest=md5:d41d8cd98f00b204e9800998ecf8427e`, { body: content });
    expect([odd.status, await errorCode(odd)]).toEqual([400, 'DIGEST_INVALID']);
  });

  test('goes on where a broken connection left off', async () => {
    const content = randomBytes(400_000);
    const location = await client.startUpload();
    await sendPart(location, content.subarray(0, 200_000), content.length);
    let received = 0;
    for (let attempt = 0; attempt < 100 && received === 0; attempt += 1) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      received = Number((await client.call('GET', location)).headers.get('range')?.split('-')[1]) + 1;
      if (received === 1) received = 0;
    }
    expect(received).toBeGreaterThan(0);
    const response = await client.call('PATCH', location, { body: content.subarray(received), headers: { 'content-range': `${received}-${content.length - 1}` } });
    expect(response.status).toBe(202);
    expect((await client.call('PUT', `${location}?digest=${digestOf(content)}`)).status).toBe(201);
  });

  test.each(['PATCH', 'PUT'])('whose bytes are gone can be started anew: %s', async (method) => {
    const content = randomBytes(300_000);
    const location = await client.startUpload();
    await client.call('PATCH', location, { body: content.subarray(0, 200_000) });
    const id = location.split('/').at(-1) ?? '';
    await client.registry.storage.abort({ id, received: 0 });
    const path = method === 'PUT' ? `${location}?digest=${digestOf(content)}` : location;
    const response = await client.call(method, path, { body: content.subarray(200_000), headers: { 'content-range': '200000-299999' } });
    expect([response.status, await errorCode(response)]).toEqual([404, 'BLOB_UPLOAD_UNKNOWN']);
    expect((await client.call('GET', location)).status).toBe(404);
  });

  test('takes one writer at a time', async () => {
    const content = randomBytes(200_000);
    const location = await client.startUpload();
    const answers = await Promise.all([0, 1, 2, 3].map(() => client.call('PATCH', location, { body: content, headers: { 'content-range': '0-199999' } })));
    const statuses = answers.map((answer) => answer.status).toSorted();
    expect(statuses[0]).toBe(202);
    for (const status of statuses.slice(1)) expect([409, 416]).toContain(status);
    expect((await client.call('PUT', `${location}?digest=${digestOf(content)}`)).status).toBe(201);
  });

  test('J-09: raced by right and wrong content is stored once and right', async () => {
    const content = randomBytes(50_000);
    const digest = digestOf(content);
    const bodies = Array.from({ length: 30 }, (_, index) => (index % 3 === 0 ? randomBytes(50_000) : content));
    const answers = await Promise.all(bodies.map(async (body) => (await client.call('PUT', `${await client.startUpload()}?digest=${digest}`, { body })).status));
    expect(answers).toEqual(bodies.map((body) => (body === content ? 201 : 400)));
    expect(Buffer.from(await (await client.call('GET', `/v2/alpha/app/blobs/${digest}`)).arrayBuffer()).equals(content)).toBe(true);
  });

  test('is mounted from a repository the token may pull from', async () => {
    const digest = await client.pushBlob(randomBytes(100));
    const response = await client.call('POST', `/v2/alpha/other/blobs/uploads/?mount=${digest}&from=alpha/app`);
    expect([response.status, response.headers.get('location')]).toEqual([201, `/v2/alpha/other/blobs/${digest}`]);
    const absent = await client.call('POST', `/v2/alpha/other/blobs/uploads/?mount=${digestOf(Buffer.from('absent'))}&from=alpha/app`);
    expect(absent.status).toBe(202);
  });

  test('of another project is not mounted by who only knows its digest', async () => {
    const digest = await client.pushBlob(randomBytes(100));
    const stranger = await client.registry.sign([{ type: 'repository', name: 'bravo/app', actions: ['pull', 'push'], project: 2 }]);
    expect((await client.call('POST', `/v2/bravo/app/blobs/uploads/?mount=${digest}`, { token: stranger })).status).toBe(202);
    expect((await client.call('GET', `/v2/bravo/app/blobs/${digest}`, { token: stranger })).status).toBe(404);
  });

  test('leaves nothing behind when its upload is cancelled', async () => {
    const location = await client.startUpload();
    await client.call('PATCH', location, { body: randomBytes(1000) });
    expect((await client.call('DELETE', location)).status).toBe(204);
    expect((await client.call('PATCH', location, { body: 'x' })).status).toBe(404);
    const id = location.split('/').at(-1) ?? '';
    expect((await readdir(client.registry.folder, { recursive: true })).filter((path) => path.includes(id))).toEqual([]);
  });
});

/** Sends the beginning of a PATCH over a raw connection and cuts it. */
function sendPart(location: string, part: Uint8Array, announced: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(new URL(client.registry.url).port), '127.0.0.1', () => {
      socket.write(`PATCH ${location} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${client.developer}\r\ncontent-length: ${announced}\r\n\r\n`);
      socket.write(part, () => setTimeout(() => {
        socket.destroy();
        resolve();
      }, 100));
    });
    socket.on('error', reject);
  });
}
