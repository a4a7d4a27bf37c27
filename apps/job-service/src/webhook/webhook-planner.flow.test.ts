import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { configurationOf } from '@haven/api';
import { appendEvents, createDatabase, createTestDatabase, Database, SettingsTable, type TestDatabase, type Transaction } from '@haven/database';
import { Executions } from '@haven/execution';
import { FakeBroadcasts, FakeJobQueue, type DeliveredEvent } from '@haven/messages';
import { FakeLogger } from '@haven/runtime';
import { WebhookPlanner } from './webhook-planner.js';

const ARTIFACTS = 3000;
const TOLD = 1000;
const POLICIES = 3;
const TARGETS = 2;
const MOST_IN_TRANSACTION = 2000;

let fixture: TestDatabase;
let logger: FakeLogger;
const opened: Database[] = [];

beforeEach(async () => {
  fixture = await createTestDatabase();
  logger = new FakeLogger();
  await fixture.database.execute(`INSERT INTO haven_user (id, external_id, username) VALUES (1, 'tester', 'tester')`);
  await fixture.database.execute(`INSERT INTO project (id, name, public, owner_id) VALUES (1, 'alpha', false, 1)`);
});
afterEach(async () => {
  for (const database of opened.splice(0)) await database.close();
  await fixture.drop();
});

/** Commits so many transactions, and then nothing reaches it any more, as if its process had been killed. */
class MortalDatabase extends Database {
  transactions = 0;

  constructor(url: string, private readonly lives: number) {
    super(createDatabase({ url, poolSize: 5 }).dataSource);
    opened.push(this);
  }

  override async transaction<Result>(work: (transaction: Transaction) => Promise<Result>): Promise<Result> {
    if (this.transactions >= this.lives) throw new Error('the process was killed');
    const result = await super.transaction(work);
    this.transactions += 1;
    return result;
  }
}

/** The planner of a process of its own. */
function planner({ lives = Infinity } = {}): { readonly planner: WebhookPlanner; readonly database: MortalDatabase; readonly jobs: FakeJobQueue } {
  const database = new MortalDatabase(fixture.url, lives);
  const jobs = new FakeJobQueue();
  const executions = new Executions({ database, jobs, broadcasts: new FakeBroadcasts(), logger });
  return { planner: new WebhookPlanner({ database, executions, settings: new SettingsTable(database, configurationOf), host: 'haven.example', logger }), database, jobs };
}

async function policies(count: number, targets: number, events: readonly string[]): Promise<void> {
  const target = { type: 'http', address: 'https://receiver.example/', skip_cert_verify: false, payload_format: 'Default' };
  await fixture.database.execute(
    `INSERT INTO webhook_policy (project_id, name, targets, event_types) SELECT 1, 'hook-' || n, $1, $2 FROM generate_series(1, $3::int) AS n`, [JSON.stringify(Array(targets).fill(target)), events, count]);
}

/** A repository that is in the bin with artifacts of one tag each, and its event between a push before and one after; resolves to the three. */
async function deletedRepository(name: string, artifacts: number): Promise<readonly DeliveredEvent[]> {
  const { database } = fixture;
  const [repository] = await database.query<{ id: string }>(`INSERT INTO repository (project_id, name, deleted_at) VALUES (1, $1, now()) RETURNING id`, [name]);
  const digest = `'sha256:' || lpad(n::text, 64, '0')`;
  const [entry] = await database.query<{ id: string }>(
    `INSERT INTO bin_entry (kind, project_id, repository_id, repository, deleted_by, tags)
     SELECT 'repository', 1, $1::bigint, $2::text, 'user:1', coalesce(jsonb_agg(jsonb_build_object('name', 'v' || n, 'digest', ${digest}) ORDER BY n), '[]') FROM generate_series(1, $3::int) AS n RETURNING id`, [repository?.id, name, artifacts]);
  await database.execute(
    `WITH gone AS (INSERT INTO manifest (repository_id, digest, media_type, kind, size, total_size, deleted_at) SELECT $1::bigint, ${digest}, 'x/y', 'image', 1, 1, now() FROM generate_series(1, $3::int) AS n RETURNING id)
     INSERT INTO bin_manifest (entry_id, manifest_id) SELECT $2::bigint, id FROM gone`, [repository?.id, entry?.id, artifacts]);
  const push = (tag: string) => ({ type: 'artifact.pushed', payload: { project: 1, repository: name, digest: 'sha256:0', tags: [tag], mediaType: 'x/y', artifactType: '' }, actor: 'user:1' });
  await database.transaction((transaction) => appendEvents(transaction, [push('before'), { type: 'repository.deleted', payload: { project: 1, repository: name, binEntry: entry?.id }, actor: 'user:1' }, push('after')]));
  return eventsOf(name);
}

async function eventsOf(repository: string): Promise<readonly DeliveredEvent[]> {
  const rows = await fixture.database.query<DeliveredEvent & { event_id: string }>(
    `SELECT event_id, type, payload, actor, origin, created_at AS "createdAt" FROM outbox WHERE payload->>'repository' = $1 ORDER BY id`, [repository]);
  return rows.map(({ event_id: id, ...row }) => ({ ...row, id }));
}

/** Every target has everything once, in the order in which it happened; nothing was planned in a transaction that is too large. */
async function expectPlanned(name: string, told: number, targets = POLICIES * TARGETS): Promise<void> {
  const { database } = fixture;
  const rows = await database.query<{ tags: string[] }>(
    `SELECT array_agg(d.payload->'event_data'->'resources'->0->>'tag' ORDER BY d.id) AS tags FROM webhook_delivery d WHERE d.subject = $1 GROUP BY d.policy_id, d.target`, [name]);
  expect(rows).toHaveLength(targets);
  const expected = ['before', ...Array.from({ length: told }, (_, index) => `v${index + 1}`), 'after'];
  for (const { tags } of rows) expect(tags).toEqual(expected);
  const [largest] = await database.query<{ count: number }>('SELECT count(*)::int AS count FROM webhook_delivery GROUP BY xmin::text ORDER BY 1 DESC LIMIT 1');
  expect(largest?.count).toBeLessThanOrEqual(MOST_IN_TRANSACTION);
  expect(await database.query('SELECT 1 FROM webhook_plan')).toEqual([]);
  // Only the first for each target is due; those behind it wait for it.
  expect(await database.query(`SELECT 1 FROM task WHERE due_at <> 'infinity'`)).toHaveLength(targets);
}

test('M-22: the artifacts of a large deleted repository are told to every target once and in order, two thousand deliveries in a transaction, and a thousand of them at most', async () => {
  await policies(POLICIES, TARGETS, ['PUSH_ARTIFACT', 'DELETE_ARTIFACT']);
  const events = await deletedRepository('alpha/large', ARTIFACTS);
  const one = planner();
  await Promise.all(events.map((event) => one.planner.handle(event)));
  await expectPlanned('alpha/large', TOLD);
  expect(one.database.transactions).toBeGreaterThan(3);
  expect(logger.messages('warn')).toEqual(['a deleted repository had more artifacts than webhooks tell of']);
  const planned = await fixture.database.query('SELECT count(*) FROM webhook_delivery');
  await Promise.all(events.map((event) => one.planner.handle(event)));
  expect(await fixture.database.query('SELECT count(*) FROM webhook_delivery')).toEqual(planned);
}, 120_000);

test('a planner that is killed between two transactions loses nothing and doubles nothing, whatever leaves the bin meanwhile; a later event waits for the rest', async () => {
  await policies(POLICIES, TARGETS, ['PUSH_ARTIFACT', 'DELETE_ARTIFACT']);
  const events = await deletedRepository('alpha/large', ARTIFACTS);
  const mortal = planner({ lives: 2 });
  const outcomes = await Promise.allSettled(events.map((event) => mortal.planner.handle(event)));
  expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected']);
  expect(await fixture.database.query('SELECT count(*)::int AS count FROM webhook_delivery')).toEqual([{ count: MOST_IN_TRANSACTION + POLICIES * TARGETS }]);
  expect(await fixture.database.query('SELECT 1 FROM webhook_plan')).toHaveLength(1);
  await fixture.database.execute(`DELETE FROM bin_manifest WHERE manifest_id IN (SELECT id FROM manifest ORDER BY id LIMIT 400)`);
  const [, deleted, after] = events;
  await expect(planner({ lives: 1 }).planner.handle(deleted as DeliveredEvent)).rejects.toThrow('the process was killed');
  expect(await fixture.database.query('SELECT count(*)::int AS count FROM webhook_delivery')).toEqual([{ count: 2 * MOST_IN_TRANSACTION + POLICIES * TARGETS }]);
  await planner().planner.handle(after as DeliveredEvent);
  await expectPlanned('alpha/large', TOLD);
}, 120_000);

test('what is left to tell of a project that is gone is told by whoever handles an event of the next one of its name', async () => {
  const { database } = fixture;
  await policies(1, 3, ['PUSH_ARTIFACT', 'DELETE_ARTIFACT']);
  await database.execute('UPDATE webhook_policy SET project_id = NULL');
  const events = await deletedRepository('alpha/large', ARTIFACTS);
  const mortal = planner({ lives: 1 });
  await Promise.allSettled(events.slice(1, 2).map((event) => mortal.planner.handle(event)));
  expect(await database.query('SELECT 1 FROM webhook_plan')).toHaveLength(1);
  await database.execute('UPDATE project SET deleted_at = now() WHERE id = 1');
  await database.execute(`INSERT INTO project (id, name, public, owner_id) VALUES (2, 'alpha', false, 1)`);
  const payload = { project: 2, repository: 'alpha/large', digest: 'sha256:0', tags: ['next'], mediaType: 'x/y', artifactType: '' };
  await database.transaction((transaction) => appendEvents(transaction, [{ type: 'artifact.pushed', payload, actor: 'user:1' }]));
  await planner().planner.handle((await eventsOf('alpha/large')).at(-1) as DeliveredEvent);
  const rows = await database.query<{ tags: string[] }>(`SELECT array_agg(payload->'event_data'->'resources'->0->>'tag' ORDER BY id) AS tags FROM webhook_delivery GROUP BY target`);
  expect(rows).toEqual(Array.from({ length: 3 }, () => ({ tags: ['before', ...Array.from({ length: TOLD }, (_, index) => `v${index + 1}`), 'after', 'next'] })));
  expect(await database.query('SELECT 1 FROM webhook_plan')).toEqual([]);
}, 120_000);

test('two planners at once plan everything once and in order', async () => {
  await policies(POLICIES, TARGETS, ['PUSH_ARTIFACT', 'DELETE_ARTIFACT']);
  const events = await deletedRepository('alpha/large', ARTIFACTS);
  const two = [planner(), planner()];
  await Promise.all(two.flatMap((one) => events.toReversed().map((event) => one.planner.handle(event))));
  await expectPlanned('alpha/large', TOLD);
  expect(two.every(({ database }) => database.transactions > 1)).toBe(true);
}, 120_000);

test('where very many targets are told, fewer artifacts of a deleted repository are', async () => {
  await policies(20, 20, ['PUSH_ARTIFACT', 'DELETE_ARTIFACT']);
  const events = await deletedRepository('alpha/wide', 60);
  await Promise.all(events.map((event) => planner().planner.handle(event)));
  await expectPlanned('alpha/wide', 50, 400);
  expect(logger.messages('warn')).toHaveLength(1);
}, 120_000);

test('M-22: large notifications are planned few at a time', async () => {
  await policies(1, 3, ['TAG_RETENTION']);
  const deleted = Array.from({ length: 1000 }, (_, index) => ({ digest: `sha256:${index}`, kind: 'IMAGE', tags: Array.from({ length: 10 }, (_tag, tag) => `${'x'.repeat(120)}${tag}`) }));
  const payload = { project: 1, repository: 'alpha/old', policy: 1, execution: 1, trigger: 'SCHEDULE', retained: 0, rules: [], deleted };
  await fixture.database.transaction((transaction) => appendEvents(transaction, [1, 2, 3, 4, 5].map((task) => ({ type: 'retention.finished', payload: { ...payload, task, total: task }, actor: '' }))));
  const one = planner();
  await Promise.all((await eventsOf('alpha/old')).map((event) => one.planner.handle(event)));
  const rows = await fixture.database.query<{ totals: number[] }>(`SELECT array_agg((payload->'event_data'->'retention'->>'total')::int ORDER BY id) AS totals FROM webhook_delivery GROUP BY target`);
  expect(rows).toEqual([1, 2, 3].map(() => ({ totals: [1, 2, 3, 4, 5] })));
  const [largest] = await fixture.database.query<{ bytes: number }>('SELECT sum(octet_length(payload::text))::int AS bytes FROM webhook_delivery GROUP BY xmin::text ORDER BY 1 DESC LIMIT 1');
  expect(largest?.bytes).toBeLessThan(5 * 1024 ** 2);
}, 120_000);

test('many deleted repositories, small and large and empty, are told of in one go', async () => {
  await policies(1, 1, ['PUSH_ARTIFACT', 'DELETE_ARTIFACT']);
  const all = new Map<string, number>([['alpha/a', 1200], ['alpha/b', 0], ['alpha/c', 999], ['alpha/d', 3], ['alpha/e', 1000], ...Array.from({ length: 8 }, (_, index) => [`alpha/f${index}`, index] as const)]);
  const events: DeliveredEvent[] = [];
  for (const [name, artifacts] of all) events.push(...(await deletedRepository(name, artifacts)));
  const one = planner();
  await Promise.all(events.map((event) => one.planner.handle(event)));
  const rows = await fixture.database.query<{ subject: string; tags: string[] }>(`SELECT subject, array_agg(payload->'event_data'->'resources'->0->>'tag' ORDER BY id) AS tags FROM webhook_delivery GROUP BY subject`);
  for (const { subject, tags } of rows) expect([subject, tags]).toEqual([subject, ['before', ...Array.from({ length: Math.min(TOLD, all.get(subject) ?? 0) }, (_, index) => `v${index + 1}`), 'after']]);
  expect(rows).toHaveLength(all.size);
}, 120_000);

test('what nobody wants to be told of costs no look into the bin', async () => {
  await policies(1, 1, ['PUSH_ARTIFACT']);
  await fixture.database.execute(`INSERT INTO webhook_policy (project_id, name, targets, event_types, projects) VALUES (NULL, 'other', '[{"type": "http", "address": "https://a.example/"}]', '{DELETE_ARTIFACT}', '{bravo}')`);
  const events = await deletedRepository('alpha/unwanted', 5);
  await fixture.database.execute('DROP TABLE bin_manifest');
  await Promise.all(events.map((event) => planner().planner.handle(event)));
  expect(await fixture.database.query(`SELECT payload->'event_data'->'resources'->0->>'tag' AS tag FROM webhook_delivery ORDER BY id`)).toEqual([{ tag: 'before' }, { tag: 'after' }]);
}, 60_000);
