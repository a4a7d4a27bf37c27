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

/** The presets of the Harbor API, and what people write; the times are worked out by hand. */
describe('presets and odd schedules, in UTC', () => {
  test.each<[string, string, string, string[]]>([
    ['hourly, over the end of a year', '0 0 * * * *', '2026-12-31T22:30:00Z', ['2026-12-31T23:00', '2027-01-01T00:00', '2027-01-01T01:00']],
    ['daily, over the end of a February', '0 0 0 * * *', '2026-02-27T00:00:00Z', ['2026-02-28T00:00', '2026-03-01T00:00', '2026-03-02T00:00']],
    ['daily, over a leap day', '0 0 0 * * *', '2028-02-27T12:00:00Z', ['2028-02-28T00:00', '2028-02-29T00:00', '2028-03-01T00:00']],
    ['weekly, over a leap day', '0 0 0 * * 0', '2028-02-25T00:00:00Z', ['2028-02-27T00:00', '2028-03-05T00:00', '2028-03-12T00:00']],
    ['weekly, over the end of a year', '0 0 0 * * 0', '2026-12-26T00:00:00Z', ['2026-12-27T00:00', '2027-01-03T00:00', '2027-01-10T00:00']],
    ['monthly', '0 0 0 1 * *', '2026-11-15T00:00:00Z', ['2026-12-01T00:00', '2027-01-01T00:00', '2027-02-01T00:00']],
    ['on the 31st, which short months lack', '0 0 0 31 * *', '2026-01-31T00:00:00Z', ['2026-03-31T00:00', '2026-05-31T00:00', '2026-07-31T00:00']],
    ['on the 30th, which February lacks', '0 30 23 30 * *', '2026-01-30T23:30:00Z', ['2026-03-30T23:30', '2026-04-30T23:30', '2026-05-30T23:30']],
    ['on the 29th, which February has now and then', '0 0 12 29 1-3 *', '2027-02-01T00:00:00Z', ['2027-03-29T12:00', '2028-01-29T12:00', '2028-02-29T12:00']],
    ['on a leap day, over 2100, which has none', '0 0 0 29 2 *', '2092-03-01T00:00:00Z', ['2096-02-29T00:00', '2104-02-29T00:00', '2108-02-29T00:00']],
    ['on a leap day, in 2000, which had one', '0 0 0 29 FEB *', '1999-01-01T00:00:00Z', ['2000-02-29T00:00', '2004-02-29T00:00', '2008-02-29T00:00']],
    ['quarterly', '0 0 6 1 1,4,7,10 *', '2026-07-01T06:00:00Z', ['2026-10-01T06:00', '2027-01-01T06:00', '2027-04-01T06:00']],
    ['on working days', '0 15 9 * * MON-FRI', '2026-02-27T09:15:00Z', ['2026-03-02T09:15', '2026-03-03T09:15', '2026-03-04T09:15']],
    ['at the last minute of the year', '0 59 23 31 12 *', '2026-12-31T23:58:59Z', ['2026-12-31T23:59', '2027-12-31T23:59', '2028-12-31T23:59']],
    ['every 25 minutes, anew each hour', '0 */25 * * * *', '2026-01-01T00:40:00Z', ['2026-01-01T00:50', '2026-01-01T01:00', '2026-01-01T01:25']],
    ['every 7 hours, anew each day', '0 0 */7 * * *', '2026-01-01T15:00:00Z', ['2026-01-01T21:00', '2026-01-02T00:00', '2026-01-02T07:00']],
    ['every 10 days, anew each month', '0 0 0 */10 * *', '2028-02-20T00:00:00Z', ['2028-02-21T00:00', '2028-03-01T00:00', '2028-03-11T00:00']],
    ['from the 28th on', '0 0 0 28/1 2 *', '2028-02-01T00:00:00Z', ['2028-02-28T00:00', '2028-02-29T00:00', '2029-02-28T00:00']],
    ['with steps of a range', '0 10-30/10 3 * * *', '2026-01-01T00:00:00Z', ['2026-01-01T03:10', '2026-01-01T03:20', '2026-01-01T03:30']],
    ['with a list of everything', '0 5,1-3,50/5 0 * * *', '2026-01-01T00:03:00Z', ['2026-01-01T00:05', '2026-01-01T00:50', '2026-01-01T00:55']],
    ['on Friday the 13th or not: either day field will do', '0 0 0 13 * FRI', '2026-02-12T00:00:00Z', ['2026-02-13T00:00', '2026-02-20T00:00', '2026-02-27T00:00']],
    ['in the hour that clocks skip elsewhere', '0 30 2 * * *', '2026-03-28T12:00:00Z', ['2026-03-29T02:30', '2026-03-30T02:30', '2026-03-31T02:30']],
    ['in the hour that clocks have twice elsewhere', '0 30 1 * * *', '2026-10-24T12:00:00Z', ['2026-10-25T01:30', '2026-10-26T01:30', '2026-10-27T01:30']],
  ])('%s: %s', (_name, cron, after, times) => {
    expect(cronFault(cron)).toBeUndefined();
    expect(nextTimes(cron, times.length, new Date(after)).map((time) => time.toISOString())).toEqual(times.map((time) => `${time}:00.000Z`));
  });

  test('every next time is one that the fields name, the first after the one before, whatever the schedule', () => {
    for (const [minute, hour, day, month] of [[0, 0, 31, 12], [59, 23, 29, 2], [30, 12, 30, 4], [7, 5, 1, 1]] as const) {
      const times = nextTimes(`0 ${minute} ${hour} ${day} ${month} *`, 5, new Date('2096-02-28T00:00:00Z'));
      for (const time of times) expect([time.getUTCSeconds(), time.getUTCMinutes(), time.getUTCHours(), time.getUTCDate(), time.getUTCMonth() + 1]).toEqual([0, minute, hour, day, month]);
      for (const [index, time] of times.entries()) {
        const before = times[index - 1];
        if (before === undefined) continue;
        const years = time.getUTCFullYear() - before.getUTCFullYear();
        expect(day === 29 && month === 2 ? [4, 8] : [1]).toContain(years);
      }
    }
  });
});
