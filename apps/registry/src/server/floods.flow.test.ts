import { request as startRequest, type ClientRequest } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Catalog } from '@haven/catalog';
import { digestOf, OCI_IMAGE_MANIFEST } from '@haven/oci';
import { FakeLogger } from '@haven/runtime';
import { errorCode, TestClient } from '../testing/test-client.js';

const TAGS = 100_000;
const REFERRERS = 20_000;
const PAGE = 1000;
const SOON_MS = 500;

let client: TestClient;
beforeAll(async () => { client = await TestClient.start(); });
afterAll(() => client.stop());

const sql = (text: string, parameters: readonly unknown[] = []): Promise<number> => client.registry.database.execute(text, parameters);

/** The fastest of three: others use this machine, too. */
async function timed(path: string): Promise<{ readonly response: Response; readonly milliseconds: number }> {
  let milliseconds = Infinity;
  for (let time = 1; ; time += 1) {
    const begun = performance.now();
    const response = await client.call('GET', path);
    milliseconds = Math.min(milliseconds, performance.now() - begun);
    if (time === 3) return { response, milliseconds };
    await response.arrayBuffer();
  }
}

describe(`M-17: a repository of ${TAGS} tags`, () => {
  beforeAll(async () => {
    await client.pushImage('first', {}, 'alpha/other');
    await sql(`INSERT INTO tag (repository_id, name, manifest_id)
      SELECT r.id, 't-' || lpad(n::text, 6, '0'), (SELECT max(id) FROM manifest WHERE repository_id = r.id) FROM repository r, generate_series(1, $1::int) AS n WHERE r.name = 'alpha/other'`, [TAGS]);
    await sql('ANALYZE tag');
  }, 120_000);

  test('is listed a page at a time, as fast in the end as in the beginning', async () => {
    for (const last of ['', 't-050000', 't-099500']) {
      const { response, milliseconds } = await timed(`/v2/alpha/other/tags/list?n=1000000&last=${last}`);
      const { tags } = (await response.json()) as { tags: string[] };
      expect([last, response.status, tags.length <= PAGE, milliseconds < SOON_MS]).toEqual([last, 200, true, true]);
      expect(response.headers.has('link')).toBe(last !== 't-099500');
    }
  });

  test('is pushed to and pulled from as any other', async () => {
    const { digest } = await client.pushImage('another', {}, 'alpha/other');
    const { response, milliseconds } = await timed('/v2/alpha/other/manifests/another');
    expect([response.status, response.headers.get('docker-content-digest'), milliseconds < SOON_MS]).toEqual([200, digest, true]);
  });
});

describe(`M-18: a manifest with ${REFERRERS} referrers`, () => {
  let subject: string;

  beforeAll(async () => {
    subject = (await client.pushImage('subject')).digest;
    await sql(`INSERT INTO manifest (repository_id, digest, media_type, kind, artifact_type, size, total_size, annotations, subject_digest)
      SELECT r.id, 'sha256:' || encode(sha256(n::text::bytea), 'hex'), $1, 'image', CASE WHEN n % 2 = 0 THEN 'application/even' ELSE 'application/odd' END, 100, 100, '{"a": "b"}', $2
      FROM repository r, generate_series(1, $3::int) AS n WHERE r.name = 'alpha/app'`, [OCI_IMAGE_MANIFEST, subject, REFERRERS]);
    await sql('ANALYZE manifest');
  }, 120_000);

  test.each([['', REFERRERS], ['?artifactType=application/even', REFERRERS / 2], ['?artifactType=application/none', 0]])('lists them a page at a time: %s', async (query, count) => {
    const found = new Set<string>();
    let pages = 0;
    for (let path: string | undefined = `/v2/alpha/app/referrers/${subject}${query}`; path !== undefined; pages += 1) {
      const { response, milliseconds } = await timed(path);
      const text = await response.text();
      expect([response.status, milliseconds < SOON_MS, text.length < 4 * 1024 * 1024]).toEqual([200, true, true]);
      for (const { digest } of (JSON.parse(text) as { manifests: { digest: string }[] }).manifests) found.add(digest);
      path = /^<([^>]+)>; rel="next"$/.exec(response.headers.get('link') ?? '')?.[1];
    }
    expect([found.size, pages]).toEqual([count, Math.max(1, count / PAGE)]);
  }, 60_000);

  test('is pulled as any other', async () => {
    for (const path of [`/v2/alpha/app/manifests/${subject}`, '/v2/alpha/app/manifests/subject']) {
      const { response, milliseconds } = await timed(path);
      expect([response.status, response.headers.get('docker-content-digest'), milliseconds < SOON_MS]).toEqual([200, subject, true]);
    }
  });
});

describe('M-03: dozens of large manifests that never end', () => {
  const HELD = 3 * 1024 * 1024;
  /** Of one account, and of all. */
  const [SHARE, ALL] = [16 / 3, 64 / 3].map(Math.floor) as [number, number];
  const pushing = ['pull', 'push'] as const;

  /** Sends the beginning of a manifest, of unknown length, and waits; resolves to the status, once there is one. */
  function stalled(token: string, open: ClientRequest[]): Promise<number | undefined> {
    return new Promise((resolve) => {
      const request = startRequest(`${client.registry.url}/v2/alpha/app/manifests/stalled`, { method: 'PUT', agent: false, headers: { authorization: `Bearer ${token}`, 'content-type': OCI_IMAGE_MANIFEST, 'transfer-encoding': 'chunked' } });
      request.on('response', (response) => { resolve(response.statusCode); }).on('error', () => { resolve(undefined); });
      request.write(Buffer.alloc(HELD, ' '));
      open.push(request);
    });
  }

  async function eventually(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
    for (const deadline = performance.now() + 20_000; !(await holds()); await sleep(20)) {
      if (performance.now() > deadline) throw new Error(`${what} did not happen`);
    }
  }

  /** Lets each account begin so many; resolves once all but `held` of them, at most, were refused. */
  async function flood(tokens: readonly string[], each: number, held: number): Promise<{ readonly open: ClientRequest[]; readonly refused: ReadonlySet<number | undefined> }> {
    const open: ClientRequest[] = [];
    const answers: (number | undefined)[] = [];
    for (const token of tokens) for (let index = 0; index < each; index += 1) void stalled(token, open).then((status) => answers.push(status));
    await eventually('the others being refused', () => answers.length >= tokens.length * each - held);
    return { open, refused: new Set(answers) };
  }

  /** Once the registry has noticed that the others went away. */
  async function pushLarge(): Promise<void> {
    await eventually('a large manifest being taken', () => client.pushImage('large', { annotations: { padding: 'x'.repeat(HELD) } }).then(() => true, () => false));
  }

  test('of one account leave room for those of others, and for its own of every day', async () => {
    const { open, refused } = await flood([await client.registry.token({ 'alpha/app': pushing }, 'user:2')], 20, SHARE);
    expect(refused).toEqual(new Set([429]));
    await client.pushImage('every-day');
    await client.pushImage('large', { annotations: { padding: 'x'.repeat(HELD) } });
    for (const request of open) request.destroy();
  }, 60_000);

  test('of many accounts are not all kept in memory; manifests of every day are taken meanwhile, and large ones afterwards', async () => {
    const tokens = await Promise.all(Array.from({ length: 8 }, (_, index) => client.registry.token({ 'alpha/app': pushing }, `user:${index + 10}`)));
    const { open, refused } = await flood(tokens, 5, ALL);
    expect(refused).toEqual(new Set([429]));
    await client.pushImage('every-day');
    for (const request of open) request.destroy();
    await pushLarge();
  }, 60_000);
});

describe('M-07: hundreds of upload sessions that nobody ends', () => {
  test('take no room of the project, leave it usable, and are all found by their age', async () => {
    const catalog = new Catalog(client.registry.database, new FakeLogger());
    await sql('UPDATE project SET storage_limit = $1 WHERE id = 1', [(await catalog.usage(1)).used + 1_000_000]);
    const opened: string[] = [];
    for (let round = 0; round < 15; round += 1) opened.push(...await Promise.all(Array.from({ length: 20 }, () => client.startUpload())));
    for (let at = 0; at < opened.length; at += 20) {
      const statuses = await Promise.all(opened.slice(at, at + 20).map(async (location) => (await client.call('PATCH', location, { body: 'x' })).status));
      expect(new Set(statuses)).toEqual(new Set([202]));
    }
    expect(await client.registry.database.query('SELECT count(*)::int AS count, sum(received)::int AS bytes FROM upload')).toEqual([{ count: opened.length, bytes: opened.length }]);
    await client.pushBlob(Buffer.alloc(500_000, 'y'));
    await sql(`UPDATE upload SET updated_at = now() - interval '2 days'`);
    const stale = await catalog.staleUploads(new Date(Date.now() - 86_400_000), opened.length + 1);
    expect(stale).toHaveLength(opened.length);
    await sql('UPDATE project SET storage_limit = -1 WHERE id = 1');
  }, 60_000);

  test('cannot be made to reach far: bytes follow on each other', async () => {
    const location = await client.startUpload();
    for (const range of ['1-1', '1099511627776-1099511627776', '9007199254740990-9007199254740990']) {
      const response = await client.call('PATCH', location, { body: 'x', headers: { 'content-range': range } });
      expect([range, response.status]).toEqual([range, 416]);
    }
  });
});

describe('M-19: what is compressed on its way', () => {
  test.each([['gzip', gzipSync], ['br', brotliCompressSync]] as const)('%s: a manifest is refused, a blob is the bytes that came', async (encoding, pack) => {
    const manifest = pack(Buffer.from('{}'.padEnd(8 * 1024 * 1024)));
    const refused = await client.call('PUT', '/v2/alpha/app/manifests/packed', { body: manifest, headers: { 'content-type': OCI_IMAGE_MANIFEST, 'content-encoding': encoding } });
    expect([refused.status, await errorCode(refused)]).toEqual([415, 'UNSUPPORTED']);
    const bomb = pack(Buffer.alloc(16 * 1024 * 1024));
    const put = async (digest: string): Promise<number> => (await client.call('PUT', `${await client.startUpload()}?digest=${digest}`, { body: bomb, headers: { 'content-encoding': encoding } })).status;
    expect(await put(digestOf(Buffer.alloc(16 * 1024 * 1024)))).toBe(400);
    expect(await put(digestOf(bomb))).toBe(201);
    const stored = await client.call('GET', `/v2/alpha/app/blobs/${digestOf(bomb)}`);
    expect([stored.headers.get('content-encoding'), digestOf(Buffer.from(await stored.arrayBuffer()))]).toEqual([null, digestOf(bomb)]);
  });
});

describe('M-15: configs of any kind', () => {
  const image = async (config: Buffer, tag: string): Promise<number> => {
    const digest = await client.pushBlob(config);
    const document = { schemaVersion: 2, mediaType: OCI_IMAGE_MANIFEST, config: { mediaType: 'application/vnd.oci.image.config.v1+json', digest, size: config.length }, layers: [] };
    return (await client.call('PUT', `/v2/alpha/app/manifests/${tag}`, { body: JSON.stringify(document), headers: { 'content-type': OCI_IMAGE_MANIFEST } })).status;
  };

  test.each<[string, () => string]>([
    ['of 5 MiB', () => JSON.stringify({ architecture: 'amd64', os: 'linux', padding: 'x'.repeat(5 * 1024 * 1024) })],
    ['with 100,000 labels', () => JSON.stringify({ architecture: 'amd64', config: { Labels: Object.fromEntries(Array.from({ length: 100_000 }, (_, index) => [`l${index}`, 'v'])) } })],
    ['with a history of 50,000 steps', () => JSON.stringify({ architecture: 'amd64', history: Array.from({ length: 50_000 }, () => ({ created_by: 'x' })) })],
    ['with odd times', () => JSON.stringify({ created: 'yesterday', architecture: 7, os: { a: 1 }, author: ['x'] })],
    ['of nested arrays', () => `${'['.repeat(200_000)}${']'.repeat(200_000)}`], ['that is no JSON', () => 'no JSON'], ['that is null', () => 'null'], ['with NUL in it', () => '{"architecture":"a\\u0000b"}'],
  ])('%s are taken, and the artifact is listed', async (name, make) => {
    const tag = `config-${name.replace(/\W+/g, '-')}`;
    const begun = performance.now();
    expect(await image(Buffer.from(make()), tag)).toBe(201);
    expect(performance.now() - begun).toBeLessThan(15_000); // a busy machine; what is not bounded never ends
    expect((await client.call('GET', `/v2/alpha/app/manifests/${tag}`)).status).toBe(200);
    const [row] = await client.registry.database.query<{ bytes: number }>(`SELECT length(m.extra_attrs::text) AS bytes FROM manifest m JOIN tag t ON t.manifest_id = m.id WHERE t.name = $1`, [tag]);
    expect(row?.bytes).toBeLessThan(5 * 1024 * 1024);
  });
});

describe('M-01: pages of any size', () => {
  test('of repositories: what is no number is refused, what is too much is cut', async () => {
    const token = await client.registry.sign([{ type: 'registry', name: 'catalog', actions: ['*'] }]);
    for (const n of ['-1', 'abc', '1e400', '0x10', '%205', '9223372036854775807', '1.5', '', '1&n=2']) {
      const response = await client.call('GET', `/v2/_catalog?n=${n}`, { token });
      expect([n, response.status, await errorCode(response)]).toEqual([n, 400, 'PAGINATION_NUMBER_INVALID']);
    }
    expect((await client.call('GET', '/v2/_catalog?n=999999999', { token })).status).toBe(200);
    expect(await (await client.call('GET', '/v2/_catalog?n=0', { token })).json()).toEqual({ repositories: [] });
  });

  test.each(['zzz', 'x'.repeat(6000), '%00', '%F0%9F%98%80', '..', `alpha/app&n=2`])('an unknown last goes on from there, or is refused: %.20s', async (last) => {
    for (const path of [`/v2/alpha/other/tags/list?last=${last}`, `/v2/alpha/app/referrers/${digestOf(Buffer.from('x'))}?last=${last}`]) expect([200, 400, 414]).toContain((await client.call('GET', path)).status);
  });
});
