import { expect, test } from '@jest/globals';
import { Problem } from '@haven/api';
import { CatalogError } from '@haven/catalog';
import { DatabaseUnavailable } from '@haven/database';
import { StorageError } from '@haven/storage';
import { problemOf } from './problem-of.js';

test.each([
  [new Problem('CONFLICT', 'taken'), 409, 'CONFLICT', 'taken'],
  [new CatalogError('tag-unknown', 'alpha/app has no tag 1'), 404, 'NOT_FOUND', 'alpha/app has no tag 1'],
  [new CatalogError('referenced', 'an index names it'), 412, 'VIOLATE_FOREIGN_KEY_CONSTRAINT', 'an index names it'],
])('%s keeps its sentence', (error, status, code, message) => {
  expect(problemOf(error)).toMatchObject({ status, code, message });
});

test.each([
  [new DatabaseUnavailable('secret detail'), 503, 'SERVICE_UNAVAILABLE'],
  [new StorageError('unavailable', 'secret detail'), 503, 'SERVICE_UNAVAILABLE'],
  [new StorageError('broken', 'secret detail'), 500, 'UNKNOWN'],
  [Object.assign(new Error('secret detail'), { statusCode: 413 }), 413, 'REQUEST_ENTITY_TOO_LARGE'],
  [Object.assign(new Error('secret detail'), { statusCode: 418 }), 400, 'BAD_REQUEST'],
  [Object.assign(new Error('secret detail'), { getStatus: () => 404 }), 404, 'NOT_FOUND'],
  [new Error('secret detail'), 500, 'UNKNOWN'],
  ['secret detail', 500, 'UNKNOWN'],
  [undefined, 500, 'UNKNOWN'],
])('%s tells nothing of itself', (error, status, code) => {
  const problem = problemOf(error);
  expect(problem).toMatchObject({ status, code });
  expect(problem.message).not.toContain('secret');
});
