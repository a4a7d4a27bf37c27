import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { OCI_IMAGE_INDEX, OCI_IMAGE_MANIFEST } from '@haven/oci';
import { CatalogFixture, type Descriptor } from './testing/catalog-fixture.js';

const DEEP = 100;
/** Enough for sizes that double at each level to leave every integer behind. */
const LEVELS = 64;

let fixture: CatalogFixture;
beforeAll(async () => { fixture = await CatalogFixture.open(); });
afterAll(() => fixture.close());

async function live(repository: string): Promise<number> {
  const [row] = await fixture.database.query<{ count: number }>(
    'SELECT count(*)::int AS count FROM manifest m JOIN repository r ON r.id = m.repository_id WHERE r.name = $1 AND m.deleted_at IS NULL', [repository]);
  return row?.count ?? 0;
}

/** Collects until there is nothing left, however young; fails when that never ends. */
async function collect(): Promise<void> {
  for (let round = 0; round < 1000; round += 1) {
    const { artifacts } = await fixture.catalog.untaggedArtifacts({ graceSeconds: 0 });
    if (artifacts.length === 0) return;
    for (const { repository, digest } of artifacts) await fixture.catalog.deleteArtifact({ repository, digest, actor: '', cascade: true, onlyUntagged: true });
  }
  throw new Error('there is always something left');
}

describe(`J-06: a signature of a signature, ${DEEP} deep,`, () => {
  const repository = 'alpha/chain';
  let base: Descriptor;
  const chain: Descriptor[] = [];

  beforeAll(async () => {
    base = await fixture.image(repository, ['base'], ['base']);
    for (let depth = 0, subject = base; depth < DEEP; depth += 1) {
      subject = await fixture.image(repository, [`signature ${depth}`], [], { subject });
      chain.push(subject);
    }
  });

  test('is copied whole', async () => {
    await fixture.catalog.copyArtifact({ from: { repository, reference: { tag: 'base' } }, to: { repository: 'bravo/chain', projectId: 2 }, actor: '' });
    expect(await live('bravo/chain')).toBe(DEEP + 1);
  });

  test('is not garbage while what it is about lives', async () => {
    await collect();
    expect(await live(repository)).toBe(DEEP + 1);
  });

  test('goes with what it is about, comes back with it, and may be cut in the middle', async () => {
    await fixture.deleteArtifact(repository, base);
    expect(await live(repository)).toBe(0);
    const [entry] = await fixture.database.query<{ id: string }>(`SELECT id FROM bin_entry WHERE digest = $1`, [base.digest]);
    await fixture.catalog.restore(entry?.id ?? '', 1, '');
    expect(await live(repository)).toBe(DEEP + 1);
    await fixture.deleteArtifact(repository, chain[DEEP / 2] as Descriptor);
    expect(await live(repository)).toBe(DEEP / 2 + 1);
    expect((await fixture.catalog.usage(1)).used).toBe(await fixture.catalog.recomputeUsage(1));
  });

  test('in a circle, which no digests allow but damaged rows could, ends all the same', async () => {
    const circle = await fixture.image('alpha/circle', ['circle'], ['circle']);
    const second = await fixture.image('alpha/circle', ['second'], [], { subject: circle });
    await fixture.database.execute(
      `INSERT INTO accessory (manifest_id, repository_id, subject_digest, type) SELECT id, repository_id, $2, 'subject.accessory' FROM manifest WHERE digest = $1`, [circle.digest, second.digest]);
    const selfish = await fixture.image('alpha/circle', ['selfish']);
    await fixture.database.execute(`INSERT INTO accessory (manifest_id, repository_id, subject_digest, type) SELECT id, repository_id, digest, 'subject.accessory' FROM manifest WHERE digest = $1`, [selfish.digest]);
    await collect();
    await fixture.deleteArtifact('alpha/circle', circle);
    await fixture.deleteArtifact('alpha/circle', selfish);
    expect(await live('alpha/circle')).toBe(0);
  });
});

describe(`J-05, J-06: indexes of indexes, ${LEVELS} levels, each of which names both of the level below,`, () => {
  const repository = 'alpha/bomb';
  let tops: Descriptor[];

  beforeAll(async () => {
    tops = [await fixture.image(repository, ['a']), await fixture.image(repository, ['b'])];
    for (let level = 1; level <= LEVELS; level += 1) {
      const below: readonly Descriptor[] = tops;
      tops = [];
      for (const twin of ['left', 'right']) {
        tops.push(await fixture.manifest(repository, { mediaType: OCI_IMAGE_INDEX, manifests: below, annotations: { twin } }, level === LEVELS ? [twin] : []));
      }
    }
  });

  test('have a size that is a number, and are charged for what is stored', async () => {
    const [row] = await fixture.database.query<{ largest: string; count: number }>(
      'SELECT max(total_size) AS largest, count(*)::int AS count FROM manifest m JOIN repository r ON r.id = m.repository_id WHERE r.name = $1', [repository]);
    expect(row).toEqual({ largest: String(Number.MAX_SAFE_INTEGER), count: 2 * LEVELS + 2 });
    expect((await fixture.catalog.usage(1)).used).toBe(await fixture.catalog.recomputeUsage(1));
    expect((await fixture.catalog.usage(1)).used).toBeLessThan(1_000_000);
  });

  test('are copied, collected, deleted and restored in as many steps as there are', async () => {
    await fixture.catalog.copyArtifact({ from: { repository, reference: { tag: 'left' } }, to: { repository: 'bravo/bomb', projectId: 2 }, actor: '' });
    expect(await live('bravo/bomb')).toBe(2 * LEVELS + 1);
    await collect();
    expect(await live(repository)).toBe(2 * LEVELS + 2);
    for (const top of tops) await fixture.deleteArtifact(repository, top);
    await collect();
    expect(await live(repository)).toBe(0);
    await fixture.catalog.rollBackTag({ repository, tag: 'left', digest: (tops[0] as Descriptor).digest, actor: '' });
    expect(await live(repository)).toBe(2 * LEVELS + 1);
  });
});

describe('J-05: a descriptor that does not state the size of what is stored', () => {
  test.each([['the first', [1, 5]], ['the second', [5, 1]], ['both', [4, 4]]])('is refused, also when the same content is named again: %s is wrong', async (_which, sizes) => {
    const layer = await fixture.blob('alpha/lies', 'layer');
    const config = await fixture.blob('alpha/lies', 'config');
    const pushed = fixture.manifest('alpha/lies', { mediaType: OCI_IMAGE_MANIFEST, config, layers: sizes.map((size) => ({ ...layer, size })) }, ['lies']);
    await expect(pushed).rejects.toMatchObject({ code: 'size-mismatch', digests: expect.arrayContaining([layer.digest]) });
    expect(await fixture.tags('alpha/lies')).toEqual({});
  });

  test('is refused where it is the config that is a layer, too', async () => {
    const config = await fixture.blob('alpha/lies', 'config');
    await expect(fixture.manifest('alpha/lies', { mediaType: OCI_IMAGE_MANIFEST, config: { ...config, size: 60 }, layers: [config] })).rejects.toMatchObject({ code: 'size-mismatch' });
    await expect(fixture.manifest('alpha/lies', { mediaType: OCI_IMAGE_MANIFEST, config, layers: [config] }, ['same'])).resolves.toMatchObject({ size: expect.any(Number) });
  });
});
