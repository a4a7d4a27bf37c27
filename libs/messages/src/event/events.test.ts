import { expect, test } from '@jest/globals';
import { JOB_NAMES } from '../job/jobs.js';
import { BROADCAST_NAMES } from '../broadcast/broadcast-list.js';
import { EVENTS, isEventName } from './events.js';

test('names are safe for keys and channels', () => {
  for (const name of [...JOB_NAMES, ...BROADCAST_NAMES]) expect(name).toMatch(/^[a-z]+(-[a-z]+)*$/);
  for (const name of Object.keys(EVENTS)) expect(name).toMatch(/^[a-z]+\.[a-z]+(-[a-z]+)*$/);
});

test('only listed events are known', () => {
  expect([isEventName('tag.moved'), isEventName('tag.lost'), isEventName('toString')]).toEqual([true, false, false]);
});

test('payloads may gain fields but not lose them', () => {
  expect(EVENTS['repository.created'].parse({ project: 1, repository: 'a/b', later: true })).toEqual({ project: 1, repository: 'a/b' });
  expect(EVENTS['tag.moved'].safeParse({ project: 1, repository: 'a/b', tag: 'c', digest: 'sha256:0' }).success).toBe(false);
});
