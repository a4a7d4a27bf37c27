import { randomUUID } from 'node:crypto';
import { afterEach, expect, test } from '@jest/globals';
import { FakeLogger } from '@haven/runtime';
import { ExecutionRunner } from './execution-runner.js';

/** A look for tasks, which ends when the test says so. */
interface Look {
  readonly all: boolean;
  end(error?: Error): void;
}

let runner: ExecutionRunner;
let looks: Look[];
afterEach(async () => {
  const stopped = runner.stop();
  for (const look of looks) look.end();
  await stopped;
});

function start(): void {
  looks = [];
  const requeueUnfinished = ({ all = false }: { readonly all?: boolean } = {}): Promise<number> => new Promise((resolve, reject) => {
    looks.push({ all, end: (error) => { if (error === undefined) resolve(0); else reject(error); } });
  });
  runner = new ExecutionRunner({
    worker: { run: () => Promise.resolve(), release: () => undefined },
    sweep: { recoverLost: async () => 0, requeueUnfinished, forgetOld: async () => 0, forgetLogs: async () => 0 },
    clock: { tick: async () => 0 },
    webhooks: { repair: async () => 0 },
    untold: { announceLeft: () => Promise.resolve() },
    pools: { beat: () => Promise.resolve(), leave: () => Promise.resolve() },
    pool: { id: randomUUID(), host: 'here', pid: 1, concurrency: 1 }, logDays: 30, logger: new FakeLogger(),
  });
  runner.start();
}

async function look(number: number): Promise<Look> {
  for (const deadline = Date.now() + 10_000; ; await new Promise((resolve) => setTimeout(resolve, 2))) {
    const found = looks[number];
    if (found !== undefined) return found;
    if (Date.now() > deadline) throw new Error(`look ${number} did not come`);
  }
}

test('tells the queue of everything at its start, and of what waits for too long then', async () => {
  start();
  const first = await look(0);
  first.end();
  await new Promise((resolve) => setTimeout(resolve, 20));
  runner.look();
  expect([first.all, (await look(1)).all]).toEqual([true, false]);
});

test('tells the queue of everything again when that is asked for while it does so', async () => {
  start();
  const first = await look(0);
  runner.tellAllSoon();
  first.end();
  expect((await look(1)).all).toBe(true);
});

test('tells the queue of everything later when it cannot be told now', async () => {
  start();
  (await look(0)).end(new Error('Redis is away'));
  await new Promise((resolve) => setTimeout(resolve, 20));
  runner.look();
  expect((await look(1)).all).toBe(true);
});

test('says that everything was told once it was, and that it was not', async () => {
  start();
  (await look(0)).end();
  let done = false;
  const told = runner.tellAll().then(() => { done = true; });
  const { all, end } = await look(1);
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect([all, done]).toEqual([true, false]);
  end();
  await told;
  const refused = runner.tellAll();
  (await look(2)).end(new Error('Redis is away'));
  await expect(refused).rejects.toThrow('Redis is away');
});
