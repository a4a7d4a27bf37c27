import { expect, test } from '@jest/globals';
import { withOrigin, type Origin } from '@haven/database';
import { FakeLogger } from '@haven/runtime';
import type { OperationFacts } from '../http/operation.js';
import { FailureLimit } from './failure-limit.js';
import { OperationWatchService } from './operation-watch.service.js';
import { recordNoChange } from './record-audit.js';

const ROUTES = [route('POST', { operation: 'create', resourceType: 'label' }), route('PUT', 'nothing'), route('GET', undefined)];

function route(method: string, audits: OperationFacts['audits']): object {
  return { method, path: '/api/v2.0/things', operation: { audits } };
}

async function complaints(method: string, status: number, prepare: (origin: Origin) => void = () => undefined): Promise<string[]> {
  const logger = new FakeLogger();
  const watch = new OperationWatchService({ routes: ROUTES } as never, undefined as never, undefined as never, logger);
  const origin: Origin = { name: 'alice', address: '', requestId: 'r' };
  withOrigin(origin, () => prepare(origin));
  await watch.observe({ method, routeOptions: { url: '/api/v2.0/things' }, origin, id: 'r' } as unknown as Parameters<OperationWatchService['observe']>[0], status);
  return logger.messages('error');
}

test('an operation that worked and left no line is reported', async () => {
  const missed = ['an operation left no audit record'];
  expect(await complaints('POST', 201)).toEqual(missed);
  expect(await complaints('POST', 201, (origin) => { origin.told = new Set(['project.visibility-changed']); })).toEqual(missed);
});

test('one that left a line, changed nothing, failed or only reads is not', async () => {
  expect(await complaints('POST', 201, (origin) => { origin.told = new Set(['audit.recorded']); })).toEqual([]);
  expect(await complaints('POST', 201, (origin) => { origin.told = new Set(['tag.created']); })).toEqual([]);
  expect(await complaints('POST', 200, () => recordNoChange())).toEqual([]);
  expect(await complaints('POST', 403)).toEqual([]);
  expect(await complaints('PUT', 200)).toEqual([]);
  expect(await complaints('GET', 200)).toEqual([]);
});

test('each caller has failures recorded up to a number in a minute', () => {
  const limit = new FailureLimit();
  const turns = Array.from({ length: 62 }, () => limit.take('user:1', 0));
  expect(turns.slice(58)).toEqual(['record', 'last', 'pass', 'pass']);
  expect([limit.take('user:2', 59_999), limit.take('user:1', 59_999), limit.take('user:1', 60_000)]).toEqual(['record', 'pass', 'record']);
});

test('the memory for that is bounded', () => {
  const limit = new FailureLimit();
  for (let user = 0; user < 10_000; user++) limit.take(`user:${user}`, 0);
  for (let time = 0; time < 60; time++) limit.take('user:1', 0);
  expect(limit.take('user:1', 0)).toBe('pass');
});
