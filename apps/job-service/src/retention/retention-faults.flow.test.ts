import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { configurationOf } from '@haven/api';
import { Catalog, type ArtifactToDelete } from '@haven/catalog';
import { breakLookups, createTestDatabase, SettingsTable, type TestDatabase, type Transaction } from '@haven/database';
import { Executions, planRetention, TaskWorker } from '@haven/execution';
import { EVENTS, FakeBroadcasts, FakeJobQueue } from '@haven/messages';
import { digestOf, OCI_IMAGE_MANIFEST, parseManifest } from '@haven/oci';
import { FakeLogger, Metrics } from '@haven/runtime';
import { RetentionRun } from './retention-run.js';
import { RetentionStore } from './retention.store.js';
import { UntoldDeletions } from './untold-deletions.store.js';

const SELECTORS = { tag_selectors: [{ kind: 'doublestar', decoration: 'matches', pattern: '**' }], scope_selectors: { repository: [{ kind: 'doublestar', decoration: 'repoMatches', pattern: '**' }] } };
const KEEP_NOTHING = { id: 1, priority: 0, disabled: false, action: 'retain', template: 'latestPushedK', params: { latestPushedK: 0 }, ...SELECTORS };
const TAGS = ['a', 'b', 'c'];

let fixture: TestDatabase;
let catalog: Catalog;
let policyId: number;

beforeAll(async () => {
  fixture = await createTestDatabase();
  catalog = new Catalog(fixture.database, new FakeLogger());
  const { database } = fixture;
  await database.execute(`INSERT INTO haven_user (id, external_id, username) VALUES (1, 'x', 'x')`);
  await database.execute(`INSERT INTO project (id, name, owner_id) VALUES (1, 'alpha', 1)`);
  const policy = { algorithm: 'or', rules: [KEEP_NOTHING], trigger: { kind: 'Schedule', settings: { cron: '' } } };
  const [row] = await database.query<{ id: number }>('INSERT INTO retention_policy (project_id, policy) VALUES (1, $1) RETURNING id', [JSON.stringify(policy)]);
  policyId = row?.id ?? 0;
});
afterAll(() => fixture.drop());
beforeEach(async () => {
  await fixture.database.execute('DELETE FROM outbox');
  await push();
});

async function push(): Promise<void> {
  for (const tag of TAGS) {
    const config = Buffer.from(`{"tag":"${tag}"}`);
    const descriptor = { mediaType: 'application/vnd.oci.image.config.v1+json', digest: digestOf(config), size: config.length };
    await catalog.addBlob({ repository: 'alpha/app', projectId: 1, actor: '', digest: descriptor.digest, size: config.length });
    const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: OCI_IMAGE_MANIFEST, config: descriptor, layers: [] }));
    await catalog.putManifest({ repository: 'alpha/app', projectId: 1, actor: '', digest: digestOf(bytes), manifest: parseManifest(bytes, undefined), size: bytes.length, tags: [tag] });
  }
}

async function tags(): Promise<string[]> {
  return catalog.listTags((await catalog.findRepository('alpha/app'))?.id ?? '0', '', 100);
}

/** Plans a run that keeps nothing; resolves to its task. */
async function plan(): Promise<number> {
  const { database } = fixture;
  await database.execute('DELETE FROM execution');
  const executions = new Executions({ database, jobs: new FakeJobQueue(), broadcasts: new FakeBroadcasts(), logger: new FakeLogger() });
  const planned = await planRetention(database, { policyId, trigger: 'MANUAL', startedBy: 'user:1', dryRun: false });
  const { taskIds } = planned === undefined ? { taskIds: [] } : await executions.start(planned);
  return taskIds[0] ?? 0;
}

/** One attempt at a task; resolves to how it stands then. `step` comes before, in and after each deletion and the telling. */
async function attempt(task: number, step: (where: 'before' | 'in' | 'after') => Promise<unknown> = () => Promise.resolve()): Promise<string | undefined> {
  const { database } = fixture;
  const worker = new TaskWorker({ database, broadcasts: new FakeBroadcasts(), logger: new FakeLogger(), metrics: new Metrics(), heartbeatMs: 50 });
  const deleting = {
    deleteArtifact: async (wanted: ArtifactToDelete) => {
      await step('before');
      await catalog.deleteArtifact({ ...wanted, onDeleted: async (transaction) => { await wanted.onDeleted?.(transaction); await step('in'); } });
      await step('after');
    },
  };
  class Telling extends UntoldDeletions {
    override async announce(id: number, claim: (transaction: Transaction) => Promise<void>): Promise<void> {
      await step('before');
      await super.announce(id, async (transaction) => { await claim(transaction); await step('in'); });
      await step('after');
    }
  }
  const parts = { store: new RetentionStore(database), untold: new Telling(database), catalog: deleting, settings: new SettingsTable(database, configurationOf, { maxAgeMs: 0 }) };
  const retention = new RetentionRun(parts);
  worker.handle('RETENTION', (context) => retention.run(context));
  await worker.run(task);
  return (await database.query<{ status: string }>('SELECT status FROM task WHERE id = $1', [task]))[0]?.status;
}

/** A run that keeps nothing; resolves to how its task stands after one attempt. `meanwhile` happens before each deletion. */
async function run(meanwhile: () => Promise<unknown> = () => Promise.resolve()): Promise<string | undefined> {
  return attempt(await plan(), async (where) => { if (where === 'before') await meanwhile(); });
}

/** One that is killed at a step; resolves to its task, or to undefined when it does not have as many. */
async function killedAt(wanted: number): Promise<number | undefined> {
  const task = await plan();
  let steps = 0;
  await attempt(task, async () => {
    steps += 1;
    if (steps >= wanted) throw new Error('killed');
  });
  return steps < wanted ? undefined : task;
}

interface Told {
  readonly total: number;
  readonly retained: number;
  readonly deleted: readonly { readonly tags: readonly string[] }[];
}

/** What was told of retention runs: how much they looked at and left, and the tags that went. */
async function told(): Promise<unknown[]> {
  const rows = await fixture.database.query<{ payload: Told }>(`SELECT payload FROM outbox WHERE type = 'retention.finished' ORDER BY id`);
  return rows.map(({ payload }) => { EVENTS['retention.finished'].parse(payload); return [payload.total, payload.retained, payload.deleted.flatMap(({ tags: gone }) => gone).sort()]; });
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

describe('what a retention run deleted', () => {
  test('is told once and completely, wherever the run is killed', async () => {
    let steps = 0;
    for (let task = await killedAt(1); task !== undefined; task = await killedAt(steps + 1)) {
      steps += 1;
      await fixture.database.execute(`UPDATE task SET status = 'Pending', ended_at = NULL WHERE id = $1`, [task]); // As the sweep finds it.
      const status = await attempt(task);
      expect({ steps, status, left: await tags(), told: await told() }).toEqual({ steps, status: 'Success', left: [], told: [[TAGS.length, 0, TAGS]] });
      await fixture.database.execute('DELETE FROM outbox');
      await push();
    }
    expect(steps).toBe(3 * TAGS.length + 3);
  }, 60_000);

  test('is told once of a run that ended without telling it, however many look', async () => {
    await killedAt(6); // In the middle of the second deletion's aftermath: two are gone.
    expect([(await tags()).length, await told()]).toEqual([1, []]);
    await Promise.all([1, 2, 3].map(() => new UntoldDeletions(fixture.database).announceLeft()));
    expect(await told()).toEqual([[3, 1, TAGS.filter((tag) => tag !== 'a')]]);
    await new UntoldDeletions(fixture.database).announceLeft();
    expect(await told()).toHaveLength(1);
  });

  test('is left to the run while that has not ended', async () => {
    const task = await killedAt(3);
    await fixture.database.execute(`UPDATE task SET status = 'Pending', ended_at = NULL WHERE id = $1`, [task]);
    await new UntoldDeletions(fixture.database).announceLeft();
    expect(await told()).toEqual([]);
  });

  test('is listed up to a bound, and counted beyond it', async () => {
    const task = await killedAt(3);
    await fixture.database.execute(`INSERT INTO untold_deletion (task_id, digest, kind) SELECT $1, 'sha256:' || n, 'IMAGE' FROM generate_series(1, 999) AS n`, [task]);
    await fixture.database.execute(`UPDATE task SET status = 'Pending', ended_at = NULL WHERE id = $1`, [task]);
    await attempt(task ?? 0);
    expect([await tags(), await told()]).toEqual([[], [[3, 0, [expect.any(String)]]]]);
  });

  test('is nothing where another worker has the task', async () => {
    const task = await plan();
    await attempt(task, async (where) => { if (where === 'before') await fixture.database.execute('UPDATE task SET attempts = attempts + 1 WHERE id = $1', [task]); });
    expect([await tags(), await told()]).toEqual([TAGS, []]);
  });
});
