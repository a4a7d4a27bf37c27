import { expect, test } from '@jest/globals';
import { sessionTimes } from './session-times.js';

test.each([
  [1, { idle: 60, whole: 86_400, note: 6 }],
  [60, { idle: 3600, whole: 86_400, note: 60 }],
  [2880, { idle: 172_800, whole: 172_800, note: 60 }],
  [9_999_999_999, { idle: 2_592_000, whole: 2_592_000, note: 60 }],
])('%i minutes', (minutes, times) => {
  expect(sessionTimes(minutes)).toEqual(times);
});
