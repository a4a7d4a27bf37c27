import { once } from 'node:events';
import { request, type ClientRequest } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
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

/** Begins to send a chunk to the other registry, which has taken the session for itself once this resolves. */
async function beginChunk(location: string, first: Buffer): Promise<ClientRequest> {
  const chunk = request(`${replica.url}${location}`, { method: 'PATCH', agent: false, headers: { authorization: `Bearer ${client.developer}`, 'transfer-encoding': 'chunked' } });
  chunk.on('error', () => undefined);
  chunk.write(first);
  const id = location.split('/').at(-1);
  for (const deadline = performance.now() + 20_000; (await client.registry.database.query('SELECT FROM upload WHERE id = $1 AND writing', [id])).length === 0; await sleep(10)) {
    if (performance.now() > deadline) throw new Error('the other registry did not begin to write');
  }
  return chunk;
}

async function endChunk(chunk: ClientRequest, last: Buffer): Promise<number | undefined> {
  chunk.end(last);
  const [response] = (await once(chunk, 'response')) as [{ statusCode?: number; resume(): void }];
  response.resume();
  return response.statusCode;
}

describe('a session that is ended in one registry while another one still writes to it', () => {
  test('becomes a blob that nothing is written to any more, and no other repository loses its own', async () => {
    const layer = Buffer.alloc(300_000, 'layer of another repository');
    const digest = await client.pushBlob(layer, 'alpha/other');
    const location = await client.startUpload();
    expect((await client.call('PATCH', location, { body: layer })).status).toBe(202);
    const chunk = await beginChunk(location, Buffer.alloc(200_000, 'x'));
    expect((await client.call('PUT', `${location}?digest=${digest}`)).status).toBe(201);
    expect(await endChunk(chunk, Buffer.alloc(200_000, 'x'))).toBeGreaterThanOrEqual(400);
    for (const repository of ['alpha/app', 'alpha/other']) {
      const served = await client.call('GET', `/v2/${repository}/blobs/${digest}`);
      expect([served.status, digestOf(Buffer.from(await served.arrayBuffer()))]).toEqual([200, digest]);
    }
    expect(await client.registry.storage.stat(digest)).toMatchObject({ size: layer.length });
  });

  test('that has come further meanwhile is not ended with what the first one knew', async () => {
    const bytes = Buffer.alloc(100_000, 'y');
    const location = await client.startUpload();
    expect((await client.call('PATCH', location, { body: bytes })).status).toBe(202);
    const chunk = await beginChunk(location, Buffer.alloc(1000, 'z'));
    expect(await endChunk(chunk, Buffer.alloc(1000, 'z'))).toBe(202);
    const refused = await client.call('PUT', `${location}?digest=${digestOf(bytes)}`);
    expect([refused.status, await errorCode(refused)]).toEqual([400, 'DIGEST_INVALID']);
  });
});
