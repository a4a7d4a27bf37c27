import { describe, expect, test } from '@jest/globals';
import { cronFault, nextTimes } from './cron.js';

const AFTER = new Date('2026-02-27T10:00:00Z');

describe('a schedule', () => {
  test.each<[string, string[]]>([
    ['0 0 * * * *', ['2026-02-27T11:00:00.000Z', '2026-02-27T12:00:00.000Z']],
    ['0 0 0 * * *', ['2026-02-28T00:00:00.000Z', '2026-03-01T00:00:00.000Z']],
    ['0 */20 10 * * *', ['2026-02-27T10:20:00.000Z', '2026-02-27T10:40:00.000Z']],
    ['0 5/25 10 * * ?', ['2026-02-27T10:05:00.000Z', '2026-02-27T10:30:00.000Z']],
    ['0 0 0 29 2 *', ['2028-02-29T00:00:00.000Z', '2032-02-29T00:00:00.000Z']],
    ['0 0 0 ? * mon-tue', ['2026-03-02T00:00:00.000Z', '2026-03-03T00:00:00.000Z']],
    ['0 30 2 1,15 JAN-JUN/5 *', ['2026-06-01T02:30:00.000Z', '2026-06-15T02:30:00.000Z']],
    // As in every cron: a day that fits either of the two day fields.
    ['0 0 0 1 * 0', ['2026-03-01T00:00:00.000Z', '2026-03-08T00:00:00.000Z']],
  ])('%s comes at %j', (cron, times) => {
    expect(cronFault(cron)).toBeUndefined();
    expect(nextTimes(cron, 2, AFTER).map((time) => time.toISOString())).toEqual(times);
  });

  test('does not come again at the very time it was', () => {
    expect(nextTimes('0 0 10 * * *', 1, AFTER)).toEqual([new Date('2026-02-28T10:00:00Z')]);
  });

  test.each(['0 0 0 31 4,6 1', '0 0 0 31 */2 *', '0 0 0 30/1 2-4 ?'])('%s comes, if seldom', (cron) => {
    expect(cronFault(cron)).toBeUndefined();
    expect(nextTimes(cron, 1, AFTER)).toHaveLength(1);
  });

  test('finds the leap day after the eight years around 2100', () => {
    expect(nextTimes('0 0 0 29 2 *', 1, new Date('2096-03-01T00:00:00Z'))).toEqual([new Date('2104-02-29T00:00:00Z')]);
  });

  test('has five next times', () => {
    expect(nextTimes('0 0 0 * * *', 5, AFTER)).toHaveLength(5);
  });

  test.each([
    ['', 'six fields'], ['0 0 * * *', 'six fields'], ['0  0 0 * * *', 'six fields'], ['0 0 0 * * * *', 'six fields'], ['@daily', 'six fields'],
    ['1 0 0 * * *', 'must be 0'], ['* 0 0 * * *', 'must be 0'], ['00 0 0 * * *', 'must be 0'], ['0/1 0 0 * * *', 'must be 0'],
    ['0 60 0 * * *', 'minute'], ['0 -1 0 * * *', 'minute'], ['0 1- 0 * * *', 'minute'], ['0 5-1 0 * * *', 'minute'], ['0 */0 0 * * *', 'minute'], ['0 */60 0 * * *', 'minute'],
    ['0 1/2/3 0 * * *', 'minute'], ['0 , 0 * * *', 'minute'], ['0 1.5 0 * * *', 'minute'], ['0 x 0 * * *', 'minute'], ['0 H 0 * * *', 'minute'],
    ['0 0 24 * * *', 'hour'], ['0 0 0 0 * *', 'day of the month'], ['0 0 0 L * *', 'day of the month'], ['0 0 0 32 * *', 'day of the month'], ['0 0 0 15W * *', 'day of the month'],
    ['0 0 0 * 13 *', 'month'], ['0 0 0 * FOO *', 'month'], ['0 0 0 * * 7', 'day of the week'], ['0 0 0 * * MON#1', 'day of the week'],
    ['0 0 0 31 2 *', 'no day that ever comes'], ['0 0 0 31 4,6 *', 'no day that ever comes'], ['0 0 0 30/1 2 ?', 'no day that ever comes'], [`0 ${'1,'.repeat(200)}1 0 * * *`, 'at most 255'], ['0 0\n0 * * *', 'six fields'],
  ])('%j is refused: %s', (cron, fault) => {
    expect(cronFault(cron)).toContain(fault);
  });
});
