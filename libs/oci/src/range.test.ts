import { describe, expect, test } from '@jest/globals';
import { parseContentRange, parseRange } from './range.js';

describe('M-20: parseRange', () => {
  test.each([
    ['bytes=0-0', 10, { start: 0, end: 0 }],
    ['bytes=2-5', 10, { start: 2, end: 5 }],
    ['bytes=2-', 10, { start: 2, end: 9 }],
    ['bytes=0-99', 10, { start: 0, end: 9 }],
    ['bytes=-3', 10, { start: 7, end: 9 }],
    ['bytes=-30', 10, { start: 0, end: 9 }],
    ['BYTES=1-2', 10, { start: 1, end: 2 }],
    ['bytes=0-9999999999999999', 10, { start: 0, end: 9 }],
    ['bytes=10-', 10, 'unsatisfiable'],
    ['bytes=10-12', 10, 'unsatisfiable'],
    ['bytes=9999999999999999-', 10, 'unsatisfiable'],
    ['bytes=0-', 0, 'unsatisfiable'],
    ['bytes=-1', 0, 'unsatisfiable'],
    ['bytes=-0', 10, 'unsatisfiable'],
    ['bytes=5-2', 10, 'unsatisfiable'],
  ] as const)('%s of %i', (header, size, range) => {
    expect(parseRange(header, size)).toEqual(range);
  });

  test.each(['', 'bytes', 'bytes=', 'bytes=-', 'bytes=a-b', 'bytes=1-2,4-5', 'bytes=1-2,', 'items=1-2', 'bytes=+1-2', 'bytes=1.5-2', 'bytes=--1', 'bytes=1-2-3', 'bytes=0x1-2', '1-2', `bytes=${'1'.repeat(17)}-`, `bytes=1-2${' '.repeat(100)}`, 'bytes=1-2\n\n'])(
    'ignores %j', (header) => {
      expect(parseRange(header, 10)).toBeUndefined();
    },
  );

  test('no header, no range', () => {
    expect(parseRange(undefined, 10)).toBeUndefined();
  });
});

describe('parseContentRange', () => {
  test.each([
    ['0-0', { start: 0, end: 0 }],
    ['100-299', { start: 100, end: 299 }],
    ['bytes 100-299/*', { start: 100, end: 299 }],
    ['bytes 0-99/1000', { start: 0, end: 99 }],
    ['9007199254740990-9007199254740991', { start: 9007199254740990, end: 9007199254740991 }],
  ])('%s', (header, range) => {
    expect(parseContentRange(header)).toEqual(range);
  });

  test.each(['', '-', '1-', '-1', '5-4', 'a-b', '0--1', '1-2-3', '1e3-2e3', ' 1-2', '1-2 ', 'bytes=1-2', 'bytes */5', '0-9007199254740992', '0-99999999999999999', 'bytes 0-1/2/3', `${'0'.repeat(100_000)}-1`])('M-09: refuses %j', (header) => {
    expect(parseContentRange(header)).toBeUndefined();
  });
});
