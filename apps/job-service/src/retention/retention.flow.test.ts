import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { configurationOf } from '@haven/api';
import { Catalog, CatalogError, type ArtifactToDelete } from '@haven/catalog';
import { createTestDatabase, SettingsTable, type TestDatabase } from '@haven/database';
import { Executions, planRetention, Schedules, TaskWorker, type Execution, type RetentionToPlan, type Task } from '@haven/execution';
import { connectRedis, EVENTS, FakeBroadcasts, FakeJobQueue, type Messages } from '@haven/messages';
import { digestOf, OCI_IMAGE_CONFIG, OCI_IMAGE_INDEX, OCI_IMAGE_MANIFEST, parseManifest, type Digest } from '@haven/oci';
import { FakeLogger, Metrics, readSettings, startService, type RunningService } from '@haven/runtime';
import { JobServiceModule } from '../job-service.module.js';
import { settingsSchema } from '../settings.js';
import { testRedisUrl } from '../testing/settings.js';
import { RetentionRun } from './retention-run.js';
import { RetentionStore } from './retention.store.js';
import { UntoldDeletions } from './untold-deletions.store.js';

const OWNER_TYPE = 'RETENTION';
const ALL = { page: 1, size: 100 };
const EVERYWHERE = { repository: [{ kind: 'doublestar', decoration: 'repoMatches', pattern: '**' }] };

function rule(template: string, parameter: number | undefined, pattern = '**', scope: object = EVERYWHERE): object {
  return { id: 1, priority: 0, disabled: false, action: 'retain', template, params: parameter === undefined ? {} : { [template]: parameter }, tag_selectors: [{ kind: 'doublestar', decoration: 'matches', pattern }], scope_selectors: scope };
}

let fixture: TestDatabase;
let catalog: Catalog;
let executions: Executions;
let counter = 0;
let project: { readonly id: number; readonly name: string };

beforeAll(async () => {
  fixture = await createTestDatabase();
  catalog = new Catalog(fixture.database, new FakeLogger());
  await fixture.database.execute(`INSERT INTO haven_user (external_id, username) VALUES ('x', 'x')`);
  executions = new Executions({ database: fixture.database, jobs: new FakeJobQueue(), broadcasts: new FakeBroadcasts(), logger: new FakeLogger() });
});
afterAll(() => fixture.drop());
beforeEach(async () => {
  counter += 1;
  const name = `project-${counter}`;
  const [row] = await fixture.database.query<{ id: number }>('INSERT INTO project (name, owner_id) VALUES ($1, 1) RETURNING id', [name]);
  project = { id: row?.id ?? 0, name };
});
afterEach(async () => {
  await fixture.database.execute('DELETE FROM execution');
  await fixture.database.execute('DELETE FROM setting');
});

async function put(repository: string, document: { readonly schemaVersion: 2; readonly mediaType: string; readonly [field: string]: unknown }, tags: readonly string[]): Promise<{ readonly mediaType: string; readonly digest: Digest; readonly size: number }> {
  const bytes = Buffer.from(JSON.stringify(document));
  const digest = digestOf(bytes);
  await catalog.putManifest({ repository: `${project.name}/${repository}`, projectId: project.id, actor: 'user:1', digest, manifest: parseManifest(bytes, undefined), size: bytes.length, tags });
  return { mediaType: document.mediaType, digest, size: bytes.length };
}

async function config(repository: string, content: string): Promise<{ readonly mediaType: string; readonly digest: Digest; readonly size: number }> {
  const bytes = Buffer.from(JSON.stringify({ content }));
  const descriptor = { mediaType: OCI_IMAGE_CONFIG, digest: digestOf(bytes), size: bytes.length };
  await catalog.addBlob({ repository: `${project.name}/${repository}`, projectId: project.id, actor: 'user:1', digest: descriptor.digest, size: bytes.length });
  return descriptor;
}

/** Pushes an image that is so many days old. */
async function image(repository: string, content: string, tags: readonly string[], days = 0): Promise<{ readonly mediaType: string; readonly digest: Digest; readonly size: number }> {
  const pushed = await put(repository, { schemaVersion: 2, mediaType: OCI_IMAGE_MANIFEST, config: await config(repository, content), layers: [] }, tags);
  await fixture.database.execute(
    `WITH aged AS (UPDATE manifest SET pushed_at = now() - $2 * interval '1 day' WHERE digest = $1 RETURNING id, pushed_at)
     UPDATE tag SET pushed_at = aged.pushed_at FROM aged WHERE tag.manifest_id = aged.id`, [pushed.digest, days]);
  return pushed;
}

async function policy(rules: readonly object[]): Promise<number> {
  const stored = { algorithm: 'or', rules, trigger: { kind: 'Schedule', settings: { cron: '' } } };
  const [row] = await fixture.database.query<{ id: number }>('INSERT INTO retention_policy (project_id, policy) VALUES ($1, $2) RETURNING id', [project.id, JSON.stringify(stored)]);
  return row?.id ?? 0;
}

async function plan(policyId: number, more: Partial<RetentionToPlan> = {}): Promise<{ readonly id: number; readonly taskIds: readonly number[] }> {
  const wanted = await planRetention(fixture.database, { policyId, trigger: 'MANUAL', startedBy: 'user:1', dryRun: false, ...more });
  if (wanted === undefined) throw new Error('there is no such policy');
  return executions.start(wanted);
}

interface WorkOptions {
  readonly deleteArtifact?: (wanted: ArtifactToDelete) => Promise<void>;
}

/** Does the tasks here and now, as a worker of the job service does. */
async function work(taskIds: readonly number[], { deleteArtifact = (wanted) => catalog.deleteArtifact(wanted) }: WorkOptions = {}): Promise<void> {
  const { database } = fixture;
  const retention = new RetentionRun({ store: new RetentionStore(database), untold: new UntoldDeletions(database), catalog: { deleteArtifact }, settings: new SettingsTable(database, configurationOf, { maxAgeMs: 0 }) });
  const worker = new TaskWorker({ database, broadcasts: new FakeBroadcasts(), logger: new FakeLogger(), metrics: new Metrics(), heartbeatMs: 50 });
  worker.handle(OWNER_TYPE, (context) => retention.run(context));
  for (const id of taskIds) await worker.run(id);
}

interface Outcome {
  readonly execution: Execution | undefined;
  readonly tasks: readonly Task[];
  readonly log: string;
  /** The status by each tag in the log's table; untagged artifacts by the start of their digest. */
  readonly table: Readonly<Record<string, string>>;
}

async function outcome(policyId: number, id: number): Promise<Outcome> {
  const owner = { vendorType: OWNER_TYPE, vendorId: policyId } as const;
  const tasks = (await executions.tasks(owner, id, ALL))?.items ?? [];
  const log = (await Promise.all(tasks.map((task) => executions.log(owner, id, task.id)))).join('');
  const rows = log.split('\n').filter((line) => line.startsWith('sha256:')).map((line) => line.split(' | ').map((cell) => cell.trim()));
  return { execution: await executions.find(owner, id), tasks, log, table: Object.fromEntries(rows.map((cells) => [cells[1] === '' ? cells[0] : cells[1], cells[7]])) as Record<string, string> };
}

async function run(rules: readonly object[], more: Partial<RetentionToPlan> = {}, options: WorkOptions = {}): Promise<Outcome> {
  const policyId = await policy(rules);
  const { id, taskIds } = await plan(policyId, more);
  await work(taskIds, options);
  return outcome(policyId, id);
}

async function tagsOf(repository: string): Promise<string[]> {
  const found = await catalog.findRepository(`${project.name}/${repository}`);
  return catalog.listTags(found?.id ?? '0', '', 100);
}

async function protect(pattern: string): Promise<void> {
  const stored = { tag_selectors: [{ kind: 'doublestar', decoration: 'matches', pattern }], scope_selectors: EVERYWHERE };
  await fixture.database.execute('INSERT INTO immutability_rule (project_id, rule) VALUES ($1, $2)', [project.id, JSON.stringify(stored)]);
}

describe('a run', () => {
  test('puts what no rule keeps into the bin, and writes down every tag', async () => {
    for (const [age, tag] of ['new', 'middle', 'old', 'oldest'].entries()) await image('app', tag, [tag, `${tag}-too`], age);
    const untagged = await image('app', 'untagged', [], 9);
    await image('team/web', 'web', ['1']);
    const { execution, tasks, table, log } = await run([rule('latestPushedK', 2)]);
    expect(execution).toMatchObject({ status: 'Success', attributes: { dry_run: false, project_id: project.id } });
    expect(tasks.map(({ status, attributes }) => [status, attributes['repository'], attributes['total'], attributes['retained']])).toEqual([['Success', 'app', 5, 2], ['Success', 'team/web', 1, 1]]);
    expect(table).toEqual({
      'new': 'RETAIN', 'new-too': 'RETAIN', 'middle': 'RETAIN', 'middle-too': 'RETAIN', 'old': 'DEL', 'old-too': 'DEL', 'oldest': 'DEL', 'oldest-too': 'DEL', '1': 'RETAIN',
      [untagged.digest.slice(0, 19)]: 'DEL',
    });
    expect(log).toMatch(/^Digest +\| Tag +\| Kind +\| Labels +\| PushedTime +\| PulledTime +\| CreatedTime +\| Retention +\| Reason$/m);
    expect(log).toContain('| rule 1: latestPushedK');
    expect(log).toContain('5 artifacts, 2 retained, 3 deleted');
    expect(await tagsOf('app')).toEqual(['middle', 'middle-too', 'new', 'new-too']);
    const bin = await catalog.listBin({ projectId: project.id, page: 1, size: 10 });
    expect(bin.items.map(({ kind, tags }) => [kind, tags.map(({ name }) => name)])).toEqual(expect.arrayContaining([['artifact', ['old', 'old-too']], ['artifact', ['oldest', 'oldest-too']], ['artifact', []]]));
    const events = await fixture.database.query<{ actor: string; origin: { name: string } }>(`SELECT actor, origin FROM outbox WHERE type = 'artifact.deleted' AND payload->>'project' = $1`, [String(project.id)]);
    expect(events).toHaveLength(3);
    expect(events[0]).toMatchObject({ actor: '', origin: { name: 'retention' } });
    const told = await fixture.database.query<{ payload: { readonly deleted: readonly { readonly tags: readonly string[] }[] } }>(`SELECT payload FROM outbox WHERE type = 'retention.finished' AND payload->>'project' = $1`, [String(project.id)]);
    expect(told.map(({ payload }) => [EVENTS['retention.finished'].parse(payload).repository, payload])).toEqual([[`${project.name}/app`, expect.objectContaining({ trigger: 'MANUAL', total: 5, retained: 2, task: tasks[0]?.id })]]);
    expect(told[0]?.payload.deleted.map(({ tags }) => tags)).toEqual(expect.arrayContaining([['old', 'old-too'], ['oldest', 'oldest-too'], []]));
  });

  test('that is dry says the same and deletes nothing', async () => {
    for (const [age, tag] of ['new', 'old'].entries()) await image('app', tag, [tag], age);
    const { tasks, table, log } = await run([rule('latestPushedK', 1)], { dryRun: true }, { deleteArtifact: () => Promise.reject(new Error('a dry run deletes')) });
    expect(tasks[0]).toMatchObject({ status: 'Success', attributes: { total: 2, retained: 1 } });
    expect(table).toEqual({ new: 'RETAIN', old: 'DEL' });
    expect(log).toContain('Dry run for');
    expect(log).toContain('1 would be deleted');
    expect(await fixture.database.query(`SELECT 1 FROM outbox WHERE type = 'retention.finished' AND payload->>'project' = $1`, [String(project.id)])).toEqual([]);
    expect(await tagsOf('app')).toEqual(['new', 'old']);
  });

  test('leaves repositories alone that no rule is about', async () => {
    await image('app', 'a', ['1']);
    await image('other', 'b', ['1']);
    const { tasks } = await run([rule('latestPushedK', 0, '**', { repository: [{ kind: 'doublestar', decoration: 'repoMatches', pattern: 'app' }] })]);
    expect(tasks.map(({ attributes }) => attributes['repository'])).toEqual(['app']);
    expect([await tagsOf('app'), await tagsOf('other')]).toEqual([[], ['1']]);
  });

  test.each<[string, readonly object[]]>([['no rules', []], ['a disabled rule', [{ ...rule('latestPushedK', 0), disabled: true }]], ['a rule about other repositories', [rule('always', undefined, '**', { repository: [{ kind: 'doublestar', decoration: 'repoMatches', pattern: 'x' }] })]]])(
    'with %s has nothing to do', async (_name, rules) => {
      await image('app', 'a', ['1']);
      const { execution, tasks } = await run(rules);
      expect(execution).toMatchObject({ status: 'Success', statusMessage: 'no resources for retention', endedAt: expect.any(Date) });
      expect(tasks).toEqual([]);
    });

  test('case F-02: never deletes what is immutable, also when it became so meanwhile', async () => {
    for (const [age, tag] of ['a', 'v1', 'v2'].entries()) await image('app', tag, [tag], age);
    await protect('v1');
    const { tasks, table, log } = await run([rule('latestPushedK', 1)], {}, {
      deleteArtifact: async (wanted) => {
        await protect('v2');
        await catalog.deleteArtifact(wanted);
      },
    });
    expect(table).toEqual({ a: 'RETAIN', v1: 'IMMUTABLE', v2: 'IMMUTABLE' });
    expect(log).toContain('the tag v1 is immutable');
    expect(tasks[0]).toMatchObject({ status: 'Success', attributes: { total: 3, retained: 3 } });
    expect(await tagsOf('app')).toEqual(['a', 'v1', 'v2']);
  });

  test('does not look at untagged children of indexes and accessories, and keeps children that are named', async () => {
    const child = await image('app', 'child', [], 5);
    const named = await image('app', 'named child', ['child'], 5);
    const index = await put('app', { schemaVersion: 2, mediaType: OCI_IMAGE_INDEX, manifests: [child, named] }, ['index']);
    const signature = { schemaVersion: 2, mediaType: OCI_IMAGE_MANIFEST, artifactType: 'application/vnd.example.signature', config: await config('app', 'signature'), layers: [], subject: index } as const;
    for (const tags of [[], ['signature-tag']]) await put('app', { ...signature, annotations: { tags: tags.join() } }, tags);
    const { table, tasks } = await run([rule('always', undefined, 'index')]);
    expect(table).toEqual({ index: 'RETAIN', child: 'REFERENCED' });
    expect(tasks[0]).toMatchObject({ attributes: { total: 2, retained: 2 } });
    expect(await tagsOf('app')).toEqual(['child', 'index', 'signature-tag']);
  });

  test('deletes an index before its named children', async () => {
    const child = await image('app', 'child', ['child'], 0);
    await put('app', { schemaVersion: 2, mediaType: OCI_IMAGE_INDEX, manifests: [child] }, ['index']);
    await fixture.database.execute(`UPDATE manifest SET pushed_at = now() - interval '9 days' WHERE kind = 'index'`);
    const { table, tasks } = await run([rule('latestPushedK', 0)]);
    expect(table).toEqual({ index: 'DEL', child: 'DEL' });
    expect(tasks[0]).toMatchObject({ attributes: { total: 2, retained: 0 } });
  });

  test('keeps what was pushed or tagged again since it was decided about, and goes on where others deleted', async () => {
    for (const tag of ['a', 'b', 'c']) await image('app', tag, [tag], 3);
    let first = true;
    const { table, tasks } = await run([rule('latestPushedK', 0)], {}, {
      deleteArtifact: async (wanted) => {
        const others = ['a', 'b', 'c'].filter((_tag, index) => index !== 2);
        if (first) {
          first = false;
          // The one that comes second is tagged again, and the third deleted by somebody else.
          await fixture.database.execute(`UPDATE tag SET pushed_at = now() WHERE name = $1 AND repository_id = (SELECT id FROM repository WHERE name = $2)`, [others[1], wanted.repository]);
        } else throw new CatalogError('manifest-unknown', 'gone');
        await catalog.deleteArtifact(wanted);
      },
    });
    expect(Object.values(table).sort()).toEqual(['CHANGED', 'DEL', 'GONE']);
    expect(table['b']).toBe('CHANGED');
    expect(tasks[0]).toMatchObject({ status: 'Success', attributes: { total: 3, retained: 1 } });
  });

  test('that crashes half-way goes on where it was', async () => {
    for (const [age, tag] of ['a', 'b', 'c', 'd'].entries()) await image('app', tag, [tag], age);
    const policyId = await policy([rule('latestPushedK', 1)]);
    const { id, taskIds } = await plan(policyId);
    let deletions = 0;
    await work(taskIds, {
      deleteArtifact: async (wanted) => {
        deletions += 1;
        if (deletions > 1) await fixture.database.execute('UPDATE task SET attempts = attempts + 1 WHERE id = $1', [taskIds[0]]); // As if another worker had it.
        if (deletions > 1) throw new Error('killed');
        await catalog.deleteArtifact(wanted);
      },
    });
    expect(await tagsOf('app')).toHaveLength(3);
    await fixture.database.execute(`UPDATE task SET status = 'Pending' WHERE id = $1`, [taskIds[0]]);
    await work(taskIds);
    const { execution, tasks } = await outcome(policyId, id);
    expect(execution?.status).toBe('Success');
    expect(tasks[0]?.attributes).toMatchObject({ total: 4, retained: 1 });
    expect(await tagsOf('app')).toEqual(['a']);
  });

  test('case F-12: deletes nothing while the installation is read-only, nor once it becomes so', async () => {
    for (const tag of ['a', 'b', 'c']) await image('app', tag, [tag]);
    const readOnly = (): Promise<number> => fixture.database.execute(`INSERT INTO setting (key, value) VALUES ('read_only', 'true') ON CONFLICT DO NOTHING`);
    const half = await run([rule('latestPushedK', 0)], {}, { deleteArtifact: async (wanted) => { await catalog.deleteArtifact(wanted); await readOnly(); } });
    expect(half.tasks[0]).toMatchObject({ status: 'Error', statusMessage: expect.stringContaining('read-only mode'), attributes: { total: 3 } });
    expect(await tagsOf('app')).toHaveLength(2);
    const [{ id: policyId } = { id: 0 }] = await fixture.database.query<{ id: number }>('SELECT id FROM retention_policy WHERE project_id = $1', [project.id]);
    const again = await plan(policyId);
    await work(again.taskIds);
    expect((await outcome(policyId, again.id)).execution).toMatchObject({ status: 'Error' });
    const dry = await plan(policyId, { dryRun: true });
    await work(dry.taskIds);
    expect((await outcome(policyId, dry.id)).execution).toMatchObject({ status: 'Success' });
    expect(await tagsOf('app')).toHaveLength(2);
  });

  test('stops between two artifacts when it is asked to', async () => {
    for (let count = 0; count < 5; count += 1) await image('app', `i${count}`, [`t${count}`]);
    const policyId = await policy([rule('latestPushedK', 0)]);
    const { id, taskIds } = await plan(policyId);
    await work(taskIds, {
      deleteArtifact: async (wanted) => {
        await catalog.deleteArtifact(wanted);
        await executions.stop({ vendorType: OWNER_TYPE, vendorId: policyId }, id);
        await new Promise((resolve) => setTimeout(resolve, 200));
      },
    });
    expect((await outcome(policyId, id)).execution?.status).toBe('Stopped');
    expect(await tagsOf('app')).toHaveLength(4);
  });

  test('of a repository that is gone, or was made anew in another project, deletes nothing', async () => {
    await image('app', 'a', ['1']);
    const policyId = await policy([rule('latestPushedK', 0)]);
    const { id, taskIds } = await plan(policyId);
    await catalog.deleteRepository({ repository: `${project.name}/app`, actor: '' });
    await image('app', 'b', ['1']);
    await work(taskIds);
    expect((await outcome(policyId, id)).tasks[0]).toMatchObject({ status: 'Success', attributes: { total: 0, retained: 0 } });
    expect(await tagsOf('app')).toEqual(['1']);
  });
});

describe('two job services', () => {
  let folder: string;
  let services: RunningService[];
  let messages: Messages;
  // A database of Redis for this file alone: ids of tasks are those of this file's database.
  const redis = (): string => `${testRedisUrl().replace(/\/\d*$/, '')}/9`;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'haven-retention-'));
    services = [];
    messages = connectRedis(redis(), new FakeLogger());
  });
  afterEach(async () => {
    await Promise.all(services.map((service) => service.stop()));
    await messages.close();
    rmSync(folder, { recursive: true });
  });

  async function start(): Promise<void> {
    const settings = readSettings(settingsSchema, { HAVEN_PRIVATE_LISTEN: '127.0.0.1:0', HAVEN_REDIS_URL: redis(), HAVEN_DATABASE_URL: fixture.url, HAVEN_STORAGE: pathToFileURL(folder).href });
    services.push(await startService({ service: 'job-service', settings, module: JobServiceModule.with(settings), parts: { logger: new FakeLogger(), metrics: new Metrics() } }));
  }

  async function ended(policyId: number): Promise<Execution> {
    for (const deadline = Date.now() + 25_000; Date.now() < deadline; await new Promise((resolve) => setTimeout(resolve, 50))) {
      const [execution] = (await executions.list({ vendorType: OWNER_TYPE, vendorId: policyId }, ALL)).items;
      if (execution?.endedAt !== undefined) return execution;
    }
    throw new Error('the run did not end');
  }

  async function schedule(policyId: number): Promise<void> {
    const schedules = new Schedules(fixture.database);
    await fixture.database.transaction((transaction) => schedules.setIn(transaction, { vendorType: OWNER_TYPE, vendorId: policyId, cronType: 'Custom', cron: '0 0 0 1 1 *', parameters: { dry_run: false } }));
    await fixture.database.execute(`UPDATE schedule SET next_due_at = now() - interval '1 day' WHERE vendor_id = $1`, [policyId]);
  }

  test('run a policy once when its time has come, and what was started while they were away', async () => {
    for (const [age, tag] of ['new', 'old'].entries()) await image('app', tag, [tag], age);
    const policyId = await policy([rule('latestPushedK', 1)]);
    await schedule(policyId);
    await Promise.all([start(), start()]);
    expect(await ended(policyId)).toMatchObject({ status: 'Success', trigger: 'SCHEDULE', startedBy: '' });
    expect(await tagsOf('app')).toEqual(['new']);
    expect((await executions.list({ vendorType: OWNER_TYPE, vendorId: policyId }, ALL)).total).toBe(1);
  });

  test('say why they ran nothing in read-only mode', async () => {
    await image('app', 'a', ['1']);
    await fixture.database.execute(`INSERT INTO setting (key, value) VALUES ('read_only', 'true')`);
    const policyId = await policy([rule('latestPushedK', 0)]);
    await schedule(policyId);
    await start();
    expect(await ended(policyId)).toMatchObject({ status: 'Error', statusMessage: expect.stringContaining('read-only mode') });
    expect(await tagsOf('app')).toEqual(['1']);
  });

  test('find a run that the queue was never told of', async () => {
    await image('app', 'a', ['1']);
    const policyId = await policy([rule('latestPushedK', 0)]);
    await plan(policyId); // By an Executions whose queue is in this process only.
    await start();
    expect(await ended(policyId)).toMatchObject({ status: 'Success', trigger: 'MANUAL' });
    expect(await tagsOf('app')).toEqual([]);
  });
});
