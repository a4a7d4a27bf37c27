import { beforeEach, describe, expect, test } from '@jest/globals';
import { AccessEpochs } from '@haven/access';
import { FakeBroadcasts, FakeWire } from '@haven/messages';
import { FakeLogger } from '@haven/runtime';
import { AccessWatch } from './access-watch.js';

let broken: boolean;
let now: number;
let logger: FakeLogger;
/** Core, which tells. */
let teller: FakeBroadcasts;
let watch: AccessWatch;
beforeEach(() => {
  broken = false;
  now = 5;
  logger = new FakeLogger();
  const wire = new FakeWire();
  teller = new FakeBroadcasts({ wire });
  const query = <Row>(): Promise<Row[]> => (broken ? Promise.reject(new Error('relation "access_epoch" is locked')) : Promise.resolve([]));
  watch = new AccessWatch({ database: { query }, epochs: new AccessEpochs(), broadcasts: new FakeBroadcasts({ wire }), logger }, { now: () => now });
});

const heard = (): Promise<void> => new Promise((resolve) => { setImmediate(resolve); });

describe('F-16: while revocations cannot be read', () => {
  test('nobody is let in before they were read once', async () => {
    expect(() => watch.requireCurrent()).toThrow(expect.objectContaining({ code: 'UNAVAILABLE', status: 503 }));
    await watch.refresh();
    watch.requireCurrent();
  });

  test('people go on for a while, and nobody after that', async () => {
    await watch.refresh();
    broken = true;
    await expect(watch.refresh()).rejects.toThrow('locked');
    now += 60_000;
    watch.requireCurrent();
    now += 1;
    expect(() => watch.requireCurrent()).toThrow(expect.objectContaining({ code: 'UNAVAILABLE', message: expect.not.stringContaining('access_epoch') }));
  });

  test('a broadcast that leads nowhere is logged and lets nobody in; they are read again as soon as they can be', async () => {
    watch.start();
    try {
      broken = true;
      teller.publish('access-changed', {});
      await heard();
      expect(logger.messages('warn')).toEqual(['revocations could not be read; tried again in a few seconds']);
      expect(() => watch.requireCurrent()).toThrow(/whose rights have ended/);
      broken = false;
      teller.publish('access-changed', {});
      await heard();
      watch.requireCurrent();
    } finally {
      watch.stop();
    }
  });
});
