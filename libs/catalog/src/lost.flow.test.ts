import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { digestOf, OCI_IMAGE_MANIFEST, type Digest } from '@haven/oci';
import { loseBlob, regainBlob } from './lost.js';
import { CatalogFixture, type Descriptor } from './testing/catalog-fixture.js';

let fixture: CatalogFixture;
beforeAll(async () => { fixture = await CatalogFixture.open(); });
afterAll(() => fixture.close());
beforeEach(async () => {
  await fixture.limit(-1);
  await fixture.database.execute(`UPDATE blob SET state = 'present'`);
});

async function createdAt(digest: Digest): Promise<string> {
  const [row] = await fixture.database.query<{ at: string }>('SELECT created_at::text AS at FROM blob WHERE digest = $1', [digest]);
  return row?.at ?? '';
}

async function lose({ digest }: Pick<Descriptor, 'digest'>, isStillSo: () => Promise<boolean> = async () => true): Promise<boolean> {
  const seen = { digest, createdAt: await createdAt(digest) };
  return fixture.database.transaction((transaction) => loseBlob(transaction, seen, isStillSo));
}

async function state({ digest }: Pick<Descriptor, 'digest'>): Promise<string | undefined> {
  return (await fixture.database.query<{ state: string }>('SELECT state FROM blob WHERE digest = $1', [digest]))[0]?.state;
}

async function usage(): Promise<readonly number[]> {
  return Promise.all([1, 2].flatMap((project) => [fixture.catalog.usage(project).then(({ used }) => used), fixture.catalog.recomputeUsage(project)]));
}

/** While all projects allow manifests that name what is not there. */
async function sparse(work: () => Promise<void>): Promise<void> {
  await fixture.database.execute(`UPDATE project SET metadata = metadata || '{"allow_sparse_manifests":"true"}'`);
  try {
    await work();
  } finally {
    await fixture.database.execute(`UPDATE project SET metadata = metadata - 'allow_sparse_manifests'`);
  }
}

const layer = (content: string): { readonly digest: Digest } => ({ digest: digestOf(Buffer.from(content)) });

describe('a lost blob', () => {
  test('is in no repository, is mounted from none, and makes a manifest that names it wait', async () => {
    const [config, blob] = [await fixture.blob('alpha/absent', 'config'), await fixture.blob('alpha/absent', 'absent layer')];
    const before = await usage();
    expect(await lose(blob)).toBe(true);
    expect(await fixture.catalog.findBlob('alpha/absent', blob.digest)).toBeUndefined();
    for (const from of [{ from: 'alpha/absent' }, {}]) expect(await fixture.catalog.mountBlob({ repository: 'alpha/mounted', projectId: 1, actor: '', digest: blob.digest, ...from })).toBe(false);
    const image = { mediaType: OCI_IMAGE_MANIFEST, config, layers: [blob] };
    await expect(fixture.manifest('alpha/absent', image)).rejects.toMatchObject({ code: 'references-missing', digests: [blob.digest] });
    expect([await usage(), await lose(blob)]).toEqual([before, false]);
    expect(await fixture.catalog.claimBlob(blob.digest)).toBe(true);
    await fixture.blob('alpha/absent', 'absent layer');
    await fixture.manifest('alpha/absent', image);
  });

  test.each([['that holds it', 'alpha/again'], ['that exists', 'alpha/elsewhere'], ['that does not', 'bravo/new']])('is present again, everywhere, when it is pushed into a repository %s', async (_name, repository) => {
    const content = `pushed again into ${repository}`;
    const image = await fixture.image('alpha/again', [content], ['1']);
    await fixture.blob('alpha/elsewhere', 'something');
    await lose(layer(content));
    await fixture.database.execute(`UPDATE blob SET used_at = now() - interval '1 day' WHERE digest = $1`, [layer(content).digest]);
    const [before] = await usage();
    await fixture.blob(repository, content);
    expect([await state(layer(content)), (await usage())[0]]).toEqual(['present', before]);
    expect(await fixture.catalog.findBlob('alpha/again', layer(content).digest)).toMatchObject({ size: content.length });
    expect(await fixture.catalog.findManifest('alpha/again', { tag: '1' })).toMatchObject({ digest: image.digest });
    const [row] = await fixture.database.query<{ fresh: boolean }>(`SELECT used_at > now() - interval '1 minute' AS fresh FROM blob WHERE digest = $1`, [layer(content).digest]);
    expect(row?.fresh).toBe(true);
  });

  test('is present again when its bytes came with a push that is refused', async () => {
    const blob = await fixture.blob('bravo/full', 'bytes that have no room');
    await lose(blob);
    await fixture.limit(1);
    await expect(fixture.blob('alpha/full', 'bytes that have no room')).rejects.toMatchObject({ code: 'quota-exceeded' });
    expect(await state(blob)).toBe('present');
  });

  test('is present again in a project that is full: it is charged for it already', async () => {
    const blob = await fixture.blob('alpha/healed-full', 'charged already');
    await lose(blob);
    const before = await usage();
    await fixture.limit(1);
    await fixture.blob('alpha/healed-full', 'charged already');
    expect([await state(blob), await usage()]).toEqual(['present', before]);
  });

  test('that is a manifest is not found, by tag or digest, nor named by an index, until it is put again', async () => {
    const content = { mediaType: OCI_IMAGE_MANIFEST, config: await fixture.blob('alpha/manifests', 'config'), layers: [] };
    const child = await fixture.manifest('alpha/manifests', content, ['child']);
    const index = await fixture.index('alpha/manifests', [child], ['index']);
    const other = await fixture.image('alpha/manifests', ['sound']);
    const before = await usage();
    await lose(child);
    for (const reference of [{ tag: 'child' }, { digest: child.digest }]) expect(await fixture.catalog.findManifest('alpha/manifests', reference)).toBeUndefined();
    expect(await fixture.catalog.findManifest('alpha/manifests', { tag: 'index' })).toMatchObject({ digest: index.digest });
    await expect(fixture.index('alpha/manifests', [child, other])).rejects.toMatchObject({ code: 'references-missing', digests: [child.digest] });
    await fixture.events();
    await fixture.manifest('alpha/manifests', content);
    expect(await fixture.catalog.findManifest('alpha/manifests', { tag: 'child' })).toMatchObject({ digest: child.digest });
    expect([await state(child), (await usage())[0], await fixture.events()]).toEqual(['present', before[0], ['artifact.pushed alpha/manifests']]);
  });

  test('is not copied with an artifact, and is once it was pushed', async () => {
    await fixture.image('alpha/origin', ['copied layer'], ['1']);
    await lose(layer('copied layer'));
    const copy = (): Promise<unknown> => fixture.catalog.copyArtifact({ from: { repository: 'alpha/origin', reference: { tag: '1' } }, to: { repository: 'bravo/copy', projectId: 2 }, actor: '' });
    await expect(copy()).rejects.toMatchObject({ code: 'references-missing', digests: [layer('copied layer').digest] });
    expect(await fixture.links('bravo/copy')).toEqual(new Set());
    await fixture.blob('bravo/other', 'copied layer');
    await copy();
    expect(await fixture.links('bravo/copy')).toContain(layer('copied layer').digest);
  });

  test('is copied into a project that allows sparse manifests no more than into another, nor within a repository', async () => {
    const image = await fixture.image('alpha/sparse-origin', ['copied sparsely'], ['1']);
    await sparse(async () => {
      for (const to of [{ repository: 'bravo/sparse-copy', projectId: 2 }, { repository: 'alpha/sparse-origin', projectId: 1 }]) {
        for (const reference of [{ tag: '1' }, { digest: image.digest }]) {
          const copy = (): Promise<unknown> => fixture.catalog.copyArtifact({ from: { repository: 'alpha/sparse-origin', reference }, to, actor: '' });
          await lose(layer('copied sparsely'));
          await expect(copy()).rejects.toMatchObject({ code: 'references-missing', digests: [layer('copied sparsely').digest] });
          await fixture.database.execute(`UPDATE blob SET state = 'present'`);
          await lose(image);
          await fixture.events();
          await expect(copy()).rejects.toMatchObject({ code: 'manifest-unknown' });
          expect(await fixture.events()).toEqual([]);
          await fixture.database.execute(`UPDATE blob SET state = 'present'`);
        }
      }
      await fixture.catalog.copyArtifact({ from: { repository: 'alpha/sparse-origin', reference: { tag: '1' } }, to: { repository: 'bravo/sparse-copy', projectId: 2 }, actor: '' });
    });
    expect(await fixture.links('bravo/sparse-copy')).toContain(layer('copied sparsely').digest);
  });

  test('that is a manifest is no referrer, and gets no tag, until it is put again', async () => {
    const subject = await fixture.image('alpha/signed', ['signed layer']);
    const content = { mediaType: OCI_IMAGE_MANIFEST, config: await fixture.blob('alpha/signed', 'signature'), layers: [], subject };
    const signature = await fixture.manifest('alpha/signed', content);
    const repositoryId = await fixture.repositoryId('alpha/signed');
    const referrers = async (): Promise<string[]> => (await fixture.catalog.listReferrers(repositoryId, { subject: subject.digest, last: '', limit: 10 })).map(({ digest }) => digest);
    const tag = (): Promise<void> => fixture.catalog.createTag({ repository: 'alpha/signed', digest: signature.digest, tag: 'signature', actor: '' });
    await lose(signature);
    expect(await referrers()).toEqual([]);
    await expect(tag()).rejects.toMatchObject({ code: 'manifest-unknown' });
    await fixture.manifest('alpha/signed', content);
    await tag();
    expect([await referrers(), await fixture.tags('alpha/signed')]).toEqual([[signature.digest], { signature: signature.digest }]);
  });

  test('keeps what needs it in the bin until it was pushed', async () => {
    const image = await fixture.image('alpha/binned', ['binned layer'], ['1']);
    await fixture.deleteArtifact('alpha/binned', image);
    const [entry] = (await fixture.catalog.listBin({ projectId: 1, repository: 'alpha/binned', page: 1, size: 1 })).items;
    for (const lost of [layer('binned layer'), image]) {
      await lose(lost);
      await expect(fixture.catalog.restore(entry?.id ?? '', 1, '')).rejects.toMatchObject({ code: 'restore-conflict', message: expect.stringContaining('has lost'), digests: [lost.digest] });
      await fixture.database.execute(`UPDATE blob SET state = 'present'`);
    }
    await lose(layer('binned layer'));
    await fixture.blob('alpha/other', 'binned layer');
    expect(await fixture.catalog.restore(entry?.id ?? '', 1, '')).toMatchObject({ digests: [image.digest], tags: ['1'] });
  });

  test('keeps it there in a project that allows sparse manifests, too, and everything is linked once it was pushed', async () => {
    const image = await fixture.image('alpha/binned-sparse', ['sparse layer'], ['1']);
    await fixture.deleteArtifact('alpha/binned-sparse', image);
    const [entry] = (await fixture.catalog.listBin({ projectId: 1, repository: 'alpha/binned-sparse', page: 1, size: 1 })).items;
    const restore = (): Promise<unknown> => fixture.catalog.restore(entry?.id ?? '', 1, '');
    await lose(layer('sparse layer'));
    await sparse(async () => {
      await expect(restore()).rejects.toMatchObject({ code: 'restore-conflict', message: expect.stringContaining('has lost'), digests: [layer('sparse layer').digest] });
      await fixture.blob('bravo/elsewhere', 'sparse layer');
      await restore();
    });
    expect(await fixture.catalog.findBlob('alpha/binned-sparse', layer('sparse layer').digest)).toMatchObject({ size: 'sparse layer'.length });
  });

  test('keeps a deleted tag in the bin when what it named lives', async () => {
    const image = await fixture.image('alpha/binned-tag', ['layer of a tag'], ['1', '2']);
    await fixture.catalog.deleteTag({ repository: 'alpha/binned-tag', tag: '2', actor: '' });
    const [entry] = (await fixture.catalog.listBin({ projectId: 1, repository: 'alpha/binned-tag', page: 1, size: 1 })).items;
    for (const lost of [layer('layer of a tag'), image]) {
      await lose(lost);
      await expect(fixture.catalog.restore(entry?.id ?? '', 1, '')).rejects.toMatchObject({ code: 'restore-conflict', digests: [lost.digest] });
      await fixture.database.execute(`UPDATE blob SET state = 'present'`);
    }
    expect(await fixture.catalog.restore(entry?.id ?? '', 1, '')).toMatchObject({ tags: ['2'] });
  });

  test('of a child that lives is found when its index comes back from the bin', async () => {
    const child = await fixture.image('alpha/live-child', ['layer of a child'], ['child']);
    const index = await fixture.index('alpha/live-child', [child], ['t']);
    await fixture.image('alpha/live-child', ['another'], ['t']);
    await fixture.catalog.deleteArtifact({ repository: 'alpha/live-child', digest: index.digest, actor: '', cascade: false });
    expect(Object.keys(await fixture.tags('alpha/live-child'))).toEqual(['child', 't']);
    const back = (): Promise<void> => fixture.catalog.rollBackTag({ repository: 'alpha/live-child', tag: 't', digest: index.digest, actor: '' });
    await lose(layer('layer of a child'));
    await expect(back()).rejects.toMatchObject({ code: 'restore-conflict', digests: [layer('layer of a child').digest] });
    await fixture.blob('alpha/live-child', 'layer of a child');
    await back();
    expect(await fixture.tags('alpha/live-child')).toMatchObject({ t: index.digest });
  });

  test('is not what a tag is rolled back to, be it in the bin or not, or deep down', async () => {
    const deep = await fixture.image('alpha/rolled', ['deep layer']);
    const old = await fixture.index('alpha/rolled', [deep], ['t', 'kept']);
    await fixture.image('alpha/rolled', ['new layer'], ['t']);
    const back = (): Promise<void> => fixture.catalog.rollBackTag({ repository: 'alpha/rolled', tag: 't', digest: old.digest, actor: '' });
    const refused = async (lost: Pick<Descriptor, 'digest'>): Promise<void> => {
      await lose(lost);
      await expect(back()).rejects.toMatchObject({ code: 'restore-conflict', digests: [lost.digest] });
      await fixture.database.execute(`UPDATE blob SET state = 'present'`);
    };
    for (const lost of [old, deep, layer('deep layer')]) await refused(lost);
    await fixture.deleteArtifact('alpha/rolled', old);
    for (const lost of [old, deep, layer('deep layer')]) await refused(lost);
    await back();
    expect(await fixture.tags('alpha/rolled')).toMatchObject({ t: old.digest });
  });

  test.each([['without bytes', false, 0], ['with damaged ones', true, 12]])('%s is garbage when nothing holds it, and is not foreseen among the bytes that are freed', async (_name, hadBytes, bytes) => {
    const blob = await fixture.blob('alpha/garbage', 'lost garbage');
    await lose(blob);
    await fixture.catalog.removeBlob('alpha/garbage', blob.digest);
    await fixture.database.execute(`UPDATE blob SET used_at = used_at - interval '1 day' WHERE digest = $1`, [blob.digest]);
    await fixture.database.execute(`UPDATE unlinked_blob SET unlinked_at = unlinked_at - interval '1 day'`);
    const wanted = { graceSeconds: 7200, binBefore: new Date(0) };
    expect((await fixture.catalog.previewGarbage(wanted)).due).toEqual({ blobs: 1, bytes: 0 });
    expect(await fixture.catalog.collectGarbage({ ...wanted, removeBytes: async () => hadBytes, onFailure: (_digest, error) => { throw error; } })).toMatchObject({ blobs: 1, bytes, absent: hadBytes ? 0 : 1, failed: 0 });
    expect(await state(blob)).toBeUndefined();
  });
});

describe('a blob is not marked as lost', () => {
  test('when storage has its bytes by now, when it was made anew, or while it is deleted', async () => {
    const blob = await fixture.blob('alpha/marked', 'not lost');
    expect([await lose(blob, async () => false), await state(blob)]).toEqual([false, 'present']);
    const earlier = { digest: blob.digest, createdAt: '2020-01-01 00:00:00.000001+00' };
    expect(await fixture.database.transaction((transaction) => loseBlob(transaction, earlier, async () => true))).toBe(false);
    await fixture.database.execute(`UPDATE blob SET state = 'deleting' WHERE digest = $1`, [blob.digest]);
    expect([await lose(blob), await state(blob)]).toEqual([false, 'deleting']);
  });

  test('when the look at storage fails', async () => {
    const blob = await fixture.blob('alpha/marked', 'nobody knows');
    await expect(lose(blob, () => Promise.reject(new Error('storage is away')))).rejects.toThrow('storage is away');
    expect(await state(blob)).toBe('present');
  });
});

describe('a lost blob whose bytes are back', () => {
  test('is marked as present, unless it is not lost any more or was made anew', async () => {
    const blob = await fixture.blob('alpha/regained', 'back again');
    const seen = { digest: blob.digest, createdAt: await createdAt(blob.digest) };
    expect(await regainBlob(fixture.database, seen)).toBe(false);
    await lose(blob);
    expect(await regainBlob(fixture.database, { ...seen, createdAt: '2020-01-01 00:00:00.000001+00' })).toBe(false);
    expect([await regainBlob(fixture.database, seen), await state(blob)]).toEqual([true, 'present']);
    await fixture.database.execute(`UPDATE blob SET state = 'deleting' WHERE digest = $1`, [blob.digest]);
    expect([await regainBlob(fixture.database, seen), await state(blob)]).toEqual([false, 'deleting']);
  });
});

describe('no push is acknowledged whose blob is lost afterwards', () => {
  const content = { mediaType: OCI_IMAGE_MANIFEST, layers: [] };
  const pushes: readonly (readonly [string, () => Promise<Descriptor>])[] = [
    ['of a blob into a repository that holds it', () => fixture.blob('alpha/race', 'raced')],
    ['of a blob into another one', () => fixture.blob('alpha/race-other', 'raced')],
    ['of a blob into a new one', () => fixture.blob(`alpha/race-${Math.random()}`, 'raced')],
    ['of a manifest', async () => fixture.manifest('alpha/race', { ...content, config: await fixture.blob('alpha/race', 'config') })],
  ];

  test.each(pushes)('%s: bytes that come after the look, while the row is locked', async (_name, push) => {
    const blob = await push();
    await fixture.blob('alpha/race-other', 'something');
    let pushing: Promise<Descriptor> | undefined;
    const marked = await lose(blob, async () => {
      pushing = push();
      await sleep(200);
      return true;
    });
    await pushing;
    expect([marked, await state(blob)]).toEqual([true, 'present']);
  });

  test.each(pushes)('%s: over and over, by several at once', async (_name, push) => {
    const blob = await push();
    let marks = 0;
    for (let round = 0; round < 40; round += 1) {
      let bytes = false;
      const looked = new AbortController();
      const marker = lose(blob, async () => {
        looked.abort();
        return !bytes;
      });
      const pushers = Array.from({ length: 3 }, async () => {
        // In every other round all bytes come after the look, so that the blob is marked for certain.
        if (round % 2 === 1 && !looked.signal.aborted) await once(looked.signal, 'abort');
        await sleep(Math.random() * 4);
        bytes = true;
        await push();
        return state(blob);
      });
      expect(await Promise.all(pushers)).toEqual(['present', 'present', 'present']);
      if (await marker) marks += 1;
      expect(await state(blob)).toBe('present');
    }
    expect(marks).toBeGreaterThanOrEqual(20);
  });
});
