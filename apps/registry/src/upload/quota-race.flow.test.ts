import { randomBytes } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { Catalog } from '@haven/catalog';
import { digestOf, OCI_IMAGE_INDEX, OCI_IMAGE_MANIFEST } from '@haven/oci';
import { FakeLogger } from '@haven/runtime';
import { TestClient } from '../testing/test-client.js';

const MIB = 1024 * 1024;
const LIMIT = 10 * MIB;
const ALL = ['pull', 'push', 'delete'] as const;

let client: TestClient;
let catalog: Catalog;
/** May act in alpha, and read and write bravo. */
let both: string;

beforeAll(async () => {
  client = await TestClient.start();
  catalog = new Catalog(client.registry.database, new FakeLogger());
  both = await client.registry.sign([{ type: 'repository', name: 'alpha/app', actions: ALL, project: 1 }, { type: 'repository', name: 'bravo/app', actions: ALL, project: 2 }]);
});
afterAll(() => client.stop());
beforeEach(async () => {
  for (const name of await catalog.listRepositories('', 100)) await catalog.deleteRepository({ repository: name, actor: '' });
  await client.registry.database.execute('DELETE FROM repository_blob');
  await client.registry.database.execute('UPDATE project SET storage_limit = $1 WHERE id = 1', [LIMIT]);
});

/** What alpha is charged for; it is what a recount finds, and never more than the limit. */
async function used(): Promise<number> {
  const { used: bytes } = await catalog.usage(1);
  expect(bytes).toBe(await catalog.recomputeUsage(1));
  expect(bytes).toBeLessThanOrEqual(LIMIT);
  return bytes;
}

async function answerOf(response: Response): Promise<string> {
  if (response.status < 300) return String(response.status);
  const { errors } = (await response.json()) as { errors: { code: string; message: string }[] };
  const { code = '', message = '' } = errors[0] ?? {};
  return `${response.status} ${code} ${message.startsWith('Quota exceeded when processing') ? 'quota' : message}`;
}

const REFUSED = '403 DENIED quota';
const uploads = '/v2/alpha/app/blobs/uploads/';
const chunked = (content: Buffer): ReadableStream => new Blob([new Uint8Array(content)]).stream();
const twenty = <T>(work: (index: number) => Promise<T>): Promise<T[]> => Promise.all(Array.from({ length: 20 }, (_, index) => work(index)));
const putManifest = (tag: string, document: object, mediaType = OCI_IMAGE_MANIFEST, token = client.developer): Promise<Response> =>
  client.call('PUT', `/v2/alpha/app/manifests/${tag}`, { token, body: JSON.stringify(document), headers: { 'content-type': mediaType } });

/** Ways to push a mebibyte that nobody has yet; each resolves to the answer to its last request. */
const WAYS: Readonly<Record<string, () => Promise<Response>>> = {
  'in one request': () => {
    const content = randomBytes(MIB);
    return client.call('POST', `${uploads}?digest=${digestOf(content)}`, { body: content });
  },
  'in a session': async () => {
    const content = randomBytes(MIB);
    return client.call('PUT', `${await client.startUpload()}?digest=${digestOf(content)}`, { body: content });
  },
  'in chunks without a length': async () => {
    const content = randomBytes(MIB);
    const location = await client.startUpload();
    const patched = await client.call('PATCH', location, { body: chunked(content) });
    return patched.status === 202 ? client.call('PUT', `${location}?digest=${digestOf(content)}`) : patched;
  },
  'of which another project holds it': async () => {
    const content = randomBytes(MIB);
    const digest = digestOf(content);
    const pushed = await client.call('POST', `/v2/bravo/app/blobs/uploads/?digest=${digest}`, { token: both, body: content });
    if (pushed.status !== 201) throw new Error(`bravo took ${pushed.status}`);
    return client.call('POST', `${uploads}?mount=${digest}&from=bravo/app`, { token: both });
  },
};

describe('F-13: a project with room for ten mebibytes', () => {
  test.each(Object.keys(WAYS))('takes ten of twenty that come at once, each a mebibyte %s', async (way) => {
    await client.pushBlob(Buffer.from('the repository is there'));
    await client.registry.database.execute('UPDATE project SET storage_limit = $1 WHERE id = 1', [10 * MIB + 23]);
    const answers = await twenty(async () => {
      try {
        return await answerOf(await (WAYS[way] as () => Promise<Response>)());
      } catch (error) {
        // A session was refused: there was no room any more.
        if (error instanceof Error && /answered 403/.test(error.message)) return REFUSED;
        throw error;
      }
    });
    const { used: bytes } = await catalog.usage(1);
    expect([answers.filter((answer) => answer === '201').length, answers.filter((answer) => answer === REFUSED).length, bytes]).toEqual([10, 10, 10 * MIB + 23]);
    expect(await catalog.recomputeUsage(1)).toBe(bytes);
  });

  test('takes no more by all those ways at once, and has room again for what is deleted', async () => {
    const ways = Object.values(WAYS);
    const layer = await client.pushBlob(randomBytes(MIB));
    const answers = await twenty(async (index) => {
      try {
        return await answerOf(await (ways[index % ways.length] as () => Promise<Response>)());
      } catch (error) {
        if (error instanceof Error && /answered 403/.test(error.message)) return REFUSED;
        throw error;
      }
    });
    expect(answers.filter((answer) => answer === '201')).toHaveLength(9);
    expect(await used()).toBe(LIMIT);
    expect((await client.call('DELETE', `/v2/alpha/app/blobs/${layer}`)).status).toBe(202);
    expect(await answerOf(await (WAYS['in a session'] as () => Promise<Response>)())).toBe('201');
    expect(await used()).toBe(LIMIT);
  });

  test('charges for what is stored, whatever a descriptor says', async () => {
    const content = randomBytes(MIB);
    const digest = await client.pushBlob(content);
    const before = await used();
    for (const size of [1, MIB - 1, MIB + 1, 9_007_199_254_740_991]) {
      const layer = { mediaType: 'application/vnd.oci.image.layer.v1.tar', digest, size };
      const response = await putManifest('lying', { schemaVersion: 2, mediaType: OCI_IMAGE_MANIFEST, config: { ...layer, size: MIB }, layers: [layer] });
      expect((await answerOf(response)).slice(0, 20)).toBe('400 MANIFEST_INVALID');
    }
    expect(await used()).toBe(before);
  });

  test('charges for manifests and indexes, too', async () => {
    const { digest, bytes } = await client.pushImage('child');
    await client.registry.database.execute('UPDATE project SET storage_limit = $1 WHERE id = 1', [(await used()) + 600]);
    const index = (padding: number): object => ({
      schemaVersion: 2, mediaType: OCI_IMAGE_INDEX, manifests: [{ mediaType: OCI_IMAGE_MANIFEST, digest, size: bytes.length }], annotations: { padding: 'x'.repeat(padding) },
    });
    expect(await answerOf(await putManifest('index', index(1000), OCI_IMAGE_INDEX))).toBe(REFUSED);
    expect((await client.call('HEAD', '/v2/alpha/app/manifests/index')).status).toBe(404);
    expect(await answerOf(await putManifest('index', index(10), OCI_IMAGE_INDEX))).toBe('201');
    expect(await answerOf(await putManifest('second', index(11), OCI_IMAGE_INDEX))).toBe('201');
    expect(await answerOf(await putManifest('third', index(12), OCI_IMAGE_INDEX))).toBe(REFUSED);
    await used();
  });

  test('has no room for what was deleted and is pushed again once something else has taken its place', async () => {
    const layer = { mediaType: 'application/vnd.oci.image.layer.v1.tar', digest: await client.pushBlob(randomBytes(6 * MIB)), size: 6 * MIB };
    const document = { schemaVersion: 2, mediaType: OCI_IMAGE_MANIFEST, config: layer, layers: [layer] };
    expect((await putManifest('first', document)).status).toBe(201);
    const digest = digestOf(Buffer.from(JSON.stringify(document)));
    expect((await client.call('DELETE', `/v2/alpha/app/manifests/${digest}`)).status).toBe(202);
    const rest = await used();
    await client.pushBlob(randomBytes(6 * MIB));
    // The blob is not sent again: the client was told that it is there.
    expect(await answerOf(await putManifest('first', document))).toBe(REFUSED);
    expect(await used()).toBe(rest + 6 * MIB);
    expect((await client.call('HEAD', `/v2/alpha/app/manifests/${digest}`)).status).toBe(404);
    const [entry] = await client.registry.database.query<{ id: string }>(`SELECT id FROM bin_entry WHERE kind = 'artifact' AND digest = $1`, [digest]);
    await expect(catalog.restore(entry?.id ?? '', 1, '')).rejects.toMatchObject({ code: 'quota-exceeded' });
    expect(await used()).toBe(rest + 6 * MIB);
  });

  test('is not charged for uploads that were left open, and keeps none of their bytes once they have ended', async () => {
    const open = await Promise.all(Array.from({ length: 3 }, async () => {
      const location = await client.startUpload();
      const content = randomBytes(6 * MIB);
      expect((await client.call('PATCH', location, { body: content })).status).toBe(202);
      return { location, digest: digestOf(content) };
    }));
    expect(await used()).toBe(0);
    const answers = await Promise.all(open.slice(0, 2).map(async ({ location, digest }) => answerOf(await client.call('PUT', `${location}?digest=${digest}`))));
    expect(answers.toSorted()).toEqual(['201', REFUSED]);
    expect(await used()).toBe(6 * MIB);
    const left = open[2]?.location ?? '';
    expect((await client.call('DELETE', left)).status).toBe(204);
    for (const { location } of open) expect((await client.call('GET', location)).status).toBe(404);
    expect((await readdir(client.registry.folder, { recursive: true })).filter((path) => /haven\/uploads\/./.test(path))).toEqual([]);
  });
});
