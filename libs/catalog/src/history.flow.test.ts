import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { CatalogFixture } from './testing/catalog-fixture.js';

let fixture: CatalogFixture;
beforeAll(async () => { fixture = await CatalogFixture.open(); });
afterAll(() => fixture.close());

const page = { page: 1, size: 100 };
const rule = (pattern: string): string => JSON.stringify({
  tag_selectors: [{ kind: 'doublestar', decoration: 'matches', pattern }], scope_selectors: { repository: [{ kind: 'doublestar', decoration: 'repoMatches', pattern: '**' }] },
});

describe('the history', () => {
  test('tells what happened to a tag, who did it and when, newest first, page by page', async () => {
    const one = await fixture.image('alpha/past', ['one'], ['t']);
    const two = await fixture.image('alpha/past', ['two'], ['t', 'other']);
    await fixture.catalog.deleteTag({ repository: 'alpha/past', tag: 't', actor: 'user:7' });
    const id = await fixture.repositoryId('alpha/past');
    const { items, total } = await fixture.catalog.tagHistory(id, 't', page);
    expect(total).toBe(3);
    expect(items).toEqual([
      { id: expect.any(String), tag: 't', kind: 'delete', from: two.digest, actor: 'user:7', at: expect.any(Date) },
      { id: expect.any(String), tag: 't', kind: 'move', from: one.digest, to: two.digest, actor: fixture.actor, at: expect.any(Date) },
      { id: expect.any(String), tag: 't', kind: 'create', to: one.digest, actor: fixture.actor, at: expect.any(Date) },
    ]);
    expect((await fixture.catalog.tagHistory(id, 't', { page: 2, size: 2 })).items.map((change) => change.kind)).toEqual(['create']);
    expect((await fixture.catalog.repositoryHistory(id, page)).items.map((change) => `${change.kind} ${change.tag}`)).toEqual(['delete t', 'create other', 'move t', 'create t']);
  });

  test('knows what a tag named at any moment', async () => {
    const moments: Date[] = [];
    const tick = async (): Promise<void> => {
      await new Promise((resolve) => setTimeout(resolve, 5));
      moments.push(new Date());
      await new Promise((resolve) => setTimeout(resolve, 5));
    };
    await tick();
    const one = await fixture.image('alpha/times', ['one'], ['t']);
    await tick();
    const two = await fixture.image('alpha/times', ['two'], ['t']);
    await tick();
    await fixture.catalog.deleteTag({ repository: 'alpha/times', tag: 't', actor: '' });
    await tick();
    const id = await fixture.repositoryId('alpha/times');
    expect(await Promise.all(moments.map((moment) => fixture.catalog.tagAt(id, 't', moment)))).toEqual([undefined, one.digest, two.digest, undefined]);
  });

  test('of pushes at once has no gap and no step back in time', async () => {
    await Promise.all(Array.from({ length: 12 }, (_, index) => fixture.image('alpha/race', [`layer ${index}`], ['t'])));
    const { items } = await fixture.catalog.tagHistory(await fixture.repositoryId('alpha/race'), 't', page);
    const steps = [...items].reverse();
    steps.forEach((change, index) => {
      expect(change.from).toBe(steps[index - 1]?.to);
      expect(change.at.getTime()).toBeGreaterThanOrEqual(steps[index - 1]?.at.getTime() ?? 0);
    });
  });
});

describe('rolling a tag back', () => {
  test('moves it to what it named before, bringing that back from the bin', async () => {
    const one = await fixture.image('alpha/back', ['one'], ['t']);
    const two = await fixture.image('alpha/back', ['two'], ['t']);
    await fixture.deleteArtifact('alpha/back', one);
    await fixture.events();
    await fixture.catalog.rollBackTag({ repository: 'alpha/back', tag: 't', digest: one.digest, actor: 'user:2' });
    expect(await fixture.tags('alpha/back')).toEqual({ t: one.digest });
    expect(await fixture.events()).toEqual(['tag.moved alpha/back t', 'artifact.restored alpha/back']);
    expect((await fixture.links('alpha/back')).has(one.digest)).toBe(true);
    expect((await fixture.catalog.listBin({ projectId: 1, repository: 'alpha/back', ...page })).total).toBe(0);
    const { items: [last] } = await fixture.catalog.tagHistory(await fixture.repositoryId('alpha/back'), 't', page);
    expect(last).toMatchObject({ kind: 'move', from: two.digest, to: one.digest, actor: 'user:2' });
  });

  test('makes it again when it was deleted', async () => {
    const one = await fixture.image('alpha/anew', ['one'], ['t']);
    await fixture.catalog.deleteTag({ repository: 'alpha/anew', tag: 't', actor: '' });
    await fixture.catalog.rollBackTag({ repository: 'alpha/anew', tag: 't', digest: one.digest, actor: 'user:2' });
    const { items: [last] } = await fixture.catalog.tagHistory(await fixture.repositoryId('alpha/anew'), 't', page);
    expect(last).toMatchObject({ kind: 'restore', to: one.digest });
  });

  test('is refused to what it never named, in unknown repositories, and for immutable tags', async () => {
    const one = await fixture.image('alpha/refused', ['one'], ['t']);
    const two = await fixture.image('alpha/refused', ['two'], ['t', 'u']);
    const back = (repository: string, tag: string, digest: string): Promise<void> => fixture.catalog.rollBackTag({ repository, tag, digest, actor: '' });
    await expect(back('alpha/refused', 'u', one.digest)).rejects.toMatchObject({ code: 'tag-unknown' });
    await expect(back('alpha/nothing', 't', one.digest)).rejects.toMatchObject({ code: 'repository-unknown' });
    await fixture.database.execute('INSERT INTO immutability_rule (project_id, rule) VALUES (1, $1)', [rule('t')]);
    await expect(back('alpha/refused', 't', one.digest)).rejects.toMatchObject({ code: 'immutable', tags: ['t'] });
    await fixture.database.execute('DELETE FROM immutability_rule');
    expect(await fixture.tags('alpha/refused')).toEqual({ t: two.digest, u: two.digest });
  });
});

describe('immutable tags', () => {
  beforeAll(() => fixture.database.execute('INSERT INTO immutability_rule (project_id, rule) VALUES (1, $1)', [rule('v*')]));
  afterAll(() => fixture.database.execute('DELETE FROM immutability_rule'));

  test('are made once and neither moved nor deleted, whoever tries', async () => {
    const one = await fixture.image('alpha/fixed', ['one'], ['v1', 'free']);
    const refused = { code: 'immutable', tags: ['v1'] };
    await expect(fixture.image('alpha/fixed', ['two'], ['v1'])).rejects.toMatchObject({ ...refused, message: "Failed to process request due to 'fixed:v1' configured as immutable" });
    await expect(fixture.image('alpha/fixed', ['one'], ['v1'])).rejects.toMatchObject(refused);
    await expect(fixture.catalog.deleteTag({ repository: 'alpha/fixed', tag: 'v1', actor: '' })).rejects.toMatchObject(refused);
    await expect(fixture.deleteArtifact('alpha/fixed', one)).rejects.toMatchObject(refused);
    await expect(fixture.catalog.deleteRepository({ repository: 'alpha/fixed', actor: '' })).rejects.toMatchObject(refused);
    await fixture.image('bravo/source', ['three'], ['v1']);
    await expect(fixture.catalog.copyArtifact({ from: { repository: 'bravo/source', reference: { tag: 'v1' } }, to: { repository: 'alpha/fixed', projectId: 1 }, actor: '' })).rejects.toMatchObject(refused);
    await fixture.image('alpha/fixed', ['one']);
    await fixture.image('alpha/fixed', ['two'], ['free', 'v2']);
    expect((await fixture.tags('alpha/fixed'))['v1']).toBe(one.digest);
  });
});

describe('a new tag', () => {
  test('is given to an artifact that is there, once', async () => {
    const { digest } = await fixture.image('alpha/named', ['one']);
    const wanted = { repository: 'alpha/named', digest, tag: 'stable', actor: 'user:2' };
    await fixture.events();
    await fixture.catalog.createTag(wanted);
    expect(await fixture.events()).toEqual(['tag.created alpha/named stable']);
    await expect(fixture.catalog.createTag(wanted)).rejects.toMatchObject({ code: 'tag-exists', tags: ['stable'] });
    await expect(fixture.catalog.createTag({ ...wanted, repository: 'alpha/absent' })).rejects.toMatchObject({ code: 'repository-unknown' });
    await fixture.deleteArtifact('alpha/named', { digest });
    await expect(fixture.catalog.createTag({ ...wanted, tag: 'other' })).rejects.toMatchObject({ code: 'manifest-unknown' });
  });
});
