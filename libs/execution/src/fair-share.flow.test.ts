import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { createTestDatabase, type TestDatabase } from '@haven/database';
import { FakeBroadcasts, FakeJobQueue } from '@haven/messages';
import { FakeLogger, Metrics } from '@haven/runtime';
import { Executions } from './executions.js';
import type { ExecutionOwner } from './execution.js';
import { originOf } from './task-claim.js';
import { TaskWorker, type TaskHandler } from './task-worker.js';
import { eventually, startProcess } from './testing/test-process.js';

const SLOW: ExecutionOwner = { vendorType: 'RETENTION', vendorId: 7 };
const OTHER: ExecutionOwner = { vendorType: 'RETENTION', vendorId: 8 };

let fixture: TestDatabase;
let gate: EventTarget;
let open: boolean;
let begun: number;
let most: number;
let running: number;

beforeEach(async () => {
  fixture = await createTestDatabase();
  [gate, open, begun, most, running] = [new EventTarget(), false, 0, 0, 0];
});
afterEach(() => fixture.drop());

/** Tasks of the slow owner last until the gate opens; all others are done at once. */
const handler: TaskHandler = async ({ task, signal, check }) => {
  if (task.vendorId !== SLOW.vendorId || open) return;
  begun += 1;
  running += 1;
  most = Math.max(most, running);
  await Promise.race([once(gate, 'open'), once(signal, 'abort')]);
  running -= 1;
  check();
};

function letGo(): void {
  open = true;
  gate.dispatchEvent(new Event('open'));
}

const wanted = (owner: ExecutionOwner, tasks: number) => ({ ...owner, trigger: 'MANUAL' as const, startedBy: 'user:1', attributes: {}, tasks: Array.from({ length: tasks }, (_, number) => ({ number })) });

describe('M-22: hundreds of slow tasks of one owner', () => {
  test('keep nobody else from beginning, and are all done in the end', async () => {
    const one = startProcess({ databaseUrl: fixture.url, prefix: `test-${randomUUID()}`, handler });
    try {
      await eventually('Redis being connected', () => one.messages.ping().then(() => true, () => false));
      const slow = await one.executions.start(wanted(SLOW, 300));
      await eventually('the slow ones having begun', () => begun > 0);
      const started = performance.now();
      const other = await one.executions.start(wanted(OTHER, 5));
      await eventually('the end of the other’s', async () => (await one.executions.find(OTHER, other.id))?.status === 'Success');
      expect(performance.now() - started).toBeLessThan(10_000);
      expect([begun, most]).toEqual([2, 2]);
      letGo();
      await eventually('the end of the slow ones', async () => (await one.executions.find(SLOW, slow.id))?.status === 'Success');
    } finally {
      await one.close();
    }
  }, 60_000);

  test('that are put back when the process ends are begun by none of those that waited behind them', async () => {
    const { database } = fixture;
    const executions = new Executions({ database, jobs: new FakeJobQueue(), broadcasts: new FakeBroadcasts(), logger: new FakeLogger() });
    const worker = new TaskWorker({ database, broadcasts: new FakeBroadcasts(), logger: new FakeLogger(), metrics: new Metrics() });
    worker.handle('RETENTION', handler);
    const { taskIds } = await executions.start(wanted(SLOW, 6));
    const runs = taskIds.map((id) => worker.run(id));
    await eventually('two having begun', () => begun === 2);
    worker.release();
    await Promise.all(runs);
    expect([begun, await database.query('SELECT DISTINCT status FROM task')]).toEqual([2, expect.arrayContaining([{ status: 'Pending' }])]);
    expect(await database.query(`SELECT 1 FROM task WHERE status NOT IN ('Pending', 'Scheduled')`)).toEqual([]);
  });
});

test('webhooks share by their project, whichever of its policies they are of', async () => {
  const { database } = fixture;
  await database.execute(`INSERT INTO haven_user (id, external_id, username) VALUES (1, 'tester', 'tester')`);
  await database.execute(`INSERT INTO project (id, name, owner_id) VALUES (1, 'alpha', 1), (2, 'bravo', 1)`);
  await database.execute(`INSERT INTO webhook_policy (id, project_id, name, targets, event_types) VALUES (11, 1, 'a', '[]', '{}'), (12, 1, 'b', '[]', '{}'), (13, 2, 'c', '[]', '{}')`);
  const executions = new Executions({ database, jobs: new FakeJobQueue(), broadcasts: new FakeBroadcasts(), logger: new FakeLogger() });
  const owners: (string | undefined)[] = [];
  for (const vendorId of [11, 12, 13]) {
    const { taskIds } = await executions.start(wanted({ vendorType: 'WEBHOOK', vendorId }, 1));
    owners.push((await originOf(database, taskIds[0] ?? 0))?.owner);
  }
  expect(owners[0]).toBe(owners[1]);
  expect(owners[2]).not.toBe(owners[0]);
  expect(await originOf(database, 2 ** 40)).toBeUndefined();
});
