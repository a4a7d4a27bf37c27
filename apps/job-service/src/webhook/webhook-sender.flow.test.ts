import { randomBytes, randomUUID } from 'node:crypto';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { createTestDatabase, type TestDatabase } from '@haven/database';
import { Executions, lockSubjects, noteOutage, releaseTargets, startDeliveries, TaskQueues, type WebhookTargetType } from '@haven/execution';
import { FakeBroadcasts, FakeJobQueue } from '@haven/messages';
import { FakeOutboundClient } from '@haven/outbound';
import { FakeLogger, Metrics } from '@haven/runtime';
import { WebhookSender } from './webhook-sender.js';

const POLICY = 1;

let fixture: TestDatabase;
let jobs: FakeJobQueue;
let executions: Executions;

beforeEach(async () => {
  fixture = await createTestDatabase();
  jobs = new FakeJobQueue();
  executions = new Executions({ database: fixture.database, jobs, broadcasts: new FakeBroadcasts(), logger: new FakeLogger() });
  await fixture.database.execute(`INSERT INTO webhook_policy (id, name, targets, event_types) VALUES ($1, 'hook', '[{"type": "http", "address": "https://a.example/"}]', '{PUSH_ARTIFACT}')`, [POLICY]);
});
afterEach(() => fixture.drop());

/** The sender of a process of its own, with what it counts. */
function sender(): { readonly sender: WebhookSender; readonly metrics: Metrics } {
  const metrics = new Metrics();
  return { sender: new WebhookSender({ database: fixture.database, executions, outbound: new FakeOutboundClient(), secretKey: randomBytes(32), metrics }), metrics };
}

/** Starts deliveries about the subjects to the policy's target; resolves to their tasks. */
async function deliver(subjects: readonly string[], targetType: WebhookTargetType = 'http'): Promise<readonly number[]> {
  const notification = { type: 'PUSH_ARTIFACT', occur_at: 1, operator: 'o', request_id: '', event_data: {} } as const;
  await fixture.database.transaction(async (transaction) => {
    await lockSubjects(transaction, subjects);
    await startDeliveries(transaction, executions, subjects.map((subject) => ({ policyId: POLICY, target: 0, targetType, eventId: randomUUID(), part: 0, subject, notification })));
  });
  const rows = await fixture.database.query<{ task_id: string }>('SELECT task_id FROM webhook_delivery ORDER BY id DESC LIMIT $1', [subjects.length]);
  return rows.map((row) => Number(row.task_id)).toReversed();
}

async function states(): Promise<readonly string[]> {
  return (await fixture.database.query<{ state: string }>('SELECT state FROM webhook_delivery ORDER BY id')).map(({ state }) => state);
}

const toldOf = (job: string): readonly unknown[] => jobs.added.filter((one) => one.job === job).map(({ payload }) => payload);

test('what several processes repair at once is counted once', async () => {
  const subjects = Array.from({ length: 40 }, (_, index) => `alpha/app-${index}`);
  await deliver(subjects);
  await fixture.database.execute(`UPDATE task SET status = 'Stopped', ended_at = now() - interval '1 minute'`);
  const two = [sender(), sender()];
  const counts = await Promise.all(two.map((one) => one.sender.repair()));
  expect(counts.reduce((sum, count) => sum + count, 0)).toBe(subjects.length);
  const texts = await Promise.all(two.map(({ metrics }) => metrics.text()));
  expect(texts.reduce((sum, text) => sum + Number(/haven_webhook_deliveries_total\{state="dead"\} (\d+)/.exec(text)?.[1] ?? 0), 0)).toBe(subjects.length);
  expect(await states()).toEqual(subjects.map(() => 'dead'));
});

test('those behind a delivery that was given up are begun where tasks of their own kind are done', async () => {
  const [first] = await deliver(['alpha/app']);
  const [slack] = await deliver(['alpha/app'], 'slack');
  await fixture.database.execute(`UPDATE task SET status = 'Stopped', ended_at = now() - interval '1 minute' WHERE id = $1`, [first]);
  expect(await sender().sender.repair()).toBe(1);
  expect([toldOf('run-slack'), toldOf('run-webhook')]).toEqual([[{ task: slack }], []]);
});

test('those that waited for a target that is another one now are begun where tasks of their own kind are done', async () => {
  const [http] = await deliver(['alpha/a']);
  const [slack] = await deliver(['alpha/b'], 'slack');
  await fixture.database.execute(`INSERT INTO webhook_outage (policy_id, target, failures, next_at) VALUES ($1, 0, 5, now() + interval '5 minutes')`, [POLICY]);
  await fixture.database.execute(`UPDATE task SET due_at = now() + interval '5 minutes'`);
  await executions.wakeAll(await fixture.database.transaction((transaction) => releaseTargets(transaction, POLICY)));
  expect([toldOf('run-slack'), toldOf('run-webhook')]).toEqual([[{ task: slack }], [{ task: http }]]);
});

test('a queue that was paused for a day makes nothing dead, neither during the pause nor before something was tried for a day after it', async () => {
  const { database } = fixture;
  const queues = new TaskQueues(database);
  const { sender: one } = sender();
  const [task = 0] = await deliver(['alpha/a', 'alpha/b']);
  const fail = () => database.transaction((transaction) => noteOutage(transaction, { policyId: POLICY, target: 0 }, task));
  const pass = (time: string) => Promise.all([
    database.execute('UPDATE webhook_outage SET since = since - $1::interval, next_at = next_at - $1::interval', [time]), database.execute('UPDATE execution SET started_at = started_at - $1::interval', [time]),
  ]);
  await fail();
  await database.transaction((transaction) => queues.pauseIn(transaction, ['WEBHOOK']));
  await pass('25 hours');
  expect([await one.repair(), await states()]).toEqual([0, ['waiting', 'waiting']]);
  await database.execute(`UPDATE webhook_outage SET next_at = now()`);
  expect([await one.repair(), await states()]).toEqual([0, ['waiting', 'waiting']]);
  await database.execute(`UPDATE webhook_outage SET next_at = now() - interval '25 hours'`);
  await database.transaction((transaction) => queues.resumeIn(transaction, ['WEBHOOK']));
  expect([await one.repair(), await states()]).toEqual([0, ['waiting', 'waiting']]);
  await fail();
  expect([await one.repair(), await states()]).toEqual([0, ['waiting', 'waiting']]);
  // Tried again and again for a day.
  for (let hours = 0; hours < 50; hours += 1) {
    await pass('30 minutes');
    await fail();
  }
  expect([await one.repair(), await states()]).toEqual([2, ['dead', 'dead']]);
});
