import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { configurationOf } from '@haven/api';
import { Catalog } from '@haven/catalog';
import { createTestDatabase, SettingsTable, type TestDatabase } from '@haven/database';
import { Executions, maintenanceOwner, planMaintenance, planReconciliation, planRetention, RECONCILIATION, TaskWorker, type ExecutionOwner, type NewExecution } from '@haven/execution';
import { FakeBroadcasts, FakeJobQueue } from '@haven/messages';
import { digestOf, OCI_IMAGE_CONFIG, OCI_IMAGE_MANIFEST, parseManifest, type Digest } from '@haven/oci';
import { FakeLogger, Metrics } from '@haven/runtime';
import { openStorage, type BlobStorage } from '@haven/storage';
import { UploadPurge } from '../upload/purge-uploads.js';
import { taskHandlers } from './task-handlers.js';

const HOUR_MS = 60 * 60_000;
const MONTHS_MS = 60 * 24 * HOUR_MS;
/** Everything but the clock runs on. */
const TIMERS = ['hrtime', 'nextTick', 'performance', 'queueMicrotask', 'setImmediate', 'clearImmediate', 'setInterval', 'clearInterval', 'setTimeout', 'clearTimeout'] as const;

let fixture: TestDatabase;
let folder: string;
let storage: BlobStorage;
let catalog: Catalog;
let executions: Executions;
let worker: TaskWorker;

beforeEach(async () => {
  fixture = await createTestDatabase();
  const { database } = fixture;
  folder = mkdtempSync(join(tmpdir(), 'haven-clock-'));
  storage = openStorage(pathToFileURL(folder).href);
  catalog = new Catalog(database, new FakeLogger());
  const [broadcasts, logger, metrics] = [new FakeBroadcasts(), new FakeLogger(), new Metrics()];
  executions = new Executions({ database, jobs: new FakeJobQueue(), broadcasts, logger });
  worker = new TaskWorker({ database, broadcasts, logger, metrics });
  const configuration = new SettingsTable(database, configurationOf, { maxAgeMs: 0 });
  const uploads = new UploadPurge({ catalog, storage, configuration, logger, metrics, ttlSeconds: 3600 });
  const handlers = taskHandlers({ database, catalog, storage, uploads, configuration, webhooks: { run: () => Promise.reject(new Error('there are none here')) }, broadcasts, logger, metrics });
  for (const type of ['RETENTION', 'GARBAGE_COLLECTION', 'PURGE_AUDIT_LOG', 'STORAGE_RECONCILIATION'] as const) worker.handle(type, handlers[type]);
  await database.execute(`INSERT INTO haven_user (id, external_id, username) VALUES (1, 'tester', 'tester')`);
  await database.execute(`INSERT INTO project (id, name, owner_id) VALUES (1, 'alpha', 1)`);
});
afterEach(async () => {
  jest.useRealTimers();
  await fixture.drop();
  rmSync(folder, { recursive: true });
});

async function image(content: string, tag: string): Promise<Digest> {
  const config = { mediaType: OCI_IMAGE_CONFIG, digest: await upload(content), size: content.length };
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: OCI_IMAGE_MANIFEST, config, layers: [] }));
  await storage.put(digestOf(bytes), bytes);
  await catalog.putManifest({ repository: 'alpha/app', projectId: 1, actor: 'user:1', digest: digestOf(bytes), manifest: parseManifest(bytes, undefined), size: bytes.length, tags: [tag] });
  return digestOf(bytes);
}

async function upload(content: string): Promise<Digest> {
  const bytes = Buffer.from(content);
  await catalog.claimBlob(digestOf(bytes));
  await storage.put(digestOf(bytes), bytes);
  await catalog.addBlob({ repository: 'alpha/app', projectId: 1, actor: 'user:1', digest: digestOf(bytes), size: bytes.length });
  return digestOf(bytes);
}

/** Does one execution with the clock of this process wrong by so much; resolves to its status. */
async function run(planned: NewExecution | undefined, owner: ExecutionOwner, wrongBy: number): Promise<string | undefined> {
  if (planned === undefined) throw new Error('there is nothing to run');
  const { id, taskIds } = await executions.start(planned);
  jest.useFakeTimers({ now: Date.now() + wrongBy, doNotFake: [...TIMERS] });
  for (const task of taskIds) await worker.run(task);
  jest.useRealTimers();
  return (await executions.find(owner, id))?.status;
}

async function rows(sql: string): Promise<unknown[]> {
  return fixture.database.query(sql);
}

describe.each([['two months ahead', MONTHS_MS], ['two months behind', -MONTHS_MS]])('N-11: a process whose clock is %s', (_which, wrongBy) => {
  test('keeps what retention keeps for its age, and removes what is old', async () => {
    const rules = [{
      id: 1, priority: 0, disabled: false, action: 'retain', template: 'nDaysSinceLastPush', params: { nDaysSinceLastPush: 30 },
      tag_selectors: [{ kind: 'doublestar', decoration: 'matches', pattern: '**' }], scope_selectors: { repository: [{ kind: 'doublestar', decoration: 'repoMatches', pattern: '**' }] },
    }];
    await image('young', 'young');
    const old = await image('old', 'old');
    await fixture.database.execute(`UPDATE manifest SET pushed_at = now() - interval '31 days' WHERE digest = $1`, [old]);
    await fixture.database.execute(`UPDATE tag SET pushed_at = now() - interval '31 days' WHERE name = 'old'`);
    const [policy] = await fixture.database.query<{ id: number }>('INSERT INTO retention_policy (project_id, policy) VALUES (1, $1) RETURNING id', [JSON.stringify({ algorithm: 'or', rules, trigger: { kind: 'Schedule', settings: { cron: '' } } })]);
    const policyId = policy?.id ?? 0;
    const planned = await planRetention(fixture.database, { policyId, trigger: 'MANUAL', startedBy: 'user:1', dryRun: false });
    expect(await run(planned, { vendorType: 'RETENTION', vendorId: policyId }, wrongBy)).toBe('Success');
    expect(await rows('SELECT name FROM tag')).toEqual([{ name: 'young' }]);
  });

  test('leaves in the bin what has not been there for its days, and running uploads alone', async () => {
    await image('young', '1');
    await image('kept', '2');
    await catalog.deleteTag({ repository: 'alpha/app', tag: '1', actor: 'user:1' });
    const id = randomUUID();
    await catalog.createUpload({ id, repository: 'alpha/app', projectId: 1, subject: 'user:1', state: await storage.createUpload(id) });
    const planned = planMaintenance({ type: 'GARBAGE_COLLECTION', trigger: 'MANUAL', startedBy: '', parameters: { delete_untagged: false, dry_run: false, workers: 1 } });
    expect(await run(planned, maintenanceOwner('GARBAGE_COLLECTION'), wrongBy)).toBe('Success');
    expect([await rows('SELECT kind FROM bin_entry'), await rows('SELECT id FROM upload')]).toEqual([[{ kind: 'tag' }], [{ id }]]);
    await fixture.database.execute(`UPDATE bin_entry SET deleted_at = now() - interval '8 days'`);
    await fixture.database.execute(`UPDATE upload SET updated_at = now() - interval '2 hours'`);
    expect(await run(planned, maintenanceOwner('GARBAGE_COLLECTION'), wrongBy)).toBe('Success');
    expect([await rows('SELECT kind FROM bin_entry'), await rows('SELECT id FROM upload')]).toEqual([[], []]);
  });

  test('purges the lines of the audit trail that are old enough, and no others', async () => {
    for (const [resource, hours] of [['young', 1], ['old', 48]] as const) {
      await fixture.database.execute(
        `INSERT INTO audit_event (event_id, op_time, username, resource, resource_type, operation, operation_description, operation_result)
         VALUES (gen_random_uuid(), now() - make_interval(hours => $2), 'alice', $1, 'artifact', 'pull', '', true)`, [resource, hours]);
    }
    const planned = planMaintenance({ type: 'PURGE_AUDIT_LOG', trigger: 'MANUAL', startedBy: '', parameters: { audit_retention_hour: 24, include_event_types: 'pull_artifact', dry_run: false } });
    expect(await run(planned, maintenanceOwner('PURGE_AUDIT_LOG'), wrongBy)).toBe('Success');
    expect(await rows('SELECT resource FROM audit_event')).toEqual([{ resource: 'young' }]);
  });

  test('reclaims no bytes that were written a moment ago', async () => {
    const bytes = Buffer.from('a push is about to be told of this');
    await storage.put(digestOf(bytes), bytes);
    const planned = planReconciliation({ trigger: 'MANUAL', startedBy: '', run: { reclaim: true, rehash: false, grace_seconds: 7200 } });
    expect(await run(planned, RECONCILIATION, wrongBy)).toBe('Success');
    expect(await storage.stat(digestOf(bytes))).toMatchObject({ size: bytes.length });
  });
});
