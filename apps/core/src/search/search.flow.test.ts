import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Search, Statistic } from '@haven/api';
import { Pusher } from '../testing/push.js';
import { startTestCore, type TestCore } from '../testing/test-core.js';

const SEARCH = '/api/v2.0/search';
const STATISTICS = '/api/v2.0/statistics';

let core: TestCore;
beforeAll(async () => {
  core = await startTestCore();
  for (const name of ['alice', 'eve']) await core.addUser(name);
  const members = { alice: 1 };
  for (const [name, isPublic] of [['pub', true], ['alpha', false], ['bravo', false]] as const) {
    const id = await core.addProject(name, { public: isPublic, ...(name === 'alpha' ? { members } : {}) });
    const pusher = new Pusher(core.database, id);
    await pusher.image(`${name}/app`, 'content', ['1', '2']);
    await pusher.image(`${name}/app`, 'other content', ['3']);
    await pusher.image(`${name}/tools/deep-thing`, 'content', ['1']);
  }
  await core.database.execute(`UPDATE repository SET pull_count = 7 WHERE name = 'pub/app'`);
});
afterAll(() => core.stop());

const found = async (query: string, as?: string): Promise<{ projects: string[]; repositories: string[] }> => {
  const { project, repository } = (await core.call('GET', `${SEARCH}?${query}`, { as })).body as Search;
  return { projects: project.map((one) => one.name), repositories: repository.map((one) => one.repository_name) };
};

describe('searching', () => {
  test('finds projects and repositories by any part of their name', async () => {
    expect(await found('q=pp', 'admin')).toEqual({ projects: [], repositories: ['alpha/app', 'bravo/app', 'pub/app'] });
    expect(await found('q=DEEP-th', 'admin')).toEqual({ projects: [], repositories: ['alpha/tools/deep-thing', 'bravo/tools/deep-thing', 'pub/tools/deep-thing'] });
    expect(await found('q=pub')).toEqual({ projects: ['pub'], repositories: ['pub/app', 'pub/tools/deep-thing'] });
    expect((await core.call('GET', `${SEARCH}?q=pub/app`)).body).toEqual({
      project: [], repository: [{ project_id: expect.any(Number), project_name: 'pub', project_public: true, repository_name: 'pub/app', pull_count: 7, artifact_count: 2 }],
    });
    expect((await core.call('GET', `${SEARCH}?q=pub`)).body).toMatchObject({ project: [{ name: 'pub', repo_count: 2, metadata: { public: 'true' } }] });
  });

  test('D-18: shows only what the caller may see', async () => {
    expect(await found('q=a')).toEqual({ projects: ['library'], repositories: ['pub/app'] });
    expect((await found('q=a', 'eve'))).toEqual({ projects: ['library'], repositories: ['pub/app'] });
    expect(await found('q=a', 'alice')).toEqual({ projects: ['alpha', 'library'], repositories: ['alpha/app', 'alpha/tools/deep-thing', 'pub/app'] });
    expect(await found('q=bravo', 'alice')).toEqual({ projects: [], repositories: [] });
    const list = await core.call('GET', '/api/v2.0/projects?name=alpha');
    expect([list.body, list.headers.get('x-total-count')]).toEqual([[], '0']);
    expect((await core.call('GET', '/api/v2.0/projects?public=false')).headers.get('x-total-count')).toBe('0');
    expect((await core.call('GET', '/api/v2.0/projects/alpha/summary')).status).toBe(401);
  });

  test('takes every character for itself', async () => {
    for (const q of ['%25', '_', '%5C', '%27', '*', '%C3%A9', '%F0%9F%90%B3']) expect(await found(`q=${q}`, 'admin')).toEqual({ projects: [], repositories: [] });
    expect((await found('q=', 'admin')).repositories).toHaveLength(6);
    for (const query of ['', 'q=%00', `q=${'a'.repeat(300)}`, 'q=a&q=b']) expect((await core.call('GET', `${SEARCH}?${query}`)).status).toBe(422);
  });

  test('answers a hundred of each at most', async () => {
    const [row] = await core.database.query<{ id: number }>(`SELECT id FROM project WHERE name = 'pub'`);
    await core.database.execute(`INSERT INTO project (name, public, owner_id) SELECT 'many-' || n, true, 1 FROM generate_series(1, 150) n`);
    await core.database.execute(`INSERT INTO repository (project_id, name) SELECT $1, 'pub/many-' || n FROM generate_series(1, 150) n`, [row?.id]);
    const many = await found('q=many-');
    expect([many.projects.length, many.repositories.length]).toEqual([100, 100]);
    await core.database.execute(`DELETE FROM repository WHERE name LIKE 'pub/many-%'`);
    await core.database.execute(`DELETE FROM project WHERE name LIKE 'many-%'`);
  });
});

describe('statistics', () => {
  const of = async (as: string): Promise<Statistic> => (await core.call('GET', STATISTICS, { as })).body as Statistic;

  test('L-08: count what the caller may see', async () => {
    expect(await of('eve')).toEqual({ public_project_count: 2, public_repo_count: 2, private_project_count: 0, private_repo_count: 0, total_project_count: 2, total_repo_count: 2 });
    expect(await of('alice')).toEqual({ public_project_count: 2, public_repo_count: 2, private_project_count: 1, private_repo_count: 2, total_project_count: 3, total_repo_count: 4 });
    expect((await core.call('GET', STATISTICS)).status).toBe(401);
  });

  test('tell administrators what is stored, each blob once', async () => {
    const [blobs] = await core.database.query<{ bytes: number }>('SELECT sum(size)::int AS bytes FROM blob');
    expect(await of('admin')).toMatchObject({ private_project_count: 2, total_repo_count: 6, total_storage_consumption: blobs?.bytes });
  });
});
