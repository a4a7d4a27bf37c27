import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { createTestDatabase, type TestDatabase } from '@haven/database';
import type { NewExecution } from './execution.js';
import { TaskFailure, type TaskContext, type TaskHandler } from './task-worker.js';
import { eventually, startProcess, type TestProcess, type TestProcessOptions } from './testing/test-process.js';

const OWNER = { vendorType: 'RETENTION', vendorId: 7 } as const;
const ALL = { page: 1, size: 100 };

let fixture: TestDatabase;
let processes: TestProcess[] = [];
let prefix: string;

beforeAll(async () => { fixture = await createTestDatabase(); });
afterAll(() => fixture.drop());
afterEach(async () => {
  await Promise.all(processes.map((one) => one.close()));
  processes = [];
  await fixture.database.execute('DELETE FROM execution');
  await fixture.database.execute('DELETE FROM queue_pause');
});

function start(handler?: TaskHandler, options: Partial<TestProcessOptions> = {}): TestProcess {
  if (processes.length === 0) prefix = `test-${randomUUID()}`;
  const one = startProcess({ databaseUrl: fixture.url, prefix, ...(handler === undefined ? {} : { handler }), ...options });
  processes.push(one);
  return one;
}

function wanted(tasks: number, more: Partial<NewExecution> = {}): NewExecution {
  return { ...OWNER, trigger: 'MANUAL', startedBy: 'user:1', attributes: { dry_run: true }, tasks: Array.from({ length: tasks }, (_, number) => ({ number })), ...more };
}

/** Queues as soon as Redis is there: what is started before waits for the sweep. */
async function ready(one: TestProcess): Promise<void> {
  await eventually('Redis being connected', () => one.messages.ping().then(() => true, () => false));
}

async function statusOf(one: TestProcess, id: number): Promise<string | undefined> {
  return (await one.executions.find(OWNER, id))?.status;
}

async function ended(one: TestProcess, id: number): Promise<void> {
  await eventually('the execution’s end', async () => (await one.executions.find(OWNER, id))?.endedAt !== undefined);
}

/** A handler that waits until it is let go on, or interrupted. */
function blocking(): { readonly begun: TaskContext[]; readonly handler: TaskHandler; letGo(): void } {
  const begun: TaskContext[] = [];
  const events = new EventTarget();
  return {
    begun,
    letGo: () => { events.dispatchEvent(new Event('go')); },
    handler: async (context) => {
      begun.push(context);
      await Promise.race([new Promise((resolve) => { events.addEventListener('go', resolve); }), once(context.signal, 'abort')]);
      context.check();
    },
  };
}

describe('an execution', () => {
  test('is done task by task, with attributes, a log and counts', async () => {
    const one = start(async ({ task, log, progress }) => {
      await log.line(`task ${String(task.attributes['number'])}\0 of a ${task.trigger} execution`);
      await log.line('second line');
      await progress({ total: task.attributes['number'], dry: task.executionAttributes['dry_run'] });
      return 'well done';
    });
    await ready(one);
    const { id, taskIds } = await one.executions.start(wanted(3));
    expect(await one.executions.find(OWNER, id)).toMatchObject({ trigger: 'MANUAL', startedBy: 'user:1', attributes: { dry_run: true } });
    await ended(one, id);
    expect(await statusOf(one, id)).toBe('Success');
    expect((await one.executions.counts([id])).get(id)).toEqual({ Pending: 0, Scheduled: 0, Running: 0, Stopped: 0, Error: 0, Success: 3 });
    const tasks = await one.executions.tasks(OWNER, id, ALL);
    expect(tasks?.total).toBe(3);
    expect(tasks?.items.map((task) => [task.status, task.statusMessage, task.attempts, task.attributes])).toEqual([0, 1, 2].map((number) => ['Success', 'well done', 1, { number, total: number, dry: true }]));
    expect(await one.executions.log(OWNER, id, taskIds[1] ?? 0)).toBe('task 1\uFFFD of a MANUAL execution\nsecond line\n');
  });

  test('without tasks has ended at once', async () => {
    const one = start();
    const { id } = await one.executions.start(wanted(0, { outcome: { status: 'Error', message: 'not now' } }));
    expect(await one.executions.find(OWNER, id)).toMatchObject({ status: 'Error', statusMessage: 'not now', endedAt: expect.any(Date) });
    expect(await statusOf(one, (await one.executions.start(wanted(0))).id)).toBe('Success');
  });

  test('and its tasks are found under their own owner and execution only', async () => {
    const one = start();
    const [mine, other] = [await one.executions.start(wanted(1)), await one.executions.start(wanted(1, { vendorId: 8 }))];
    const foreign = other.taskIds[0] ?? 0;
    expect(await one.executions.find(OWNER, other.id)).toBeUndefined();
    expect(await one.executions.tasks(OWNER, other.id, ALL)).toBeUndefined();
    expect(await one.executions.log(OWNER, other.id, foreign)).toBeUndefined();
    expect(await one.executions.log(OWNER, mine.id, foreign)).toBeUndefined();
    expect(await one.executions.log(OWNER, mine.id, mine.taskIds[0] ?? 0)).toBe('');
    expect(await one.executions.stop(OWNER, other.id)).toBe(false);
    expect((await one.executions.list(OWNER, ALL)).items.map(({ id }) => id)).toEqual([mine.id]);
    expect((await one.executions.list({ ...OWNER, vendorId: 8 }, { page: 2, size: 1 }))).toEqual({ items: [], total: 1 });
  });
});

describe('a task that fails', () => {
  test('ends its execution with an error, once the others are done', async () => {
    const one = start(async ({ task }) => {
      if (task.attributes['number'] === 0) throw new TaskFailure('there is no room');
      if (task.attributes['number'] === 1) throw new Error('secret internals');
    });
    await ready(one);
    const { id, taskIds } = await one.executions.start(wanted(3));
    await ended(one, id);
    expect(await statusOf(one, id)).toBe('Error');
    expect((await one.executions.tasks(OWNER, id, ALL))?.items.map((task) => [task.status, task.statusMessage])).toEqual([
      ['Error', 'there is no room'], ['Error', 'the task failed for a reason that only the log of the job service tells'], ['Success', ''],
    ]);
    expect(await one.executions.log(OWNER, id, taskIds[1] ?? 0)).not.toContain('secret');
    expect(one.logger.lines.some(({ fields }) => String((fields['error'] as Error | undefined)?.message) === 'secret internals')).toBe(true);
  });
});

describe('a stop', () => {
  test('ends what waits at once and what runs within seconds, on another process', async () => {
    const { begun, handler } = blocking();
    const worker = start(handler);
    const core = start();
    await Promise.all([ready(worker), ready(core)]);
    const { id } = await core.executions.start(wanted(5));
    await eventually('two tasks running', () => begun.length === 2);
    const before = performance.now();
    expect(await core.executions.stop(OWNER, id)).toBe(true);
    await ended(core, id);
    expect(performance.now() - before).toBeLessThan(5000);
    expect(await statusOf(core, id)).toBe('Stopped');
    expect((await core.executions.counts([id])).get(id)).toMatchObject({ Stopped: 5 });
    expect(begun).toHaveLength(2);
    expect(await core.executions.stop(OWNER, id)).toBe(true);
  });

  test('is noticed by the heartbeat when its broadcast is lost', async () => {
    const { begun, handler } = blocking();
    const worker = start(handler);
    await ready(worker);
    const { id } = await worker.executions.start(wanted(1));
    await eventually('the task running', () => begun.length === 1);
    await fixture.database.transaction((transaction) => worker.executions.stopIn(transaction, OWNER, id));
    await ended(worker, id);
    expect(await statusOf(worker, id)).toBe('Stopped');
  });

  test('is too late for an execution that ended', async () => {
    const one = start(async () => undefined);
    await ready(one);
    const { id } = await one.executions.start(wanted(1));
    await ended(one, id);
    expect(await one.executions.stop(OWNER, id)).toBe(true);
    expect(await statusOf(one, id)).toBe('Success');
  });
});

describe('N-09: a worker that is killed', () => {
  test('loses its task to another one, and can write nothing more', async () => {
    const first = blocking();
    const doomed = start(async (context) => {
      await context.progress({ written: 'by the first' });
      await first.handler(context);
    });
    await ready(doomed);
    const { id, taskIds } = await doomed.executions.start(wanted(1));
    await eventually('the task running', () => first.begun.length === 1);
    doomed.kill();
    const survivor = start(async ({ task, log, progress }) => {
      await log.line('done by the second');
      await progress({ attempt: task.attempt });
    });
    await ready(survivor);
    await eventually('the task being taken back', async () => (await survivor.sweep.recoverLost()) === 1);
    await eventually('the execution’s end', async () => {
      await survivor.sweep.requeueUnfinished();
      return (await statusOf(survivor, id)) === 'Success';
    });
    expect((await survivor.executions.tasks(OWNER, id, ALL))?.items[0]).toMatchObject({ status: 'Success', attempts: 2, attributes: { written: 'by the first', attempt: 2 } });
    expect(await survivor.executions.log(OWNER, id, taskIds[0] ?? 0)).toBe('begun again (attempt 2)\ndone by the second\n');
  });

  test('but still runs is fenced off', async () => {
    const first = blocking();
    const refused: unknown[] = [];
    // Its heart beats seldom, as if its event loop had been blocked.
    const slow = start(async (context) => {
      await first.handler(context);
      await context.log.line('too late');
      await context.progress({ by: 'the slow one' }).catch((error: unknown) => { refused.push(error); throw error; });
    }, { heartbeatMs: 60_000 });
    await ready(slow);
    const { id, taskIds } = await slow.executions.start(wanted(1));
    await eventually('the task running', () => first.begun.length === 1);
    await eventually('the task being taken back', async () => (await slow.sweep.recoverLost()) === 1);
    const task = taskIds[0] ?? 0;
    const other = start();
    other.worker.handle('RETENTION', async ({ progress }) => { await progress({ by: 'the other one' }); });
    await other.worker.run(task);
    first.letGo();
    await eventually('the slow one being told', () => slow.logger.messages('warn').includes('a task was lost to another worker'));
    expect(refused).toHaveLength(1);
    expect((await other.executions.tasks(OWNER, id, ALL))?.items[0]).toMatchObject({ status: 'Success', attempts: 2, attributes: { by: 'the other one' } });
    expect(await other.executions.log(OWNER, id, task)).toBe('begun again (attempt 2)\n');
  });

  test('again and again makes its task fail', async () => {
    const one = start();
    const { id, taskIds } = await one.executions.start(wanted(1));
    const die = `UPDATE task SET status = 'Running', attempts = attempts + 1, heartbeat_at = now() - interval '1 hour' WHERE id = $1`;
    for (let death = 1; death <= 3; death += 1) {
      await fixture.database.execute(die, [taskIds[0]]);
      expect(await one.sweep.recoverLost()).toBe(1);
      expect((await one.executions.tasks(OWNER, id, ALL))?.items[0]?.status).toBe(death < 3 ? 'Pending' : 'Error');
    }
    expect(await one.executions.find(OWNER, id)).toMatchObject({ status: 'Error', endedAt: expect.any(Date) });
  });

  test('leaves a task that was to stop stopped', async () => {
    const one = start();
    const { id, taskIds } = await one.executions.start(wanted(1));
    await fixture.database.execute(`UPDATE task SET status = 'Running', heartbeat_at = now() - interval '1 hour' WHERE id = $1`, [taskIds[0]]);
    await one.executions.stop(OWNER, id);
    expect(await one.sweep.recoverLost()).toBe(1);
    expect(await statusOf(one, id)).toBe('Stopped');
  });
});

test('a process that shuts down puts its task back, and another goes on without a failure being counted', async () => {
  const first = blocking();
  const leaving = start(first.handler);
  await ready(leaving);
  const { id } = await leaving.executions.start(wanted(1));
  await eventually('the task running', () => first.begun.length === 1);
  await leaving.close();
  processes = [];
  const staying = start(async () => undefined, { prefix });
  await ready(staying);
  expect(await staying.sweep.requeueUnfinished()).toBe(1);
  await ended(staying, id);
  const [row] = await fixture.database.query<{ attempts: number; failures: number }>('SELECT attempts, failures FROM task WHERE execution_id = $1', [id]);
  expect(row).toEqual({ attempts: 2, failures: 0 });
});

describe('the queue', () => {
  test('wakes two processes, each task is done once', async () => {
    const done: [string, number][] = [];
    const handlerOf = (name: string): TaskHandler => async ({ task }) => { done.push([name, task.id]); };
    const [one, two] = [start(handlerOf('one')), start(handlerOf('two'))];
    await Promise.all([ready(one), ready(two)]);
    const { id, taskIds } = await one.executions.start(wanted(200));
    // Both repair at the same time, too, and tell the queue twice.
    await Promise.all([one.sweep.requeueUnfinished({ all: true }), two.sweep.requeueUnfinished({ all: true }), one.sweep.recoverLost(), two.sweep.recoverLost()]);
    await ended(one, id);
    expect(done.map(([, task]) => task).sort((left, right) => left - right)).toEqual(taskIds);
    expect(new Set(done.map(([name]) => name))).toEqual(new Set(['one', 'two']));
  });

  test('that tells of a task twice has it begun once, and neither while it runs nor after its end again', async () => {
    const first = blocking();
    const one = start(undefined, { prefix: `test-${randomUUID()}` });
    one.worker.handle('RETENTION', first.handler);
    const other = start(undefined, { prefix: `test-${randomUUID()}` });
    const begunElsewhere: number[] = [];
    other.worker.handle('RETENTION', async ({ task }) => { begunElsewhere.push(task.id); });
    const { id, taskIds } = await one.executions.start(wanted(1));
    const task = taskIds[0] ?? 0;
    const running = Promise.all([one.worker.run(task), one.worker.run(task)]);
    await eventually('the task running', () => first.begun.length === 1);
    await other.worker.run(task);
    first.letGo();
    await running;
    await other.worker.run(task);
    expect([first.begun.length, begunElsewhere]).toEqual([1, []]);
    expect((await one.executions.tasks(OWNER, id, ALL))?.items[0]).toMatchObject({ status: 'Success', attempts: 1 });
  });

  test('that lost its data, or was away, is told again', async () => {
    const done: number[] = [];
    const core = start(undefined, { prefix: 'nowhere' });
    const { id, taskIds } = await core.executions.start(wanted(2)); // Into a queue that nobody reads.
    const worker = startProcess({ databaseUrl: fixture.url, prefix: `test-${randomUUID()}`, handler: async ({ task }) => { done.push(task.id); } });
    processes.push(worker);
    await ready(worker);
    expect(await worker.sweep.requeueUnfinished()).toBe(0); // Told of just now.
    await eventually('the tasks being queued again', async () => (await worker.sweep.requeueUnfinished()) === 2);
    await ended(worker, id);
    expect(done.sort()).toEqual(taskIds);
  });

  test('that is paused holds its tasks back', async () => {
    const done: number[] = [];
    const one = start(async ({ task }) => { done.push(task.id); });
    await ready(one);
    await fixture.database.execute(`INSERT INTO queue_pause (job_type) VALUES ('RETENTION')`);
    const { id, taskIds } = await one.executions.start(wanted(1));
    await one.worker.run(taskIds[0] ?? 0);
    await new Promise((resolve) => setTimeout(resolve, 700));
    expect(await one.sweep.requeueUnfinished()).toBe(0);
    expect(done).toEqual([]);
    await fixture.database.execute('DELETE FROM queue_pause');
    expect(await one.sweep.requeueUnfinished()).toBe(1);
    await ended(one, id);
    expect(done).toEqual(taskIds);
  });
});

test('a log is bounded', async () => {
  const one = start(async ({ log }) => {
    for (let line = 0; line < 1500; line += 1) await log.line('x'.repeat(20_000));
  });
  await ready(one);
  const { id, taskIds } = await one.executions.start(wanted(1));
  await ended(one, id);
  const text = await one.executions.log(OWNER, id, taskIds[0] ?? 0);
  expect(text?.length).toBeGreaterThan(10_000_000);
  expect(text?.length).toBeLessThan(10 * 1024 * 1024 + 100_000);
  expect(text?.endsWith('the log is full; what follows was not written down\n')).toBe(true);
  expect(await statusOf(one, id)).toBe('Success');
});

test('logs go some time after their tasks ended, and say so; the tasks stay', async () => {
  const one = start(async ({ log }) => { await log.line('something'); });
  await ready(one);
  const [old, young] = [await one.executions.start(wanted(60)), await one.executions.start(wanted(1))];
  await Promise.all([ended(one, old.id), ended(one, young.id)]);
  await fixture.database.execute(`UPDATE task SET ended_at = now() - interval '31 days' WHERE execution_id = $1`, [old.id]);
  expect(await one.sweep.forgetLogs(30)).toBe(60);
  expect(await one.sweep.forgetLogs(30)).toBe(0);
  expect(await one.executions.log(OWNER, old.id, old.taskIds[0] ?? 0)).toMatch(/^this log was removed/);
  expect(await one.executions.log(OWNER, young.id, young.taskIds[0] ?? 0)).toBe('something\n');
  expect(await fixture.database.query('SELECT 1 FROM task_log')).toHaveLength(1);
  expect((await one.executions.tasks(OWNER, old.id, ALL))?.total).toBe(60);
});

test('the latest fifty executions of each owner are kept, and those that run', async () => {
  const one = start();
  const { id: running } = await one.executions.start(wanted(1));
  for (let count = 0; count < 53; count += 1) await one.executions.start(wanted(0));
  await one.executions.start(wanted(0, { vendorId: 8 }));
  expect(await one.sweep.forgetOld()).toBe(3);
  expect((await one.executions.list(OWNER, ALL)).total).toBe(51);
  expect(await statusOf(one, running)).toBe('Running');
  expect((await one.executions.list({ ...OWNER, vendorId: 8 }, ALL)).total).toBe(1);
});
