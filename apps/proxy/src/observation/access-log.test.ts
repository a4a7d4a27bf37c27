import { expect, test } from '@jest/globals';
import { FakeLogger } from '@haven/runtime';
import type { Exchange } from '../exchange/exchange.js';
import { AccessLog, type AccessLogMode } from './access-log.js';

function logged(mode: AccessLogMode, method: string, status: number, { milliseconds = 5, broken = false } = {}): boolean {
  const logger = new FakeLogger();
  const exchange = { request: { method }, path: '/v2/', route: { name: 'v2' }, status, bytes: 1, requestId: 'r', connection: { address: '127.0.0.1' }, broken } as unknown as Exchange;
  new AccessLog(mode, logger).record(exchange, milliseconds, true);
  return logger.lines.length === 1;
}

test.each([
  ['all', 'GET', 200, true], ['off', 'DELETE', 500, false],
  ['changes', 'GET', 200, false], ['changes', 'HEAD', 404, false], ['changes', 'GET', 401, false], ['changes', 'GET', 403, true], ['changes', 'GET', 500, true], ['changes', 'PUT', 201, true], ['changes', 'DELETE', 404, true],
  ['errors', 'PUT', 201, false], ['errors', 'GET', 403, false], ['errors', 'GET', 502, true],
] as const)('%s: %s with %i is logged: %s', (mode, method, status, expected) => {
  expect(logged(mode, method, status)).toBe(expected);
});

test('slow reads are logged as changes are, broken answers as errors are', () => {
  expect(logged('changes', 'GET', 200, { milliseconds: 10_001 })).toBe(true);
  expect(logged('errors', 'GET', 200, { milliseconds: 10_001 })).toBe(false);
  expect(logged('errors', 'GET', 200, { broken: true })).toBe(true);
});
