import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Catalog } from '@haven/catalog';
import { FakeLogger } from '@haven/runtime';
import { Pusher } from '../testing/push.js';
import { startTestCore, type Answer, type TestCore } from '../testing/test-core.js';

const RULE = { tag_selectors: [{ kind: 'doublestar', decoration: 'matches', pattern: 'fixed*' }], scope_selectors: { repository: [{ kind: 'doublestar', decoration: 'repoMatches', pattern: '**' }] } };
let core: TestCore;
let alpha: Pusher;
let bravoId: number;
let digest: string;

beforeAll(async () => {
  core = await startTestCore();
  for (const name of ['alice', 'bob', 'both', 'gina']) await core.addUser(name);
  alpha = new Pusher(core.database, await core.addProject('alpha', { members: { alice: 1, both: 5, gina: 3 } }));
  bravoId = await core.addProject('bravo', { members: { bob: 1, both: 2 } });
  await core.database.execute('INSERT INTO immutability_rule (project_id, rule) VALUES ($1, $2)', [bravoId, JSON.stringify(RULE)]);
  const child = await alpha.image('alpha/app', 'child');
  const index = await alpha.index('alpha/app', [child], ['1', 'fixed']);
  await alpha.image('alpha/app', 'signature', ['signature'], { subject: index, artifactType: 'application/vnd.dev.cosign.artifact.sig.v1+json' });
  digest = index.digest;
});
afterAll(() => core.stop());

function copy(as: string | undefined, to: string, ...from: readonly string[]): Promise<Answer> {
  const query = from.map((one) => `from=${encodeURIComponent(one)}`).join('&');
  return core.call('POST', `/api/v2.0/projects/bravo/repositories/${to}/artifacts?${query}`, { as });
}

async function repositories(): Promise<string[]> {
  return (await core.database.query<{ name: string }>('SELECT name FROM repository WHERE project_id = $1 AND deleted_at IS NULL ORDER BY name', [bravoId])).map(({ name }) => name);
}

describe('a copy', () => {
  test('by tag has the tag, the children and the signatures', async () => {
    const { status, headers } = await copy('both', 'by-tag', 'alpha/app:1');
    expect([status, headers.get('location')]).toEqual([201, '/api/v2.0/projects/bravo/repositories/by-tag/artifacts/1']);
    const { body } = await core.call('GET', headers.get('location') ?? '', { as: 'bob' });
    expect(body).toMatchObject({ digest, repository_name: 'bravo/by-tag', tags: [{ name: '1' }], references: [{ child_id: expect.any(Number) }], accessories: [{ type: 'signature.cosign' }] });
  });

  test('by digest has no tag', async () => {
    const { status, headers } = await copy('both', 'deep%252Fer', `alpha/app@${digest}`);
    expect([status, headers.get('location')]).toEqual([201, `/api/v2.0/projects/bravo/repositories/deep%252Fer/artifacts/${digest}`]);
    expect((await core.call('GET', headers.get('location') ?? '', { as: 'bob' })).body).toMatchObject({ digest, repository_name: 'bravo/deep/er', tags: null });
  });

  test('of what is not there is 404, of a signature alone 403', async () => {
    for (const from of ['alpha/app:none', 'alpha/none:1', `alpha/app@sha256:${'0'.repeat(64)}`]) expect((await copy('both', 'nothing', from)).status).toBe(404);
    const { status, body } = await copy('both', 'nothing', 'alpha/app:signature');
    expect([status, body]).toEqual([403, { errors: [{ code: 'DENIED', message: expect.any(String) }] }]);
    expect(await repositories()).not.toContain('bravo/nothing');
  });

  test('F-02: does not move an immutable tag', async () => {
    expect((await copy('both', 'kept', 'alpha/app:fixed')).status).toBe(201);
    await new Pusher(core.database, bravoId).image('bravo/source', 'another', ['fixed-too']);
    const { status, body } = await core.call('POST', '/api/v2.0/projects/bravo/repositories/kept/artifacts?from=alpha/app:fixed', { as: 'both' });
    expect([status, body]).toEqual([412, { errors: [{ code: 'PRECONDITION', message: expect.stringContaining('configured as immutable') }] }]);
  });

  test('F-13: is refused, with the figures, when it exceeds the quota', async () => {
    await core.database.execute('UPDATE project SET storage_limit = 10 WHERE id = $1', [bravoId]);
    await alpha.image('alpha/large', 'x'.repeat(100), ['1']);
    const { status, body } = await copy('both', 'large', 'alpha/large:1');
    await core.database.execute('UPDATE project SET storage_limit = -1 WHERE id = $1', [bravoId]);
    expect([status, body]).toEqual([403, { errors: [{ code: 'DENIED', message: expect.stringMatching(/^Quota exceeded when processing the request of adding .* will exceed the configured upper limit of 10\.0 Byte\.$/) }] }]);
    expect(await repositories()).not.toContain('bravo/large');
  });

  test('F-13: takes no more room than there is when twenty come at once', async () => {
    const catalog = new Catalog(core.database, new FakeLogger());
    const limit = (bytes: number): Promise<number> => core.database.execute('UPDATE project SET storage_limit = $1 WHERE id = $2', [bytes, bravoId]);
    // Each needs its content twice, in its layer and in its config, and some hundred bytes for its manifest.
    for (let index = 0; index < 20; index += 1) await alpha.image('alpha/many', String(index).padEnd(10_000, '.'), [String(index)]);
    const { used: before } = await catalog.usage(bravoId);
    await limit(before + 105_000);
    const statuses = (await Promise.all(Array.from({ length: 20 }, (_, index) => copy('both', `many-${index % 3}`, `alpha/many:${index}`)))).map(({ status }) => status);
    const { used, hard } = await catalog.usage(bravoId);
    await limit(-1);
    expect([statuses.filter((status) => status === 201).length, statuses.filter((status) => status === 403).length]).toEqual([5, 15]);
    expect([used <= hard, await catalog.recomputeUsage(bravoId)]).toEqual([true, used]);
  });
});

describe('D-10: a copy that the caller may not make', () => {
  test.each([
    ['bob', ['alpha/app:1'], 403], ['bob', ['alpha/app@DIGEST'], 403], ['bob', ['ghost/app:1'], 403], [undefined, ['alpha/app:1'], 401], ['gina', ['alpha/app:1'], 403],
    ['both', ['/alpha/app:1'], 400], ['both', ['alpha/../alpha/app:1'], 400], ['both', ['alpha//app:1'], 400], ['both', ['alpha/app'], 400], ['both', ['alpha/app:1@DIGEST'], 400],
    ['both', ['alpha%2Fapp:1'], 400], ['both', ['https://other.example/alpha/app:1'], 400], ['both', [''], 400], ['both', ['alpha/app:1', 'alpha/app:1'], 400], ['both', [], 422],
  ] as const)('by %s from %j is %d and makes nothing', async (as, from, status) => {
    const before = await repositories();
    const answer = await copy(as, 'planted', ...from.map((text) => text.replace('DIGEST', digest)));
    expect([answer.status, answer.body]).toEqual([status, { errors: [{ code: expect.any(String), message: expect.any(String) }] }]);
    expect(await repositories()).toEqual(before);
  });

  test('looks the same for a project that is hidden and one that does not exist', async () => {
    const [hidden, missing] = [await copy('bob', 'planted', 'alpha/app:1'), await copy('bob', 'planted', 'ghost/app:1')];
    expect(missing.body).toEqual(hidden.body);
  });

  test('into a project of others is refused before the source is looked at', async () => {
    for (const from of ['alpha/app:1', 'bravo/none:1', 'nonsense']) {
      expect((await core.call('POST', `/api/v2.0/projects/bravo/repositories/x/artifacts?from=${encodeURIComponent(from)}`, { as: 'alice' })).status).toBe(403);
    }
  });
});
