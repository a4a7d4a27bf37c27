import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Artifact } from '@haven/api';
import { Pusher } from '../testing/push.js';
import { startTestCore, type TestCore } from '../testing/test-core.js';

const ARTIFACTS = '/api/v2.0/projects/alpha/repositories/app/artifacts';
let core: TestCore;
let bravoLabel: number;
let labels: { readonly global: number; readonly own: number };
let one: string;

beforeAll(async () => {
  core = await startTestCore();
  for (const name of ['dave', 'gina', 'bob']) await core.addUser(name);
  const id = await core.addProject('alpha', { members: { dave: 2, gina: 3 } });
  const bravo = await core.addProject('bravo', { members: { bob: 1 } });
  labels = { global: await label('stable', null), own: await label('qa', id) };
  bravoLabel = await label('secret', bravo);
  const pusher = new Pusher(core.database, id);
  one = (await pusher.image('alpha/app', 'one', ['1'])).digest;
  await pusher.image('alpha/app', 'two', ['2']);
});
afterAll(() => core.stop());

async function label(name: string, project: number | null): Promise<number> {
  const [row] = await core.database.query<{ id: number }>(
    `INSERT INTO label (name, scope, project_id) VALUES ($1, CASE WHEN $2::int IS NULL THEN 'g' ELSE 'p' END, $2) RETURNING id`, [name, project]);
  return row?.id ?? 0;
}

function add(id: unknown, reference = '1', as = 'dave'): ReturnType<TestCore['call']> {
  return core.call('POST', `${ARTIFACTS}/${reference}/labels`, { as, json: { id, name: 'ignored', scope: 'g' } });
}

async function found(q: string): Promise<(string | undefined)[]> {
  const { status, body } = await core.call('GET', `${ARTIFACTS}?sort=push_time&q=${encodeURIComponent(q)}`, { as: 'gina' });
  expect(status).toBe(200);
  return (body as Artifact[]).map(({ tags }) => tags?.[0]?.name);
}

describe('a label on an artifact', () => {
  test('is put on once, shown, searched for and taken off', async () => {
    expect((await add(labels.global)).status).toBe(200);
    expect((await add(labels.own, one)).status).toBe(200);
    expect((await add(labels.own, '2')).status).toBe(200);
    expect((await add(labels.own)).status).toBe(409);
    const { body } = await core.call('GET', `${ARTIFACTS}/1?with_label=true`, { as: 'gina' });
    expect((body as Artifact).labels).toEqual([expect.objectContaining({ id: labels.own, name: 'qa', scope: 'p' }), expect.objectContaining({ id: labels.global, name: 'stable', scope: 'g', project_id: 0 })]);
    expect((await core.call('GET', `${ARTIFACTS}/1`, { as: 'gina' })).body).toMatchObject({ labels: null });
    expect(await found(`labels=(${labels.own} ${labels.global})`)).toEqual(['1']);
    expect(await found(`labels=(${labels.own})`)).toEqual(['1', '2']);
    expect(await found(`labels={${labels.own} ${labels.global}}`)).toEqual(['1', '2']);
    expect(await found(`labels=${labels.global}`)).toEqual(['1']);
    expect(await found('labels=(2147483647)')).toEqual([]);
    expect((await core.call('DELETE', `${ARTIFACTS}/2/labels/${labels.own}`, { as: 'dave' })).status).toBe(200);
    expect((await core.call('DELETE', `${ARTIFACTS}/2/labels/${labels.own}`, { as: 'dave' })).status).toBe(404);
    expect(await found(`labels=(${labels.own})`)).toEqual(['1']);
    const audits = await core.database.query<{ payload: object }>(`SELECT payload FROM outbox WHERE type = 'audit.recorded' AND payload->>'resourceType' = 'artifact_label' AND payload->>'result' = 'true' ORDER BY id`);
    expect(audits.map(({ payload }) => payload)).toMatchObject([
      { operation: 'create', resource: `alpha/app@${one}`, description: `add label stable to artifact: alpha/app@${one}` }, { operation: 'create' }, { operation: 'create' }, { operation: 'delete' },
    ]);
  });

  test('goes with the label', async () => {
    const passing = await label('passing', null);
    expect((await add(passing)).status).toBe(200);
    expect((await core.call('DELETE', `/api/v2.0/labels/${passing}`, { as: 'admin' })).status).toBe(200);
    expect(await found(`labels=(${passing})`)).toEqual([]);
  });

  test('is no business of guests', async () => {
    expect((await add(labels.global, '2', 'gina')).status).toBe(403);
    expect((await core.call('DELETE', `${ARTIFACTS}/1/labels/${labels.global}`, { as: 'gina' })).status).toBe(403);
  });

  test('D-09: of another project looks like one that does not exist', async () => {
    const [foreign, missing] = [await add(bravoLabel), await add(2_147_483_647)];
    expect([foreign.status, foreign.body]).toEqual([404, missing.body]);
    expect((await core.call('DELETE', `${ARTIFACTS}/1/labels/${bravoLabel}`, { as: 'dave' })).status).toBe(404);
    expect(await core.database.query('SELECT 1 FROM artifact_label WHERE label_id = $1', [bravoLabel])).toEqual([]);
  });

  test.each([[0, 422], [-1, 422], ['1', 422], [1.5, 422], [2_147_483_648, 422], [undefined, 422]])('is refused with the id %j', async (id, status) => {
    expect((await add(id)).status).toBe(status);
  });

  test.each(['labels=(x)', 'labels=(0)', 'labels=~1', 'labels=[1~2]', 'labels=(99999999999)', 'tags=[a~b]', 'tags=(a b)'])('is not searched for with %s', async (q) => {
    expect((await core.call('GET', `${ARTIFACTS}?q=${encodeURIComponent(q)}`, { as: 'dave' })).status).toBe(400);
  });
});
