import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { FakeLogger } from '@haven/runtime';
import { eventually } from '../testing/eventually.js';
import type { Broadcasts } from './broadcasts.js';

/** Two processes that hear each other, and the log of both. */
export interface BroadcastPair {
  readonly first: Broadcasts;
  readonly second: Broadcasts;
  readonly logger: FakeLogger;
  close(): Promise<void>;
}

/** What every implementation of Broadcasts does. */
export function broadcastsContract(name: string, open: () => Promise<BroadcastPair>): void {
  describe(`Broadcasts: ${name}`, () => {
    let pair: BroadcastPair;
    beforeEach(async () => { pair = await open(); });
    afterEach(() => pair.close());

    test('are heard by every process, which can tell its own', async () => {
      const heard: unknown[] = [];
      pair.first.on('tag-changed', (payload, { own }) => heard.push(['first', payload, own]));
      pair.second.on('tag-changed', (payload, { own }) => heard.push(['second', payload, own]));
      pair.first.publish('tag-changed', { repository: 'library/debian', tag: '12' });
      await eventually('both hearing it', () => heard.length === 2);
      expect(heard).toEqual(expect.arrayContaining([
        ['first', { repository: 'library/debian', tag: '12' }, true],
        ['second', { repository: 'library/debian', tag: '12' }, false],
      ]));
    });

    test('reach only the handlers of their name, in order, until those are removed', async () => {
      const heard: string[] = [];
      const remove = pair.second.on('repository-deleted', ({ repository }) => heard.push(repository));
      pair.first.publish('access-changed', {});
      for (let index = 0; index < 20; index++) pair.first.publish('repository-deleted', { repository: `a/${index}` });
      await eventually('hearing all', () => heard.length === 20);
      expect(heard).toEqual(Array.from({ length: 20 }, (_, index) => `a/${index}`));
      remove();
      let after = false;
      pair.second.on('repository-deleted', () => { after = true; });
      pair.first.publish('repository-deleted', { repository: 'a/last' });
      await eventually('the other handler hearing it', () => after);
      expect(heard).toHaveLength(20);
    });

    test('with a wrong payload are not sent, and publish does not throw', async () => {
      const heard: unknown[] = [];
      pair.second.on('tag-changed', (payload) => heard.push(payload));
      pair.first.publish('tag-changed', { repository: '', tag: 1 } as never);
      pair.first.publish('tag-changed', { repository: 'a/b', tag: 'c' });
      await eventually('hearing the right one', () => heard.length > 0);
      expect(heard).toEqual([{ repository: 'a/b', tag: 'c' }]);
      expect(pair.logger.messages('error')).toEqual(['a broadcast with a wrong payload was not sent']);
    });

    test('are heard by all handlers even when one of them throws', async () => {
      let heard = false;
      pair.second.on('settings-changed', () => { throw new Error('broken'); });
      pair.second.on('settings-changed', () => { heard = true; });
      pair.first.publish('settings-changed', {});
      await eventually('the second handler hearing it', () => heard);
      expect(pair.logger.messages('error')).toEqual(['a broadcast handler failed']);
    });
  });
}
