import 'reflect-metadata';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { committedDocument } from '../committed-document.js';
import type { JsonObject } from '../json.js';
import { missingFrom, type Contract } from './contract.js';
import type { Shape } from './shape.js';

const document = parse(committedDocument()) as JsonObject;
const areas = facts('operations.json') as Readonly<Record<string, Contract>>;
const models = facts('models.json') as Readonly<Record<string, Shape>>;

function facts(name: string): unknown {
  return JSON.parse(readFileSync(join(import.meta.dirname, name), 'utf8'));
}

describe('what clients of the Harbor API v2.0 rely on is there:', () => {
  test.each(Object.entries(areas))('%s', (_area, contract) => {
    expect(missingFrom(document, contract, models)).toEqual([]);
  });
});

test('the table has every operation of the areas', () => {
  expect(Object.values(areas).flatMap((contract) => Object.keys(contract)).length).toBe(155);
  expect(Object.keys(models).length).toBe(129);
});

describe('the comparison notices', () => {
  const labels = areas['label'] ?? {};
  const listed = ['paths', '/api/v2.0/labels', 'get'];

  /** What is missing when the document has `value` (nothing: undefined) at that place. */
  function missingWith(place: readonly string[], value: unknown): string[] {
    const changed = structuredClone(document) as unknown as Record<string, unknown>;
    const parent = place.slice(0, -1).reduce((at, key) => at[key] as Record<string, unknown>, changed);
    if (value === undefined) delete parent[place.at(-1) ?? ''];
    else parent[place.at(-1) ?? ''] = value;
    return missingFrom(changed as JsonObject, labels, models);
  }

  test.each([
    ['a missing operation', listed, undefined, ['GET /labels: no such operation']],
    ['another operationId', [...listed, 'operationId'], 'labels', ['GET /labels: operationId is labels, should be ListLabels']],
    ['a missing parameter', [...listed, 'parameters'], [], expect.arrayContaining(['GET /labels: parameter scope in query: missing', 'GET /labels: parameter X-Request-Id in header: missing'])],
    ['a missing status', [...listed, 'responses', '401'], undefined, ['GET /labels: status 401: missing']],
    ['another status of success', ['paths', '/api/v2.0/labels', 'post', 'responses', '200'], { description: '' }, ['POST /labels: status 200: should be 201']],
    ['a missing header', [...listed, 'responses', '200', 'headers', 'Link'], undefined, ['GET /labels: header Link of 200: missing']],
    ['a missing field', ['components', 'schemas', 'Label', 'properties', 'color'], undefined, expect.arrayContaining(['GET /labels: answer 200[].color: missing', 'GET /labels/{label_id}: answer 200.color: missing'])],
    ['a field of another type', ['components', 'schemas', 'Label', 'properties', 'id'], { type: 'string' }, expect.arrayContaining(['GET /labels: answer 200[].id: is "string", should be integer'])],
    ['a time without its form', ['components', 'schemas', 'Label', 'properties', 'creation_time'], { type: 'string' }, expect.arrayContaining(['GET /labels: answer 200[].creation_time: is "string", should be date-time'])],
    ['an object for a list', [...listed, 'responses', '200', 'content', 'application/json', 'schema'], { $ref: '#/components/schemas/Label' }, ['GET /labels: answer 200: is "object", should be a list']],
    ['a missing body', ['paths', '/api/v2.0/labels', 'post', 'requestBody'], undefined, ['POST /labels: body: missing']],
  ])('%s', (_name, place, value, findings) => {
    expect(missingWith(place, value)).toEqual(findings);
  });
});
