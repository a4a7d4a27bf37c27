import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { createTestDatabase, type TestDatabase } from '@haven/database';
import { FakeBroadcasts, FakeJobQueue } from '@haven/messages';
import { FakeLogger } from '@haven/runtime';
import { Executions } from './executions.js';
import { maintenanceOwner, planMaintenance } from './maintenance/maintenance-plan.js';
import { claimTask, endClaim, type ClaimedTask } from './task-claim.js';

let fixture: TestDatabase;
let executions: Executions;
beforeEach(async () => {
  fixture = await createTestDatabase();
  executions = new Executions({ database: fixture.database, jobs: new FakeJobQueue(), broadcasts: new FakeBroadcasts(), logger: new FakeLogger() });
});
afterEach(() => fixture.drop());

const begin = (id: number): Promise<ClaimedTask | undefined> => claimTask(fixture.database, { id, type: 'GARBAGE_COLLECTION' });

async function start(): Promise<number> {
  const { taskIds } = await executions.start(planMaintenance({ type: 'GARBAGE_COLLECTION', trigger: 'MANUAL', startedBy: 'user:1', parameters: {} }));
  return taskIds[0] ?? 0;
}

test('of a kind that runs alone one task is begun, however many ask at once; the others wait', async () => {
  const tasks = [await start(), await start(), await start()];
  const claims = (await Promise.all([...tasks, ...tasks].map((id) => begin(id)))).filter((claim): claim is ClaimedTask => claim !== undefined);
  expect(claims).toHaveLength(1);
  const waiting = tasks.filter((id) => id !== claims[0]?.id);
  const rows = await fixture.database.query('SELECT status, queued_at FROM task WHERE id = ANY($1)', [waiting]);
  expect(rows).toEqual([{ status: 'Pending', queued_at: null }, { status: 'Pending', queued_at: null }]);
  if (claims[0]) await endClaim(fixture.database, claims[0], { status: 'Success', message: '' });
  expect(await begin(waiting[0] ?? 0)).toBeDefined();
  expect(await begin(waiting[1] ?? 0)).toBeUndefined();
});

test('what a task says about itself is told with its execution', async () => {
  const id = await start();
  const claim = await begin(id);
  if (claim) await endClaim(fixture.database, claim, { status: 'Error', message: 'partial' });
  const [execution] = (await executions.list(maintenanceOwner('GARBAGE_COLLECTION'), { page: 1, size: 10 })).items;
  expect((await executions.reports([execution?.id ?? 0])).get(execution?.id ?? 0)).toEqual({ attributes: {}, message: 'partial' });
});
