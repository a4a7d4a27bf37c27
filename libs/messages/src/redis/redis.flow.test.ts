import { randomUUID } from 'node:crypto';
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
