import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { RepositoryTag, TagEvent } from '@haven/api';
import { Pusher } from '../testing/push.js';
import { startTestCore, type TestCore } from '../testing/test-core.js';

const REPOSITORY = '/api/v2.0/projects/alpha/repositories/app';
const RULE = { tag_selectors: [{ kind: 'doublestar', decoration: 'matches', pattern: 'fixed' }], scope_selectors: { repository: [{ kind: 'doublestar', decoration: 'repoMatches', pattern: '**' }] } };
let core: TestCore;
let pusher: Pusher;
let first: string;

beforeAll(async () => {
  core = await startTestCore();
  for (const name of ['mary', 'dave', 'gina', 'bob']) await core.addUser(name);
  const id = await core.addProject('alpha', { public: true, members: { mary: 4, dave: 2, gina: 3 } });
  await core.database.execute('INSERT INTO immutability_rule (project_id, rule) VALUES ($1, $2)', [id, JSON.stringify(RULE)]);
  pusher = new Pusher(core.database, id);
  const image = await pusher.image('alpha/app', 'first', ['1.9', '1.10', '2.0-rc1', '2.0', 'fixed']);
  first = image.digest;
  await pusher.image('alpha/app', 'signature', [], { subject: image, artifactType: 'application/vnd.cncf.notary.signature' });
  await pusher.image('alpha/app', `larger ${'x'.repeat(1000)}`, ['latest']);
});
afterAll(() => core.stop());

async function list(query = '', as: string | undefined = 'gina'): Promise<RepositoryTag[]> {
  const { status, body } = await core.call('GET', `${REPOSITORY}/tags${query}`, { as });
  expect(status).toBe(200);
  return body as RepositoryTag[];
}

const names = async (query: string): Promise<string[]> => (await list(query)).map(({ name }) => name);

describe('the tags of a repository', () => {
  test('are shown with what they name', async () => {
    const [latest] = await list('?q=name%3Dlatest');
    expect(latest).toEqual({
      id: expect.any(Number), name: 'latest', repository_id: expect.any(Number), artifact_id: expect.any(Number), digest: expect.stringMatching(/^sha256:/), type: 'IMAGE',
      media_type: 'application/vnd.oci.image.config.v1+json', size: expect.any(Number), push_time: expect.any(String), pull_time: '0001-01-01T00:00:00.000Z',
      pushed_by: 'admin', signed: false, immutable: false,
    });
    const [fixed] = await list('?q=name%3Dfixed');
    expect(fixed).toMatchObject({ digest: first, signed: true, immutable: true });
  });

  test('are sorted as versions, by name, time and size, and paged', async () => {
    expect(await names('?sort=version&q=name%3D~.')).toEqual(['1.9', '1.10', '2.0-rc1', '2.0']);
    expect(await names('?sort=-version&q=name%3D~.&page_size=2')).toEqual(['2.0', '2.0-rc1']);
    expect(await names('?sort=name')).toEqual(['1.10', '1.9', '2.0', '2.0-rc1', 'fixed', 'latest']);
    expect((await names('?sort=-size'))[0]).toBe('latest');
    expect((await names('?sort=size,name'))[0]).toBe('1.10');
    expect((await names(''))[0]).toBe('latest');
    expect(await names('?sort=name&page_size=4&page=2')).toEqual(['fixed', 'latest']);
    const { headers } = await core.call('GET', `${REPOSITORY}/tags?page_size=4&q=size%3D%5B1~%5D`, { as: 'gina' });
    expect(headers.get('x-total-count')).toBe('6');
    expect(await names(`?q=${encodeURIComponent(`digest=${first}`)}&sort=name&page_size=1`)).toEqual(['1.10']);
  });

  test('tell nobody who is not logged in who pushed them', async () => {
    expect((await core.call('GET', `${REPOSITORY}/tags?page_size=1`)).body).toMatchObject([{ name: 'latest', pushed_by: '' }]);
    expect((await core.call('GET', `${REPOSITORY}/history?page_size=1`)).body).toMatchObject([{ tag: 'latest', actor: '' }]);
  });

  test.each(['?page_size=-2', '?page_size=101', '?page=-1', '?q=name', '?q=size%3Dx', '?sort=a&sort=b'])('are not listed with %s', async (query) => {
    expect([400, 422]).toContain((await core.call('GET', `${REPOSITORY}/tags${query}`, { as: 'gina' })).status);
  });
});

describe('the past of a tag', () => {
  test('is told step by step, and can be asked for a moment', async () => {
    const before = new Date().toISOString();
    const { digest: one } = await pusher.image('alpha/app', 'past one', ['past']);
    const between = new Date(Date.now() + 5).toISOString();
    await new Promise((resolve) => setTimeout(resolve, 15));
    const { digest: two } = await pusher.image('alpha/app', 'past two', ['past']);
    await core.call('DELETE', `${REPOSITORY}/artifacts/past/tags/past`, { as: 'mary' });
    const { body } = await core.call('GET', `${REPOSITORY}/tags/past/history`, { as: 'gina' });
    expect(body).toEqual([
      { id: expect.any(Number), tag: 'past', operation: 'delete', from: two, actor: 'mary', time: expect.any(String) },
      { id: expect.any(Number), tag: 'past', operation: 'move', from: one, to: two, actor: 'admin', time: expect.any(String) },
      { id: expect.any(Number), tag: 'past', operation: 'create', to: one, actor: 'admin', time: expect.any(String) },
    ]);
    const at = (time: string): ReturnType<TestCore['call']> => core.call('GET', `${REPOSITORY}/tags/past/at?time=${encodeURIComponent(time)}`, { as: 'gina' });
    expect((await at(between)).body).toEqual({ tag: 'past', time: between, digest: one, available: true });
    expect((await at(before)).status).toBe(404);
    expect((await at(new Date(Date.now() + 1000).toISOString())).status).toBe(404);
    const all = (await core.call('GET', `${REPOSITORY}/history?page_size=3`, { as: 'gina' })).body as TagEvent[];
    expect(all.map(({ operation }) => operation)).toEqual(['delete', 'move', 'create']);
  });

  test.each(['', '?time=', '?time=now', '?time=2026-01-01', '?time=2026-13-01T00:00:00Z'])('is not asked for at %j', async (query) => {
    expect((await core.call('GET', `${REPOSITORY}/tags/latest/at${query}`, { as: 'gina' })).status).toBe(422);
  });

  test('of what never was is 404', async () => {
    expect((await core.call('GET', `${REPOSITORY}/tags/never/history`, { as: 'gina' })).status).toBe(404);
    expect((await core.call('GET', `${REPOSITORY}/tags/-x/history`, { as: 'gina' })).status).toBe(400);
    expect((await core.call('GET', '/api/v2.0/projects/alpha/repositories/none/history', { as: 'gina' })).status).toBe(404);
    expect((await core.call('GET', '/api/v2.0/projects/alpha/repositories/none/tags', { as: 'gina' })).status).toBe(404);
  });
});

describe('rolling a tag back', () => {
  const rollBack = (tag: string, digest: unknown, as = 'mary'): ReturnType<TestCore['call']> => core.call('POST', `${REPOSITORY}/tags/${tag}/rollback`, { as, json: { digest } });

  test('lets it name again what it named before, and keeps that in its past', async () => {
    const { digest: good } = await pusher.image('alpha/app', 'good', ['prod']);
    await pusher.image('alpha/app', 'bad', ['prod']);
    expect((await rollBack('prod', good)).status).toBe(200);
    expect((await list('?q=name%3Dprod'))[0]).toMatchObject({ digest: good, pushed_by: 'mary' });
    const { body } = await core.call('GET', `${REPOSITORY}/tags/prod/history`, { as: 'gina' });
    expect((body as TagEvent[]).map(({ operation, to }) => [operation, to])[0]).toEqual(['move', good]);
  });

  test('brings back a deleted tag and a deleted artifact', async () => {
    const { digest } = await pusher.image('alpha/app', 'deleted', ['deleted']);
    expect((await core.call('DELETE', `${REPOSITORY}/artifacts/deleted`, { as: 'mary' })).status).toBe(200);
    expect((await rollBack('deleted', digest)).status).toBe(200);
    expect((await core.call('GET', `${REPOSITORY}/artifacts/deleted`, { as: 'gina' })).body).toMatchObject({ digest });
  });

  test('needs the right to delete tags, and something that the tag named', async () => {
    expect((await rollBack('latest', first, 'dave')).status).toBe(403);
    expect((await rollBack('latest', first, 'bob')).status).toBe(403);
    expect((await rollBack('latest', first)).status).toBe(404);
    expect((await rollBack('latest', 'sha256:x')).status).toBe(400);
    expect((await rollBack('latest', 7)).status).toBe(422);
    expect((await rollBack('-x', first)).status).toBe(400);
  });

  test('F-02: does not move an immutable tag', async () => {
    const { status, body } = await rollBack('fixed', first);
    expect([status, body]).toEqual([412, { errors: [{ code: 'PRECONDITION', message: expect.stringContaining('immutable') }] }]);
  });
});
