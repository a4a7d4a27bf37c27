import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { ManifestReference } from './manifests.js';
import { CatalogFixture, type Descriptor } from './testing/catalog-fixture.js';

let fixture: CatalogFixture;
beforeAll(async () => { fixture = await CatalogFixture.open(); });
afterAll(() => fixture.close());
beforeEach(() => fixture.limit(-1));

const subject = ({ mediaType, digest, size }: Descriptor): object => ({ mediaType, digest, size });

function copy(from: string, reference: ManifestReference, to: string, projectId = to.startsWith('alpha/') ? 1 : 2): Promise<{ readonly digest: string }> {
  return fixture.catalog.copyArtifact({ from: { repository: from, reference }, to: { repository: to, projectId }, actor: 'user:2' });
}

describe('a copy', () => {
  test('brings children, accessories, accessories of those, the tag and all blobs into another project', async () => {
    const child = await fixture.image('bravo/source', ['amd64']);
    const index = await fixture.index('bravo/source', [child], ['1']);
    const sbom = await fixture.image('bravo/source', ['sbom'], [], { subject: subject(index) });
    const signature = await fixture.image('bravo/source', ['signature of the sbom'], [], { subject: subject(sbom) });
    const childSignature = await fixture.image('bravo/source', ['signature of the child'], [], { subject: subject(child) });
    await fixture.image('bravo/source', ['something else'], ['2']);
    await fixture.events();
    expect(await copy('bravo/source', { tag: '1' }, 'alpha/target')).toEqual({ digest: index.digest });
    expect(await fixture.events()).toEqual(['repository.created alpha/target', 'artifact.pushed alpha/target', 'tag.created alpha/target 1']);
    expect(await fixture.tags('alpha/target')).toEqual({ '1': index.digest });
    const all = [child, index, sbom, signature, childSignature];
    for (const { digest } of all) expect(await fixture.catalog.findManifest('alpha/target', { digest })).toBeDefined();
    const links = await fixture.links('alpha/target');
    expect(links.size).toBe(all.length + 5);
    const id = await fixture.repositoryId('alpha/target');
    expect((await fixture.catalog.listReferrers(id, { subject: sbom.digest, last: '', limit: 9 })).map(({ digest }) => digest)).toEqual([signature.digest]);
    const parts = (repository: string): Promise<object[]> => fixture.database.query(
      `SELECT m.digest, m.type, m.total_size, a.type AS accessory, a.subject_digest, ref.child_digest, (SELECT count(*) FROM manifest_blob mb WHERE mb.manifest_id = m.id) AS blobs
       FROM manifest m JOIN repository r ON r.id = m.repository_id LEFT JOIN accessory a ON a.manifest_id = m.id LEFT JOIN manifest_reference ref ON ref.parent_id = m.id
       WHERE r.name = $1 AND m.digest = ANY($2) ORDER BY 1`, [repository, all.map(({ digest }) => digest)]);
    expect(await parts('alpha/target')).toEqual(await parts('bravo/source'));
    expect((await fixture.catalog.usage(1)).used).toBe(await fixture.catalog.recomputeUsage(1));
    await fixture.deleteArtifact('alpha/target', index);
    expect(await fixture.links('alpha/target')).toEqual(new Set());
    expect(await fixture.catalog.findManifest('bravo/source', { tag: '1' })).toBeDefined();
  });

  test('by digest brings no tag, and repeating it changes nothing', async () => {
    const image = await fixture.image('alpha/from', ['one'], ['1']);
    await copy('alpha/from', { digest: image.digest }, 'alpha/to');
    const { used } = await fixture.catalog.usage(1);
    await copy('alpha/from', { digest: image.digest }, 'alpha/to');
    expect([await fixture.tags('alpha/to'), (await fixture.catalog.usage(1)).used]).toEqual([{}, used]);
  });

  test('with its tag moves a tag of that name, and within a repository changes nothing', async () => {
    const image = await fixture.image('alpha/mover', ['one'], ['t']);
    await fixture.image('alpha/moved', ['two'], ['t']);
    await copy('alpha/mover', { tag: 't' }, 'alpha/moved');
    expect(await fixture.tags('alpha/moved')).toEqual({ t: image.digest });
    await copy('alpha/mover', { tag: 't' }, 'alpha/mover');
    expect(await fixture.tags('alpha/mover')).toEqual({ t: image.digest });
  });

  test('takes what is in the bin of the other repository out of it', async () => {
    const image = await fixture.image('alpha/one', ['binned'], ['t']);
    await fixture.image('alpha/two', ['binned'], ['t']);
    await fixture.deleteArtifact('alpha/two', image);
    await copy('alpha/one', { tag: 't' }, 'alpha/two');
    expect(await fixture.tags('alpha/two')).toEqual({ t: image.digest });
    expect((await fixture.catalog.listBin({ projectId: 1, repository: 'alpha/two', page: 1, size: 9 })).total).toBe(0);
    expect(await fixture.links('alpha/two')).toEqual(await fixture.links('alpha/one'));
  });

  test('is refused without room, for accessories alone, and for what is not there', async () => {
    const image = await fixture.image('bravo/large', ['x'.repeat(2000)], ['t']);
    const signature = await fixture.image('bravo/large', ['signature'], [], { subject: subject(image) });
    await fixture.limit((await fixture.catalog.usage(1)).used + 1000);
    await expect(copy('bravo/large', { tag: 't' }, 'alpha/full')).rejects.toMatchObject({ code: 'quota-exceeded' });
    expect(await fixture.catalog.findRepository('alpha/full')).toBeUndefined();
    await fixture.limit(-1);
    await expect(copy('bravo/large', { digest: signature.digest }, 'alpha/full')).rejects.toMatchObject({ code: 'accessory-source' });
    await expect(copy('bravo/large', { tag: 'nothing' }, 'alpha/full')).rejects.toMatchObject({ code: 'manifest-unknown' });
    await expect(copy('bravo/nothing', { tag: 't' }, 'alpha/full')).rejects.toMatchObject({ code: 'repository-unknown' });
    await expect(copy('bravo/large', { tag: 't' }, 'alpha/full', 2)).rejects.toMatchObject({ code: 'project-unknown' });
  });

  test('runs beside the deletion of its source and leaves all or nothing', async () => {
    for (let round = 0; round < 10; round += 1) {
      const image = await fixture.image('alpha/running', [`round ${round}`], ['t']);
      const target = `alpha/copy${round}`;
      const [copied] = await Promise.allSettled([copy('alpha/running', { tag: 't' }, target), fixture.deleteArtifact('alpha/running', image)]);
      const links = await fixture.links(target);
      expect(links.size).toBe(copied.status === 'fulfilled' ? 3 : 0);
      expect((await fixture.catalog.usage(1)).used).toBe(await fixture.catalog.recomputeUsage(1));
    }
  });
});
