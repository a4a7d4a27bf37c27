import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { Catalog } from '@haven/catalog';
import { appendEvents, createTestDatabase, type TestDatabase } from '@haven/database';
import { connectRedis, type Messages } from '@haven/messages';
import { FakeLogger, Metrics, readSettings, startService, type RunningService } from '@haven/runtime';
import { openStorage } from '@haven/storage';
import { JobServiceModule } from './job-service.module.js';
import { settingsSchema } from './settings.js';
import { testRedisUrl } from './testing/settings.js';

describe('the job service', () => {
  let testDatabase: TestDatabase;
  let folder: string;
  let listener: Messages;
  let running: RunningService[];

  beforeEach(async () => {
    testDatabase = await createTestDatabase({ migrated: false });
    folder = mkdtempSync(join(tmpdir(), 'haven-job-service-'));
    listener = connectRedis(testRedisUrl(), new FakeLogger());
    running = [];
  });
  afterEach(async () => {
    await Promise.all(running.map((service) => service.stop()));
    await listener.close();
    await testDatabase.drop();
    rmSync(folder, { recursive: true });
  });

  async function start(env: Record<string, string> = {}): Promise<RunningService> {
    const settings = readSettings(settingsSchema, {
      HAVEN_PRIVATE_LISTEN: '127.0.0.1:0', HAVEN_REDIS_URL: testRedisUrl(), HAVEN_DATABASE_URL: testDatabase.url, HAVEN_STORAGE: pathToFileURL(folder).href, ...env,
    });
    const service = await startService({ service: 'job-service', settings, module: JobServiceModule.with(settings), parts: { logger: new FakeLogger(), metrics: new Metrics() } });
    running.push(service);
    return service;
  }

  async function eventually(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
    for (const deadline = Date.now() + 20_000; !(await condition());) {
      if (Date.now() > deadline) throw new Error(`${what} did not happen`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  async function hearTags(): Promise<string[]> {
    const heard: string[] = [];
    let listening = false;
    listener.broadcasts.onReconnect(() => { listening = true; });
    listener.broadcasts.on('tag-changed', ({ tag }) => heard.push(tag));
    await eventually('listening', () => listening);
    return heard;
  }

  const moveTags = (tags: readonly string[]): Promise<void> => testDatabase.database.transaction((transaction) => appendEvents(transaction, tags.map((tag) => (
    { type: 'tag.created', payload: { project: 1, repository: 'a/b', tag, digest: 'sha256:0' }, actor: 'user:3' }
  ))));
  const waiting = async (): Promise<number> => Number((await testDatabase.database.query<{ count: string }>('SELECT count(*) FROM outbox WHERE handled_at IS NULL'))[0]?.count);
  const ready = async (service: RunningService): Promise<number> => (await fetch(`http://127.0.0.1:${service.privateAddress.port}/readyz`)).status;

  test('waits for the schema, then delivers what waits in the outbox', async () => {
    const service = await start();
    expect(await ready(service)).toBe(503);
    const heard = await hearTags();
    await testDatabase.database.migrate();
    await moveTags(['one', 'two']);
    await eventually('both tags being heard', () => heard.length === 2);
    expect(heard.sort()).toEqual(['one', 'two']);
    await eventually('the outbox being empty', async () => (await waiting()) === 0);
    await eventually('being ready', async () => (await ready(service)) === 200);
  });

  test('several of them deliver each event once', async () => {
    await testDatabase.database.migrate();
    const heard = await hearTags();
    await Promise.all([start(), start(), start()]);
    const tags = Array.from({ length: 300 }, (_, index) => `t${index}`);
    for (let index = 0; index < tags.length; index += 10) await moveTags(tags.slice(index, index + 10));
    await eventually('all tags being heard', () => heard.length >= tags.length);
    await eventually('the outbox being empty', async () => (await waiting()) === 0);
    expect(heard.sort()).toEqual(tags.sort());
  });

  test('starts and stays up without Redis, and keeps events', async () => {
    await testDatabase.database.migrate();
    const service = await start({ HAVEN_REDIS_URL: 'redis://127.0.0.1:1' });
    await moveTags(['one']);
    await eventually('the failure being reported', () => (service.logger as FakeLogger).messages('warn').includes('events cannot be relayed; they wait in the outbox'));
    expect(await waiting()).toBe(1);
    expect(await (await fetch(`http://127.0.0.1:${service.privateAddress.port}/livez`)).json()).toEqual({ status: 'ok' });
    await service.stop();

    const heard = await hearTags();
    await start();
    await eventually('the tag being heard', () => heard.includes('one'));
  });

  test('removes abandoned uploads when that job comes', async () => {
    await testDatabase.database.migrate();
    const { database } = testDatabase;
    const storage = openStorage(pathToFileURL(folder).href);
    const catalog = new Catalog(database, new FakeLogger());
    const [user] = await database.query<{ id: number }>(`INSERT INTO haven_user (external_id, username) VALUES ('x', 'x') RETURNING id`);
    const [project] = await database.query<{ id: number }>(`INSERT INTO project (name, owner_id) VALUES ('a', $1) RETURNING id`, [user!.id]);
    const ids = ['00000000-0000-4000-8000-000000000001', '00000000-0000-4000-8000-000000000002'] as const;
    const begin = async (id: string) => (await storage.append(await storage.createUpload(id), Readable.from([Buffer.from('bytes')]))).state;
    for (const id of ids) await catalog.createUpload({ id, repository: 'a/b', projectId: project!.id, subject: '', state: await begin(id) });
    await database.execute(`UPDATE upload SET updated_at = now() - interval '2 hours' WHERE id = $1`, [ids[0]]);

    const service = await start({ HAVEN_UPLOAD_TTL_SECONDS: '3600' });
    await listener.jobs.add('purge-uploads', {});
    await eventually('the old upload being removed', async () => (await catalog.findUpload(ids[0])) === undefined);
    expect(await catalog.findUpload(ids[1])).toBeDefined();
    const left: string[] = [];
    for await (const { id } of storage.staleUploads(new Date(Date.now() + 60_000))) left.push(id);
    expect(left).toEqual([ids[1]]);
    expect(await service.metrics.text()).toContain('haven_uploads_purged_total{kind="session"} 1');
  });
});
