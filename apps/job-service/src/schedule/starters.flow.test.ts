import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { configurationOf } from '@haven/api';
import { createTestDatabase, SettingsTable, type TestDatabase } from '@haven/database';
import { Executions, ScheduleClock, Schedules } from '@haven/execution';
import { FakeBroadcasts, FakeJobQueue } from '@haven/messages';
import { FakeLogger } from '@haven/runtime';
import { scheduleStarters } from './starters.js';

let fixture: TestDatabase;
beforeEach(async () => { fixture = await createTestDatabase(); });
afterEach(() => fixture.drop());

test('M-22: a schedule that comes more often than its runs end does not pile them up', async () => {
  const { database } = fixture;
  await database.execute(`INSERT INTO haven_user (id, external_id, username) VALUES (1, 'tester', 'tester')`);
  await database.execute(`INSERT INTO project (id, name, owner_id) VALUES (1, 'alpha', 1)`);
  await database.execute(`INSERT INTO repository (id, project_id, name) VALUES (1, 1, 'alpha/app')`);
  const rule = { id: 1, priority: 0, disabled: false, action: 'retain', template: 'always', params: {}, tag_selectors: [], scope_selectors: { repository: [{ kind: 'doublestar', decoration: 'repoMatches', pattern: '**' }] } };
  const policy = { algorithm: 'or', rules: [rule], trigger: { kind: 'Schedule', settings: { cron: '0 * * * * *' } } };
  await database.execute('INSERT INTO retention_policy (id, project_id, policy) VALUES (7, 1, $1)', [JSON.stringify(policy)]);
  const owner = { vendorType: 'RETENTION', vendorId: 7 } as const;
  await database.transaction((transaction) => new Schedules(database).setIn(transaction, { ...owner, cronType: 'Custom', cron: '0 * * * * *', parameters: { dry_run: false } }));
  const logger = new FakeLogger();
  const executions = new Executions({ database, jobs: new FakeJobQueue(), broadcasts: new FakeBroadcasts(), logger });
  const clock = new ScheduleClock({ database, executions, starters: scheduleStarters(new SettingsTable(database, configurationOf, { maxAgeMs: 0 })), logger });
  for (let minute = 0; minute < 3; minute += 1) {
    await database.execute(`UPDATE schedule SET next_due_at = now() - interval '1 second'`);
    expect(await clock.tick()).toBe(1);
  }
  const runs = (await executions.list(owner, { page: 1, size: 10 })).items.map(({ status, statusMessage }) => [status, statusMessage]);
  expect(runs).toEqual([['Error', expect.stringContaining('has not ended')], ['Error', expect.stringContaining('has not ended')], ['Running', '']]);
  await database.execute('UPDATE execution SET ended_at = now()');
  await database.execute(`UPDATE schedule SET next_due_at = now() - interval '1 second'`);
  await clock.tick();
  expect((await executions.list(owner, { page: 1, size: 1 })).items[0]?.status).toBe('Running');
});
