import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { digestOf } from '@haven/oci';
import type { BinEntry } from './bin.js';
import { CatalogFixture, refusals, type Descriptor } from './testing/catalog-fixture.js';

let fixture: CatalogFixture;
beforeAll(async () => { fixture = await CatalogFixture.open(); });
afterAll(() => fixture.close());
beforeEach(() => fixture.limit(-1));

const restorer = 'user:2';

async function bin(repository: string): Promise<readonly BinEntry[]> {
  return (await fixture.catalog.listBin({ projectId: 1, repository, page: 1, size: 100 })).items;
}

async function restoreLast(repository: string): ReturnType<typeof fixture.catalog.restore> {
  return fixture.catalog.restore((await bin(repository))[0]?.id ?? '0', 1, restorer);
}

async function history(repository: string, tag: string): Promise<string[]> {
  const { items } = await fixture.catalog.tagHistory(await fixture.repositoryId(repository), tag, { page: 1, size: 100 });
  return items.map((change) => change.kind).reverse();
}

const subject = ({ mediaType, digest, size }: Descriptor): object => ({ mediaType, digest, size });

describe('a deleted tag', () => {
  test('is in the bin with who deleted it, and comes back as it was', async () => {
    const image = await fixture.image('alpha/tag', ['one'], ['1.0']);
    await fixture.database.execute(`UPDATE tag SET pushed_at = '2026-01-02T03:04:05Z', pulled_at = '2026-02-03T04:05:06Z'`);
    await fixture.catalog.deleteTag({ repository: 'alpha/tag', tag: '1.0', actor: fixture.actor });
    expect(await fixture.catalog.findManifest('alpha/tag', { digest: image.digest })).toBeDefined();
    expect(await bin('alpha/tag')).toEqual([{
      id: expect.any(String), kind: 'tag', repository: 'alpha/tag', tag: '1.0', digest: image.digest, tagCount: 1, artifactCount: 1, deletedBy: fixture.actor, deletedAt: expect.any(Date),
      tags: [{ name: '1.0', digest: image.digest, pushedAt: '2026-01-02T03:04:05.000Z', pulledAt: '2026-02-03T04:05:06.000Z' }],
    }]);
    await fixture.events();
    expect(await restoreLast('alpha/tag')).toEqual({ kind: 'tag', repository: 'alpha/tag', digests: [], tags: ['1.0'], kept: [] });
    expect(await fixture.tags('alpha/tag')).toEqual({ '1.0': image.digest });
    expect(await fixture.events()).toEqual(['tag.created alpha/tag 1.0']);
    expect(await history('alpha/tag', '1.0')).toEqual(['create', 'delete', 'restore']);
    const [tag] = await fixture.database.query('SELECT pushed_at, pulled_at, version_key FROM tag WHERE name = $1', ['1.0']);
    expect(tag).toEqual({ pushed_at: new Date('2026-01-02T03:04:05Z'), pulled_at: new Date('2026-02-03T04:05:06Z'), version_key: expect.stringMatching(/^1/) });
    expect(await bin('alpha/tag')).toEqual([]);
  });

  test('whose name is taken again keeps its new meaning and stays in the bin', async () => {
    await fixture.image('alpha/taken', ['one'], ['latest']);
    await fixture.catalog.deleteTag({ repository: 'alpha/taken', tag: 'latest', actor: fixture.actor });
    const second = await fixture.image('alpha/taken', ['two'], ['latest']);
    expect(await restoreLast('alpha/taken')).toMatchObject({ tags: [], kept: [{ tag: 'latest', digest: second.digest }] });
    expect(await fixture.tags('alpha/taken')).toEqual({ latest: second.digest });
    expect(await bin('alpha/taken')).toHaveLength(1);
  });

  test('brings back the artifact that was deleted after it', async () => {
    const image = await fixture.image('alpha/both', ['one'], ['1']);
    await fixture.catalog.deleteTag({ repository: 'alpha/both', tag: '1', actor: fixture.actor });
    await fixture.deleteArtifact('alpha/both', image);
    const entry = (await bin('alpha/both')).find(({ kind }) => kind === 'tag');
    expect(await fixture.catalog.restore(entry?.id ?? '0', 1, restorer)).toMatchObject({ digests: [image.digest], tags: ['1'] });
    expect(await bin('alpha/both')).toEqual([]);
  });
});

describe('a deleted artifact', () => {
  test('comes back with children, accessories, tags and blobs, and is charged again', async () => {
    const child = await fixture.image('alpha/multi', ['amd64']);
    const index = await fixture.index('alpha/multi', [child], ['1', '2']);
    const signature = await fixture.image('alpha/multi', ['signature'], [], { subject: subject(index) });
    const before = { links: await fixture.links('alpha/multi'), usage: await fixture.catalog.usage(1), tags: await fixture.tags('alpha/multi') };
    await fixture.deleteArtifact('alpha/multi', index);
    expect(await fixture.links('alpha/multi')).toEqual(new Set());
    expect(await bin('alpha/multi')).toMatchObject([{ kind: 'artifact', digest: index.digest, artifactCount: 3, tagCount: 2 }]);
    await fixture.events();
    const restored = await restoreLast('alpha/multi');
    expect({ ...restored, digests: new Set(restored.digests) }).toEqual({
      kind: 'artifact', repository: 'alpha/multi', digests: new Set([child.digest, index.digest, signature.digest]), tags: ['1', '2'], kept: [] });
    expect({ links: await fixture.links('alpha/multi'), usage: await fixture.catalog.usage(1), tags: await fixture.tags('alpha/multi') }).toEqual(before);
    expect(await fixture.events()).toEqual(['artifact.restored alpha/multi', 'tag.created alpha/multi 1', 'tag.created alpha/multi 2']);
    const referrers = await fixture.catalog.listReferrers(await fixture.repositoryId('alpha/multi'), { subject: index.digest, last: '', limit: 10 });
    expect(referrers.map(({ digest }) => digest)).toEqual([signature.digest]);
  });

  test('leaves the bin when it is pushed again', async () => {
    const image = await fixture.image('alpha/again', ['one'], ['1']);
    await fixture.deleteArtifact('alpha/again', image);
    await fixture.image('alpha/again', ['one'], ['1']);
    expect(await bin('alpha/again')).toEqual([]);
    expect((await fixture.links('alpha/again')).has(image.digest)).toBe(true);
  });

  test('pushed again without its accessory leaves that in the bin', async () => {
    const image = await fixture.image('alpha/signed', ['one'], ['1']);
    const signature = await fixture.image('alpha/signed', ['signature'], [], { subject: subject(image) });
    await fixture.deleteArtifact('alpha/signed', image);
    await fixture.image('alpha/signed', ['one'], ['1']);
    expect(await restoreLast('alpha/signed')).toMatchObject({ digests: [signature.digest], tags: [], kept: [] });
  });

  test('keeps the tags that were made anew out of its way', async () => {
    const first = await fixture.image('alpha/moved', ['one'], ['1', 'latest']);
    await fixture.deleteArtifact('alpha/moved', first);
    const second = await fixture.image('alpha/moved', ['two'], ['latest']);
    expect(await restoreLast('alpha/moved')).toMatchObject({ tags: ['1'], kept: [{ tag: 'latest', digest: second.digest }] });
    expect(await fixture.tags('alpha/moved')).toEqual({ '1': first.digest, latest: second.digest });
  });

  test('needs room in its project', async () => {
    const image = await fixture.image('alpha/room', ['x'.repeat(1000)], ['1']);
    await fixture.deleteArtifact('alpha/room', image);
    const { used } = await fixture.catalog.usage(1);
    await fixture.limit(used + 500);
    await expect(restoreLast('alpha/room')).rejects.toMatchObject({ code: 'quota-exceeded' });
    expect(await fixture.catalog.findManifest('alpha/room', { digest: image.digest })).toBeUndefined();
    await fixture.limit(-1);
    await restoreLast('alpha/room');
    expect(await fixture.catalog.findManifest('alpha/room', { tag: '1' })).toBeDefined();
  });

  test('whose bytes are gone stays deleted', async () => {
    const image = await fixture.image('alpha/gone', ['gone for good'], ['1']);
    await fixture.deleteArtifact('alpha/gone', image);
    const lost = digestOf(Buffer.from('gone for good'));
    await fixture.database.execute('DELETE FROM blob WHERE digest = $1', [lost]);
    await expect(restoreLast('alpha/gone')).rejects.toMatchObject({ code: 'restore-conflict', digests: [lost] });
    expect(await bin('alpha/gone')).toHaveLength(1);
  });

  test('is restored once, however many ask at the same time', async () => {
    const image = await fixture.image('alpha/once', ['one'], ['1']);
    await fixture.deleteArtifact('alpha/once', image);
    const [entry] = await bin('alpha/once');
    const outcomes = await Promise.allSettled(Array.from({ length: 5 }, () => fixture.catalog.restore(entry?.id ?? '0', 1, restorer)));
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(refusals(outcomes)).toEqual(['bin-entry-unknown']);
    expect(await history('alpha/once', '1')).toEqual(['create', 'delete', 'restore']);
  });
});

describe('a deleted repository', () => {
  test('comes back with everything in it', async () => {
    const image = await fixture.image('alpha/whole', ['one'], ['1', '2']);
    const other = await fixture.image('alpha/whole', ['two'], ['3']);
    const before = { links: await fixture.links('alpha/whole'), tags: await fixture.tags('alpha/whole'), usage: await fixture.catalog.usage(1) };
    await fixture.catalog.deleteRepository({ repository: 'alpha/whole', actor: fixture.actor });
    expect(await fixture.catalog.findRepository('alpha/whole')).toBeUndefined();
    expect(await fixture.links('alpha/whole')).toEqual(new Set());
    await fixture.events();
    expect((await restoreLast('alpha/whole')).tags).toEqual(['1', '2', '3']);
    expect({ links: await fixture.links('alpha/whole'), tags: await fixture.tags('alpha/whole'), usage: await fixture.catalog.usage(1) }).toEqual(before);
    expect((await fixture.events())[0]).toBe('repository.restored alpha/whole');
    for (const { digest } of [image, other]) expect(await fixture.catalog.findManifest('alpha/whole', { digest })).toBeDefined();
    expect(await history('alpha/whole', '3')).toEqual(['create', 'delete', 'restore']);
  });

  test('gives way to a new one of its name', async () => {
    const image = await fixture.image('alpha/name', ['one'], ['1']);
    await fixture.deleteArtifact('alpha/name', image);
    await fixture.image('alpha/name', ['two'], ['2']);
    await fixture.catalog.deleteRepository({ repository: 'alpha/name', actor: fixture.actor });
    const [whole, artifact] = await bin('alpha/name');
    expect([whole?.kind, artifact?.kind]).toEqual(['repository', 'artifact']);
    await expect(fixture.catalog.restore(artifact?.id ?? '0', 1, restorer)).rejects.toMatchObject({ code: 'restore-conflict' });
    await fixture.image('alpha/name', ['three'], ['3']);
    await expect(fixture.catalog.restore(whole?.id ?? '0', 1, restorer)).rejects.toMatchObject({ code: 'restore-conflict' });
    await fixture.catalog.deleteRepository({ repository: 'alpha/name', actor: fixture.actor });
    await fixture.catalog.restore(whole?.id ?? '0', 1, restorer);
    await fixture.catalog.restore(artifact?.id ?? '0', 1, restorer);
    expect(Object.keys(await fixture.tags('alpha/name'))).toEqual(['1', '2']);
  });
});

describe('the bin', () => {
  test('is listed by project, kind and repository, page by page, and opens to its own project only', async () => {
    const image = await fixture.image('bravo/list', ['one'], ['1', '2', '3']);
    for (const tag of ['1', '2']) await fixture.catalog.deleteTag({ repository: 'bravo/list', tag, actor: fixture.actor });
    await fixture.deleteArtifact('bravo/list', image);
    const list = async (page: number, kind?: 'tag'): Promise<unknown> => {
      const { items, total } = await fixture.catalog.listBin({ projectId: 2, page, size: 2, kind });
      return [total, items.map((entry) => entry.tag ?? entry.kind)];
    };
    expect([await list(1), await list(2), await list(3), await list(1, 'tag')]).toEqual([[3, ['artifact', '2']], [3, ['1']], [3, []], [2, ['2', '1']]]);
    const { items: [entry] } = await fixture.catalog.listBin({ projectId: 2, page: 1, size: 1 });
    await expect(fixture.catalog.restore(entry?.id ?? '0', 1, restorer)).rejects.toMatchObject({ code: 'bin-entry-unknown' });
  });

  test('is emptied of what is older than its window, and nothing else', async () => {
    const old = await fixture.image('alpha/old', ['old'], ['1']);
    await fixture.deleteArtifact('alpha/old', old);
    await fixture.database.execute(`UPDATE bin_entry SET deleted_at = now() - interval '8 days' WHERE repository = 'alpha/old'`);
    await fixture.database.execute(`UPDATE manifest SET deleted_at = now() - interval '8 days' WHERE digest = $1`, [old.digest]);
    const young = await fixture.image('alpha/young', ['young'], ['1']);
    await fixture.deleteArtifact('alpha/young', young);
    const before = new Date(Date.now() - 7 * 24 * 3600 * 1000);
    expect(await fixture.catalog.purgeBin(before, 100)).toMatchObject({ entries: 1, manifests: 1, repositories: 0 });
    expect(await fixture.catalog.purgeBin(before, 100)).toEqual({ entries: 0, manifests: 0, repositories: 0 });
    await expect(fixture.catalog.rollBackTag({ repository: 'alpha/old', tag: '1', digest: old.digest, actor: restorer })).rejects.toMatchObject({ code: 'restore-conflict' });
    await restoreLast('alpha/young');
  });
});

test('a push that began before an artifact was deleted still finds the blobs that went with it', async () => {
  const first = await fixture.image('alpha/late', ['shared'], ['1']);
  const config = { mediaType: 'application/octet-stream', digest: digestOf(Buffer.from('config')), size: 6 };
  const shared = { ...config, digest: digestOf(Buffer.from('shared')) };
  const late = { mediaType: 'application/vnd.oci.image.manifest.v1+json', config, layers: [shared, shared], annotations: { late: 'yes' } };
  await fixture.deleteArtifact('alpha/late', first);
  expect(await fixture.catalog.findBlob('alpha/late', shared.digest)).toBeUndefined();
  expect(await fixture.catalog.findRecallableBlob('alpha/late', shared.digest)).toBe(6);
  await expect(fixture.manifest('alpha/other', late)).rejects.toMatchObject({ code: 'references-missing' });
  const pushed = await fixture.manifest('alpha/late', late, ['2']);
  expect(await fixture.links('alpha/late')).toEqual(new Set([pushed.digest, config.digest, shared.digest]));
  expect((await fixture.catalog.usage(1)).used).toBe(await fixture.catalog.recomputeUsage(1));
  await fixture.deleteArtifact('alpha/late', pushed);
  await fixture.database.execute(`UPDATE manifest SET deleted_at = now() - interval '61 minutes' WHERE deleted_at IS NOT NULL`);
  await expect(fixture.manifest('alpha/late', { ...late, annotations: { later: 'yes' } })).rejects.toMatchObject({ code: 'references-missing', digests: [config.digest, shared.digest] });
});
