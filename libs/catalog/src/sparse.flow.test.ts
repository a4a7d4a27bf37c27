import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { OCI_IMAGE_MANIFEST } from '@haven/oci';
import { loseBlob } from './lost.js';
import { CatalogFixture, type Descriptor } from './testing/catalog-fixture.js';

let fixture: CatalogFixture;
beforeAll(async () => { fixture = await CatalogFixture.open(); });
afterAll(() => fixture.close());
beforeEach(() => allowSparse(true));

async function allowSparse(sparse: boolean): Promise<void> {
  await fixture.database.execute('UPDATE project SET metadata = $1 WHERE id = 1', [JSON.stringify({ allow_sparse_manifests: String(sparse) })]);
}

/** An image of alpha that names a layer of bravo, which alpha does not hold, and a layer of its own. */
async function sparseImage(repository: string): Promise<{ readonly image: Descriptor; readonly own: Descriptor; readonly secret: Descriptor; readonly again: () => Promise<Descriptor> }> {
  const secret = await fixture.blob('bravo/private', `secret of bravo, named by ${repository}`);
  const own = await fixture.blob(repository, `layer of ${repository}`);
  const content = { mediaType: OCI_IMAGE_MANIFEST, config: await fixture.blob(repository, 'config'), layers: [own, secret] };
  const image = await fixture.manifest(repository, content, ['1']);
  return { image, own, secret, again: () => fixture.manifest(repository, { ...content, annotations: { again: 'yes' } }) };
}

async function entryOf(repository: string): Promise<string> {
  return (await fixture.catalog.listBin({ projectId: 1, repository, page: 1, size: 1 })).items[0]?.id ?? '';
}

const deletions: readonly (readonly [string, (repository: string, image: Descriptor) => Promise<void>])[] = [
  ['an artifact', (repository, image) => fixture.deleteArtifact(repository, image)],
  ['a repository', (repository) => fixture.catalog.deleteRepository({ repository, actor: '' })],
];

describe('C-09: a sparse manifest gives no access to what it names', () => {
  test.each(deletions)('when %s comes back from the bin', async (what, remove) => {
    const repository = `alpha/${what.replaceAll(' ', '-')}`;
    const { image, own, secret } = await sparseImage(repository);
    for (let round = 0; round < 2; round += 1) {
      await remove(repository, image);
      await fixture.catalog.restore(await entryOf(repository), 1, '');
      expect(await fixture.tags(repository)).toEqual({ 1: image.digest });
      expect(await fixture.catalog.findBlob(repository, own.digest)).toBeDefined();
      expect(await fixture.catalog.findBlob(repository, secret.digest)).toBeUndefined();
    }
  });

  test('when a tag is rolled back to it', async () => {
    const { image, secret } = await sparseImage('alpha/rolled');
    await fixture.deleteArtifact('alpha/rolled', image);
    await fixture.catalog.rollBackTag({ repository: 'alpha/rolled', tag: '1', digest: image.digest, actor: '' });
    expect(await fixture.catalog.findBlob('alpha/rolled', secret.digest)).toBeUndefined();
  });

  test('when it was deleted a moment ago: it is neither found nor linked for a push', async () => {
    const { image, own, secret, again } = await sparseImage('alpha/recalled');
    await fixture.deleteArtifact('alpha/recalled', image);
    expect(await fixture.catalog.findRecallableBlob('alpha/recalled', own.digest)).toBe(own.size);
    expect(await fixture.catalog.findRecallableBlob('alpha/recalled', secret.digest)).toBeUndefined();
    await again();
    expect(await fixture.catalog.findBlob('alpha/recalled', own.digest)).toBeDefined();
    expect(await fixture.catalog.findBlob('alpha/recalled', secret.digest)).toBeUndefined();
  });
});

describe('a sparse manifest', () => {
  test('keeps, and brings back, what was pushed after it', async () => {
    const { image, secret } = await sparseImage('alpha/filled');
    await fixture.deleteArtifact('alpha/filled', image);
    await fixture.catalog.restore(await entryOf('alpha/filled'), 1, '');
    await fixture.blob('alpha/filled', 'secret of bravo, named by alpha/filled');
    await fixture.deleteArtifact('alpha/filled', image);
    expect(await fixture.links('alpha/filled')).toEqual(new Set());
    await fixture.catalog.restore(await entryOf('alpha/filled'), 1, '');
    expect(await fixture.catalog.findBlob('alpha/filled', secret.digest)).toMatchObject({ size: secret.size });
  });

  test('comes back although another project has lost what is not here either', async () => {
    const { image, secret } = await sparseImage('alpha/elsewhere');
    const [row] = await fixture.database.query<{ at: string }>('SELECT created_at::text AS at FROM blob WHERE digest = $1', [secret.digest]);
    await fixture.database.transaction((transaction) => loseBlob(transaction, { digest: secret.digest, createdAt: row?.at ?? '' }, async () => true));
    await fixture.deleteArtifact('alpha/elsewhere', image);
    expect(await fixture.catalog.restore(await entryOf('alpha/elsewhere'), 1, '')).toMatchObject({ digests: [image.digest] });
  });

  test('does not come back where manifests may be sparse no more, unless everything is there', async () => {
    const { image, secret } = await sparseImage('alpha/strict');
    await fixture.deleteArtifact('alpha/strict', image);
    await allowSparse(false);
    await expect(fixture.catalog.restore(await entryOf('alpha/strict'), 1, '')).rejects.toMatchObject({ code: 'restore-conflict', digests: [secret.digest] });
    await fixture.blob('alpha/strict', 'secret of bravo, named by alpha/strict');
    expect(await fixture.catalog.restore(await entryOf('alpha/strict'), 1, '')).toMatchObject({ digests: [image.digest] });
  });
});
