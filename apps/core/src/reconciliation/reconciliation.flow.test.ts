import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { TestBrowser } from '../testing/browser.js';
import { startTestCore, type Answer, type TestCore } from '../testing/test-core.js';

const ALL = '/api/v2.0/system/reconciliations';

let core: TestCore;
beforeAll(async () => {
  core = await startTestCore();
  await core.addUser('alice');
});
afterAll(() => core.stop());
afterEach(async () => { for (const table of ['execution', 'schedule', 'setting', 'queue_pause']) await core.database.execute(`DELETE FROM ${table}`); });

const admin = (method: string, path: string, json?: unknown): Promise<Answer> => core.call(method, path, { as: 'admin', ...(json === undefined ? {} : { json }) });

async function start(json: unknown = {}): Promise<string> {
  const { status, headers } = await admin('POST', ALL, json);
  expect(status).toBe(201);
  return headers.get('location') ?? '';
}

/** As the job service leaves it. */
async function finish(location: string): Promise<void> {
  const id = location.split('/').at(-1);
  const found = { orphan: { count: 2, bytes: 30 }, missing: { count: 1, bytes: 0 } };
  const attributes = { phase: 'done', after: '', before: '2026-01-01T00:00:00.000Z', stored: { count: 7, bytes: 700 }, known: 6, rehashed: { count: 0, bytes: 0 }, young: 1, found, outcomes: { kept: { count: 1, bytes: 10 } }, not_marked: 'there are too many' };
  const [task] = await core.database.query<{ id: string }>(`UPDATE task SET status = 'Success', status_message = 'it is so', extra_attrs = $2, ended_at = now() WHERE execution_id = $1 RETURNING id`, [id, JSON.stringify(attributes)]);
  await core.database.execute(`UPDATE execution SET status = 'Success', ended_at = now() WHERE id = $1`, [id]);
  await core.database.execute(`INSERT INTO task_log (task_id, text) VALUES ($1, E'orphan: sha256:1\nmissing: sha256:2\n')`, [task?.id]);
  await core.database.execute(
    `INSERT INTO storage_finding (execution_id, kind, name, size, details, confirmed, outcome) VALUES
       ($1, 'orphan', 'sha256:1', 20, '{"since": "2026-01-01T00:00:00.000Z"}', true, ''), ($1, 'orphan', 'sha256:3', 10, '{"reason": "it is odd"}', true, 'kept'),
       ($1, 'missing', 'sha256:2', NULL, '{"expected_size": 5, "needed_by": ["alpha/app@sha256:9"], "needed_by_count": 1, "repositories": ["alpha/app"]}', true, ''),
       ($1, 'corrupted', 'sha256:4', 20, '{}', false, ''), ($1, 'returned', 'sha256:5', 7, '{"expected_size": 7}', true, 'restored'), ($1, 'wrong-size', 'sha256:6', 3, '{}', true, 'marked')`, [id]);
}

describe('a comparison of storage with the catalog', () => {
  test('is asked for, shown while it waits, and stopped', async () => {
    const location = await start({ reclaim: true, rehash: true, mark_lost: 'all', grace_seconds: 3600 });
    const waiting = { status: 'Running', trigger: 'MANUAL', reclaim: true, rehash: true, mark_lost: 'all', grace_seconds: 3600 };
    expect((await admin('GET', location)).body).toMatchObject(waiting);
    expect((await admin('GET', ALL)).body).toMatchObject([waiting]);
    expect(await admin('GET', `${location}/log`)).toMatchObject({ status: 200, body: undefined });
    expect((await admin('GET', `${location}/findings`)).body).toEqual([]);
    expect((await admin('PUT', location)).status).toBe(200);
    expect((await admin('GET', location)).body).toMatchObject({ status: 'Stopped', end_time: expect.any(String) });
    expect((await admin('PUT', location)).status).toBe(200);
  });

  test('touches nothing, and what was written in the last two hours even less, unless it is told otherwise', async () => {
    expect((await admin('GET', await start())).body).toMatchObject({ reclaim: false, rehash: false, mark_lost: 'few', grace_seconds: 7200 });
  });

  test('that was planned before there was a choice marks few blobs as lost', async () => {
    const location = await start();
    await core.database.execute(`UPDATE execution SET extra_attrs = extra_attrs - 'mark_lost'`);
    expect((await admin('GET', location)).body).toMatchObject({ mark_lost: 'few' });
  });

  test('shows what it found: in figures, all of it page by page, and as a log', async () => {
    const location = await start();
    await finish(location);
    expect((await admin('GET', location)).body).toMatchObject({
      status: 'Success', status_message: 'it is so', phase: 'done', stored: { count: 7, bytes: 700 }, known: 6, young: 1, found: { orphan: { count: 2, bytes: 30 } }, outcomes: { kept: { count: 1, bytes: 10 } }, not_marked: 'there are too many',
    });
    const { body, headers } = await admin('GET', `${location}/findings`);
    expect(headers.get('x-total-count')).toBe('5');
    expect(body).toEqual([
      { kind: 'missing', name: 'sha256:2', expected_size: 5, needed_by: ['alpha/app@sha256:9'], needed_by_count: 1, repositories: ['alpha/app'], outcome: '' },
      { kind: 'orphan', name: 'sha256:1', size: 20, since: '2026-01-01T00:00:00.000Z', outcome: '' },
      { kind: 'orphan', name: 'sha256:3', size: 10, reason: 'it is odd', outcome: 'kept' },
      { kind: 'returned', name: 'sha256:5', size: 7, expected_size: 7, outcome: 'restored' },
      { kind: 'wrong-size', name: 'sha256:6', size: 3, outcome: 'marked' },
    ]);
    expect((await admin('GET', `${location}/findings?kind=orphan&page=2&page_size=1`)).body).toMatchObject([{ name: 'sha256:3' }]);
    const log = await admin('GET', `${location}/log`);
    expect([log.headers.get('content-type'), log.body]).toEqual(['text/plain; charset=utf-8', 'orphan: sha256:1\nmissing: sha256:2\n']);
  });

  test('is not found under the number of something else', async () => {
    const [row] = await core.database.query<{ id: string }>(`INSERT INTO execution (vendor_type, vendor_id, trigger) VALUES ('RETENTION', 0, 'MANUAL') RETURNING id`);
    for (const [method, path] of [['GET', ''], ['PUT', ''], ['GET', '/log'], ['GET', '/findings']]) expect((await admin(String(method), `${ALL}/${row?.id}${path}`)).status).toBe(404);
    expect((await admin('GET', ALL)).body).toEqual([]);
  });

  test.each<[object]>([[{ grace_seconds: 3599 }], [{ grace_seconds: 1e9 }], [{ grace_seconds: '7200' }], [{ reclaim: 'yes' }], [{ rehash: 1 }], [{ mark_lost: true }], [{ mark_lost: 'some' }]])('is refused with %j', async (json) => {
    expect((await admin('POST', ALL, json)).status).toBe(422);
    expect((await admin('GET', ALL)).body).toEqual([]);
  });

  test('may be asked for while the installation is read-only, because it need not change anything', async () => {
    await core.database.execute(`INSERT INTO setting (key, value) VALUES ('read_only', 'true')`);
    expect((await admin('GET', await start())).body).toMatchObject({ status: 'Running' });
  });
});

describe('the schedule of comparisons', () => {
  test('is set, shown with its next times, changed and taken away', async () => {
    expect((await admin('GET', `${ALL}/schedule`)).status).toBe(404);
    expect((await admin('PUT', `${ALL}/schedule`, { cron: '0 0 3 * * 0', rehash: true })).status).toBe(200);
    const { body } = await admin('GET', `${ALL}/schedule`);
    expect(body).toMatchObject({ cron: '0 0 3 * * 0', rehash: true, reclaim: false, grace_seconds: 7200 });
    const times = (body as { next_times: string[] }).next_times.map((time) => new Date(time));
    expect(times.map((time) => [time.getUTCDay(), time.getUTCHours(), time.getUTCMinutes()])).toEqual(Array.from({ length: 5 }, () => [0, 3, 0]));
    await core.database.execute(`INSERT INTO queue_pause (job_type) VALUES ('SCHEDULER')`);
    expect((await admin('PUT', `${ALL}/schedule`, { cron: '0 30 3 * * *' })).status).toBe(200);
    expect((await admin('GET', `${ALL}/schedule`)).body).toEqual({ cron: '0 30 3 * * *', rehash: false, reclaim: false, mark_lost: 'few', grace_seconds: 7200, next_times: [] });
    expect((await admin('DELETE', `${ALL}/schedule`)).status).toBe(200);
    expect((await admin('DELETE', `${ALL}/schedule`)).status).toBe(404);
  });

  test.each(['* * * * * *', '0 0 0 31 2 *', '@daily', ''])('M-22: %j is refused', async (cron) => {
    expect((await admin('PUT', `${ALL}/schedule`, { cron })).status).toBe(400);
  });
});

test('nobody but administrators and robots that may collect garbage gets anything', async () => {
  const location = await start();
  const alice = new TestBrowser(core);
  await alice.logIn('alice');
  for (const [method, path] of [['GET', ALL], ['POST', ALL], ['GET', location], ['PUT', location], ['GET', `${location}/log`], ['GET', `${location}/findings`]]) {
    expect([method, path, (await alice.send(String(method), String(path), method === 'POST' ? {} : undefined)).status]).toEqual([method, path, 403]);
    expect((await core.call(String(method), String(path), method === 'POST' ? { json: {} } : {})).status).toBe(401);
  }
});
