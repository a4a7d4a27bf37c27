import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { VENDOR_TYPES, WorkerPools } from '@haven/execution';
import { connectRedis } from '@haven/messages';
import { FakeLogger } from '@haven/runtime';
import { testRedisUrl } from '../testing/settings.js';
import { startTestCore, type Answer, type TestCore } from '../testing/test-core.js';

const JOBS = '/api/v2.0/jobservice';
const POOL = { id: randomUUID(), host: 'worker-1', pid: 42, concurrency: 7 };

let core: TestCore;
beforeAll(async () => { core = await startTestCore(); });
afterAll(() => core.stop());
afterEach(async () => {
  for (const table of ['execution', 'schedule', 'worker_pool', 'queue_pause']) await core.database.execute(`DELETE FROM ${table}`);
});

function call(method: string, path: string, json?: unknown): Promise<Answer> {
  return core.call(method, path, { as: 'admin', ...(json === undefined ? {} : { json }) });
}

async function start(): Promise<number> {
  const { headers } = await call('POST', '/api/v2.0/system/gc/schedule', { schedule: { type: 'Manual' }, parameters: { dry_run: true } });
  return Number(headers.get('location')?.split('/').at(-1));
}

async function beginTask(execution: number): Promise<string> {
  const rows = await core.database.query<{ job_id: string }>(
    `UPDATE task SET status = 'Running', pool_id = $2, started_at = now(), heartbeat_at = now() WHERE execution_id = $1 RETURNING job_id`, [execution, POOL.id]);
  return rows[0]?.job_id ?? '';
}

async function queue(type: string): Promise<{ readonly latency: number; readonly [field: string]: unknown } | undefined> {
  return ((await call('GET', `${JOBS}/queues`)).body as { job_type: string; latency: number }[]).find(({ job_type: found }) => found === type);
}

/** Listens as a job service does; resolves to what waits until it has heard that queues were resumed. */
async function hearResumes(): Promise<() => Promise<void>> {
  const listener = connectRedis(testRedisUrl(), new FakeLogger());
  const heard = new Promise<void>((resolve) => { listener.broadcasts.on('queues-resumed', () => { resolve(); }); });
  await new Promise<void>((resolve) => { listener.broadcasts.onReconnect(resolve); });
  return async () => {
    await heard;
    await listener.close();
  };
}

describe('the job monitor', () => {
  test('shows a queue for every kind of job, also for those that need a scanner, and for the schedules', async () => {
    const queues = (await call('GET', `${JOBS}/queues`)).body as { job_type: string }[];
    expect(queues.map(({ job_type: type }) => type).sort()).toEqual([...VENDOR_TYPES, 'SCHEDULER'].sort());
    expect(VENDOR_TYPES).toEqual(expect.arrayContaining(['SCAN_ALL', 'SCAN_DATA_EXPORT']));
  });

  test('shows the processes that live, and what each of them does', async () => {
    await new WorkerPools(core.database).beat(POOL);
    await core.database.execute(`INSERT INTO worker_pool (id, host, pid, concurrency, heartbeat_at) VALUES ($1, 'dead', 1, 1, now() - interval '1 minute')`, [randomUUID()]);
    expect((await call('GET', `${JOBS}/pools`)).body).toEqual([{ worker_pool_id: POOL.id, host: 'worker-1', pid: 42, concurrency: 7, start_at: expect.any(String), heartbeat_at: expect.any(String) }]);
    const jobId = await beginTask(await start());
    for (const pool of ['all', POOL.id]) {
      expect((await call('GET', `${JOBS}/pools/${pool}/workers`)).body).toEqual([
        { id: expect.any(String), pool_id: POOL.id, job_name: 'GARBAGE_COLLECTION', job_id: jobId, start_at: expect.any(String), check_in: '', checkin_at: expect.any(String) },
      ]);
    }
    for (const pool of ['x', randomUUID(), "' OR 1=1"]) expect((await call('GET', `${JOBS}/pools/${encodeURIComponent(pool)}/workers`)).status).toBe(404);
  });

  test('stops a job, and all of them; shows what a job wrote down', async () => {
    const [first, second] = [await start(), await start()];
    const jobId = await beginTask(first);
    await core.database.execute(`INSERT INTO task_log (task_id, text) SELECT id, 'so far' FROM task WHERE job_id = $1`, [jobId]);
    expect((await call('GET', `${JOBS}/jobs/${jobId}/log`)).body).toBe('so far');
    const asked = async (): Promise<boolean[]> => (await core.database.query<{ asked: boolean }>('SELECT stop_requested_at IS NOT NULL AS asked FROM execution ORDER BY id')).map((row) => row.asked);
    expect((await call('PUT', `${JOBS}/jobs/${jobId}`)).status).toBe(200);
    expect(await asked()).toEqual([true, false]);
    await beginTask(second);
    expect((await call('PUT', `${JOBS}/jobs/all`)).status).toBe(200);
    expect(await asked()).toEqual([true, true]);
    for (const id of ['x', randomUUID(), '1']) {
      expect((await call('PUT', `${JOBS}/jobs/${id}`)).status).toBe(404);
      expect((await call('GET', `${JOBS}/jobs/${id}/log`)).status).toBe(404);
    }
  });

  test('shows what waits and for how long; drops it, and leaves alone what runs', async () => {
    const [first, second] = [await start(), await start()];
    await beginTask(first);
    await core.database.execute(`UPDATE task SET due_at = now() - interval '90 seconds' WHERE execution_id = $1`, [second]);
    expect(await queue('GARBAGE_COLLECTION')).toEqual({ job_type: 'GARBAGE_COLLECTION', count: 1, latency: expect.any(Number), paused: false });
    expect((await queue('GARBAGE_COLLECTION'))?.latency).toBeGreaterThanOrEqual(90);
    expect((await call('PUT', `${JOBS}/queues/GARBAGE_COLLECTION`, { action: 'stop' })).status).toBe(200);
    expect(await queue('GARBAGE_COLLECTION')).toMatchObject({ count: 0, latency: 0 });
    expect(await core.database.query('SELECT status FROM execution ORDER BY id')).toEqual([{ status: 'Running' }, { status: 'Stopped' }]);
  });

  test('holds a queue, or all of them with the schedules, and lets them go on', async () => {
    expect((await call('PUT', `${JOBS}/queues/RETENTION`, { action: 'pause' })).status).toBe(200);
    expect([await queue('RETENTION'), await queue('GARBAGE_COLLECTION')]).toMatchObject([{ paused: true }, { paused: false }]);
    expect((await call('PUT', `${JOBS}/queues/all`, { action: 'pause' })).status).toBe(200);
    expect((await call('GET', '/api/v2.0/schedules/all/paused')).body).toEqual({ paused: true });
    await start();
    const resumed = await hearResumes();
    expect((await call('PUT', `${JOBS}/queues/all`, { action: 'resume' })).status).toBe(200);
    await resumed();
    expect((await call('GET', '/api/v2.0/schedules/all/paused')).body).toEqual({ paused: false });
    expect(await core.database.query('SELECT queued_at FROM task')).toEqual([{ queued_at: null }]);
    expect((await call('PUT', `${JOBS}/queues/all`, { action: 'explode' })).status).toBe(422);
    expect((await call('PUT', `${JOBS}/queues/DEMO`, { action: 'pause' })).status).toBe(404);
  });
});
