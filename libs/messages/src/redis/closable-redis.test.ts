import { describe, expect, test } from '@jest/globals';
import { ClosableRedis, optionsOf } from './closable-redis.js';

/** Unlike node:events' once it does not reject on the errors that are meant to happen here. */
function heard(redis: ClosableRedis, event: 'reconnecting' | 'end'): Promise<void> {
  return new Promise((resolve) => { redis.once(event, () => { resolve(); }); });
}

describe('optionsOf', () => {
  test.each([
    ['redis://127.0.0.1', { host: '127.0.0.1', port: 6379 }],
    ['redis://:p%40ss@cache:6380/2', { host: 'cache', port: 6380, password: 'p@ss', db: 2 }],
    ['rediss://haven:x@[::1]:1', { host: '::1', port: 1, username: 'haven', password: 'x', tls: {} }],
  ])('reads %s', (url, options) => {
    expect(optionsOf(url)).toEqual(options);
  });
});

test('a connection that pauses between two attempts ends when it is told to, and so does its duplicate', async () => {
  const opened: ClosableRedis[] = [];
  const redis = new ClosableRedis({ host: '127.0.0.1', port: 1, retryStrategy: () => 60_000 }, (one) => { opened.push(one); });
  const duplicate = redis.duplicate();
  for (const one of [redis, duplicate]) one.on('error', () => undefined);
  await Promise.all([heard(redis, 'reconnecting'), heard(duplicate as ClosableRedis, 'reconnecting')]);
  expect(opened).toEqual([redis, duplicate]);
  const ended = Promise.all(opened.map((one) => heard(one, 'end')));
  for (const one of opened) one.disconnect();
  await ended;
  expect(opened.map((one) => one.status)).toEqual(['end', 'end']);
});
