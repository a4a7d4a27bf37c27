import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { request, type ClientRequest } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Catalog, type Upload } from '@haven/catalog';
import { digestOf } from '@haven/oci';
import { openStorage, StorageError, type BlobStorage } from '@haven/storage';
import { TestClient } from '../testing/test-client.js';
import type { Replica } from '../testing/test-registry.js';
import { UploadService } from './upload.service.js';

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

function uploads(storage: BlobStorage = client.registry.storage): UploadService {
  return new UploadService({ catalog: new Catalog(client.registry.database, client.registry.logger), storage });
}

/** A session with these bytes, as one registry has seen it. */
async function begun(bytes: Buffer): Promise<{ readonly location: string; readonly seen: Upload }> {
  const location = await client.startUpload();
  expect((await client.call('PATCH', location, { body: bytes })).status).toBe(202);
  return { location, seen: await uploads().find(location.split('/').at(-1) ?? '', 'alpha/app', 'user:1') };
}

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
    const { location, seen } = await begun(bytes);
    expect(await endChunk(await beginChunk(location, Buffer.alloc(1000, 'z')), Buffer.alloc(1000, 'z'))).toBe(202);
    await expect(uploads().finish(seen, digestOf(bytes))).rejects.toMatchObject({ code: 'upload-changed' });
    expect(await client.registry.storage.stat(digestOf(bytes))).toBeUndefined();
    expect((await client.call('GET', location)).headers.get('range')).toBe('0-101999');
  });

  test('that storage could not take in is nobody’s, and ended by whoever tries again', async () => {
    const bytes = randomBytes(50_000);
    const { location, seen } = await begun(bytes);
    const failing = openStorage(`file://${client.registry.folder}`);
    failing.commit = () => Promise.reject(new StorageError('unavailable', 'not now'));
    await expect(uploads(failing).finish(seen, digestOf(bytes))).rejects.toThrow('not now');
    expect(await client.registry.database.query('SELECT writing, received FROM upload WHERE id = $1', [seen.id])).toEqual([{ writing: false, received: '50000' }]);
    expect((await client.call('PUT', `${location}?digest=${digestOf(bytes)}`)).status).toBe(201);
  });
});
