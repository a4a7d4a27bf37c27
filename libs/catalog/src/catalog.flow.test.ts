import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createTestDatabase, type TestDatabase } from '@haven/database';
import { digestOf, OCI_IMAGE_INDEX, OCI_IMAGE_MANIFEST, parseManifest, type Digest } from '@haven/oci';
import { FakeLogger } from '@haven/runtime';
import { Catalog } from './catalog.js';

let fixture: TestDatabase;
let catalog: Catalog;
let projectId: number;
const actor = 'user:1';

beforeAll(async () => {
  fixture = await createTestDatabase();
  catalog = new Catalog(fixture.database, new FakeLogger());
  const [user] = await fixture.database.query<{ id: number }>(`INSERT INTO haven_user (external_id, username) VALUES ('tester', 'tester') RETURNING id`);
  const [project] = await fixture.database.query<{ id: number }>(`INSERT INTO project (name, owner_id) VALUES ('alpha', $1) RETURNING id`, [user?.id]);
  projectId = project?.id ?? 0;
});
afterAll(() => fixture.drop());

async function addBlob(repository: string, content: string): Promise<{ mediaType: string; digest: Digest; size: number }> {
  const digest = digestOf(Buffer.from(content));
  await catalog.addBlob({ repository, projectId, actor, digest, size: content.length });
  return { mediaType: 'application/octet-stream', digest, size: content.length };
}

interface Push {
  readonly repository: string;
  readonly document: object;
  readonly tags?: readonly string[];
}

async function push({ repository, document, tags = [] }: Push): Promise<Digest> {
  const bytes = Buffer.from(JSON.stringify(document));
  const digest = digestOf(bytes);
  await catalog.putManifest({ repository, projectId, actor, digest, manifest: parseManifest(bytes, undefined), size: bytes.length, tags });
  return digest;
}

async function image(repository: string, content: string, extra: object = {}): Promise<object> {
  const layer = await addBlob(repository, content);
  return { schemaVersion: 2, mediaType: OCI_IMAGE_MANIFEST, config: layer, layers: [layer], ...extra };
}

async function tagHistory(repository: string, tag: string): Promise<string[]> {
  const rows = await fixture.database.query<{ line: string }>(
    `SELECT concat_ws(' ', kind, from_digest, to_digest) AS line FROM tag_event e JOIN repository r ON r.id = e.repository_id
     WHERE r.name = $1 AND tag = $2 ORDER BY e.id`,
    [repository, tag],
  );
  return rows.map((row) => row.line);
}

describe('a push', () => {
  test('makes the repository, the artifact, the tag, its history and the events in one step', async () => {
    const digest = await push({ repository: 'alpha/app', document: await image('alpha/app', 'one'), tags: ['1'] });
    expect(await catalog.findManifest('alpha/app', { tag: '1' })).toMatchObject({ digest, mediaType: OCI_IMAGE_MANIFEST });
    expect(await tagHistory('alpha/app', '1')).toEqual([`create ${digest}`]);
    const events = await fixture.database.query<{ type: string }>('SELECT type FROM outbox ORDER BY id');
    expect(events.map((event) => event.type)).toEqual(['repository.created', 'artifact.pushed', 'tag.created']);
  });

  test('of something else under the same tag moves it', async () => {
    const first = await push({ repository: 'alpha/moving', document: await image('alpha/moving', 'first'), tags: ['latest'] });
    const second = await push({ repository: 'alpha/moving', document: await image('alpha/moving', 'second'), tags: ['latest'] });
    await push({ repository: 'alpha/moving', document: await image('alpha/moving', 'second'), tags: ['latest'] });
    expect(await tagHistory('alpha/moving', 'latest')).toEqual([`create ${first}`, `move ${first} ${second}`]);
    expect(await catalog.findManifest('alpha/moving', { digest: first })).toBeDefined();
  });

  test('that names what is not there is refused and says what is missing', async () => {
    const absent = digestOf(Buffer.from('absent'));
    const document = await image('alpha/app', 'one', { layers: [{ mediaType: 'x/y', digest: absent, size: 6 }] });
    await expect(push({ repository: 'alpha/app', document, tags: ['broken'] })).rejects.toMatchObject({ code: 'references-missing', digests: [absent] });
    expect(await catalog.findManifest('alpha/app', { tag: 'broken' })).toBeUndefined();
  });

  test('cannot use the blobs of another repository', async () => {
    const layer = await addBlob('alpha/private', 'secret');
    const document = { schemaVersion: 2, mediaType: OCI_IMAGE_MANIFEST, config: layer, layers: [] };
    await expect(push({ repository: 'alpha/thief', document })).rejects.toMatchObject({ code: 'references-missing' });
  });

  test('that states a wrong size is refused', async () => {
    const layer = await addBlob('alpha/app', 'sized');
    const document = { schemaVersion: 2, mediaType: OCI_IMAGE_MANIFEST, config: layer, layers: [{ ...layer, size: 999 }] };
    await expect(push({ repository: 'alpha/app', document })).rejects.toMatchObject({ code: expect.stringMatching(/size-mismatch/) });
  });

  test('of an index may name manifests and plain blobs', async () => {
    const child = await push({ repository: 'alpha/multi', document: await image('alpha/multi', 'amd64') });
    const cache = await addBlob('alpha/multi', 'cache layer');
    const [row] = await fixture.database.query<{ size: string }>('SELECT size FROM manifest WHERE digest = $1', [child]);
    const manifests = [{ mediaType: OCI_IMAGE_MANIFEST, digest: child, size: Number(row?.size) }, cache];
    const index = await push({ repository: 'alpha/multi', document: { schemaVersion: 2, mediaType: OCI_IMAGE_INDEX, manifests }, tags: ['all'] });
    expect(await catalog.findManifest('alpha/multi', { tag: 'all' })).toMatchObject({ digest: index });
  });

  test('of a sparse index is taken only where the project allows it', async () => {
    const manifests = [{ mediaType: OCI_IMAGE_MANIFEST, digest: digestOf(Buffer.from('elsewhere')), size: 9 }];
    const document = { schemaVersion: 2, mediaType: OCI_IMAGE_INDEX, manifests };
    await expect(push({ repository: 'alpha/sparse', document })).rejects.toMatchObject({ code: 'references-missing' });
    await fixture.database.execute(`UPDATE project SET metadata = '{"allow_sparse_manifests": "true"}' WHERE id = $1`, [projectId]);
    await push({ repository: 'alpha/sparse', document, tags: ['1'] });
    await fixture.database.execute(`UPDATE project SET metadata = '{}' WHERE id = $1`, [projectId]);
    expect(await catalog.findManifest('alpha/sparse', { tag: '1' })).toBeDefined();
  });

  test('into a project that was deleted and made anew is refused', async () => {
    const document = await image('alpha/app', 'one');
    const bytes = Buffer.from(JSON.stringify(document));
    await expect(catalog.putManifest({
      repository: 'alpha/app', projectId: projectId + 1000, actor, digest: digestOf(bytes), manifest: parseManifest(bytes, undefined), size: bytes.length, tags: [],
    })).rejects.toMatchObject({ code: 'project-unknown' });
  });

  test('keeps what Postgres cannot store in text out of its columns', async () => {
    const document = await image('alpha/app', 'one', { annotations: { 'a\u0000b': 'nul \u0000 and \ud800' } });
    const digest = await push({ repository: 'alpha/app', document });
    const [row] = await fixture.database.query<{ annotations: object }>('SELECT annotations FROM manifest WHERE digest = $1', [digest]);
    expect(row?.annotations).toEqual({ 'a\ufffdb': 'nul \ufffd and \ufffd' });
  });
});

describe('many pushes at once', () => {
  test('of one tag leave one tag and a history without gaps', async () => {
    const documents = await Promise.all(Array.from({ length: 20 }, (_, index) => image('alpha/race', `layer ${index}`)));
    const digests = await Promise.all(documents.map((document) => push({ repository: 'alpha/race', document, tags: ['race'] })));
    const history = await tagHistory('alpha/race', 'race');
    expect(history).toHaveLength(20);
    let current = '';
    for (const line of history) {
      const [kind, ...named] = line.split(' ');
      expect(kind === 'create' ? '' : named[0]).toBe(current);
      current = named.at(-1) ?? '';
    }
    expect(digests).toContain(current);
    expect(await catalog.findManifest('alpha/race', { tag: 'race' })).toMatchObject({ digest: current });
  });

  test('against the deletion of their repository end in one consistent state', async () => {
    for (let round = 0; round < 20; round += 1) {
      const document = await image('alpha/doomed', `round ${round}`);
      await push({ repository: 'alpha/doomed', document, tags: ['old'] });
      const pushed = push({ repository: 'alpha/doomed', document, tags: ['new'] }).then(() => 'pushed', (error: { code: string }) => error.code);
      await catalog.deleteRepository({ repository: 'alpha/doomed', actor });
      // The push came first (all gone) or last (refused, for the new repository holds no blobs), never half of both.
      expect(['pushed', 'references-missing']).toContain(await pushed);
      const alive = await catalog.findManifest('alpha/doomed', { tag: 'new' });
      expect(alive).toBeUndefined();
    }
  });
});

describe('deletion', () => {
  test('of an artifact takes its tags along and can be undone by pushing it again', async () => {
    const document = await image('alpha/bin', 'binned');
    const digest = await push({ repository: 'alpha/bin', document, tags: ['a', 'b'] });
    await catalog.deleteArtifact({ repository: 'alpha/bin', digest, actor, cascade: false });
    expect(await catalog.findManifest('alpha/bin', { digest })).toBeUndefined();
    expect(await catalog.findManifest('alpha/bin', { tag: 'a' })).toBeUndefined();
    expect(await tagHistory('alpha/bin', 'b')).toEqual([`create ${digest}`, `delete ${digest}`]);
    await push({ repository: 'alpha/bin', document, tags: ['a'] });
    expect(await catalog.findManifest('alpha/bin', { tag: 'a' })).toMatchObject({ digest });
  });

  test('of what an index names is refused until the index is gone', async () => {
    const child = await push({ repository: 'alpha/kept', document: await image('alpha/kept', 'child') });
    const [row] = await fixture.database.query<{ size: string }>('SELECT size FROM manifest WHERE digest = $1', [child]);
    const index = await push({ repository: 'alpha/kept', document: { schemaVersion: 2, mediaType: OCI_IMAGE_INDEX, manifests: [{ mediaType: OCI_IMAGE_MANIFEST, digest: child, size: Number(row?.size) }] } });
    await expect(catalog.deleteArtifact({ repository: 'alpha/kept', digest: child, actor, cascade: false })).rejects.toMatchObject({ code: 'referenced', digests: [index] });
    await catalog.deleteArtifact({ repository: 'alpha/kept', digest: index, actor, cascade: true });
    expect(await catalog.findManifest('alpha/kept', { digest: child })).toBeUndefined();
  });

  test('J-06: with accessories that point at each other ends', async () => {
    const base = await push({ repository: 'alpha/loop', document: await image('alpha/loop', 'base') });
    const subject = { mediaType: OCI_IMAGE_MANIFEST, digest: base, size: 1 };
    const signature = await push({ repository: 'alpha/loop', document: await image('alpha/loop', 'signature', { subject }) });
    const second = await push({ repository: 'alpha/loop', document: await image('alpha/loop', 'second', { subject: { ...subject, digest: signature } }) });
    await fixture.database.execute(`INSERT INTO accessory (manifest_id, repository_id, subject_digest, type)
      SELECT id, repository_id, $2, 'subject.accessory' FROM manifest WHERE digest = $1`, [base, second]);
    await catalog.deleteArtifact({ repository: 'alpha/loop', digest: base, actor, cascade: true });
    for (const digest of [base, signature, second]) expect(await catalog.findManifest('alpha/loop', { digest })).toBeUndefined();
  });

  test('of a blob is refused while a manifest needs it', async () => {
    const document = await image('alpha/blobs', 'needed');
    const digest = await push({ repository: 'alpha/blobs', document });
    const blob = digestOf(Buffer.from('needed'));
    await expect(catalog.removeBlob('alpha/blobs', blob)).rejects.toMatchObject({ code: 'referenced', digests: [digest] });
    await expect(catalog.removeBlob('alpha/blobs', digest)).rejects.toMatchObject({ code: 'referenced', digests: [digest] });
    const { digest: spare } = await addBlob('alpha/blobs', 'spare');
    await catalog.removeBlob('alpha/blobs', spare);
    expect(await catalog.findBlob('alpha/blobs', spare)).toBeUndefined();
    await catalog.deleteArtifact({ repository: 'alpha/blobs', digest, actor, cascade: false });
    expect(await catalog.findBlob('alpha/blobs', blob)).toBeUndefined();
  });
});

describe('blobs', () => {
  test('are mounted from where the caller may read, and nowhere else', async () => {
    const { digest } = await addBlob('alpha/source', 'mountable');
    const mount = { repository: 'alpha/target', projectId, actor, digest };
    expect(await catalog.mountBlob({ ...mount, from: 'alpha/nothing' })).toBe(false);
    expect(await catalog.findBlob('alpha/target', digest)).toBeUndefined();
    expect(await catalog.mountBlob({ ...mount, from: 'alpha/source' })).toBe(true);
    expect(await catalog.findBlob('alpha/target', digest)).toMatchObject({ size: 9 });
    expect(await catalog.mountBlob({ ...mount, repository: 'alpha/anonymous' })).toBe(true);
  });

  test('that are being collected are absent, and their upload is told to wait', async () => {
    const { digest } = await addBlob('alpha/app', 'collected');
    await fixture.database.execute(`UPDATE blob SET state = 'deleting' WHERE digest = $1`, [digest]);
    expect(await catalog.findBlob('alpha/app', digest)).toBeUndefined();
    await expect(catalog.claimBlob(digest)).rejects.toMatchObject({ code: 'blob-deleting' });
    await expect(addBlob('alpha/app', 'collected')).rejects.toMatchObject({ code: 'blob-deleting' });
  });

  test('that are looked at stay out of garbage collection\'s reach', async () => {
    const { digest } = await addBlob('alpha/app', 'old but used');
    await fixture.database.execute(`UPDATE blob SET used_at = now() - interval '1 day' WHERE digest = $1`, [digest]);
    await catalog.findBlob('alpha/app', digest);
    const [row] = await fixture.database.query<{ fresh: boolean }>(`SELECT used_at > now() - interval '1 minute' AS fresh FROM blob WHERE digest = $1`, [digest]);
    expect(row?.fresh).toBe(true);
  });
});

describe('an upload session', () => {
  const id = '6f1c2a34-0000-4000-8000-000000000001';

  test('belongs to one writer at a time', async () => {
    const upload = await catalog.createUpload({ id, repository: 'alpha/app', projectId, subject: actor, state: { id, received: 0 } });
    const first = await catalog.claimUpload(upload);
    expect(first.contested).toBe(false);
    await expect(catalog.claimUpload(upload)).rejects.toMatchObject({ code: 'upload-changed' });
    const current = await catalog.findUpload(id);
    const second = await catalog.claimUpload(current ?? upload);
    expect(second.contested).toBe(true);
    await expect(catalog.saveUpload(first.upload, {}, 5)).rejects.toMatchObject({ code: 'upload-changed' });
    const saved = await catalog.saveUpload(second.upload, { id: 'copy', received: 7 }, 7);
    expect((await catalog.claimUpload(saved)).contested).toBe(false);
    expect(await catalog.uploadsInStorage(['copy', id])).toEqual(new Set(['copy']));
  });

  test('is found by age and forgotten once', async () => {
    const stale = await catalog.staleUploads(new Date(Date.now() + 60_000), 10);
    expect(stale.map((upload) => upload.id)).toContain(id);
    expect(await catalog.forgetUpload(id)).toBe(true);
    expect(await catalog.forgetUpload(id)).toBe(false);
    expect(await catalog.findUpload(id)).toBeUndefined();
  });
});

describe('lists', () => {
  test('tags come in byte order, page by page', async () => {
    const document = await image('alpha/tags', 'tagged');
    await push({ repository: 'alpha/tags', document, tags: ['b', 'B', 'a', '_', '10', '9'] });
    const repository = await catalog.findRepository('alpha/tags');
    expect(await catalog.listTags(repository?.id ?? '', '', 4)).toEqual(['10', '9', 'B', '_']);
    expect(await catalog.listTags(repository?.id ?? '', '_', 4)).toEqual(['a', 'b']);
  });

  test('referrers are found by subject, whether it exists or not, within their repository only', async () => {
    const subject = { mediaType: OCI_IMAGE_MANIFEST, digest: digestOf(Buffer.from('nobody')), size: 1 };
    const signed = await push({ repository: 'alpha/refs', document: await image('alpha/refs', 'ref', { subject, artifactType: 'application/x.sign', annotations: { a: 'b' } }) });
    await push({ repository: 'alpha/other', document: await image('alpha/other', 'ref', { subject }) });
    const repository = await catalog.findRepository('alpha/refs');
    const list = (artifactType?: string): Promise<object[]> =>
      catalog.listReferrers(repository?.id ?? '', { subject: subject.digest, last: '', limit: 10, ...(artifactType === undefined ? {} : { artifactType }) });
    expect(await list()).toMatchObject([{ digest: signed, artifactType: 'application/x.sign', annotations: { a: 'b' } }]);
    expect(await list('application/x.other')).toEqual([]);
  });

  test('pulls are added up', async () => {
    const digest = await push({ repository: 'alpha/pulled', document: await image('alpha/pulled', 'pulled'), tags: ['1'] });
    const repositoryId = (await catalog.findRepository('alpha/pulled'))?.id ?? '';
    const at = new Date();
    await catalog.recordPulls([{ repositoryId, digest, tag: '1', count: 2, at }, { repositoryId, digest, count: 3, at }, { repositoryId: '0', digest, count: 1, at }]);
    const [row] = await fixture.database.query<{ pulls: string; pulled: boolean }>(
      `SELECT r.pull_count AS pulls, t.pulled_at IS NOT NULL AS pulled FROM repository r JOIN tag t ON t.repository_id = r.id WHERE r.id = $1`,
      [repositoryId],
    );
    expect(row).toEqual({ pulls: '5', pulled: true });
  });
});
