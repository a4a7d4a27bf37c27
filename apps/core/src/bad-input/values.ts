import { isObject, type Json, type JsonObject } from '../openapi/json.js';

export type Resolve = (schema: Json | undefined) => JsonObject;

/** What a schema allows besides null: more than one where it may be one or the other. */
export function alternatives(schema: Json | undefined, resolve: Resolve): JsonObject[] {
  const resolved = resolve(schema);
  const parts = resolved['anyOf'] ?? resolved['oneOf'];
  if (Array.isArray(parts)) return parts.flatMap((part: Json) => alternatives(part, resolve));
  const { type } = resolved;
  if (Array.isArray(type)) return (type as readonly Json[]).map((one) => ({ ...resolved, type: one }));
  return [resolved];
}

/** A value that fits the schema, with nothing that is not required. */
export function sample(schema: Json | undefined, resolve: Resolve): Json {
  const [first = {}] = alternatives(schema, resolve);
  if (Array.isArray(first['enum'])) return (first['enum'] as readonly Json[])[0] ?? null;
  if (first['const'] !== undefined) return first['const'];
  switch (first['type']) {
    case 'string': return first['format'] === 'date-time' ? '2026-01-01T00:00:00Z' : 'sample'.padEnd(Number(first['minLength'] ?? 0), 'x');
    case 'integer':
    case 'number': return Math.max(1, Number(first['minimum'] ?? 1));
    case 'boolean': return false;
    case 'array': return Array.from({ length: Number(first['minItems'] ?? 0) }, () => sample(first['items'], resolve));
    case 'object': return sampleObject(first, resolve);
    default: return null;
  }
}

function sampleObject(schema: JsonObject, resolve: Resolve): JsonObject {
  const properties = isObject(schema['properties']) ? schema['properties'] : {};
  const required = (schema['required'] ?? []) as readonly string[];
  return Object.fromEntries(required.map((name) => [name, sample(properties[name], resolve)]));
}

const OF_EVERY_TYPE: readonly (readonly [type: string, value: Json])[] = [
  ['string', 'text'], ['number', 7], ['number', 1.5], ['number', 1e300], ['boolean', true], ['array', []], ['array', [null]], ['object', {}], ['object', { $gt: '' }], ['null', null],
];

/** Values that do not fit: of each type that the schema does not allow, and beyond its bounds. */
export function wrongValues(schema: Json | undefined, resolve: Resolve): Json[] {
  const allowed = alternatives(schema, resolve);
  if (allowed.some((one) => !isTyped(one))) return [];
  const ofTypes = OF_EVERY_TYPE.filter(([type, value]) => !allowed.some((one) => allows(one, type, value))).map(([, value]) => value);
  return [...ofTypes, ...(allowed.length === 1 ? beyondBounds(allowed[0] ?? {}) : [])];
}

function isTyped(schema: JsonObject): boolean {
  return schema['type'] !== undefined || schema['enum'] !== undefined || schema['const'] !== undefined;
}

/** Whether some value of this type could fit; what an array or an object holds is asked elsewhere. */
function allows(schema: JsonObject, type: string, value: Json): boolean {
  if (schema['enum'] !== undefined || schema['const'] !== undefined) {
    return schema['const'] === undefined ? (schema['enum'] as readonly Json[]).some((one) => typeof one === typeof value) : typeof schema['const'] === typeof value;
  }
  if (type === 'number') return schema['type'] === 'number' || (schema['type'] === 'integer' && value === 7);
  return schema['type'] === type;
}

function beyondBounds(schema: JsonObject): Json[] {
  const values = schema['enum'] ?? (schema['const'] === undefined ? undefined : [schema['const']]);
  if (values !== undefined) return typeof (values as readonly Json[])[0] === 'string' ? ['no-such-value', ''] : [];
  switch (schema['type']) {
    case 'string': return typeof schema['maxLength'] === 'number' ? ['x'.repeat(schema['maxLength'] + 1)] : [];
    case 'integer':
    case 'number': return [
      ...(typeof schema['minimum'] === 'number' ? [schema['minimum'] - 1] : []),
      ...(typeof schema['maximum'] === 'number' ? [schema['maximum'] + 1] : []),
    ];
    case 'array': return typeof schema['maxItems'] === 'number' && schema['maxItems'] <= 20_000 ? [Array.from({ length: schema['maxItems'] + 1 }, () => ({}))] : [];
    default: return [];
  }
}
