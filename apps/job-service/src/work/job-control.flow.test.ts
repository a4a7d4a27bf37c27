import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { Catalog } from '@haven/catalog';
import { createTestDatabase, type TestDatabase } from '@haven/database';
import { Executions, exportsOf, TaskQueues, type StartedExecution } from '@haven/execution';
import { connectRedis, type Messages } from '@haven/messages';
import { FakeLogger, Metrics, readSettings, startService, type RunningService } from '@haven/runtime';
import { openStorage } from '@haven/storage';
import { JobServiceModule } from '../job-service.module.js';
import { settingsSchema } from '../settings.js';
import { emptyRedis } from '../testing/empty-redis.js';
import { testRedisUrl } from '../testing/settings.js';

const OWNER = exportsOf(7);
const QUEUE = [OWNER.vendorType];
/** A database of Redis that no other test uses: it is emptied here. */
const REDIS = new URL('/15', testRedisUrl()).href;

let fixture: TestDatabase;
let folder: string;
/** What core has of the job service. */
let core: { readonly messages: Messages; readonly executions: Executions; readonly queues: TaskQueues };
let running: RunningService[];

beforeEach(async () => {
  await emptyRedis(REDIS);
  fixture = await createTestDatabase();
  folder = mkdtempSync(join(tmpdir(), 'haven-job-control-'));
  const messages = connectRedis(REDIS, new FakeLogger());
  const { database } = fixture;
  core = { messages, executions: new Executions({ database, jobs: messages.jobs, broadcasts: messages.broadcasts, logger: new FakeLogger() }), queues: new TaskQueues(database) };
  running = [];
  await eventually('Redis being connected', () => messages.ping().then(() => true, () => false));
});
afterEach(async () => {
  await Promise.all(running.map((service) => service.stop()));
  await core.messages.close();
  await fixture.drop();
  rmSync(folder, { recursive: true });
});

async function start(): Promise<RunningService> {
  const settings = readSettings(settingsSchema, {
    HAVEN_PRIVATE_LISTEN: '127.0.0.1:0', HAVEN_REDIS_URL: REDIS, HAVEN_DATABASE_URL: fixture.url, HAVEN_STORAGE: pathToFileURL(folder).href, HAVEN_UPLOAD_TTL_SECONDS: '3600',
  });
  const service = await startService({ service: 'job-service', settings, module: JobServiceModule.with(settings), parts: { logger: new FakeLogger(), metrics: new Metrics() } });
  running.push(service);
  return service;
}

async function eventually(what: string, condition: () => boolean | Promise<boolean>, seconds = 20): Promise<void> {
  for (const deadline = Date.now() + seconds * 1000; !(await condition());) {
    if (Date.now() > deadline) throw new Error(`${what} did not happen`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Something to do that ends as soon as it is begun. */
function ask(): Promise<StartedExecution> {
  return core.executions.start({ ...OWNER, trigger: 'MANUAL', startedBy: 'user:7', attributes: { projects: [1] }, tasks: [{}] });
}

async function statusOf({ id }: StartedExecution): Promise<string | undefined> {
  return (await core.executions.find(OWNER, id))?.status;
}

const pause = (): Promise<void> => fixture.database.transaction((transaction) => core.queues.pauseIn(transaction, QUEUE));
const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 1500));

async function resume(): Promise<void> {
  await fixture.database.transaction((transaction) => core.queues.resumeIn(transaction, QUEUE));
  core.messages.broadcasts.publish('queues-resumed', {});
}

/** Makes abandoned uploads, which regular work removes. */
async function uploads(): Promise<(number: number) => Promise<string>> {
  const { database } = fixture;
  const storage = openStorage(pathToFileURL(folder).href);
  const [user] = await database.query<{ id: number }>(`INSERT INTO haven_user (external_id, username) VALUES ('x', 'x') RETURNING id`);
  const [project] = await database.query<{ id: number }>(`INSERT INTO project (name, owner_id) VALUES ('a', $1) RETURNING id`, [user?.id]);
  return async (number) => {
    const id = `00000000-0000-4000-8000-00000000000${String(number)}`;
    const { state } = await storage.append(await storage.createUpload(id), Readable.from([Buffer.from('bytes')]));
    await new Catalog(database, new FakeLogger()).createUpload({ id, repository: 'a/b', projectId: project?.id ?? 0, subject: '', state });
    await database.execute(`UPDATE upload SET updated_at = now() - interval '2 hours'`);
    return id;
  };
}

async function isGone(upload: string): Promise<boolean> {
  return (await new Catalog(fixture.database, new FakeLogger()).findUpload(upload)) === undefined;
}

describe('the job service', () => {
  test('does what needs a scanner by saying that there is none', async () => {
    await start();
    const asked = await ask();
    await eventually('its end', async () => (await statusOf(asked)) === 'Error');
    expect((await core.executions.reports([asked.id])).get(asked.id)?.message).toBe('no scanner is configured');
    expect(await core.executions.log(OWNER, asked.id, asked.taskIds[0] ?? 0)).toContain('no scanner is configured');
  });

  test('holds a paused queue over a restart and over the loss of everything in Redis, and goes on within seconds when it is resumed', async () => {
    const first = await start();
    await pause();
    const asked = [await ask(), await ask()];
    await settle();
    expect(await Promise.all(asked.map(statusOf))).toEqual(['Running', 'Running']);
    await first.stop();
    await start();
    await settle();
    await emptyRedis(REDIS);
    await settle();
    const [task] = await fixture.database.query('SELECT status, attempts FROM task ORDER BY id LIMIT 1');
    expect(task).toEqual({ status: 'Pending', attempts: 0 });
    expect(await core.queues.list()).toContainEqual({ type: OWNER.vendorType, waiting: 2, latency: expect.any(Number), paused: true });
    const begun = performance.now();
    await resume();
    await eventually('both ends', async () => (await Promise.all(asked.map(statusOf))).every((status) => status === 'Error'));
    expect(performance.now() - begun).toBeLessThan(5000);
    expect(await fixture.database.query('SELECT attempts FROM task')).toEqual([{ attempts: 1 }, { attempts: 1 }]);
  }, 60_000);

  test('drops what waits in a paused queue, and does what is asked for afterwards', async () => {
    await start();
    await pause();
    const asked = [await ask(), await ask()];
    expect(await core.queues.dropWaiting(QUEUE)).toBe(2);
    await resume();
    const later = await ask();
    await eventually('the end of the last one', async () => (await statusOf(later)) === 'Error');
    expect(await Promise.all(asked.map(statusOf))).toEqual(['Stopped', 'Stopped']);
  });

  test('finds everything again that was queued and regular when Redis is emptied while it stays reachable', async () => {
    const { database } = fixture;
    const upload = await uploads();
    const first = await upload(1);
    await start();
    await eventually('regular work being done', () => isGone(first));
    // As if the queue had been told of it and lost it: without its loss being noticed it is told again after a minute.
    const lost = await database.transaction((transaction) => core.executions.startIn(transaction, { ...OWNER, trigger: 'MANUAL', startedBy: '', attributes: {}, tasks: [{}] }));
    await settle();
    const second = await upload(2);
    expect(await statusOf(lost)).toBe('Running');
    await emptyRedis(REDIS);
    await eventually('the task being done', async () => (await statusOf(lost)) === 'Error');
    // Its next turn would have been in ten minutes.
    await eventually('regular work being done again', () => isGone(second));
    const asked = await ask();
    await eventually('what is asked for now being done', async () => (await statusOf(asked)) === 'Error');
  }, 60_000);
});
