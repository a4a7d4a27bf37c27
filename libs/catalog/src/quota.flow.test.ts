import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { digestOf, type Digest } from '@haven/oci';
import { FakeLogger } from '@haven/runtime';
import { Catalog } from './catalog.js';
import { CatalogFixture, refusals, type Descriptor } from './testing/catalog-fixture.js';

let fixture: CatalogFixture;
beforeAll(async () => { fixture = await CatalogFixture.open(); });
afterAll(() => fixture.close());
beforeEach(async () => {
  await fixture.limit(-1);
  for (const name of await fixture.catalog.listRepositories('', 1000)) await fixture.catalog.deleteRepository({ repository: name, actor: '' });
  await fixture.database.execute('DELETE FROM repository_blob');
});

async function used(project = 1): Promise<number> {
  const { used: bytes } = await fixture.catalog.usage(project);
  expect(bytes).toBe(await fixture.catalog.recomputeUsage(project));
  return bytes;
}

const bytes = (count: number, letter = 'x'): string => letter.repeat(count);

describe('a project is charged', () => {
  test('once for a blob that several of its repositories hold, and again in another project', async () => {
    await fixture.blob('alpha/a', bytes(1000));
    await fixture.blob('alpha/b', bytes(1000));
    await fixture.blob('bravo/a', bytes(1000));
    expect([await used(1), await used(2)]).toEqual([1000, 1000]);
  });

  test('for manifests, and gets back what only a deleted artifact named', async () => {
    const base = await fixture.image('alpha/a', [bytes(500, 'b')], ['base']);
    const before = await used();
    const app = await fixture.image('alpha/a', [bytes(500, 'b'), bytes(700, 'a')], ['app']);
    expect(await used()).toBe(before + 700 + app.size);
    await fixture.deleteArtifact('alpha/a', app);
    expect(await used()).toBe(before);
    expect(await fixture.links('alpha/a')).toEqual(new Set([base.digest, digestOf(Buffer.from(bytes(500, 'b'))), digestOf(Buffer.from('config'))]));
    await fixture.catalog.deleteRepository({ repository: 'alpha/a', actor: '' });
    expect(await used()).toBe(0);
  });

  test('nothing for a mount within it', async () => {
    const { digest } = await fixture.blob('alpha/a', bytes(400));
    expect(await fixture.catalog.mountBlob({ repository: 'alpha/b', projectId: 1, actor: '', digest, from: 'alpha/a' })).toBe(true);
    await fixture.catalog.removeBlob('alpha/a', digest);
    expect(await used()).toBe(400);
    await fixture.catalog.removeBlob('alpha/b', digest);
    expect(await used()).toBe(0);
  });

  test('the same after changes were folded, by several at once', async () => {
    await Promise.all(Array.from({ length: 20 }, (_, index) => fixture.blob('alpha/a', `${index}`.padEnd(100, '.'))));
    const fold = async (): Promise<number> => { let sum = 0; for (let count = 1; count > 0; sum += count) count = await fixture.catalog.foldQuotaChanges(3); return sum; };
    const folded = await Promise.all([fold(), fold(), fold(), used(), used()]);
    expect(folded.slice(0, 3).reduce((sum, count) => sum + count, 0)).toBeGreaterThanOrEqual(20);
    expect(await fixture.database.query('SELECT 1 FROM quota_change')).toEqual([]);
    expect(await used()).toBe(2000);
  });

  test('the right amount again after a repair', async () => {
    await fixture.blob('alpha/a', bytes(300));
    await fixture.database.execute('UPDATE project SET storage_used = 77 WHERE id = 1');
    await fixture.database.execute('UPDATE project_blob SET repositories = 5');
    expect(await fixture.catalog.repairUsage(1)).toEqual({ hard: -1, used: 300 });
    await fixture.catalog.removeBlob('alpha/a', digestOf(Buffer.from(bytes(300))));
    expect(await used()).toBe(0);
    await expect(fixture.catalog.repairUsage(99)).rejects.toMatchObject({ code: 'project-unknown' });
    await expect(fixture.catalog.usage(99)).rejects.toMatchObject({ code: 'project-unknown' });
  });
});

describe('a limited project', () => {
  test('takes exactly what fits and says what does not', async () => {
    await fixture.limit(1000);
    await fixture.blob('alpha/a', bytes(600));
    await expect(fixture.blob('alpha/a', bytes(401, 'y'))).rejects.toMatchObject({
      code: 'quota-exceeded', quota: { used: 600, added: 401, hard: 1000 },
      message: 'Quota exceeded when processing the request of adding 401 Byte of storage resource, which when updated to current usage of 600 Byte will exceed the configured upper limit of 1000 Byte',
    });
    await fixture.blob('alpha/a', bytes(400, 'y'));
    expect(await used()).toBe(1000);
    await fixture.blob('alpha/b', bytes(400, 'y'));
    await expect(fixture.blob('alpha/a', 'z')).rejects.toMatchObject({ code: 'quota-exceeded' });
    await fixture.catalog.removeBlob('alpha/a', digestOf(Buffer.from(bytes(600))));
    await fixture.blob('alpha/a', 'z');
    expect(await used()).toBe(401);
  });

  test('of which nothing was enforced keeps exact accounts', async () => {
    await fixture.limit(10);
    await fixture.database.execute(`INSERT INTO setting (key, value) VALUES ('quota_per_project_enable', 'false')`);
    await fixture.blob('alpha/a', bytes(600));
    await fixture.database.execute('DELETE FROM setting');
    expect(await used()).toBe(600);
    await expect(fixture.blob('alpha/a', 'z')).rejects.toMatchObject({ quota: { used: 600, hard: 10 } });
  });

  test('F-13: is never above its limit however many add to it at once', async () => {
    await fixture.limit(1000);
    const outcomes = await Promise.allSettled(Array.from({ length: 20 }, (_, index) => fixture.blob(`alpha/r${index % 4}`, `${index}`.padEnd(90, '.'))));
    expect(outcomes.filter((outcome) => outcome.status === 'fulfilled')).toHaveLength(11);
    expect(refusals(outcomes)).toEqual(['quota-exceeded']);
    expect(await used()).toBe(990);
  });

  test('that becomes limited while others add to it has exact accounts', async () => {
    for (let round = 0; round < 5; round += 1) {
      await fixture.limit(-1);
      const before = await used();
      const adders = Array.from({ length: 10 }, (_, index) => fixture.blob('alpha/a', `${round}.${index}`.padEnd(100, '.')));
      const [outcomes] = await Promise.all([Promise.allSettled(adders), fixture.limit(before + 500)]);
      const added = outcomes.filter((outcome) => outcome.status === 'fulfilled').length;
      expect(refusals(outcomes)).toEqual(added === 10 ? [] : ['quota-exceeded']);
      expect(await used()).toBe(before + added * 100);
    }
  });
});

describe('a refusal', () => {
  const refuse = (): Promise<Error> => fixture.catalog.quotaRefusal(1, { repository: 'alpha/a', actor: '' }, 50);
  const told = async (): Promise<string[]> => (await fixture.events()).filter((event) => event.startsWith('quota.exceeded'));
  beforeEach(async () => {
    await fixture.database.execute('DELETE FROM quota_notice');
    await fixture.events();
  });

  test('is told once, also by many at once, and again when something was freed or the limit was changed', async () => {
    await fixture.blob('alpha/a', bytes(30));
    await fixture.limit(40);
    await Promise.all(Array.from({ length: 10 }, refuse));
    expect(await told()).toEqual(['quota.exceeded alpha/a']);
    await refuse();
    expect(await told()).toEqual([]);
    await fixture.limit(41);
    await refuse();
    expect(await told()).toHaveLength(1);
    await fixture.catalog.removeBlob('alpha/a', digestOf(Buffer.from(bytes(30))));
    await refuse();
    expect(await told()).toHaveLength(1);
    await fixture.database.execute(`UPDATE quota_notice SET exceeded_at = exceeded_at - interval '25 hours'`);
    await refuse();
    expect(await told()).toHaveLength(1);
  });

  test('is told of a project that nothing but a warning was told of', async () => {
    await fixture.limit(40);
    await fixture.database.execute('INSERT INTO quota_notice (project_id, warned) VALUES (1, true)');
    await refuse();
    expect(await told()).toHaveLength(1);
  });

  test('that was told before waits for nobody, and locks nothing', async () => {
    await fixture.limit(40);
    await refuse();
    await fixture.database.transaction(async (transaction) => {
      await transaction.query('SELECT 1 FROM quota_notice FOR UPDATE');
      const waits = new AbortController();
      expect(await Promise.race([refuse(), sleep(10_000, 'waits', { signal: waits.signal })])).toMatchObject({ code: 'quota-exceeded' });
      waits.abort();
    });
  });

  test('that cannot be told is a refusal all the same: the stored bytes are left to garbage collection, and the log says why', async () => {
    const logger = new FakeLogger();
    const catalog = new Catalog(fixture.database, logger);
    const digest = digestOf(Buffer.from('no room and no notice'));
    await fixture.blob('alpha/a', 'x');
    await fixture.limit(1);
    await fixture.database.execute('ALTER TABLE quota_notice RENAME TO quota_notice_away');
    try {
      await expect(catalog.addBlob({ repository: 'alpha/a', projectId: 1, actor: '', digest, size: 21 })).rejects.toMatchObject({ code: 'quota-exceeded' });
      expect(await catalog.quotaRefusal(1, { repository: 'alpha/a', actor: '' }, 5)).toMatchObject({ code: 'quota-exceeded', quota: { added: 5 } });
    } finally {
      await fixture.database.execute('ALTER TABLE quota_notice_away RENAME TO quota_notice');
    }
    expect(await fixture.database.query('SELECT b.size FROM blob b JOIN unlinked_blob u ON u.digest = b.digest WHERE b.digest = $1', [digest])).toEqual([{ size: '21' }]);
    expect(logger.lines).toEqual([1, 2].map(() => ({ level: 'warn', message: expect.stringContaining('quota'), fields: { repository: 'alpha/a', error: expect.anything() } })));
  });
});

describe('at the same time', () => {
  test('two repositories of a project link the same blob', async () => {
    for (let round = 0; round < 10; round += 1) {
      await Promise.all(['a', 'b', 'c', 'd'].map((name) => fixture.blob(`alpha/${name}`, `same ${round}`.padEnd(100))));
      expect(await used()).toBe((round + 1) * 100);
    }
    const [row] = await fixture.database.query<{ least: number }>('SELECT min(repositories) AS least FROM project_blob WHERE project_id = 1');
    expect(row?.least).toBe(4);
  });

  test('one repository links what another gives up', async () => {
    for (let round = 0; round < 30; round += 1) {
      const content = `last ${round}`.padEnd(100);
      const digest = digestOf(Buffer.from(content)) as Digest;
      await fixture.blob('alpha/a', content);
      await Promise.all([fixture.catalog.removeBlob('alpha/a', digest), fixture.blob('alpha/b', content)]);
      expect(await used()).toBe((round + 1) * 100);
    }
  });

  test('artifacts that share layers are pushed and deleted, and every live one keeps its blobs', async () => {
    for (let round = 0; round < 15; round += 1) {
      const shared = `shared ${round}`.padEnd(50);
      const first = await fixture.image('alpha/a', [shared, `first ${round}`], ['first']);
      const push = (name: string): Promise<Descriptor> => fixture.image('alpha/a', [shared, `${name} ${round}`], [name]);
      const [second, third] = await Promise.all([push('second'), push('third'), fixture.deleteArtifact('alpha/a', first)]);
      const links = await fixture.links('alpha/a');
      for (const digest of [second.digest, third.digest, digestOf(Buffer.from(shared))]) expect(links).toContain(digest);
      await used();
      await Promise.all([second, third].map((image) => fixture.deleteArtifact('alpha/a', image)));
      expect(await fixture.links('alpha/a')).toEqual(new Set());
      expect(await used()).toBe(0);
    }
  });

  test('a manifest is deleted and pushed again', async () => {
    // They may wait for each other in a circle, which takes the database a second to notice.
    for (let round = 0; round < 4; round += 1) {
      const image = await fixture.image('alpha/a', [`again ${round}`], ['x']);
      await Promise.all([fixture.deleteArtifact('alpha/a', image), fixture.image('alpha/a', [`again ${round}`], ['x'])]);
      const live = await fixture.catalog.findManifest('alpha/a', { digest: image.digest });
      expect((await fixture.links('alpha/a')).has(image.digest)).toBe(live !== undefined);
      await used();
      if (live) await fixture.deleteArtifact('alpha/a', image);
    }
  });
});
