import { randomUUID } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { FakeLogger } from '@haven/runtime';
import { broadcastsContract } from '../broadcast/broadcasts.contract.js';
import { jobQueueContract } from '../job/job-queue.contract.js';
import { eventually } from '../testing/eventually.js';
import { testRedisUrl } from '../testing/settings.js';
import { connectRedis } from './connect-redis.js';

broadcastsContract('Redis', async () => {
  const [logger, prefix] = [new FakeLogger(), `test-${randomUUID()}`];
  const [first, second] = [connectRedis(testRedisUrl(), logger, { prefix }), connectRedis(testRedisUrl(), logger, { prefix })];
  let standing = 0;
  for (const one of [first, second]) one.broadcasts.onReconnect(() => { standing++; });
  await eventually('both listening', () => standing === 2);
  return { first: first.broadcasts, second: second.broadcasts, logger, close: async () => { await Promise.all([first.close(), second.close()]); } };
});

jobQueueContract('BullMQ', async () => {
  const messages = connectRedis(testRedisUrl(), new FakeLogger(), { prefix: `test-${randomUUID()}` });
  await eventually('Redis answering', () => messages.ping().then(() => true, () => false));
  return { jobs: messages.jobs, workers: (names) => messages.workers(names), close: () => messages.close() };
});

test('a process that can do no jobs takes few from those that can, and goes on once it is well', async () => {
  const prefix = `test-${randomUUID()}`;
  const [sickLogger, done] = [new FakeLogger(), { well: 0, sick: 0, failed: 0 }];
  const [well, sick] = [connectRedis(testRedisUrl(), new FakeLogger(), { prefix }), connectRedis(testRedisUrl(), sickLogger, { prefix })];
  let ill = true;
  try {
    const sickWorkers = sick.workers(['run-retention'], { unfit: (error) => error instanceof RangeError });
    sickWorkers.handle('run-retention', async () => {
      if (!ill) done.sick += 1;
      else {
        done.failed += 1;
        throw new RangeError('no database');
      }
    });
    sickWorkers.start();
    await eventually('Redis answering', () => sick.ping().then(() => true, () => false));
    await sick.jobs.add('run-retention', { task: 1 });
    await eventually('the first job being failed', () => done.failed === 1);
    const wellWorkers = well.workers(['run-retention']);
    wellWorkers.handle('run-retention', async () => { done.well += 1; });
    wellWorkers.start();
    for (let task = 2; task <= 201; task++) await sick.jobs.add('run-retention', { task });
    await eventually('every job having an end', () => done.well + done.failed === 201);
    // What it was about to fetch when it failed, and what it tries after each rest, of at least half a second.
    expect(done.failed).toBeLessThan(20);
    expect(sickLogger.messages('warn')).toContain('this process can do no jobs now and takes none for a while');
    ill = false;
    await well.close();
    await sick.jobs.add('run-retention', { task: 202 });
    await eventually('it working again', () => done.sick === 1, 45);
  } finally {
    await Promise.all([well.close(), sick.close()]);
  }
}, 90_000);
