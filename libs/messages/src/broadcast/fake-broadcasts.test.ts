import { expect, test } from '@jest/globals';
import { FakeLogger } from '@haven/runtime';
import { broadcastsContract } from './broadcasts.contract.js';
import { FakeBroadcasts, FakeWire } from './fake-broadcasts.js';

broadcastsContract('the fake', async () => {
  const [wire, logger] = [new FakeWire(), new FakeLogger()];
  return { first: new FakeBroadcasts({ wire, logger }), second: new FakeBroadcasts({ wire, logger }), logger, close: () => Promise.resolve() };
});

test('the fake remembers what was published and can lose its connection', () => {
  const broadcasts = new FakeBroadcasts();
  let reconnected = 0;
  const remove = broadcasts.onReconnect(() => { reconnected++; });
  broadcasts.publish('access-changed', {});
  broadcasts.reconnect();
  remove();
  broadcasts.reconnect();
  expect(broadcasts.published).toEqual([{ name: 'access-changed', payload: {} }]);
  expect(reconnected).toBe(1);
});
