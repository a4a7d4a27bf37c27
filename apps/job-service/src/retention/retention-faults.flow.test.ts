import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { configurationOf } from '@haven/api';
import { Catalog } from '@haven/catalog';
import { breakLookups, createTestDatabase, SettingsTable, type TestDatabase } from '@haven/database';
import { Executions, planRetention, TaskWorker } from '@haven/execution';
import { FakeBroadcasts, FakeJobQueue } from '@haven/messages';
import { digestOf, OCI_IMAGE_MANIFEST, parseManifest } from '@haven/oci';
import { FakeLogger, Metrics } from '@haven/runtime';
import { RetentionRun } from './retention-run.js';
import { RetentionStore } from './retention.store.js';

const SELECTORS = { tag_selectors: [{ kind: 'doublestar', decoration: 'matches', pattern: '**' }], scope_selectors: { repository: [{ kind: 'doublestar', decoration: 'repoMatches', pattern: '**' }] } };
const KEEP_NOTHING = { id: 1, priority: 0, disabled: false, action: 'retain', template: 'latestPushedK', params: { latestPushedK: 0 }, ...SELECTORS };
const TAGS = ['a', 'b', 'c'];

let fixture: TestDatabase;
let catalog: Catalog;
let policyId: number;

beforeAll(async () => {
  fixture = await createTestDatabase();
  catalog = new Catalog(fixture.database);
  const { database } = fixture;
  await database.execute(`INSERT INTO haven_user (id, external_id, username) VALUES (1, 'x', 'x')`);
  await database.execute(`INSERT INTO project (id, name, owner_id) VALUES (1, 'alpha', 1)`);
  const policy = { algorithm: 'or', rules: [KEEP_NOTHING], trigger: { kind: 'Schedule', settings: { cron: '' } } };
  const [row] = await database.query<{ id: number }>('INSERT INTO retention_policy (project_id, policy) VALUES (1, $1) RETURNING id', [JSON.stringify(policy)]);
  policyId = row?.id ?? 0;
});
afterAll(() => fixture.drop());
beforeEach(async () => {
  for (const tag of TAGS) {
    const config = Buffer.from(`{"tag":"${tag}"}`);
    const descriptor = { mediaType: 'application/vnd.oci.image.config.v1+json', digest: digestOf(config), size: config.length };
    await catalog.addBlob({ repository: 'alpha/app', projectId: 1, actor: '', digest: descriptor.digest, size: config.length });
    const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: OCI_IMAGE_MANIFEST, config: descriptor, layers: [] }));
    await catalog.putManifest({ repository: 'alpha/app', projectId: 1, actor: '', digest: digestOf(bytes), manifest: parseManifest(bytes, undefined), size: bytes.length, tags: [tag] });
  }
});

async function tags(): Promise<string[]> {
  return catalog.listTags((await catalog.findRepository('alpha/app'))?.id ?? '0', '', 100);
}

/** A run that keeps nothing; resolves to how its task stands after one attempt. `meanwhile` happens before each deletion. */
async function run(meanwhile: () => Promise<unknown> = () => Promise.resolve()): Promise<string | undefined> {
  const { database } = fixture;
  await database.execute('DELETE FROM execution');
  const executions = new Executions({ database, jobs: new FakeJobQueue(), broadcasts: new FakeBroadcasts(), logger: new FakeLogger() });
  const plan = await planRetention(database, { policyId, trigger: 'MANUAL', startedBy: 'user:1', dryRun: false });
  const { taskIds } = plan === undefined ? { taskIds: [] } : await executions.start(plan);
  const worker = new TaskWorker({ database, broadcasts: new FakeBroadcasts(), logger: new FakeLogger(), metrics: new Metrics(), heartbeatMs: 50 });
  const deleting = { deleteArtifact: async (wanted: Parameters<Catalog['deleteArtifact']>[0]) => { await meanwhile(); await catalog.deleteArtifact(wanted); } };
  const retention = new RetentionRun({ store: new RetentionStore(database), catalog: deleting, settings: new SettingsTable(database, configurationOf, { maxAgeMs: 0 }) });
  worker.handle('RETENTION', (context) => retention.run(context));
  for (const id of taskIds) await worker.run(id);
  const [task] = await database.query<{ status: string }>('SELECT status FROM task WHERE id = $1', [taskIds[0]]);
  return task?.status;
}

describe('F-16: a retention run', () => {
  test.each(['immutability_rule', 'setting'])('deletes nothing while %s cannot be read, and does when it can', async (table) => {
    const mend = await breakLookups(fixture.database, table);
    const status = await run();
    await mend();
    expect([status === 'Success', await tags()]).toEqual([false, TAGS]);
    expect([await run(), await tags()]).toEqual(['Success', []]);
  });

  test.each(['immutability_rule', 'setting'])('deletes no more once %s cannot be read', async (table) => {
    let mend: (() => Promise<void>) | undefined;
    const status = await run(async () => { mend ??= await breakLookups(fixture.database, table); });
    await mend?.();
    expect([status === 'Success', (await tags()).length >= TAGS.length - 1]).toEqual([false, true]);
  });
});
