import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { configurationOf } from '@haven/api';
import { createTestDatabase, SettingsTable, type TestDatabase } from '@haven/database';
import { Executions, maintenanceOwner, planMaintenance, TaskWorker, type AuditPurgeParameters } from '@haven/execution';
import { FakeBroadcasts, FakeJobQueue } from '@haven/messages';
import { FakeLogger, Metrics } from '@haven/runtime';
import { AuditPurgeRun } from './audit-purge-run.js';

const OWNER = maintenanceOwner('PURGE_AUDIT_LOG');
const PARAMETERS: AuditPurgeParameters = { audit_retention_hour: 24, include_event_types: 'pull_artifact, other', dry_run: false };

let fixture: TestDatabase;
beforeEach(async () => { fixture = await createTestDatabase(); });
afterEach(() => fixture.drop());

async function lines(operation: string, type: string, hoursAgo: number, count = 1): Promise<void> {
  await fixture.database.execute(
    `INSERT INTO audit_event (event_id, op_time, username, resource, resource_type, operation, operation_description, operation_result)
     SELECT gen_random_uuid(), now() - make_interval(hours => $3), 'alice', 'x', $2, $1, '', true FROM generate_series(1, $4::int)`,
    [operation, type, hoursAgo, count],
  );
}

async function left(): Promise<unknown[]> {
  return fixture.database.query(`SELECT operation || '_' || resource_type AS kind, count(*)::int AS count FROM audit_event GROUP BY 1 ORDER BY 1`);
}

async function run(parameters: AuditPurgeParameters): Promise<{ readonly status: string | undefined; readonly message: string | undefined; readonly attributes: unknown; readonly log: string | undefined }> {
  const { database } = fixture;
  const broadcasts = new FakeBroadcasts();
  const executions = new Executions({ database, jobs: new FakeJobQueue(), broadcasts, logger: new FakeLogger() });
  const { id, taskIds } = await executions.start(planMaintenance({ type: 'PURGE_AUDIT_LOG', trigger: 'MANUAL', startedBy: '', parameters: { ...parameters } }));
  const purge = new AuditPurgeRun({ database, configuration: new SettingsTable(database, configurationOf, { maxAgeMs: 0 }) });
  const worker = new TaskWorker({ database, broadcasts, logger: new FakeLogger(), metrics: new Metrics(), heartbeatMs: 50 });
  worker.handle('PURGE_AUDIT_LOG', (context) => purge.run(context));
  await worker.run(taskIds[0] ?? 0);
  const report = (await executions.reports([id])).get(id);
  return { status: (await executions.find(OWNER, id))?.status, message: report?.message, attributes: report?.attributes, log: await executions.log(OWNER, id, taskIds[0] ?? 0) };
}

test('M-24: a purge removes old lines of the named kinds, some thousands at a time, and says how many', async () => {
  await lines('pull', 'artifact', 48, 6000);
  await lines('pull', 'artifact', 2);
  await lines('create', 'artifact', 48);
  await lines('create', 'project', 48);
  expect(await run(PARAMETERS)).toMatchObject({ status: 'Success', message: '6001 lines were removed', attributes: { purged_lines: 6001 }, log: expect.stringContaining('pull_artifact, other') });
  expect(await left()).toEqual([{ kind: 'create_artifact', count: 1 }, { kind: 'pull_artifact', count: 1 }]);
});

test('a dry run only counts', async () => {
  await lines('pull', 'artifact', 48, 3);
  expect(await run({ ...PARAMETERS, dry_run: true })).toMatchObject({ status: 'Success', message: '3 lines would be removed', attributes: { purged_lines: 3 } });
  expect(await left()).toEqual([{ kind: 'pull_artifact', count: 3 }]);
});

test('nothing is removed when the time is not above 0, nor in read-only mode', async () => {
  await lines('pull', 'artifact', 48);
  expect(await run({ ...PARAMETERS, audit_retention_hour: 0 })).toMatchObject({ status: 'Success', message: expect.stringContaining('nothing is purged') });
  await fixture.database.execute(`INSERT INTO setting (key, value) VALUES ('read_only', 'true')`);
  expect(await run(PARAMETERS)).toMatchObject({ status: 'Error', message: expect.stringContaining('read-only') });
  expect(await left()).toEqual([{ kind: 'pull_artifact', count: 1 }]);
});
