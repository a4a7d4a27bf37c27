import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { gzipSync } from 'node:zlib';
import type { Artifact } from '@haven/api';
import { openStorage } from '@haven/storage';
import { pack } from 'tar-stream';
import { Pusher } from '../testing/push.js';
import { startTestCore, type Answer, type TestCore } from '../testing/test-core.js';

const REPOSITORIES = '/api/v2.0/projects/alpha/repositories';
const CHART_CONFIG = 'application/vnd.cncf.helm.config.v1+json';
const CHART_LAYER = 'application/vnd.cncf.helm.chart.content.v1.tar+gzip';
const CHART = {
  'app/Chart.yaml': 'apiVersion: v2\nname: app\ndependencies:\n- {name: redis, version: 17.x, repository: "oci://example.org/charts"}\n',
  'app/values.yaml': 'replicas: 1\n', 'app/charts/redis/values.yaml': 'wrong: true\n', 'app/README.md': '# App <script>alert(1)</script>\n',
};
let core: TestCore;
let pusher: Pusher;

beforeAll(async () => {
  core = await startTestCore();
  for (const name of ['alice', 'eve']) await core.addUser(name);
  pusher = new Pusher(core.database, await core.addProject('alpha', { members: { alice: 5 } }), openStorage(`file://${core.folder}`));
  await chart('chart', await archive(CHART));
});
afterAll(() => core.stop());

async function archive(files: Readonly<Record<string, string>>): Promise<Buffer> {
  const packed = pack();
  for (const [name, content] of Object.entries(files)) packed.entry({ name }, content);
  packed.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of packed) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

async function chart(name: string, tar: Buffer, packed = gzipSync(tar)): Promise<void> {
  await pusher.artifact(`alpha/${name}`, {
    config: { mediaType: CHART_CONFIG, bytes: Buffer.from(`{"name":"${name}","version":"1.0.0","apiVersion":"v2"}`) }, layers: [{ mediaType: CHART_LAYER, bytes: packed }], tags: ['1'],
  });
}

function addition(repository: string, name: string, as: string | undefined = 'alice'): Promise<Answer> {
  return core.call('GET', `${REPOSITORIES}/${repository}/artifacts/1/additions/${name}`, { as });
}

describe('a chart', () => {
  test('names its additions', async () => {
    const { body } = await core.call('GET', `${REPOSITORIES}/chart/artifacts/1`, { as: 'alice' });
    expect(body).toMatchObject({ type: 'CHART', extra_attrs: { name: 'chart', version: '1.0.0' } });
    const links = (body as Artifact).addition_links;
    expect(Object.keys(links).sort()).toEqual(['dependencies', 'readme.md', 'values.yaml']);
    for (const { href } of Object.values(links)) expect((await core.call('GET', href, { as: 'alice' })).status).toBe(200);
  });

  test('shows its values, its readme and what it needs, as what they are', async () => {
    const [values, readme, dependencies] = [await addition('chart', 'values.yaml'), await addition('chart', 'readme.md'), await addition('chart', 'dependencies')];
    expect([values.body, values.headers.get('content-type')]).toEqual(['replicas: 1\n', 'text/plain; charset=utf-8']);
    expect([readme.body, readme.headers.get('content-type')]).toEqual(['# App <script>alert(1)</script>\n', 'text/markdown; charset=utf-8']);
    expect([readme.headers.get('content-security-policy'), readme.headers.get('x-content-type-options')]).toEqual(["default-src 'none'; sandbox", 'nosniff']);
    expect([dependencies.body, dependencies.headers.get('content-type')]).toEqual([[{ name: 'redis', version: '17.x', repository: 'oci://example.org/charts' }], 'application/json; charset=utf-8']);
  });

  test.each([
    ['HTML', '<html><body onload=alert(1)><iframe src="javascript:alert(1)"></iframe></body></html>'], ['SVG', '<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"><a xlink:href="javascript:alert(1)"/></svg>'],
    ['a link to a script', '[x](data:text/html;base64,PHNjcmlwdD4=) [y](javascript:alert(1))'], ['what mutates', '<math><mtext><table><mglyph><style><!--</style><img title="--><img src=x onerror=alert(1)>">'],
    ['a mebibyte of brackets', '['.repeat(1024 * 1024)],
  ])('I-02: with %s in its readme is inert: neither guessed nor run as a page', async (_name, readme) => {
    await chart('scripted', await archive({ 'app/Chart.yaml': 'apiVersion: v2\nname: app\n', 'app/README.md': readme, 'app/values.yaml': readme }));
    for (const [name, type] of [['readme.md', 'text/markdown; charset=utf-8'], ['values.yaml', 'text/plain; charset=utf-8']] as const) {
      const { status, headers, body } = await addition('scripted', name);
      expect([status, headers.get('content-type'), headers.get('content-security-policy'), headers.get('x-content-type-options'), body === readme]).toEqual([200, type, "default-src 'none'; sandbox", 'nosniff', true]);
    }
  });

  test('of the first format keeps its dependencies in a file of their own', async () => {
    await chart('old', await archive({ 'app/Chart.yaml': 'apiVersion: v1\n', 'app/requirements.yaml': 'dependencies:\n- name: mysql\n  version: "1"\n' }));
    expect((await addition('old', 'dependencies')).body).toEqual([{ name: 'mysql', version: '1', repository: '' }]);
    await chart('lonely', await archive({ 'app/Chart.yaml': 'apiVersion: v1\n' }));
    expect((await addition('lonely', 'dependencies')).body).toEqual([]);
    expect((await addition('lonely', 'values.yaml')).status).toBe(404);
  });

  test('has not what other artifacts have', async () => {
    for (const name of ['build_history', 'license', 'files', 'sbom', 'x', '__proto__']) {
      const { status, body } = await addition('chart', name);
      expect([status, body]).toEqual([400, { errors: [{ code: 'BAD_REQUEST', message: expect.any(String) }] }]);
    }
    expect((await addition('chart', 'vulnerabilities')).status).toBe(404);
    expect((await addition('none', 'vulnerabilities')).status).toBe(404);
  });
});

describe('M-11, M-12: a hostile chart', () => {
  test.each([
    ['large', { 'app/values.yaml': 'x'.repeat(5 * 1024 * 1024) }, 413], ['bomb', { 'app/first': '\0'.repeat(70 * 1024 * 1024), 'app/values.yaml': 'x' }, 413],
    ['outside', { '../app/values.yaml': 'x', '/values.yaml': 'y', 'app/../values.yaml': 'z' }, 404],
  ])('%s is refused', async (name, files, status) => {
    await chart(name, await archive(files));
    expect((await addition(name, 'values.yaml')).status).toBe(status);
  });

  test('damaged is refused', async () => {
    await chart('noise', Buffer.alloc(0), Buffer.from('no gzip at all'));
    await chart('torn', Buffer.alloc(0), gzipSync(await archive(CHART)).subarray(0, 40));
    for (const name of ['noise', 'torn']) expect((await addition(name, 'values.yaml')).status).toBe(400);
  });

  test('asked for many times at once is answered in turn', async () => {
    const statuses = await Promise.all(Array.from({ length: 6 }, async () => (await addition('bomb', 'values.yaml')).status));
    expect([...new Set(statuses)]).toEqual([413]);
  });
});

describe('a model', () => {
  const raw = (path: string, content: string, type = 'doc'): { readonly mediaType: string; readonly bytes: Buffer; readonly annotations: Record<string, string> } =>
    ({ mediaType: `application/vnd.cncf.model.${type}.v1.raw`, bytes: Buffer.from(content), annotations: { 'org.cncf.model.filepath': path } });

  beforeAll(async () => {
    const config = { mediaType: 'application/vnd.cncf.model.config.v1+json', bytes: Buffer.from('{"descriptor":{"name":"m"}}') };
    const license = { mediaType: 'application/vnd.cncf.model.doc.v1.tar', bytes: await archive({ LICENSE: 'Apache-2.0' }), annotations: { 'org.cncf.model.filepath': 'LICENSE' } };
    const artifactType = 'application/vnd.cncf.model.manifest.v1+json';
    await pusher.artifact('alpha/model', { artifactType, config, layers: [raw('weights/a.bin', 'weights', 'weight'), raw('README.md', '# Model'), license], tags: ['1'] });
    await pusher.artifact('alpha/wordy', { artifactType, config, layers: [raw('README.md', 'x'.repeat(4 * 1024 * 1024 + 1))], tags: ['1'] });
  });

  test('shows its readme, its license and its files', async () => {
    const [readme, license, files] = [await addition('model', 'readme.md'), await addition('model', 'license'), await addition('model', 'files')];
    expect([readme.body, readme.headers.get('content-type')]).toEqual(['# Model', 'text/markdown; charset=utf-8']);
    expect([license.body, license.headers.get('content-type')]).toEqual(['Apache-2.0', 'text/plain; charset=utf-8']);
    expect(files.body).toMatchObject([{ name: 'LICENSE', type: 'file' }, { name: 'README.md', type: 'file', size: 7 }, { name: 'weights', type: 'directory', children: [{ name: 'a.bin', size: 7 }] }]);
    expect((await addition('wordy', 'readme.md')).status).toBe(413);
    expect((await addition('wordy', 'license')).status).toBe(404);
  });
});

describe('D-15: additions of a project that the caller may not see', () => {
  test.each(['build_history', 'vulnerabilities', 'sbom', 'readme.md', 'values.yaml', 'dependencies', 'x'])('%s', async (name) => {
    expect((await core.call('GET', `${REPOSITORIES}/chart/artifacts/1/additions/${name}`)).status).toBe(401);
    expect((await addition('chart', name, 'eve')).status).toBe(403);
    expect((await addition('none', name, 'eve')).status).toBe(403);
  });
});
