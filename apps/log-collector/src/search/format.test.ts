import { expect, test } from '@jest/globals';
import { logLine } from '../testing/folder.js';
import { formatRecord } from './format.js';
import { parseQuery } from './query.js';
import { matchingRecord } from './record.js';

const format = (line: string, json = false): string => formatRecord(matchingRecord(line, parseQuery(['--dir', '/logs']))!, json);

test('a line for people has time, level, service, message and the fields', () => {
  expect(format(logLine(0, { requestId: 'r1', status: 404, path: 'a b' }))).toBe('2026-01-01T00:00:00.000Z INFO  registry      line 0 requestId=r1 status=404 path="a b"');
});

test('stack traces stand on lines of their own', () => {
  expect(format(logLine(0, { error: { name: 'Error', message: 'no', stack: 'Error: no\n    at one (a.js:1)\n    at two (b.js:2)' } })))
    .toBe('2026-01-01T00:00:00.000Z INFO  registry      line 0 error="no"\n    at one (a.js:1)\n    at two (b.js:2)');
});

test('nothing in a line controls the terminal', () => {
  const text = format(logLine(0, { message: 'a\u001b[2Jb\rc\nd\u202ee\u009bf', ['k\u001b']: '\u001b]0;x\u0007' }));
  // eslint-disable-next-line no-control-regex
  expect(text).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202e]/);
  expect(text).toContain('a\\u001b[2Jb');
});

test('--json prints the line as it is stored', () => {
  expect(format(logLine(3), true)).toBe(logLine(3));
});
