import { randomUUID } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { configurationOf } from '@haven/api';
import { Catalog } from '@haven/catalog';
import { createTestDatabase, SettingsTable, type TestDatabase } from '@haven/database';
import { Executions, maintenanceOwner, planMaintenance, TaskSweep, TaskWorker, type ExecutionStatus } from '@haven/execution';
import { FakeBroadcasts, FakeJobQueue } from '@haven/messages';
import { digestOf, OCI_IMAGE_CONFIG, OCI_IMAGE_MANIFEST, parseManifest, type Digest } from '@haven/oci';
import { FakeLogger, Metrics } from '@haven/runtime';
import { openStorage, StorageError, type BlobStorage } from '@haven/storage';
import { taskHandlers } from '../execution/task-handlers.js';
import { UploadPurge } from '../upload/purge-uploads.js';
import { GarbageWork } from './garbage-work.js';

const OWNER = maintenanceOwner('GARBAGE_COLLECTION');

let fixture: TestDatabase;
let folder: string;
let storage: BlobStorage;
let catalog: Catalog;
let executions: Executions;
let broadcasts: FakeBroadcasts;
let metrics: Metrics;
beforeEach(async () => {
  fixture = await createTestDatabase();
  folder = mkdtempSync(join(tmpdir(), 'haven-garbage-'));
  storage = openStorage(pathToFileURL(folder).href);
  catalog = new Catalog(fixture.database, new FakeLogger());
  broadcasts = new FakeBroadcasts();
  executions = new Executions({ database: fixture.database, jobs: new FakeJobQueue(), broadcasts, logger: new FakeLogger() });
  await fixture.database.execute(`INSERT INTO haven_user (id, external_id, username) VALUES (1, 'tester', 'tester')`);
  await fixture.database.execute(`INSERT INTO project (id, name, owner_id) VALUES (1, 'alpha', 1)`);
});
afterEach(async () => {
  await fixture.drop();
  rmSync(folder, { recursive: true });
});

async function upload(content: string, repository = 'alpha/app'): Promise<Digest> {
  const bytes = Buffer.from(content);
  const digest = digestOf(bytes);
  await catalog.claimBlob(digest);
  await storage.put(digest, bytes);
  await catalog.addBlob({ repository, projectId: 1, actor: 'user:1', digest, size: bytes.length });
  return digest;
}

async function image(content: string, tags: readonly string[]): Promise<Digest> {
  const config = { mediaType: OCI_IMAGE_CONFIG, digest: await upload(content), size: content.length };
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: OCI_IMAGE_MANIFEST, config, layers: [] }));
  const digest = digestOf(bytes);
  await storage.put(digest, bytes);
  await catalog.putManifest({ repository: 'alpha/app', projectId: 1, actor: 'user:1', digest, manifest: parseManifest(bytes, undefined), size: bytes.length, tags });
  return digest;
}

async function hoursPass(hours = 3): Promise<void> {
  const columns = [['repository_blob', 'created_at'], ['blob', 'used_at'], ['unlinked_blob', 'unlinked_at'], ['garbage_progress', 'links_checked_until'], ['manifest', 'pushed_at'], ['manifest', 'deleted_at'], ['bin_entry', 'deleted_at']];
  for (const [table, column] of columns) await fixture.database.execute(`UPDATE ${table} SET ${column} = ${column} - make_interval(hours => $1)`, [hours]);
}

const hoursAgo = (hours: number): Date => new Date(Date.now() - hours * 3_600_000);

/** A session that received the content and was last heard of hours ago. */
async function abandonedUpload(content: string, hours: number): Promise<void> {
  const id = randomUUID();
  const { state } = await storage.append(await storage.createUpload(id), Readable.from([Buffer.from(content)]));
  const upload = await catalog.createUpload({ id, repository: 'alpha/app', projectId: 1, subject: 'user:1', state });
  await catalog.saveUpload((await catalog.claimUpload(upload)).upload, state, state.received);
  await fixture.database.execute('UPDATE upload SET updated_at = $2 WHERE id = $1', [id, hoursAgo(hours)]);
  utimesSync(join(folder, 'haven/uploads', id), hoursAgo(hours), hoursAgo(hours));
}

/** The bytes of all blobs that storage has. */
async function storedBytes(): Promise<number> {
  let bytes = 0;
  for await (const { size } of storage.list()) bytes += size;
  return bytes;
}

/** Blobs of 10 bytes that nothing needs, in storage. */
async function garbage(count: number): Promise<Digest[]> {
  const digests: Digest[] = [];
  for (let index = 0; index < count; index += 1) {
    const bytes = Buffer.from(String(index).padStart(10));
    digests.push(digestOf(bytes));
    await storage.put(digestOf(bytes), bytes);
  }
  await fixture.database.execute(`INSERT INTO blob (digest, size, used_at) SELECT digest, 10, now() - interval '1 day' FROM unnest($1::text[]) AS digest`, [digests]);
  await fixture.database.execute(`INSERT INTO unlinked_blob (digest, unlinked_at) SELECT digest, now() - interval '1 day' FROM unnest($1::text[]) AS digest`, [digests]);
  return digests;
}

interface RunOptions {
  readonly delete?: (digest: Digest) => Promise<boolean>;
  readonly deleteUntagged?: boolean;
  readonly dryRun?: boolean;
  readonly workers?: number;
}

function worker(remove?: (digest: Digest) => Promise<boolean>): TaskWorker {
  if (remove === undefined) return workerOn(storage);
  return workerOn(Object.assign(Object.create(storage) as BlobStorage, { delete: remove, settleDeletions: (digests: readonly Digest[]) => storage.settleDeletions(digests) }));
}

function workerOn(store: BlobStorage): TaskWorker {
  const { database } = fixture;
  metrics = new Metrics();
  const logger = new FakeLogger();
  const configuration = new SettingsTable(database, configurationOf, { maxAgeMs: 0 });
  const uploads = new UploadPurge({ catalog, storage, configuration, logger, metrics, ttlSeconds: 86_400 });
  const made = new TaskWorker({ database, broadcasts, logger, metrics, heartbeatMs: 50 });
  made.handle('GARBAGE_COLLECTION', taskHandlers({ database, catalog, storage: store, uploads, configuration, webhooks: { run: () => Promise.reject(new Error('there are none here')) }, broadcasts, logger, metrics }).GARBAGE_COLLECTION);
  return made;
}

async function start({ deleteUntagged = false, dryRun = false, workers = 4 }: RunOptions = {}): Promise<{ readonly id: number; readonly task: number }> {
  const parameters = { delete_untagged: deleteUntagged, dry_run: dryRun, workers };
  const { id, taskIds } = await executions.start(planMaintenance({ type: 'GARBAGE_COLLECTION', trigger: 'MANUAL', startedBy: 'user:1', parameters }));
  return { id, task: taskIds[0] ?? 0 };
}

interface Outcome {
  readonly status: ExecutionStatus | undefined;
  readonly message: string | undefined;
  readonly attributes: Readonly<Record<string, unknown>> | undefined;
  readonly log: string | undefined;
}

async function outcome({ id, task }: { readonly id: number; readonly task: number }): Promise<Outcome> {
  const report = (await executions.reports([id])).get(id);
  return { status: (await executions.find(OWNER, id))?.status, message: report?.message, attributes: report?.attributes, log: await executions.log(OWNER, id, task) };
}

async function run(options: RunOptions = {}): Promise<Outcome> {
  const started = await start(options);
  await worker(options.delete).run(started.task);
  return outcome(started);
}

async function countBlobs(): Promise<number> {
  const [row] = await fixture.database.query<{ count: number }>('SELECT count(*)::int AS count FROM blob');
  return row?.count ?? 0;
}

describe('a garbage collection', () => {
  test('removes the bytes of uploads that no manifest came for, and only those; tells what stays and until when', async () => {
    const old = await upload('old');
    await hoursPass();
    const young = await upload('young');
    expect((await run()).attributes).toMatchObject({ purged_blobs: 0, freed_space: 0 });
    await hoursPass();
    const used = await upload('old and uploaded again');
    await catalog.findBlob('alpha/app', young);
    const { status, attributes, log, message } = await run();
    expect([status, message]).toEqual(['Success', '1 blobs, 3 bytes, were freed']);
    expect(attributes).toEqual({ freed_space: 3, purged_blobs: 1, purged_manifests: 0, absent_blobs: 0, deleted_artifacts: 0, removed_uploads: 0, removed_upload_bytes: 0, failed_blobs: 0, failed_uploads: 0 });
    expect(log).toContain('freed: 1 blobs, 3 bytes\n');
    expect([await storage.stat(old), await storage.stat(young), await storage.stat(used)]).toEqual([undefined, expect.objectContaining({ size: 5 }), expect.objectContaining({ size: 22 })]);
    expect(await metrics.text()).toContain('haven_garbage_bytes_total 3');
    expect(await upload('old')).toBe(old);
    expect(await storage.stat(old)).toMatchObject({ size: 3 });
    await catalog.removeBlob('alpha/app', young);
    expect((await run()).log).toMatch(/kept: 1 blobs, 5 bytes, because they were uploaded, used or given up within the last 2 hours; the last of them until 20/);
  });

  test('as a dry run counts what would go, and changes nothing', async () => {
    await garbage(7);
    await image('untagged', []);
    await hoursPass();
    const before = await fixture.database.query('SELECT (SELECT count(*) FROM blob) AS blobs, (SELECT count(*) FROM unlinked_blob) AS unlinked, (SELECT count(*) FROM manifest WHERE deleted_at IS NULL) AS manifests');
    const { status, attributes, log } = await run({ dryRun: true, deleteUntagged: true, delete: () => Promise.reject(new Error('a dry run deletes nothing')) });
    expect([status, attributes]).toEqual(['Success', { freed_space: 70, purged_blobs: 7, purged_manifests: 0, deleted_artifacts: 1, removed_uploads: 0, removed_upload_bytes: 0 }]);
    expect(log).toContain('would be freed: 7 blobs, 70 bytes');
    expect(await fixture.database.query('SELECT (SELECT count(*) FROM blob) AS blobs, (SELECT count(*) FROM unlinked_blob) AS unlinked, (SELECT count(*) FROM manifest WHERE deleted_at IS NULL) AS manifests')).toEqual(before);
  });

  test('as a dry run counts dead uploads, too: those that the next run removes, to the byte', async () => {
    for (const [content, age] of [['one', 25], ['two more', 30], ['young', 1]] as const) await abandonedUpload(content, age);
    for (const [name, age] of [['left', 25], ['just-left', 1]] as const) {
      const path = join(folder, 'haven/uploads', name);
      writeFileSync(path, 'leftover');
      utimesSync(path, hoursAgo(age), hoursAgo(age));
    }
    const before = readdirSync(join(folder, 'haven/uploads')).sort();
    const dry = await run({ dryRun: true });
    expect(dry.log).toContain('uploads: 2 that nobody continues and 1 leftovers in storage, 19 bytes, would be removed\n');
    expect(dry.attributes).toMatchObject({ removed_uploads: 3, removed_upload_bytes: 19, freed_space: 0 });
    expect(readdirSync(join(folder, 'haven/uploads')).sort()).toEqual(before);
    const real = await run();
    expect(real.log).toContain('uploads: 2 that nobody continues and 1 leftovers in storage, 19 bytes, were removed, 0 could not be\n');
    expect(real.attributes).toMatchObject({ removed_uploads: 3, removed_upload_bytes: 19, freed_space: 0, failed_uploads: 0 });
    expect(readdirSync(join(folder, 'haven/uploads'))).toHaveLength(2);
    expect(await fixture.database.query('SELECT count(*)::int AS count FROM upload')).toEqual([{ count: 1 }]);
  });

  test('F-02: deletes untagged artifacts into the bin, and no others', async () => {
    const untagged = await image('untagged', []);
    const tagged = await image('tagged', ['1']);
    await hoursPass();
    const young = await image('young', []);
    expect((await run()).attributes).toMatchObject({ deleted_artifacts: 0 });
    const { attributes, log } = await run({ deleteUntagged: true });
    expect(attributes).toMatchObject({ deleted_artifacts: 1 });
    expect(log).toContain(`untagged: alpha/app@${untagged} was deleted`);
    const there = async (digest: Digest): Promise<boolean> => (await catalog.findManifest('alpha/app', { digest })) !== undefined;
    expect([await there(untagged), await there(tagged), await there(young)]).toEqual([false, true, true]);
    expect((await catalog.listBin({ projectId: 1, page: 1, size: 10 } as never)).total).toBe(1);
    expect(await fixture.database.query(`SELECT origin->>'name' AS name FROM outbox WHERE type = 'artifact.deleted'`)).toEqual([{ name: 'garbage collection' }]);
    expect((await run({ deleteUntagged: true })).log).toContain('kept: what 1 deletions with 1 manifests need, because they can be undone for');
  });

  test('F-02: leaves what an immutable tag protects', async () => {
    const SELECTORS = { tag_selectors: [{ kind: 'doublestar', decoration: 'matches', pattern: '**' }], scope_selectors: { repository: [{ kind: 'doublestar', decoration: 'repoMatches', pattern: '**' }] } };
    await fixture.database.execute('INSERT INTO immutability_rule (project_id, disabled, rule) VALUES (1, false, $1)', [JSON.stringify(SELECTORS)]);
    const digest = await image('tagged', ['1']);
    await hoursPass(1000);
    expect(await run({ deleteUntagged: true })).toMatchObject({ status: 'Success', attributes: { deleted_artifacts: 0, purged_blobs: 0 } });
    expect((await catalog.findManifest('alpha/app', { tag: '1' }))?.digest).toBe(digest);
    expect(await storage.stat(digest)).toBeDefined();
  });

  test('with 30 % of the deletions failing ends as an error that says "partial", names each, counts no phantom bytes; a second run clears them', async () => {
    const digests = await garbage(200);
    const bad = new Set(digests.filter((digest) => Number.parseInt(digest.slice(-8), 16) % 10 < 3));
    const { status, message, attributes, log } = await run({ delete: (digest) => (bad.has(digest) ? Promise.reject(new Error('password=secret refused')) : storage.delete(digest)) });
    expect([status, message]).toEqual(['Error', `partial: ${bad.size} blobs and 0 uploads could not be removed; the log names them, and the next run tries them again`]);
    expect(attributes).toMatchObject({ purged_blobs: 200 - bad.size, freed_space: 10 * (200 - bad.size), failed_blobs: bad.size });
    const named = [...(log ?? '').matchAll(/^failed: (sha256:\S+): the log of the job service says why$/gm)].map(([, digest]) => digest);
    expect(new Set(named)).toEqual(bad);
    expect(log).not.toContain('secret');
    expect(await storedBytes()).toBe(10 * bad.size);
    expect(await fixture.database.query(`SELECT digest FROM blob WHERE state = 'deleting' ORDER BY digest`)).toEqual([...bad].sort().map((digest) => ({ digest })));
    expect(await run()).toMatchObject({ status: 'Success', attributes: { purged_blobs: bad.size, freed_space: 10 * bad.size, failed_blobs: 0 } });
    expect([await countBlobs(), await storedBytes()]).toEqual([0, 0]);
  });

  test('with 30 % of all calls of storage failing tries each blob twice; the runs together free every byte once', async () => {
    const digests = await garbage(400);
    let [calls, refused] = [0, 0];
    const unreliable = (digest: Digest): Promise<boolean> => (++calls % 10 < 3 ? (refused += 1, Promise.reject(new StorageError('unavailable', 'not now'))) : storage.delete(digest));
    const first = await run({ delete: unreliable });
    expect([first.status, first.message]).toEqual(['Error', expect.stringMatching(/^partial: \d+ blobs and 0 uploads/)]);
    const failed = Number(first.attributes?.['failed_blobs']);
    expect(refused).toBeGreaterThan(100);
    expect(failed).toBeGreaterThan(10);
    expect(first.attributes).toMatchObject({ purged_blobs: 400 - failed, freed_space: 10 * (400 - failed), absent_blobs: 0 });
    expect([await countBlobs(), await storedBytes()]).toEqual([failed, 10 * failed]);
    expect(first.log?.match(/^failed: sha256:\S+: storage is not available$/gm)).toHaveLength(failed);
    expect(await run()).toMatchObject({ status: 'Success', attributes: { purged_blobs: failed, freed_space: 10 * failed } });
    expect(await Promise.all(digests.map((digest) => storage.stat(digest)))).toEqual(digests.map(() => undefined));
  });

  test('counts nothing that may come back with a power cut, and counts it once it cannot', async () => {
    await garbage(60);
    let settled = 0;
    const started = await start({ workers: 2 });
    const fragile = Object.assign(Object.create(storage) as BlobStorage, {
      delete: (digest: Digest, options: object) => storage.delete(digest, options),
      settleDeletions: (digests: readonly Digest[]) => (++settled === 1 ? Promise.reject(new StorageError('broken', 'the disk is ill')) : storage.settleDeletions(digests)),
    });
    await workerOn(fragile).run(started.task);
    expect(await outcome(started)).toMatchObject({ status: 'Success', attributes: { purged_blobs: 60, freed_space: 600, absent_blobs: 0, failed_blobs: 0 } });
    expect([settled > 2, await countBlobs(), await storedBytes()]).toEqual([true, 0, 0]);
  });

  test('killed half way is gone on with by another worker, which repeats one batch at most and counts each byte once', async () => {
    await garbage(1000);
    const tried: Digest[] = [];
    const started = await start();
    const never = new Promise<boolean>(() => undefined);
    // From here on as if the process had been killed: nothing more is answered, and nobody says that it lives.
    const first = worker((digest) => (tried.length >= 500 ? never : (tried.push(digest), storage.delete(digest))));
    void first.run(started.task);
    while (tried.length < 500) await new Promise((resolve) => setTimeout(resolve, 10));
    await fixture.database.execute(`UPDATE task SET status = 'Pending', attempts = attempts + 1 WHERE id = $1`, [started.task]);
    await fixture.database.execute(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND state = 'idle in transaction'`);
    await worker((digest) => (tried.push(digest), storage.delete(digest))).run(started.task);
    const { status, attributes } = await outcome(started);
    expect(status).toBe('Success');
    expect(await countBlobs()).toBe(0);
    const repeated = tried.length - new Set(tried).size;
    expect([new Set(tried).size, repeated > 0, repeated <= 100]).toEqual([1000, true, true]);
    // What was deleted and not counted when it was killed is gone: nobody can tell who did it, so its bytes are not counted.
    expect(attributes).toMatchObject({ purged_blobs: 1000, absent_blobs: repeated, freed_space: 10 * (1000 - repeated) });
  });

  test('stops within five seconds, in order', async () => {
    await garbage(500);
    const started = await start({ workers: 1 });
    let deleted = 0;
    const running = worker(async (digest) => {
      await new Promise((resolve) => setTimeout(resolve, 5));
      deleted += 1;
      return storage.delete(digest);
    }).run(started.task);
    while (deleted < 60) await new Promise((resolve) => setTimeout(resolve, 10));
    const begun = performance.now();
    await executions.stop(OWNER, started.id);
    await running;
    expect(performance.now() - begun).toBeLessThan(5000);
    expect((await outcome(started)).status).toBe('Stopped');
    expect(await countBlobs()).toBe(500 - deleted);
    expect(await fixture.database.query(`SELECT 1 FROM blob WHERE state = 'deleting'`)).toEqual([]);
  });

  test('F-12: does nothing in read-only mode, and ends when that begins', async () => {
    await garbage(300);
    const setReadOnly = (value: boolean): Promise<number> => fixture.database.execute(`INSERT INTO setting (key, value) VALUES ('read_only', $1) ON CONFLICT (key) DO UPDATE SET value = excluded.value`, [JSON.stringify(value)]);
    await setReadOnly(true);
    expect(await run()).toMatchObject({ status: 'Error', message: expect.stringContaining('read-only') });
    expect(await countBlobs()).toBe(300);
    await setReadOnly(false);
    let deleted = 0;
    const { status, message } = await run({
      delete: async (digest) => {
        if (++deleted === 10) await setReadOnly(true);
        return storage.delete(digest);
      },
    });
    expect([status, message]).toEqual(['Error', expect.stringContaining('read-only')]);
    expect(await countBlobs()).toBeGreaterThan(200);
  });
});

describe('without a schedule', () => {
  const work = (): GarbageWork => new GarbageWork({ database: fixture.database, catalog, executions, configuration: new SettingsTable(fixture.database, configurationOf, { maxAgeMs: 0 }) });

  test('a collection begins by itself when there is something to collect, once', async () => {
    expect(await work().startCollection()).toBe(false);
    await garbage(1);
    expect([await work().startCollection(), await work().startCollection()]).toEqual([true, false]);
    expect((await executions.list(OWNER, { page: 1, size: 10 })).items).toMatchObject([{ trigger: 'SCHEDULE', startedBy: '', attributes: { delete_untagged: false, dry_run: false, workers: 1 } }]);
  });

  test('and with one, the schedule alone decides', async () => {
    await garbage(1);
    await fixture.database.execute(`INSERT INTO schedule (vendor_type, cron, next_due_at) VALUES ('GARBAGE_COLLECTION', '0 0 0 1 1 *', now() + interval '1 day')`);
    expect(await work().startCollection()).toBe(false);
  });

  test('a task of a lost worker is taken back by the sweep', async () => {
    await garbage(5);
    const { id, task } = await start();
    await fixture.database.execute(`UPDATE task SET status = 'Running', attempts = 1, heartbeat_at = now() - interval '2 minutes' WHERE id = $1`, [task]);
    expect(await new TaskSweep({ database: fixture.database, jobs: new FakeJobQueue(), logger: new FakeLogger() }).recoverLost()).toBe(1);
    await worker().run(task);
    expect(await outcome({ id, task })).toMatchObject({ status: 'Success', attributes: { purged_blobs: 5 } });
  });
});
