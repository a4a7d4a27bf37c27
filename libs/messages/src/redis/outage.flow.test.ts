import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { FakeLogger } from '@haven/runtime';
import { someEvent } from '../job/job-queue.contract.js';
import { JobsUnavailable } from '../job/job-queue.js';
import { eventually } from '../testing/eventually.js';
import { testRedisUrl } from '../testing/settings.js';
import { TcpRelay } from '../testing/tcp-relay.js';
import { connectRedis, type Messages } from './connect-redis.js';

describe('without Redis', () => {
  let relay: TcpRelay;
  let logger: FakeLogger;
  let messages: Messages;
  const answers = (): Promise<boolean> => messages.ping().then(() => true, () => false);

  async function connect(prefix = `test-${randomUUID()}`): Promise<void> {
    logger = new FakeLogger();
    messages = connectRedis(relay.url, logger, { prefix });
  }

  beforeEach(() => { relay = new TcpRelay(testRedisUrl()); });
  afterEach(async () => {
    await messages.close();
    await relay.cut();
  });

  test('a process starts, rejects jobs at once, and works as soon as Redis is there', async () => {
    await relay.reserve();
    await connect();
    const done: string[] = [];
    let listening = 0;
    const heard: unknown[] = [];
    messages.broadcasts.onReconnect(() => { listening++; });
    messages.broadcasts.on('access-changed', (payload) => heard.push(payload));
    const workers = messages.workers(['deliver-event']);
    workers.handle('deliver-event', async (_payload, { id }) => { done.push(id); });
    workers.start();

    const event = someEvent();
    const start = performance.now();
    await expect(messages.jobs.add('deliver-event', event, { id: event.id })).rejects.toThrow(JobsUnavailable);
    await expect(messages.ping()).rejects.toThrow('Redis cannot be reached');
    messages.broadcasts.publish('access-changed', {});
    expect(performance.now() - start).toBeLessThan(500);
    await eventually('the log saying so', () => logger.lines.length > 0);

    await relay.open();
    await eventually('Redis answering', answers);
    await eventually('listening', () => listening === 1);
    await messages.jobs.add('deliver-event', event, { id: event.id });
    messages.broadcasts.publish('access-changed', {});
    await eventually('the job being done', () => done.includes(event.id));
    await eventually('the broadcast being heard', () => heard.length === 1);
    expect(logger.messages('info')).toEqual(['Redis cannot be reached; work goes on without it until it is back', 'Redis is reachable']);
  });

  test('a process goes on after an outage, and says so once', async () => {
    await relay.open();
    await connect();
    const done: string[] = [];
    let listening = 0;
    messages.broadcasts.onReconnect(() => { listening++; });
    const workers = messages.workers(['deliver-event', 'purge-uploads']);
    workers.handle('deliver-event', async (_payload, { id }) => { done.push(id); });
    workers.handle('purge-uploads', () => Promise.resolve());
    workers.start();
    const [before, after] = [someEvent(), someEvent()];
    await eventually('Redis answering', answers);
    await messages.jobs.add('deliver-event', before, { id: before.id });
    await eventually('the first job being done', () => done.length === 1);

    await relay.cut();
    await eventually('the loss being noticed', async () => !(await answers()));
    await new Promise((resolve) => setTimeout(resolve, 1500));
    await expect(messages.jobs.add('deliver-event', after, { id: after.id })).rejects.toThrow(JobsUnavailable);
    await relay.open();
    await eventually('Redis answering', answers);
    await messages.jobs.add('deliver-event', after, { id: after.id });
    await eventually('the second job being done', () => done.includes(after.id), 30);
    await eventually('listening again', () => listening === 2);
    expect(logger.messages('info').filter((message) => message.startsWith('Redis'))).toEqual(['Redis is reachable', 'Redis cannot be reached; work goes on without it until it is back', 'Redis is reachable']);
  }, 60_000);

  test('a Redis that accepts but does not answer fails within about a second', async () => {
    await relay.open();
    await connect();
    await eventually('Redis answering', answers);
    await messages.jobs.add('deliver-event', someEvent());
    relay.freeze();
    const start = performance.now();
    await expect(messages.jobs.add('deliver-event', someEvent())).rejects.toThrow(JobsUnavailable);
    await expect(messages.ping()).rejects.toThrow(/timed out|reached/);
    expect(performance.now() - start).toBeLessThan(2500);
  });

  test('closing does not wait for it', async () => {
    await relay.reserve();
    await connect();
    const workers = messages.workers(['purge-uploads']);
    workers.handle('purge-uploads', () => Promise.resolve());
    workers.start();
    messages.logReader('test').start(() => Promise.resolve());
    messages.broadcasts.onReconnect(() => undefined);
    messages.logShipper.sink('{}');
    const start = performance.now();
    await messages.close();
    expect(performance.now() - start).toBeLessThan(3000);
  });
});
