import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { createTestDatabase, type TestDatabase } from '@haven/database';
import { FakeBroadcasts, FakeJobQueue } from '@haven/messages';
import { FakeLogger } from '@haven/runtime';
import { Executions } from './executions.js';
import { ScheduleClock, type ScheduleStarter } from './schedule-clock.js';
import { SCHEDULER, Schedules, type NewSchedule } from './schedules.js';

const OWNER = { vendorType: 'RETENTION', vendorId: 7 } as const;
const ALL = { page: 1, size: 100 };
const DAILY: NewSchedule = { ...OWNER, cronType: 'Custom', cron: '0 0 0 * * *', parameters: { dry_run: false } };

let fixture: TestDatabase;
let schedules: Schedules;

beforeAll(async () => {
  fixture = await createTestDatabase();
  schedules = new Schedules(fixture.database);
});
afterAll(() => fixture.drop());
afterEach(async () => { for (const table of ['execution', 'schedule', 'queue_pause']) await fixture.database.execute(`DELETE FROM ${table}`); });

function clock(starter?: ScheduleStarter): { readonly clock: ScheduleClock; readonly jobs: FakeJobQueue; readonly logger: FakeLogger; readonly executions: Executions } {
  const { database } = fixture;
  const [jobs, logger] = [new FakeJobQueue(), new FakeLogger()];
  const executions = new Executions({ database, jobs, broadcasts: new FakeBroadcasts(), logger });
  const standard: ScheduleStarter = async (_transaction, { vendorType, vendorId, parameters }) => ({ vendorType, vendorId, trigger: 'SCHEDULE', startedBy: '', attributes: parameters, tasks: [{}] });
  return { clock: new ScheduleClock({ database, executions, starters: { RETENTION: starter ?? standard }, logger }), jobs, logger, executions };
}

function set(schedule: NewSchedule): Promise<void> {
  return fixture.database.transaction((transaction) => schedules.setIn(transaction, schedule));
}

function makeDue(ago: string): Promise<number> {
  return fixture.database.execute('UPDATE schedule SET next_due_at = now() - $1::interval', [ago]);
}

test('each owner has one schedule; setting it again keeps its time unless the cron is another', async () => {
  await set(DAILY);
  const first = await schedules.find(OWNER);
  expect(first).toMatchObject({ cron: '0 0 0 * * *', cronType: 'Custom', parameters: { dry_run: false } });
  expect(first?.nextDueAt.getTime()).toBeGreaterThan(Date.now());
  expect(first?.nextDueAt.toISOString()).toMatch(/T00:00:00\.000Z$/);
  await fixture.database.execute(`UPDATE schedule SET next_due_at = '2100-01-01T00:00:00Z'`);
  await set({ ...DAILY, parameters: { changed: true } });
  expect(await schedules.find(OWNER)).toMatchObject({ id: first?.id, parameters: { changed: true }, nextDueAt: new Date('2100-01-01T00:00:00Z') });
  await set({ ...DAILY, cron: '0 30 * * * *' });
  expect((await schedules.find(OWNER))?.nextDueAt.getTime()).toBeLessThan(Date.now() + 3_600_001);
  await set({ ...DAILY, vendorId: 8 });
  expect((await schedules.list(ALL)).total).toBe(2);
  expect(await fixture.database.transaction((transaction) => schedules.removeIn(transaction, OWNER))).toBe(true);
  expect(await fixture.database.transaction((transaction) => schedules.removeIn(transaction, OWNER))).toBe(false);
  expect((await schedules.list(ALL)).items.map(({ vendorId }) => vendorId)).toEqual([8]);
});

test('what is due starts once, however many processes look and however many times went by', async () => {
  await set(DAILY);
  await makeDue('10 days');
  const clocks = Array.from({ length: 6 }, () => clock());
  const started = await Promise.all(clocks.map((one) => one.clock.tick()));
  expect(started.reduce((sum, count) => sum + count)).toBe(1);
  expect(await clocks[0]?.executions.list(OWNER, ALL)).toMatchObject({ total: 1, items: [{ trigger: 'SCHEDULE', attributes: { dry_run: false }, status: 'Running' }] });
  expect(clocks.flatMap(({ jobs }) => jobs.added)).toHaveLength(1);
  expect((await schedules.find(OWNER))?.nextDueAt.getTime()).toBeGreaterThan(Date.now());
  expect(await clock().clock.tick()).toBe(0);
});

test('what is not due does not start, nor what is due while schedules are paused', async () => {
  await set(DAILY);
  expect(await clock().clock.tick()).toBe(0);
  await fixture.database.execute('INSERT INTO queue_pause (job_type) VALUES ($1)', [SCHEDULER]);
  await makeDue('1 minute');
  expect(await schedules.arePaused()).toBe(true);
  expect(await clock().clock.tick()).toBe(0);
  await fixture.database.execute('DELETE FROM queue_pause');
  expect(await schedules.arePaused()).toBe(false);
  expect(await clock().clock.tick()).toBe(1);
});

test('a schedule whose owner is gone goes as well', async () => {
  await set(DAILY);
  await makeDue('1 minute');
  expect(await clock(async () => undefined).clock.tick()).toBe(0);
  expect(await schedules.find(OWNER)).toBeUndefined();
});

test('a schedule that cannot be started does not keep the others from their time, and is tried again', async () => {
  await set(DAILY);
  await set({ ...DAILY, vendorId: 8 });
  await makeDue('1 minute');
  const { clock: one, logger, executions } = clock(async (_transaction, { vendorType, vendorId }) => {
    if (vendorId === 7) throw new Error('broken');
    return { vendorType, vendorId, trigger: 'SCHEDULE', startedBy: '', attributes: {}, tasks: [] };
  });
  expect(await one.tick()).toBe(1);
  expect((await executions.list({ ...OWNER, vendorId: 8 }, ALL)).total).toBe(1);
  expect(logger.messages('error')).toEqual(['a schedule could not be started; it is tried again in a minute']);
  const again = await schedules.find(OWNER);
  expect(again?.nextDueAt.getTime()).toBeLessThan(Date.now() + 61_000);
  expect((await executions.list(OWNER, ALL)).total).toBe(0);
});
