import { createServer, type AddressInfo, type Server } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Catalog } from '@haven/catalog';
import { digestOf, OCI_IMAGE_MANIFEST, parseManifest } from '@haven/oci';
import { FakeLogger } from '@haven/runtime';
import { openStorage } from '@haven/storage';
import { startTestCore, type TestCore } from '../testing/test-core.js';

const ARTIFACT = '/api/v2.0/projects/alpha/repositories/foreign/artifacts/1';

let core: TestCore;
let canary: Server;
let connections = 0;

beforeAll(async () => {
  canary = createServer((socket) => {
    connections += 1;
    socket.destroy();
  });
  await new Promise<void>((resolve) => { canary.listen(0, '127.0.0.1', resolve); });
  core = await startTestCore({ environment: { HAVEN_OUTBOUND_ALLOW: '127.0.0.0/8' } });
});
afterAll(async () => {
  await core.stop();
  await new Promise((resolve) => { canary.close(resolve); });
});

test.each([
  ['a chart', 'application/vnd.cncf.helm.config.v1+json', 'application/vnd.cncf.helm.chart.content.v1.tar+gzip', ['readme.md', 'values.yaml', 'dependencies']],
  ['an image', 'application/vnd.oci.image.config.v1+json', 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip', ['build_history']],
])('H-12: the addresses of layers that are kept elsewhere are never asked for them: %s', async (_what, configType, layerType, additions) => {
  const urls = [`http://127.0.0.1:${(canary.address() as AddressInfo).port}/layer`];
  const [config, layer] = [Buffer.from('{"name":"foreign","version":"1.0.0"}'), Buffer.from('elsewhere')];
  const document = {
    schemaVersion: 2, mediaType: OCI_IMAGE_MANIFEST, config: { mediaType: configType, digest: digestOf(config), size: config.length, urls }, layers: [{ mediaType: layerType, digest: digestOf(layer), size: layer.length, urls }],
  };
  const bytes = Buffer.from(JSON.stringify(document));
  const storage = openStorage(`file://${core.folder}`);
  const catalog = new Catalog(core.database, new FakeLogger());
  const [row] = await core.database.query<{ id: number }>(`INSERT INTO project (name, owner_id) VALUES ('alpha', 1) ON CONFLICT DO NOTHING RETURNING id`);
  const projectId = row?.id ?? (await core.database.query<{ id: number }>(`SELECT id FROM project WHERE name = 'alpha'`))[0]?.id ?? 0;
  for (const blob of [config, bytes]) await storage.put(digestOf(blob), blob);
  await catalog.addBlob({ repository: 'alpha/foreign', projectId, actor: 'user:1', digest: digestOf(config), size: config.length });
  await catalog.putManifest({ repository: 'alpha/foreign', projectId, actor: 'user:1', digest: digestOf(bytes), manifest: parseManifest(bytes, undefined), size: bytes.length, tags: ['1'] });
  expect((await core.call('GET', ARTIFACT, { as: 'admin' })).status).toBe(200);
  for (const name of additions) expect([name, (await core.call('GET', `${ARTIFACT}/additions/${name}`, { as: 'admin' })).status]).toEqual([name, 404]);
  expect(connections).toBe(0);
  await expect(fetch(urls[0] ?? '')).rejects.toThrow('fetch failed');
  expect(connections).toBe(1);
  connections = 0;
});
