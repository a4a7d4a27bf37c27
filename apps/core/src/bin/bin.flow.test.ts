import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { BinEntry } from '@haven/api';
import { Pusher } from '../testing/push.js';
import { startTestCore, type Answer, type TestCore } from '../testing/test-core.js';

const ALPHA = '/api/v2.0/projects/alpha';
let core: TestCore;
let pusher: Pusher;

beforeAll(async () => {
  core = await startTestCore();
  for (const name of ['mary', 'dave', 'gina', 'bob']) await core.addUser(name);
  pusher = new Pusher(core.database, await core.addProject('alpha', { members: { mary: 4, dave: 2, gina: 3 } }));
  await core.addProject('bravo', { members: { bob: 1 } });
});
afterAll(() => core.stop());

async function entries(query: string): Promise<BinEntry[]> {
  const { status, body } = await core.call('GET', `${ALPHA}/bin${query}`, { as: 'mary' });
  expect(status).toBe(200);
  return body as BinEntry[];
}

function restore(id: number | string | undefined, as = 'mary', project = ALPHA): Promise<Answer> {
  return core.call('POST', `${project}/bin/${id}/restore`, { as });
}

describe('what was deleted', () => {
  test('a tag is listed and comes back, once', async () => {
    const { digest } = await pusher.image('alpha/tags', 'one', ['1', '2']);
    expect((await core.call('DELETE', `${ALPHA}/repositories/tags/artifacts/1/tags/1`, { as: 'mary' })).status).toBe(200);
    const [entry] = await entries('?kind=tag&repository=alpha/tags');
    expect(entry).toEqual({
      id: expect.any(Number), kind: 'tag', repository_name: 'alpha/tags', tag: '1', digest, tags: [{ name: '1', digest }], tag_count: 1, artifact_count: 1, deleted_by: 'mary', deletion_time: expect.any(String),
    });
    expect((await restore(entry?.id)).body).toEqual({ kind: 'tag', repository_name: 'alpha/tags', digests: [], tags: ['1'], kept: [] });
    expect((await core.call('GET', `${ALPHA}/repositories/tags/artifacts/1`, { as: 'gina' })).body).toMatchObject({ digest });
    expect((await restore(entry?.id)).status).toBe(404);
    expect(await entries('?kind=tag&repository=alpha/tags')).toEqual([]);
  });

  test('an artifact comes back with its tags and labels', async () => {
    const { digest } = await pusher.image('alpha/artifacts', 'one', ['1', '2']);
    await core.database.execute(`WITH made AS (INSERT INTO label (name, scope) VALUES ('worn', 'g') RETURNING id) INSERT INTO artifact_label SELECT m.id, made.id FROM made, manifest m WHERE m.digest = $1`, [digest]);
    await core.call('DELETE', `${ALPHA}/repositories/artifacts/artifacts/1`, { as: 'mary' });
    const [entry] = await entries('?kind=artifact');
    expect(entry).toMatchObject({ kind: 'artifact', digest, tag_count: 2 });
    expect((await restore(entry?.id)).body).toMatchObject({ digests: [digest], tags: ['1', '2'] });
    expect((await core.call('GET', `${ALPHA}/repositories/artifacts/artifacts/2?with_label=true`, { as: 'gina' })).body).toMatchObject({ digest, labels: [{ name: 'worn' }] });
  });

  test('a repository comes back, unless there is another one of its name', async () => {
    await pusher.image('alpha/whole', 'one', ['1']);
    await core.call('DELETE', `${ALPHA}/repositories/whole`, { as: 'mary' });
    const [entry] = await entries('?kind=repository');
    await pusher.image('alpha/whole', 'two', ['2']);
    const { status, body } = await restore(entry?.id);
    expect([status, body]).toEqual([409, { errors: [{ code: 'CONFLICT', message: expect.stringContaining('alpha/whole') }] }]);
    await core.call('DELETE', `${ALPHA}/repositories/whole`, { as: 'mary' });
    expect((await restore(entry?.id)).status).toBe(200);
    expect((await core.call('GET', `${ALPHA}/repositories/whole/artifacts/1`, { as: 'gina' })).status).toBe(200);
  });
});

describe('the bin of another project', () => {
  test('is closed, and its entries do not exist elsewhere', async () => {
    await pusher.image('alpha/foreign', 'one', ['1']);
    await core.call('DELETE', `${ALPHA}/repositories/foreign/artifacts/1`, { as: 'mary' });
    const [entry] = await entries('?repository=alpha/foreign');
    for (const as of ['bob', 'gina', 'dave']) expect((await core.call('GET', `${ALPHA}/bin`, { as })).status).toBe(403);
    expect((await core.call('GET', `${ALPHA}/bin`)).status).toBe(401);
    expect((await restore(entry?.id, 'bob')).status).toBe(403);
    const [foreign, missing] = [await restore(entry?.id, 'bob', '/api/v2.0/projects/bravo'), await restore(999_999, 'bob', '/api/v2.0/projects/bravo')];
    expect([foreign.status, foreign.body]).toEqual([404, missing.body]);
    expect((await restore(entry?.id, 'dave')).status).toBe(403);
    expect((await restore(entry?.id)).status).toBe(200);
  });

  test.each([['0', 422], ['-1', 422], ['x', 422], ['99999999999999999999', 422], ['999999999999999', 404]])('entry %s is %d', async (id, status) => {
    expect((await restore(id)).status).toBe(status);
  });

  test.each(['?kind=x', '?page_size=-2', '?repository=a%00b'])('is not listed with %s', async (query) => {
    expect((await core.call('GET', `${ALPHA}/bin${query}`, { as: 'mary' })).status).toBe(422);
  });
});
