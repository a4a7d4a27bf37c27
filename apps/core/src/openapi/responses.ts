import { STATUS_CODES } from 'node:http';
import type { z } from 'zod';
import type { Route } from '../http/route.js';
import { isObject, type Json, type JsonObject } from './json.js';
import type { Schemas } from './schemas.js';

/** What a route answers when it does what was asked. */
export function successOf(route: Route, schemas: Schemas): JsonObject {
  const { response, status, method } = route;
  const content = method === 'HEAD' ? undefined : contentOf(response, schemas);
  return {
    description: STATUS_CODES[status] ?? 'Success',
    headers: headersOf(route),
    ...(content === undefined ? {} : { content }),
  };
}

function headersOf({ response, status }: Route): JsonObject {
  return {
    // Generators ignore it; Harbor's document has it.
    ...(response.kind === 'raw' ? Object.fromEntries(response.headers.map((name) => [name, { schema: { type: 'string' } }])) : {}),
    ...(response.kind === 'text' ? { 'Content-Type': { schema: { type: 'string' } } } : {}),
    ...(response.kind === 'page' ? { Link: { $ref: '#/components/headers/Link' } } : {}),
    ...(status === 201 ? { Location: { $ref: '#/components/headers/Location' } } : {}),
    'X-Request-Id': { $ref: '#/components/headers/RequestId' },
    ...(response.kind === 'page' ? { 'X-Total-Count': { $ref: '#/components/headers/TotalCount' } } : {}),
  };
}

function contentOf(response: Route['response'], schemas: Schemas): JsonObject | undefined {
  switch (response.kind) {
    case 'nothing': return undefined;
    case 'raw': return asTheyAre([response.mediaType]);
    case 'text': return asTheyAre(response.types);
    case 'one':
    case 'page': return byMediaType(response.schema, schemas);
  }
}

function asTheyAre(mediaTypes: readonly string[]): JsonObject {
  return Object.fromEntries(mediaTypes.map((type) => [type.split(';', 1)[0] ?? type, type.startsWith('text/') ? { schema: { type: 'string' } } : {}]));
}

/** Text goes out as text/plain, everything else as JSON. */
function byMediaType(schema: z.ZodType, schemas: Schemas): JsonObject {
  const converted = schemas.ofAnswer(schema);
  const parts = Array.isArray(converted['anyOf']) ? (converted['anyOf'] as readonly Json[]) : [converted];
  const [texts, others] = [parts.filter(isText), parts.filter((part) => !isText(part))];
  return {
    ...(others.length === 0 ? {} : { 'application/json': { schema: (texts.length === 0 ? converted : oneOrAny(others)) } }),
    ...(texts.length === 0 ? {} : { 'text/plain': { schema: oneOrAny(texts) } }),
  };
}

function isText(schema: Json): boolean {
  return isObject(schema) && schema['type'] === 'string';
}

function oneOrAny(schemas: readonly Json[]): Json {
  return schemas.length === 1 ? (schemas[0] ?? {}) : { anyOf: schemas };
}
