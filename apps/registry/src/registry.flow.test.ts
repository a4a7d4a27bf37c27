import { randomBytes } from 'node:crypto';
import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { readdir } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { digestOf, OCI_IMAGE_INDEX, OCI_IMAGE_MANIFEST, type Digest } from '@haven/oci';
import { startTestRegistry, type TestRegistry } from './testing/test-registry.js';

let registry: TestRegistry;
let developer: string;
const all = ['pull', 'push', 'delete'] as const;

beforeAll(async () => {
  registry = await startTestRegistry();
  developer = await registry.token({ 'alpha/app': all, 'alpha/other': all });
});
afterAll(() => registry.stop());

interface Call {
  readonly token?: string;
  readonly headers?: Record<string, string>;
  readonly body?: Uint8Array | ReadableStream | string;
}

function call(method: string, path: string, { token = developer, headers = {}, body }: Call = {}): Promise<Response> {
  return fetch(`${registry.url}${path}`, {
    method, redirect: 'manual',
    headers: { ...(token === '' ? {} : { authorization: `Bearer ${token}` }), ...headers },
    ...(body === undefined ? {} : { body: body as string, duplex: 'half' }),
  } as RequestInit);
}

async function errorCode(response: Response): Promise<string> {
  const body = (await response.json()) as { errors: { code: string }[] };
  return body.errors[0]?.code ?? '';
}

async function startUpload(repository = 'alpha/app'): Promise<string> {
  const response = await call('POST', `/v2/${repository}/blobs/uploads/`);
  expect(response.status).toBe(202);
  return response.headers.get('location') ?? '';
}

async function pushBlob(content: Uint8Array, repository = 'alpha/app'): Promise<Digest> {
  const digest = digestOf(content);
  const response = await call('PUT', `${await startUpload(repository)}?digest=${digest}`, { body: content });
  expect(response.status).toBe(201);
  return digest;
}

async function pushImage(reference: string, extra: object = {}, repository = 'alpha/app'): Promise<{ digest: Digest; bytes: Buffer }> {
  const layer = { mediaType: 'application/vnd.oci.image.layer.v1.tar', digest: await pushBlob(Buffer.from('layer'), repository), size: 5 };
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: OCI_IMAGE_MANIFEST, config: layer, layers: [layer], ...extra }));
  const response = await call('PUT', `/v2/${repository}/manifests/${reference}`, { body: bytes, headers: { 'content-type': OCI_IMAGE_MANIFEST } });
  expect([response.status, await response.text()]).toEqual([201, '']);
  return { digest: digestOf(bytes), bytes };
}

describe('who may do what', () => {
  test('without a token the answer says where to get one, for exactly what', async () => {
    const response = await call('PUT', '/v2/alpha/app/manifests/1', { token: '', body: '{}' });
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toBe(`Bearer realm="${registry.url}/service/token",service="harbor-registry",scope="repository:alpha/app:pull,push"`);
    expect(await errorCode(response)).toBe('UNAUTHORIZED');
  });

  test.each([
    ['GET', '/v2/alpha/app/manifests/1', { 'alpha/app': ['push'] }],
    ['PUT', '/v2/alpha/app/manifests/1', { 'alpha/app': ['pull'] }],
    ['DELETE', '/v2/alpha/app/manifests/1', { 'alpha/app': ['pull', 'push'] }],
    ['PUT', '/v2/alpha/app/manifests/1', { 'alpha/other': ['pull', 'push'] }],
    ['POST', '/v2/alpha/app/blobs/uploads/', { 'alpha/app': ['pull'] }],
    ['GET', '/v2/_catalog', { 'alpha/app': ['pull', 'push', 'delete'] }],
    ['POST', `/v2/alpha/app/blobs/uploads/?mount=${digestOf(Buffer.from(''))}&from=bravo/secret`, { 'alpha/app': ['pull', 'push'] }],
  ] as const)('%s %s needs more than %j', async (method, path, grants) => {
    const response = await call(method, path, { token: await registry.token(grants) });
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toContain('error="insufficient_scope"');
  });

  test('a revoked subject is refused within seconds, with a token that is still valid', async () => {
    const token = await registry.token({ 'alpha/app': all }, 'user:77');
    expect((await call('POST', '/v2/alpha/app/blobs/uploads/', { token })).status).toBe(202);
    await registry.database.execute(`INSERT INTO access_epoch (subject, not_before) VALUES ('user:77', now())`);
    registry.broadcasts.publish('access-changed', {});
    let status = 202;
    for (let attempt = 0; attempt < 50 && status !== 401; attempt += 1) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      status = (await call('POST', '/v2/alpha/app/blobs/uploads/', { token })).status;
    }
    expect(status).toBe(401);
  });

  test('an upload is unknown to everybody but the one who started it', async () => {
    const location = await startUpload();
    const stranger = await registry.token({ 'alpha/app': all }, 'user:2');
    for (const [method, path] of [['GET', location], ['PATCH', location], ['PUT', `${location}?digest=${digestOf(Buffer.from(''))}`], ['DELETE', location]] as const) {
      const response = await call(method, path, { token: stranger });
      expect([method, response.status, await errorCode(response)]).toEqual([method, 404, 'BLOB_UPLOAD_UNKNOWN']);
    }
    expect((await call('GET', location.replace('alpha/app', 'alpha/other'))).status).toBe(404);
    expect((await call('DELETE', location)).status).toBe(204);
  });
});

describe('a blob', () => {
  test('comes back as it was sent, whole, by range and by condition', async () => {
    const content = randomBytes(3 * 1024 * 1024 + 17);
    const digest = await pushBlob(content);
    const whole = await call('GET', `/v2/alpha/app/blobs/${digest}`);
    expect(Buffer.from(await whole.arrayBuffer()).equals(content)).toBe(true);
    const part = await call('GET', `/v2/alpha/app/blobs/${digest}`, { headers: { range: 'bytes=5-1048580' } });
    expect([part.status, part.headers.get('content-range')]).toEqual([206, `bytes 5-1048580/${content.length}`]);
    expect(Buffer.from(await part.arrayBuffer()).equals(content.subarray(5, 1048581))).toBe(true);
    const beyond = await call('GET', `/v2/alpha/app/blobs/${digest}`, { headers: { range: `bytes=${content.length}-` } });
    expect([beyond.status, beyond.headers.get('content-range')]).toEqual([416, `bytes */${content.length}`]);
    const known = await call('GET', `/v2/alpha/app/blobs/${digest}`, { headers: { 'if-none-match': `"${digest}"` } });
    expect(known.status).toBe(304);
    const head = await call('HEAD', `/v2/alpha/app/blobs/${digest}`);
    expect([head.status, head.headers.get('content-length')]).toEqual([200, String(content.length)]);
  });

  test('is handed over as a file to the proxy that asks for it', async () => {
    const digest = await pushBlob(Buffer.from('to be sent by the proxy'));
    const response = await call('GET', `/v2/alpha/app/blobs/${digest}`, { headers: { 'x-haven-send-file': '1', range: 'bytes=3-6' } });
    const hex = digest.slice('sha256:'.length);
    expect(response.headers.get('x-haven-file')).toBe(`docker/registry/v2/blobs/sha256/${hex.slice(0, 2)}/${hex}/data;3-6`);
    expect([response.status, response.headers.get('content-range'), await response.text()]).toEqual([206, 'bytes 3-6/23', '']);
  });

  test('arrives in chunks that must follow on each other', async () => {
    const content = randomBytes(300_000);
    const digest = digestOf(content);
    const location = await startUpload();
    const first = await call('PATCH', location, { body: content.subarray(0, 100_000), headers: { 'content-range': '0-99999' } });
    expect([first.status, first.headers.get('range')]).toEqual([202, '0-99999']);
    for (const range of ['150000-249999', '50000-149999']) {
      const refused = await call('PATCH', location, { body: content.subarray(0, 100_000), headers: { 'content-range': range } });
      expect([refused.status, refused.headers.get('range'), await errorCode(refused)]).toEqual([416, '0-99999', 'RANGE_INVALID']);
    }
    expect((await call('PATCH', location, { body: 'x', headers: { 'content-range': 'bytes a-b' } })).status).toBe(400);
    expect((await call('PATCH', location, { body: 'xyz', headers: { 'content-range': '100000-100009' } })).status).toBe(400);
    const status = await call('GET', location);
    expect([status.status, status.headers.get('range')]).toEqual([204, '0-99999']);
    const last = await call('PUT', `${location}?digest=${digest}`, { body: content.subarray(100_000), headers: { 'content-range': '100000-299999' } });
    expect([last.status, last.headers.get('docker-content-digest')]).toEqual([201, digest]);
    expect((await call('GET', location)).status).toBe(404);
  });

  test('may be named by sha512', async () => {
    const content = randomBytes(70_000);
    const digest = digestOf(content, 'sha512');
    const location = await startUpload();
    await call('PATCH', location, { body: content });
    expect((await call('PUT', `${location}?digest=${digest}`)).status).toBe(201);
    expect(Buffer.from(await (await call('GET', `/v2/alpha/app/blobs/${digest}`)).arrayBuffer()).equals(content)).toBe(true);
  });

  test('that is not what its digest says is never stored', async () => {
    const content = randomBytes(1000);
    const wrong = digestOf(Buffer.from('something else'));
    const response = await call('PUT', `${await startUpload()}?digest=${wrong}`, { body: content });
    expect([response.status, await errorCode(response)]).toEqual([400, 'DIGEST_INVALID']);
    expect((await call('HEAD', `/v2/alpha/app/blobs/${wrong}`)).status).toBe(404);
    expect(await registry.storage.stat(wrong)).toBeUndefined();
    const odd = await call('PUT', `${await startUpload()}?digest=md5:d41d8cd98f00b204e9800998ecf8427e`, { body: content });
    expect([odd.status, await errorCode(odd)]).toEqual([400, 'DIGEST_INVALID']);
  });

  test('goes on where a broken connection left off', async () => {
    const content = randomBytes(400_000);
    const location = await startUpload();
    await sendPart(location, content.subarray(0, 200_000), content.length);
    let received = 0;
    for (let attempt = 0; attempt < 100 && received === 0; attempt += 1) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      received = Number((await call('GET', location)).headers.get('range')?.split('-')[1]) + 1;
      if (received === 1) received = 0;
    }
    expect(received).toBeGreaterThan(0);
    const response = await call('PATCH', location, { body: content.subarray(received), headers: { 'content-range': `${received}-${content.length - 1}` } });
    expect(response.status).toBe(202);
    expect((await call('PUT', `${location}?digest=${digestOf(content)}`)).status).toBe(201);
  });

  test.each(['PATCH', 'PUT'])('whose bytes are gone can be started anew: %s', async (method) => {
    const content = randomBytes(300_000);
    const location = await startUpload();
    await call('PATCH', location, { body: content.subarray(0, 200_000) });
    const id = location.split('/').at(-1) ?? '';
    await registry.storage.abort({ id, received: 0 });
    const path = method === 'PUT' ? `${location}?digest=${digestOf(content)}` : location;
    const response = await call(method, path, { body: content.subarray(200_000), headers: { 'content-range': '200000-299999' } });
    expect([response.status, await errorCode(response)]).toEqual([404, 'BLOB_UPLOAD_UNKNOWN']);
    expect((await call('GET', location)).status).toBe(404);
  });

  test('takes one writer at a time', async () => {
    const content = randomBytes(200_000);
    const location = await startUpload();
    const answers = await Promise.all([0, 1, 2, 3].map(() => call('PATCH', location, { body: content, headers: { 'content-range': '0-199999' } })));
    const statuses = answers.map((answer) => answer.status).toSorted();
    expect(statuses[0]).toBe(202);
    for (const status of statuses.slice(1)) expect([409, 416]).toContain(status);
    expect((await call('PUT', `${location}?digest=${digestOf(content)}`)).status).toBe(201);
  });

  test('raced by right and wrong content is stored once and right', async () => {
    const content = randomBytes(50_000);
    const digest = digestOf(content);
    const bodies = Array.from({ length: 30 }, (_, index) => (index % 3 === 0 ? randomBytes(50_000) : content));
    const answers = await Promise.all(bodies.map(async (body) => (await call('PUT', `${await startUpload()}?digest=${digest}`, { body })).status));
    expect(answers).toEqual(bodies.map((body) => (body === content ? 201 : 400)));
    expect(Buffer.from(await (await call('GET', `/v2/alpha/app/blobs/${digest}`)).arrayBuffer()).equals(content)).toBe(true);
  });

  test('is mounted from a repository the token may pull from', async () => {
    const digest = await pushBlob(randomBytes(100));
    const response = await call('POST', `/v2/alpha/other/blobs/uploads/?mount=${digest}&from=alpha/app`);
    expect([response.status, response.headers.get('location')]).toEqual([201, `/v2/alpha/other/blobs/${digest}`]);
    const absent = await call('POST', `/v2/alpha/other/blobs/uploads/?mount=${digestOf(Buffer.from('absent'))}&from=alpha/app`);
    expect(absent.status).toBe(202);
  });

  test('of another project is not mounted by who only knows its digest', async () => {
    const digest = await pushBlob(randomBytes(100));
    const stranger = await registry.sign([{ type: 'repository', name: 'bravo/app', actions: ['pull', 'push'], project: 2 }]);
    expect((await call('POST', `/v2/bravo/app/blobs/uploads/?mount=${digest}`, { token: stranger })).status).toBe(202);
    expect((await call('GET', `/v2/bravo/app/blobs/${digest}`, { token: stranger })).status).toBe(404);
  });

  test('leaves nothing behind when its upload is cancelled', async () => {
    const location = await startUpload();
    await call('PATCH', location, { body: randomBytes(1000) });
    expect((await call('DELETE', location)).status).toBe(204);
    expect((await call('PATCH', location, { body: 'x' })).status).toBe(404);
    const id = location.split('/').at(-1) ?? '';
    expect((await readdir(registry.folder, { recursive: true })).filter((path) => path.includes(id))).toEqual([]);
  });
});

describe('a manifest', () => {
  test('comes back byte for byte, by tag and by digest', async () => {
    const { digest, bytes } = await pushImage('v1', { odd: '\u0041', spacing: [1, 2] });
    for (const reference of ['v1', digest]) {
      const response = await call('GET', `/v2/alpha/app/manifests/${reference}`);
      expect(response.headers.get('content-type')).toBe(OCI_IMAGE_MANIFEST);
      expect(response.headers.get('docker-content-digest')).toBe(digest);
      expect(Buffer.from(await response.arrayBuffer()).equals(bytes)).toBe(true);
    }
    const known = await call('GET', '/v2/alpha/app/manifests/v1', { headers: { 'if-none-match': `"${digest}"` } });
    expect(known.status).toBe(304);
  });

  test('is what its tag names at once after the tag moved', async () => {
    await pushImage('moving', { annotations: { n: '0' } });
    for (let n = 1; n < 20; n += 1) {
      const [, { digest }] = await Promise.all([call('GET', '/v2/alpha/app/manifests/moving'), pushImage('moving', { annotations: { n: String(n) } })]);
      expect((await call('HEAD', '/v2/alpha/app/manifests/moving')).headers.get('docker-content-digest')).toBe(digest);
    }
  });

  test('pushed by digest takes tags as parameters', async () => {
    const { digest, bytes } = await pushImage('first');
    const response = await call('PUT', `/v2/alpha/app/manifests/${digest}?tag=second&tag=third`, { body: bytes, headers: { 'content-type': OCI_IMAGE_MANIFEST } });
    expect([response.status, response.headers.get('oci-tag')]).toEqual([201, 'second, third']);
    expect((await call('HEAD', '/v2/alpha/app/manifests/third')).headers.get('docker-content-digest')).toBe(digest);
    expect((await call('PUT', `/v2/alpha/app/manifests/${digest}?tag=.bad`, { body: bytes, headers: { 'content-type': OCI_IMAGE_MANIFEST } })).status).toBe(400);
  });

  test.each([
    ['not JSON', 'hello', OCI_IMAGE_MANIFEST, 400, 'MANIFEST_INVALID'],
    ['a key twice', '{"schemaVersion":2,"config":{},"config":{}}', OCI_IMAGE_MANIFEST, 400, 'MANIFEST_INVALID'],
    ['contradictory types', JSON.stringify({ schemaVersion: 2, mediaType: OCI_IMAGE_INDEX, manifests: [] }), OCI_IMAGE_MANIFEST, 400, 'MANIFEST_INVALID'],
    ['Docker schema 1', '{"schemaVersion":1}', 'application/vnd.docker.distribution.manifest.v1+json', 415, 'UNSUPPORTED'],
  ])('with %s is refused', async (_what, body, type, status, code) => {
    const response = await call('PUT', '/v2/alpha/app/manifests/bad', { body, headers: { 'content-type': type } });
    expect([response.status, await errorCode(response)]).toEqual([status, code]);
    expect((await call('HEAD', '/v2/alpha/app/manifests/bad')).status).toBe(404);
  });

  test('that names missing blobs is refused, naming them', async () => {
    const absent = digestOf(Buffer.from('never pushed'));
    const body = JSON.stringify({ schemaVersion: 2, mediaType: OCI_IMAGE_MANIFEST, config: { mediaType: 'a/b', digest: absent, size: 12 }, layers: [] });
    const response = await call('PUT', '/v2/alpha/app/manifests/missing', { body, headers: { 'content-type': OCI_IMAGE_MANIFEST } });
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({ errors: [{ code: 'MANIFEST_BLOB_UNKNOWN', detail: { digests: [absent] } }] });
  });

  test('that may be sparse is taken with a warning', async () => {
    const absent = digestOf(Buffer.from('kept elsewhere'));
    const body = JSON.stringify({ schemaVersion: 2, mediaType: OCI_IMAGE_INDEX, manifests: [{ mediaType: OCI_IMAGE_MANIFEST, digest: absent, size: 14 }] });
    await registry.database.execute(`UPDATE project SET metadata = '{"allow_sparse_manifests": "true"}' WHERE id = 1`);
    const response = await call('PUT', '/v2/alpha/app/manifests/sparse', { body, headers: { 'content-type': OCI_IMAGE_INDEX } });
    await registry.database.execute(`UPDATE project SET metadata = '{}' WHERE id = 1`);
    expect([response.status, response.headers.get('warning')]).toEqual([201, `299 - "alpha/app does not hold everything that this manifest names, such as ${absent}"`]);
    expect((await call('GET', `/v2/alpha/app/manifests/${absent}`)).status).toBe(404);
  });

  test('above 4 MiB is refused, announced or not', async () => {
    const size = 4 * 1024 * 1024 + 1;
    expect(await statusOfPut('/v2/alpha/app/manifests/huge', { 'content-length': String(size) }, 0)).toBe(413);
    expect(await statusOfPut('/v2/alpha/app/manifests/huge', { 'transfer-encoding': 'chunked' }, size)).toBe(413);
    expect((await call('HEAD', '/v2/alpha/app/manifests/huge')).status).toBe(404);
  });

  test('with a subject is listed as its referrer', async () => {
    const { digest: subject } = await pushImage('signed');
    const { digest } = await pushImage('signature', { subject: { mediaType: OCI_IMAGE_MANIFEST, digest: subject, size: 1 }, artifactType: 'application/x.sign' });
    const response = await call('GET', `/v2/alpha/app/referrers/${subject}?artifactType=application/x.sign`);
    expect(response.headers.get('oci-filters-applied')).toBe('artifactType');
    expect(response.headers.get('content-type')).toBe(OCI_IMAGE_INDEX);
    expect(await response.json()).toMatchObject({ manifests: [{ digest, artifactType: 'application/x.sign' }] });
    expect(await (await call('GET', `/v2/alpha/other/referrers/${subject}`)).json()).toMatchObject({ manifests: [] });
  });

  test('is gone at once when deleted, by tag and by digest', async () => {
    const { digest } = await pushImage('gone');
    expect((await call('DELETE', '/v2/alpha/app/manifests/gone')).status).toBe(202);
    expect((await call('HEAD', '/v2/alpha/app/manifests/gone')).status).toBe(404);
    expect((await call('HEAD', `/v2/alpha/app/manifests/${digest}`)).status).toBe(200);
    expect((await call('DELETE', `/v2/alpha/app/manifests/${digest}`)).status).toBe(202);
    expect((await call('HEAD', `/v2/alpha/app/manifests/${digest}`)).status).toBe(404);
  });

  test('that rotted in storage is not served', async () => {
    const { digest } = await pushImage('rotten', { annotations: { rot: 'yes' } });
    await registry.storage.delete(digest);
    await registry.storage.put(digest, Buffer.from('something else'));
    const response = await call('GET', '/v2/alpha/app/manifests/rotten');
    expect([response.status, await errorCode(response)]).toEqual([500, 'UNKNOWN']);
  });
});

describe('lists', () => {
  test('of tags are cut into pages', async () => {
    for (const tag of ['a', 'b', 'c']) await pushImage(tag, {}, 'alpha/other');
    const first = await call('GET', '/v2/alpha/other/tags/list?n=2');
    expect(await first.json()).toEqual({ name: 'alpha/other', tags: ['a', 'b'] });
    expect(first.headers.get('link')).toBe('</v2/alpha/other/tags/list?n=2&last=b>; rel="next"');
    const second = await call('GET', '/v2/alpha/other/tags/list?n=2&last=b');
    expect([await second.json(), second.headers.get('link')]).toEqual([{ name: 'alpha/other', tags: ['c'] }, null]);
    const none = await call('GET', '/v2/alpha/other/tags/list?n=0');
    expect([await none.json(), none.headers.get('link')]).toEqual([{ name: 'alpha/other', tags: [] }, null]);
  });

  test.each(['-1', 'abc', '1e9', '0x10', ' 5', '9223372036854775807', '', '1&n=2'])('refuse n=%s', async (n) => {
    const response = await call('GET', `/v2/alpha/app/tags/list?n=${n}`);
    expect([response.status, await errorCode(response)]).toEqual([400, 'PAGINATION_NUMBER_INVALID']);
  });

  test('are never longer than a thousand entries, and say so', async () => {
    await pushImage('1', {}, 'alpha/other');
    await registry.database.execute(`INSERT INTO tag (repository_id, name, manifest_id)
      SELECT r.id, 'many-' || n, (SELECT max(id) FROM manifest WHERE repository_id = r.id) FROM repository r, generate_series(1, 1100) AS n WHERE r.name = 'alpha/other'`);
    const response = await call('GET', '/v2/alpha/other/tags/list?n=5000');
    expect(((await response.json()) as { tags: string[] }).tags).toHaveLength(1000);
    expect(response.headers.get('warning')).toBe('299 - "a page has at most 1000 entries; follow the Link header"');
  });

  test('of repositories are for administrators', async () => {
    const admin = await registry.sign([{ type: 'registry', name: 'catalog', actions: ['*'] }]);
    await pushImage('listed');
    const response = await call('GET', '/v2/_catalog?n=1', { token: admin });
    expect([response.status, await response.json()]).toEqual([200, { repositories: ['alpha/app'] }]);
  });
});

test('no request is answered with more than it should know, and every answer has a request id', async () => {
  const response = await call('GET', '/v2/alpha/app/manifests/nope', { headers: { 'x-request-id': 'my-id-1' } });
  expect(response.headers.get('x-request-id')).toBe('my-id-1');
  expect((await call('TRACE' as 'GET', '/v2/alpha/app/manifests/v1').catch(() => ({ status: 405 }))).status).toBe(405);
  expect((await call('OPTIONS', '/v2/alpha/app/manifests/v1')).headers.get('allow')).toBe('GET, HEAD, PUT, DELETE');
});

/** The answer to a PUT of `bytes` zeros that is read while the body is still being sent. */
function statusOfPut(path: string, headers: Record<string, string>, bytes: number): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const sending = httpRequest(`${registry.url}${path}`, { method: 'PUT', headers: { authorization: `Bearer ${developer}`, 'content-type': OCI_IMAGE_MANIFEST, ...headers } });
    sending.on('response', (response) => {
      resolve(response.statusCode);
      sending.destroy();
    });
    sending.on('error', reject);
    sending.write(Buffer.alloc(bytes));
    sending.flushHeaders();
  });
}

/** Sends the beginning of a PATCH over a raw connection and cuts it. */
function sendPart(location: string, part: Uint8Array, announced: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(new URL(registry.url).port), '127.0.0.1', () => {
      socket.write(`PATCH ${location} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${developer}\r\ncontent-length: ${announced}\r\n\r\n`);
      socket.write(part, () => setTimeout(() => {
        socket.destroy();
        resolve();
      }, 100));
    });
    socket.on('error', reject);
  });
}
