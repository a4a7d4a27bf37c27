import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Artifact, Icon } from '@haven/api';
import { digestOf } from '@haven/oci';
import { openStorage } from '@haven/storage';
import { Pusher, type ArtifactToPush } from '../testing/push.js';
import { startTestCore, type Answer, type TestCore } from '../testing/test-core.js';
import { builtInIcon, iconOfType } from './built-in-icons.js';

const PICTURE = builtInIcon(iconOfType('WASM')) ?? Buffer.alloc(0);
const ICON = Buffer.concat([PICTURE, Buffer.from('own')]);
const SVG = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>');
let core: TestCore;

beforeAll(async () => {
  core = await startTestCore();
  for (const name of ['alice', 'eve', 'bob']) await core.addUser(name);
  const storage = openStorage(`file://${core.folder}`);
  await new Pusher(core.database, await core.addProject('alpha', { members: { alice: 5 } }), storage).artifact('alpha/app', withIcon(ICON));
  await new Pusher(core.database, await core.addProject('open', { public: true }), storage).artifact('open/app', withIcon(SVG));
  await core.addProject('bravo', { members: { bob: 1 } });
});
afterAll(() => core.stop());

function withIcon(bytes: Buffer): ArtifactToPush {
  return {
    config: { mediaType: 'application/vnd.acme.thing.config.v1+json', bytes: Buffer.from('{"shown":1,"hidden":2}'), annotations: { 'io.goharbor.artifact.v1alpha1.skip-list': 'hidden' } },
    layers: [{ mediaType: 'image/png', bytes, annotations: { 'io.goharbor.artifact.v1alpha1.icon': '' } }], tags: ['1'],
  };
}

function sized(picture: Buffer, change: (header: Buffer) => void): Buffer {
  const copy = Buffer.from(picture);
  change(copy);
  return copy;
}

function icon(digest: string, as?: string): Promise<Answer> {
  return core.call('GET', `/api/v2.0/icons/${digest}`, { as });
}

test('built-in icons are shown to everybody', async () => {
  const { status, body } = await icon(iconOfType('IMAGE'));
  expect([status, (body as Icon)['content-type']]).toEqual([200, 'image/png']);
  expect(Buffer.from((body as Icon).content, 'base64')).toEqual(builtInIcon(iconOfType('IMAGE')));
});

describe('D-15: the icon that an artifact brings along', () => {
  test('is named by the artifact and shown to who may read that', async () => {
    const { body } = await core.call('GET', '/api/v2.0/projects/alpha/repositories/app/artifacts/1', { as: 'alice' });
    expect(body).toMatchObject({ type: 'THING', icon: digestOf(ICON), extra_attrs: { shown: 1 } });
    expect((body as Artifact).extra_attrs).not.toHaveProperty('hidden');
    for (const as of ['alice', 'admin']) expect((await icon(digestOf(ICON), as)).body).toEqual({ 'content-type': 'image/png', content: ICON.toString('base64') });
  });

  test('looks to others like one that does not exist', async () => {
    const missing = await icon(`sha256:${'0'.repeat(64)}`);
    expect(missing.status).toBe(404);
    for (const as of [undefined, 'eve', 'bob']) {
      const hidden = await icon(digestOf(ICON), as);
      expect([hidden.status, hidden.body]).toEqual([404, missing.body]);
    }
  });

  test('is gone with the artifact', async () => {
    const other = Buffer.concat([PICTURE, Buffer.from('other')]);
    const [row] = await core.database.query<{ id: number }>(`SELECT id FROM project WHERE name = 'alpha'`);
    await new Pusher(core.database, row?.id ?? 0, openStorage(`file://${core.folder}`)).artifact('alpha/gone', withIcon(other));
    expect((await icon(digestOf(other), 'alice')).status).toBe(200);
    expect((await core.call('DELETE', '/api/v2.0/projects/alpha/repositories/gone/artifacts/1', { as: 'admin' })).status).toBe(200);
    expect((await icon(digestOf(other), 'alice')).status).toBe(404);
  });

  test('I-03: is a picture, never a document with scripts', async () => {
    expect((await core.call('GET', '/api/v2.0/projects/open/repositories/app/artifacts/1')).body).toMatchObject({ icon: digestOf(SVG) });
    expect((await icon(digestOf(SVG))).status).toBe(404);
  });

  test('M-14: is no picture with 2 MiB of metadata', async () => {
    const bytes = Buffer.concat([PICTURE, Buffer.alloc(2 * 1024 * 1024)]);
    const [row] = await core.database.query<{ id: number }>(`SELECT id FROM project WHERE name = 'open'`);
    await new Pusher(core.database, row?.id ?? 0, openStorage(`file://${core.folder}`)).artifact('open/bomb', withIcon(bytes));
    expect((await core.call('GET', '/api/v2.0/projects/open/repositories/bomb/artifacts?page_size=1')).status).toBe(200);
    expect([404, 413]).toContain((await icon(digestOf(bytes))).status);
  });

  test.each([
    ['HTML that is called a PNG', Buffer.from('<html><script>alert(1)</script></html>')], ['a script behind a comment', Buffer.from('/*GIF89a*/alert(1)')],
    ['a PNG of 30,000 by 30,000', sized(PICTURE, (header) => { header.writeUInt32BE(30_000, 16); header.writeUInt32BE(30_000, 20); })],
    ['a GIF of 65,535 by 65,535', sized(Buffer.from('GIF89a    \0\0\0;'), (header) => { header.writeUInt32LE(0xffff_ffff, 6); })],
    ['a JPEG of 65,535 by 65,535', Buffer.from('ffd8ffe000104a46494600010100000100010000ffc0000b08ffffffff01011100ffd9', 'hex')],
    ['a JPEG without a size', Buffer.from('ffd8ffe000104a464946', 'hex')],
  ])('I-03, M-14: is not %s', async (_name, bytes) => {
    const [row] = await core.database.query<{ id: number }>(`SELECT id FROM project WHERE name = 'open'`);
    await new Pusher(core.database, row?.id ?? 0, openStorage(`file://${core.folder}`)).artifact('open/odd', withIcon(bytes));
    expect((await icon(digestOf(bytes), 'admin')).status).toBe(404);
  });

  test('is no way to read other blobs', async () => {
    const layer = Buffer.concat([PICTURE, Buffer.from('a layer')]);
    const [row] = await core.database.query<{ id: number }>(`SELECT id FROM project WHERE name = 'open'`);
    await new Pusher(core.database, row?.id ?? 0, openStorage(`file://${core.folder}`)).artifact('open/image', {
      config: { mediaType: 'application/vnd.oci.image.config.v1+json', bytes: Buffer.from('{}') },
      layers: [{ mediaType: 'application/vnd.oci.image.layer.v1.tar', bytes: layer, annotations: { 'io.goharbor.artifact.v1alpha1.icon': '' } }],
    });
    expect((await icon(digestOf(layer), 'admin')).status).toBe(404);
  });
});

test.each(['x', 'sha256:x', '..', 'sha256:..%2F..', 'a%00', `sha256:${'A'.repeat(64)}`])('%s is no digest', async (digest) => {
  expect([400, 404]).toContain((await icon(digest)).status);
});
