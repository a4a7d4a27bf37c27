import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Quota } from '@haven/api';
import { Pusher } from '../testing/push.js';
import { tableState } from '../testing/table-state.js';
import { startTestCore, type TestCore } from '../testing/test-core.js';

const QUOTAS = '/api/v2.0/quotas';
let core: TestCore;
const ids: Record<string, number> = {};
beforeAll(async () => {
  core = await startTestCore();
  await core.addUser('alice');
  for (const name of ['alpha', 'bravo', 'charlie']) ids[name] = await core.addProject(name, { members: { alice: 1 } });
  await new Pusher(core.database, ids['bravo'] ?? 0).image('bravo/app', 'a'.repeat(1000), ['1']);
  await new Pusher(core.database, ids['charlie'] ?? 0).image('charlie/app', 'b'.repeat(5000), ['1']);
});
afterAll(() => core.stop());

const quotaOf = async (name: string): Promise<Quota> => (await core.call('GET', `${QUOTAS}/${ids[name] ?? 0}`, { as: 'admin' })).body as Quota;
const names = async (query: string): Promise<string[]> => ((await core.call('GET', `${QUOTAS}?${query}`, { as: 'admin' })).body as Quota[]).map((quota) => quota.ref.name);

describe('the list of quotas', () => {
  test('holds every project with its limit and what it uses', async () => {
    const { body, headers } = await core.call('GET', `${QUOTAS}?page_size=100`, { as: 'admin' });
    expect(headers.get('x-total-count')).toBe('4');
    const [blobs] = await core.database.query<{ bytes: number }>('SELECT sum(size)::int AS bytes FROM project_blob WHERE project_id = $1', [ids['charlie']]);
    expect(body).toContainEqual({
      id: ids['charlie'], ref: { id: ids['charlie'], name: 'charlie', owner_name: 'admin' }, hard: { storage: -1 }, used: { storage: blobs?.bytes },
      creation_time: expect.any(String), update_time: expect.any(String),
    });
    expect(blobs?.bytes).toBeGreaterThan(5000);
  });

  test('is sorted and filtered', async () => {
    expect((await names('sort=-used.storage')).slice(0, 2)).toEqual(['charlie', 'bravo']);
    expect((await names('sort=used.storage')).slice(2)).toEqual(['bravo', 'charlie']);
    expect(await names(`reference=project&reference_id=${ids['alpha'] ?? 0}`)).toEqual(['alpha']);
    for (const query of ['reference=user', 'reference_id=x', 'reference_id=99999999999', 'reference_id=0', 'reference_id=-1', 'reference_id=777']) expect(await names(query)).toEqual([]);
    const { headers, body } = await core.call('GET', `${QUOTAS}?page=2&page_size=2&sort=hard.storage`, { as: 'admin' });
    expect(body).toHaveLength(2);
    expect(headers.get('link')).toContain('page=1');
  });

  test.each(['sort=hard.storage%3Bselect%20pg_sleep(4)', 'sort=-used.storage,pg_sleep(4)', 'sort=(select%201)', 'sort=password', 'sort=-'])('G-01: %s sorts by nothing that is not listed', async (query) => {
    const started = performance.now();
    expect((await core.call('GET', `${QUOTAS}?${query}`, { as: 'admin' })).status).toBe(200);
    expect(performance.now() - started).toBeLessThan(2_000);
  });

  test.each(['page_size=-2', 'page_size=101', 'page=-1', `sort=${'a,'.repeat(500)}`, 'reference=%00'])('%s is 422', async (query) => {
    expect((await core.call('GET', `${QUOTAS}?${query}`, { as: 'admin' })).status).toBe(422);
  });
});

describe('changing a quota', () => {
  test('limits the project, tells when, and is written into the audit trail', async () => {
    const before = await quotaOf('alpha');
    expect((await core.call('PUT', `${QUOTAS}/${ids['alpha'] ?? 0}`, { as: 'admin', json: { hard: { storage: 10_000 } } })).status).toBe(200);
    const after = await quotaOf('alpha');
    expect(after.hard).toEqual({ storage: 10_000 });
    expect(Date.parse(after.update_time)).toBeGreaterThan(Date.parse(before.update_time));
    const [line] = await core.database.query(`SELECT payload FROM outbox WHERE payload->>'resourceType' = 'quota' AND (payload->>'result')::boolean`);
    expect(line).toEqual({ payload: expect.objectContaining({ operation: 'update', resource: 'alpha', project: ids['alpha'], description: 'update the quota of project alpha: -1 to 10000 bytes' }) });
    expect((await core.call('GET', '/api/v2.0/projects/alpha/summary', { as: 'alice' })).body).toMatchObject({ quota: { hard: { storage: 10_000 }, used: { storage: 0 } } });
  });

  test.each([[0, 400], [-2, 400], [1024 ** 5 + 1, 400], [undefined, 400], [1.5, 422], ['5', 422], [null, 422], [2 ** 60, 422]])('to %j is %i and changes nothing', async (storage, status) => {
    const before = await tableState(core.database, 'project');
    expect((await core.call('PUT', `${QUOTAS}/${ids['alpha'] ?? 0}`, { as: 'admin', json: { hard: { storage } } })).status).toBe(status);
    expect(await tableState(core.database, 'project')).toBe(before);
  });

  test('takes a body of the right form, and a project that there is', async () => {
    for (const json of [{}, { hard: 5 }, [], 'x']) expect((await core.call('PUT', `${QUOTAS}/1`, { as: 'admin', json })).status).toBe(422);
    for (const id of ['777', '2147483647']) {
      expect((await core.call('GET', `${QUOTAS}/${id}`, { as: 'admin' })).status).toBe(404);
      expect((await core.call('PUT', `${QUOTAS}/${id}`, { as: 'admin', json: { hard: { storage: 5 } } })).status).toBe(404);
    }
    for (const id of ['0', '-1', 'x', '2147483648', '9'.repeat(30)]) expect((await core.call('GET', `${QUOTAS}/${id}`, { as: 'admin' })).status).toBe(422);
  });

  test('D-13: is for those who manage the whole installation', async () => {
    const before = await tableState(core.database, 'project');
    for (const [as, status] of [['alice', 403], [undefined, 401]] as const) {
      expect((await core.call('GET', QUOTAS, { as })).status).toBe(status);
      expect((await core.call('GET', `${QUOTAS}/${ids['alpha'] ?? 0}`, { as })).status).toBe(status);
      expect((await core.call('PUT', `${QUOTAS}/${ids['alpha'] ?? 0}`, { as, json: { hard: { storage: -1 } } })).status).toBe(status);
    }
    expect(await tableState(core.database, 'project')).toBe(before);
  });

  test('and pushing at the same time: what the new limit does not allow is not there in the end', async () => {
    for (let round = 0; round < 5; round += 1) {
      const name = `race-${round}`;
      const id = await core.addProject(name);
      ids[name] = id;
      await core.call('PUT', `${QUOTAS}/${id}`, { as: 'admin', json: { hard: { storage: 1024 ** 4 } } });
      const pusher = new Pusher(core.database, id);
      const pushes = Array.from({ length: 8 }, (_, index) => pusher.image(`${name}/app`, String(index).repeat(1000), [`v${index}`]));
      const [limited] = await Promise.all([core.call('PUT', `${QUOTAS}/${id}`, { as: 'admin', json: { hard: { storage: 1 } } }), Promise.allSettled(pushes)]);
      expect(limited.status).toBe(200);
      const settled = await quotaOf(name);
      await expect(pusher.image(`${name}/app`, `late ${round}`)).rejects.toThrow(/quota/i);
      expect((await quotaOf(name)).used).toEqual(settled.used);
      const [held] = await core.database.query<{ bytes: number }>('SELECT coalesce(sum(size), 0)::int AS bytes FROM project_blob WHERE project_id = $1', [id]);
      expect(settled.used.storage).toBe(held?.bytes);
    }
  });
});
