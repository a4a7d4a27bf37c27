import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { startTestCore, type Answer, type TestCore } from '../testing/test-core.js';

const GC = '/api/v2.0/system/gc';
const PURGE = '/api/v2.0/system/purgeaudit';
const PURGE_PARAMETERS = { audit_retention_hour: 168, include_event_types: 'create_artifact,pull_artifact,other', dry_run: true };

let core: TestCore;
beforeAll(async () => {
  core = await startTestCore();
  await core.addUser('alice');
});
afterAll(() => core.stop());
afterEach(async () => {
  for (const table of ['execution', 'schedule']) await core.database.execute(`DELETE FROM ${table}`);
});

function call(method: string, path: string, json?: unknown): Promise<Answer> {
  return core.call(method, path, { as: 'admin', ...(json === undefined ? {} : { json }) });
}

async function start(base: string, parameters: object): Promise<number> {
  const { status, headers } = await call('POST', `${base}/schedule`, { schedule: { type: 'Manual' }, parameters });
  expect(status).toBe(201);
  return Number(new RegExp(`^${base}/(\\d+)$`).exec(headers.get('location') ?? '')?.[1]);
}

describe('a garbage collection', () => {
  test('is started by hand, shown, stopped and listed', async () => {
    const id = await start(GC, { delete_untagged: true, dry_run: true, workers: 3, redis_url_reg: 'redis://:secret@redis' });
    const expected = {
      id, job_name: 'GARBAGE_COLLECTION', job_kind: 'MANUAL', schedule: { type: 'Manual' }, job_status: 'Running', deleted: false, creation_time: expect.any(String), update_time: expect.any(String),
      job_parameters: '{"workers":3,"dry_run":true,"delete_untagged":true}',
    };
    const { body } = await call('GET', `${GC}/${id}`);
    expect({ ...(body as object), job_parameters: '' }).toEqual({ ...expected, job_parameters: '' });
    expect(JSON.parse((body as { job_parameters: string }).job_parameters)).toEqual({ delete_untagged: true, dry_run: true, workers: 3 });
    expect((await call('GET', `${GC}/schedule`)).body).toEqual({});
    expect((await call('PUT', `${GC}/${id}`)).status).toBe(200);
    const listed = await call('GET', GC);
    expect(listed.headers.get('x-total-count')).toBe('1');
    expect(listed.body).toMatchObject([{ id, job_status: 'Stopped' }]);
    expect((await call('GET', `${GC}/${id}/log`)).headers.get('content-type')).toContain('text/plain');
  });

  test('tells what it counted, how it ended and what it wrote down', async () => {
    const id = await start(GC, {});
    await core.database.execute(`UPDATE task SET status = 'Error', status_message = 'partial: 2 blobs', extra_attrs = '{"freed_space": 70, "purged_blobs": 7, "purged_manifests": 1}', ended_at = now()`);
    await core.database.execute(`UPDATE execution SET status = 'Error', ended_at = now()`);
    await core.database.execute(`INSERT INTO task_log (task_id, text) SELECT id, E'freed: 7 blobs\n' FROM task`);
    const { body } = await call('GET', `${GC}/${id}`);
    expect(body).toMatchObject({ job_status: 'Error', status_message: 'partial: 2 blobs' });
    expect(JSON.parse((body as { job_parameters: string }).job_parameters)).toEqual({ delete_untagged: false, dry_run: false, workers: 1, freed_space: 70, purged_blobs: 7, purged_manifests: 1 });
    expect((await call('GET', `${GC}/${id}/log`)).body).toBe('freed: 7 blobs\n');
  });

  test('can be looked for by status, and listed from the oldest on', async () => {
    const [first, second] = [await start(GC, {}), await start(GC, {})];
    await call('PUT', `${GC}/${first}`);
    const ids = async (query: string): Promise<number[]> => ((await call('GET', `${GC}?${query}`)).body as { id: number }[]).map(({ id }) => id);
    expect(await ids('')).toEqual([second, first]);
    expect(await ids('sort=creation_time')).toEqual([first, second]);
    expect(await ids('q=job_status%3DStopped')).toEqual([first]);
    expect(await ids('q=job_kind%3DSCHEDULE')).toEqual([]);
    expect(await ids('page=2&page_size=1')).toEqual([first]);
  });

  test.each([
    ['hourly', { type: 'Hourly', cron: '0 0 * * * *' }, '0 0 * * * *'], ['daily without a cron', { type: 'Daily' }, '0 0 0 * * *'], ['weekly', { type: 'Weekly', cron: null }, '0 0 0 * * 0'],
    ['by a cron of its own, which counts whatever the type', { type: 'Hourly', cron: '0 30 4 1 * ?' }, '0 30 4 1 * ?'],
  ])('is scheduled %s', async (_name, schedule, cron) => {
    expect((await call('POST', `${GC}/schedule`, { schedule, parameters: { workers: 2 } })).status).toBe(201);
    expect((await call('GET', `${GC}/schedule`)).body).toMatchObject({
      job_name: 'GARBAGE_COLLECTION', job_parameters: expect.stringContaining('"workers":2'), schedule: { type: schedule.type, cron, next_scheduled_time: expect.stringMatching(/:00\.000Z$/) },
    });
    expect((await call('GET', '/api/v2.0/schedules')).body).toMatchObject([{ vendor_type: 'GARBAGE_COLLECTION', cron }]);
  });

  test('has one schedule, which later ones replace and None removes', async () => {
    await call('POST', `${GC}/schedule`, { schedule: { type: 'Daily', cron: '0 0 0 * * *' } });
    expect((await call('POST', `${GC}/schedule`, { schedule: { type: 'Custom', cron: '0 0 5 * * *' } })).status).toBe(201);
    expect((await call('PUT', `${GC}/schedule`, { schedule: { type: 'Custom', cron: '0 0 6 * * *' } })).status).toBe(200);
    expect(await core.database.query('SELECT cron FROM schedule')).toEqual([{ cron: '0 0 6 * * *' }]);
    expect((await call('PUT', `${GC}/schedule`, { schedule: { type: 'None' } })).status).toBe(200);
    expect((await call('GET', `${GC}/schedule`)).body).toEqual({});
    expect((await call('POST', `${GC}/schedule`, { schedule: { type: 'None' } })).status).toBe(201);
  });

  test.each([
    ['no workers', { schedule: { type: 'Manual' }, parameters: { workers: 0 } }], ['too many', { schedule: { type: 'Manual' }, parameters: { workers: 11 } }], ['a part of one', { schedule: { type: 'Manual' }, parameters: { workers: 1.5 } }],
    ['words for workers', { schedule: { type: 'Manual' }, parameters: { workers: 'many' } }], ['a word for a flag', { schedule: { type: 'Manual' }, parameters: { dry_run: 'yes' } }],
    ['no cron', { schedule: { type: 'Custom' } }], ['a cron with seconds', { schedule: { type: 'Custom', cron: '* * * * * *' } }], ['five fields', { schedule: { type: 'Custom', cron: '0 * * * *' } }],
    ['a word of answers', { schedule: { type: 'Schedule', cron: '0 0 0 * * *' } }],
  ])('is refused with %s, and nothing changes', async (_name, json) => {
    for (const method of ['POST', 'PUT']) expect((await call(method, `${GC}/schedule`, json)).status).toBe(400);
    expect(await core.database.query('SELECT id FROM schedule UNION SELECT id FROM execution')).toEqual([]);
  });

  test('D-05: is not found under the address of something else', async () => {
    const id = await start(PURGE, PURGE_PARAMETERS);
    for (const [method, path] of [['GET', `${GC}/${id}`], ['GET', `${GC}/${id}/log`], ['PUT', `${GC}/${id}`], ['GET', `${GC}/9007199254740991`]] as const) expect([path, (await call(method, path)).status]).toEqual([path, 404]);
    for (const bad of ['0', '-1', 'x', '99999999999999999999']) expect([400, 404, 422]).toContain((await call('GET', `${GC}/${bad}`)).status);
  });

  test('F-12: is neither started nor scheduled in read-only mode, but can be stopped', async () => {
    const id = await start(GC, {});
    expect((await call('PUT', '/api/v2.0/configurations', { read_only: true })).status).toBe(200);
    for (const method of ['POST', 'PUT']) expect((await call(method, `${GC}/schedule`, { schedule: { type: 'Manual' } })).status).toBe(403);
    expect((await call('PUT', `${GC}/${id}`)).status).toBe(200);
    expect((await call('PUT', '/api/v2.0/configurations', { read_only: false })).status).toBe(200);
  });
});

describe('a purge of the audit trail', () => {
  test('is started, scheduled, shown and stopped like a garbage collection', async () => {
    const id = await start(PURGE, PURGE_PARAMETERS);
    const { body } = await call('GET', `${PURGE}/${id}`);
    expect(body).toMatchObject({ id, job_name: 'PURGE_AUDIT_LOG', job_kind: 'MANUAL', job_status: 'Running' });
    expect(JSON.parse((body as { job_parameters: string }).job_parameters)).toEqual(PURGE_PARAMETERS);
    expect((await call('PUT', `${PURGE}/${id}`)).status).toBe(200);
    expect((await call('GET', PURGE)).body).toMatchObject([{ id, job_status: 'Stopped' }]);
    expect((await call('PUT', `${PURGE}/schedule`, { schedule: { type: 'Custom', cron: '0 0 1 * * *' }, parameters: PURGE_PARAMETERS })).status).toBe(200);
    expect((await call('GET', `${PURGE}/schedule`)).body).toMatchObject({ schedule: { type: 'Custom', cron: '0 0 1 * * *' } });
    expect((await call('GET', `${GC}/schedule`)).body).toEqual({});
  });

  test.each([
    ['no hours', { include_event_types: 'other' }], ['too many hours', { audit_retention_hour: 240_001, include_event_types: 'other' }], ['hours in words', { audit_retention_hour: '1', include_event_types: 'other' }],
    ['no kinds', { audit_retention_hour: 1 }], ['empty kinds', { audit_retention_hour: 1, include_event_types: ' ' }], ['a kind that there is not', { audit_retention_hour: 1, include_event_types: 'other,drop_table' }],
  ])('is refused with %s', async (_name, parameters) => {
    expect((await call('POST', `${PURGE}/schedule`, { schedule: { type: 'Manual' }, parameters })).status).toBe(400);
    expect(await core.database.query('SELECT id FROM execution')).toEqual([]);
  });
});

test('D-16: strangers and users who are no administrators learn nothing, before anything of theirs is read', async () => {
  const id = await start(GC, {});
  for (const [method, path] of [['GET', GC], ['GET', `${GC}/${id}`], ['PUT', `${GC}/${id}`], ['GET', `${GC}/${id}/log`], ['GET', `${GC}/schedule`], ['POST', `${GC}/schedule`], ['PUT', `${PURGE}/schedule`], ['GET', PURGE]] as const) {
    for (const json of method === 'GET' ? [undefined] : [{ schedule: { type: 'Manual' } }, ['wrong']]) {
      expect([path, (await core.call(method, path, json ? { json } : {})).status]).toEqual([path, 401]);
      expect([path, (await core.call(method, path, { as: 'alice', ...(json ? { json } : {}) })).status]).toEqual([path, 403]);
    }
  }
});
