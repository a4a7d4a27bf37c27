import { describe, expect, test } from '@jest/globals';
import { parseQuery, UsageError } from './query.js';

const NOW = new Date('2026-01-01T12:00:00Z');
const query = (...args: string[]) => parseQuery(['--dir', '/logs', ...args], NOW);

describe('parseQuery', () => {
  test('wants the newest hundred lines of all services by default', () => {
    expect(query()).toEqual({ directory: '/logs', services: [], level: 'debug', since: undefined, requestId: undefined, grep: undefined, follow: false, lines: 100, json: false });
  });

  test('reads every option', () => {
    expect(query('--service', 'core', '--service', 'proxy', '--level', 'warn', '--since', '90m', '--request-id', 'r1', '--grep', 'TimeOut', '-n', '5', '-f', '--json'))
      .toEqual({ directory: '/logs', services: ['core', 'proxy'], level: 'warn', since: new Date('2026-01-01T10:30:00Z'), requestId: 'r1', grep: 'timeout', follow: true, lines: 5, json: true });
  });

  test('wants more lines when the question is narrow', () => {
    expect([query('--since', '2025-12-31T00:00:00Z').lines, query('--request-id', 'r').lines]).toEqual([10_000, 10_000]);
  });

  test.each([['--level', 'loud'], ['--since', 'yesterday'], ['-n', 'many'], ['-n', '1000001'], ['--service', '../etc'], ['--colour'], ['core'], ['--since']])('refuses %s %s', (...args) => {
    expect(() => query(...args)).toThrow(UsageError);
  });

  test('refuses to guess the folder', () => {
    expect(() => parseQuery([])).toThrow('--dir is missing');
  });
});
