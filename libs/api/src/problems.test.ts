import { expect, test } from '@jest/globals';
import { errorsBody } from './errors.js';
import { Problem, problemCodeOf, PROBLEMS } from './problems.js';

test('a problem knows its status and sentence', () => {
  expect(new Problem('NOT_FOUND')).toMatchObject({ status: 404, message: PROBLEMS.NOT_FOUND.message, headers: {} });
  expect(new Problem('TOO_MANY_REQUEST', 'wait', { headers: { 'Retry-After': '3' } })).toMatchObject({ status: 429, message: 'wait', headers: { 'Retry-After': '3' } });
});

test.each([[400, 'BAD_REQUEST'], [401, 'UNAUTHORIZED'], [403, 'FORBIDDEN'], [404, 'NOT_FOUND'], [405, 'METHOD_NOT_ALLOWED'], [412, 'PRECONDITION'], [413, 'REQUEST_ENTITY_TOO_LARGE'], [418, 'BAD_REQUEST'], [500, 'UNKNOWN'], [502, 'UNKNOWN'], [200, 'UNKNOWN']])('status %i is %s', (status, code) => {
  expect(problemCodeOf(status)).toBe(code);
});

test('every status is one that refuses, every sentence says something', () => {
  for (const { status, message } of Object.values(PROBLEMS)) {
    expect(status).toBeGreaterThanOrEqual(400);
    expect(message.length).toBeGreaterThan(10);
  }
});

test('the envelope', () => {
  expect(errorsBody('NOT_FOUND', 'gone')).toEqual({ errors: [{ code: 'NOT_FOUND', message: 'gone' }] });
});
