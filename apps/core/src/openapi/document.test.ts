import 'reflect-metadata';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { Validator } from '@seriousme/openapi-schema-validator';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { parse } from 'yaml';
import { committedDocument } from './committed-document.js';
import { isObject, type Json, type JsonObject } from './json.js';

const COMMITTED = join(import.meta.dirname, '../../../../docs/api/openapi.yaml');

let text: string;
let document: JsonObject;
beforeAll(() => {
  text = committedDocument();
  document = parse(text) as JsonObject;
});

function validate(candidate: JsonObject): Promise<{ valid: boolean }> {
  return new Validator().validate(structuredClone(candidate));
}

test('docs/api/openapi.yaml is what the code gives; if not, run `npm run openapi` and commit the file', () => {
  const committed = new Set(readFileSync(COMMITTED, 'utf8').split('\n'));
  const generated = text.split('\n');
  expect(generated.filter((line) => !committed.has(line)).slice(0, 20)).toEqual([]);
  expect(readFileSync(COMMITTED, 'utf8') === text).toBe(true);
});

test('the same code gives the same bytes', () => {
  expect(committedDocument()).toBe(text);
});

describe('the document', () => {
  test('is valid OpenAPI 3.1', async () => {
    expect(await validate(document)).toEqual({ valid: true });
  });

  test.each([
    ['an operation without responses', { '/x': { get: { operationId: 'x', responses: 7 } } }],
    ['a parameter without a name', { '/x': { get: { parameters: [{ in: 'query' }], responses: { '200': { description: '' } } } } }],
  ])('would not be with %s', async (_name, paths) => {
    expect((await validate({ ...document, paths })).valid).toBe(false);
  });

  test('has only schemas that are JSON Schema', () => {
    const ajv = new Ajv2020({ strict: false });
    const wrong = (schema: Json): boolean => ajv.validateSchema(schema as object) !== true;
    expect(schemasIn(document).filter(wrong)).toEqual([]);
    expect(wrong({ type: 'text' })).toBe(true);
  });

  test('refers to nothing that it does not have', () => {
    const missing = references(document).filter((reference) => lookUp(reference) === undefined);
    expect(missing).toEqual([]);
  });

  test('has no component that nothing refers to', () => {
    const used = new Set(references(document));
    const components = document['components'] as Readonly<Record<string, JsonObject>>;
    const unused = ['headers', 'parameters', 'responses', 'schemas'].flatMap((kind) => Object.keys(components[kind] ?? {}).map((name) => `#/components/${kind}/${name}`)).filter((name) => !used.has(name));
    expect(unused).toEqual([]);
  });

  test('describes the path parameters of every operation, and only those', () => {
    for (const [path, methods] of Object.entries(document['paths'] as Readonly<Record<string, JsonObject>>)) {
      for (const operation of Object.values(methods)) {
        const names = ((operation as JsonObject)['parameters'] as readonly JsonObject[]).filter((one) => one['in'] === 'path').map((one) => one['name']);
        expect(names).toEqual([...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name));
      }
    }
  });
});

function references(value: Json): string[] {
  if (Array.isArray(value)) return value.flatMap((part: Json) => references(part));
  if (!isObject(value)) return [];
  return Object.entries(value).flatMap(([key, part]) => (key === '$ref' && typeof part === 'string' ? [part] : references(part)));
}

function schemasIn(value: Json): Json[] {
  if (Array.isArray(value)) return value.flatMap((part: Json) => schemasIn(part));
  if (!isObject(value)) return [];
  return Object.entries(value).flatMap(([key, part]) => {
    if (key === 'schema') return [part];
    return key === 'schemas' && isObject(part) ? Object.values(part) : schemasIn(part);
  });
}

function lookUp(reference: string): Json | undefined {
  return reference.slice(2).split('/').reduce<Json | undefined>((at, key) => (isObject(at) ? at[key] : undefined), document);
}
