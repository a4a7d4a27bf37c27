import { isObject, type Json, type JsonObject } from '../openapi/json.js';
import type { Operation, Parameter } from './operations.js';
import { alternatives, sample, wrongValues, type Resolve } from './values.js';

/** One wrong request. */
export interface Case {
  readonly name: string;
  /** The statuses that may refuse it; 404 only where the path is wrong. */
  readonly refusals: readonly number[];
  /** Added to the address, without the question mark. */
  readonly query?: string;
  /** Parts of the path instead of the usual ones, percent-encoded. */
  readonly path?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly contentType?: string;
  /** It may also be understood as something harmless and answered with success. */
  readonly harmless?: true;
}

const JSON_TYPE = 'application/json';
const OF_INPUT = [400, 422];
const OF_BODY = [400, 413, 415, 422];
const OF_PATH = [400, 404, 422];
/** Clients that were written for Harbor leave a page out like this. */
const LEFT_OUT: readonly string[] = ['page=', 'page_size='];
const DEEPEST = 4;
const TOO_LARGE = 1024 * 1024 + 1;

/** Everything wrong that can be sent to an operation, from its own description. */
export function casesOf(operation: Operation, resolve: Resolve): Case[] {
  const { body } = operation;
  return [
    ...(body === undefined ? [] : bodyCases(body, operation.bodyRequired, resolve)),
    ...operation.parameters.filter((one) => one.deprecated !== true).flatMap((one) => (one.in === 'query' ? queryCases(one, operation, resolve) : one.in === 'path' ? pathCases(one, operation.path) : [])),
  ];
}

function bodyCases(schema: JsonObject, required: boolean, resolve: Resolve): Case[] {
  const json = (name: string, body: string, contentType = JSON_TYPE): Case => ({ name: `body: ${name}`, refusals: OF_BODY, body, contentType });
  const base = sample(schema, resolve);
  const wrong = JSON.stringify(wrongValues(schema, resolve)[0] ?? 'text');
  const broken = wrongBodies(schema, base, resolve);
  return [
    json('cut off', '{"a":'), json('no JSON', 'x'), json('NUL in JSON', '{"a\0":1}'), json('a prototype', '{"__proto__":{"a":1}}'),
    json('a constructor', '{"constructor":{"prototype":{"a":1}}}'), json('too large', JSON.stringify('x'.repeat(TOO_LARGE))),
    ...(required ? [json('empty', '')] : []),
    ...wrongValues(schema, resolve).map((value) => json(JSON.stringify(value), JSON.stringify(value))),
    ...['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data', 'text/json', 'application/vnd.x+json', 'application/jsonx', 'application/xml'].map((type) => json(`as ${type}`, JSON.stringify(base), type)),
    ...['application/json\t;x', 'application/json;', 'APPLICATION/JSON', 'application/json; charset=utf-16', 'application/json, text/plain'].map((type) => json(`wrong, as ${type}`, wrong, type)),
    ...broken.map(([name, value]) => json(name, JSON.stringify(value))),
    ...lastTwin(schema, base, resolve).map(([name, text]) => json(name, text)),
  ];
}

/** The base with one thing wrong in it, down to DEEPEST levels. */
function wrongBodies(schema: Json | undefined, base: Json, resolve: Resolve, path = '', depth = 0): [name: string, body: Json][] {
  if (depth > DEEPEST) return [];
  return alternatives(schema, resolve).flatMap((one) => {
    if (one['type'] === 'object' && isObject(one['properties'])) return wrongFields(one, isObject(base) ? base : {}, resolve, path, depth);
    if (one['type'] !== 'array') return [];
    const item = sample(one['items'], resolve);
    return [
      ...wrongValues(one['items'], resolve).map((value): [string, Json] => [`${path}[] ${shown(value)}`, [value]]),
      ...wrongBodies(one['items'], item, resolve, `${path}[]`, depth + 1).map(([name, value]): [string, Json] => [name, [value]]),
    ];
  });
}

function wrongFields(schema: JsonObject, base: JsonObject, resolve: Resolve, path: string, depth: number): [string, Json][] {
  const required = new Set((schema['required'] ?? []) as readonly string[]);
  return Object.entries(schema['properties'] as JsonObject).flatMap(([field, property]) => {
    const at = path === '' ? field : `${path}.${field}`;
    const withField = (value: Json): Json => ({ ...base, [field]: value });
    const { [field]: _left, ...without } = base;
    return [
      ...(required.has(field) ? [[`${at} missing`, without] as [string, Json]] : []),
      ...wrongValues(property, resolve).map((value): [string, Json] => [`${at} ${shown(value)}`, withField(value)]),
      ...(isStoredText(field, property, resolve) ? [[`${at} with NUL`, withField('a\0b')] as [string, Json]] : []),
      ...wrongBodies(property, sample(property, resolve), resolve, at, depth + 1).map(([name, value]): [string, Json] => [name, withField(value)]),
    ];
  });
}

/** Passwords and secrets are hashed: any character is fine there. */
function isStoredText(field: string, schema: Json | undefined, resolve: Resolve): boolean {
  return !/password|secret/.test(field) && alternatives(schema, resolve).every(({ type, enum: values }) => type === 'string' && values === undefined);
}

/** The same key twice: what counts is what is checked. */
function lastTwin(schema: JsonObject, base: Json, resolve: Resolve): [string, string][] {
  const [one] = alternatives(schema, resolve);
  if (one === undefined || !isObject(one['properties'])) return [];
  return Object.entries(one['properties']).slice(0, 3).flatMap(([field, property]) => {
    const [wrong] = wrongValues(property, resolve);
    if (wrong === undefined) return [];
    const rest = Object.entries(isObject(base) ? base : {}).filter(([name]) => name !== field).map(([name, value]) => `,${JSON.stringify(name)}:${JSON.stringify(value)}`).join('');
    const key = JSON.stringify(field);
    return [[`${field} twice, the second wrong`, `{${key}:${JSON.stringify(sample(property, resolve))},${key}:${JSON.stringify(wrong)}${rest}}`]];
  });
}

function queryCases({ name, schema, required }: Parameter, operation: Operation, resolve: Resolve): Case[] {
  const [one = {}] = alternatives(schema, resolve);
  const usual = encodeURIComponent(String(sample(schema, resolve)));
  const may = operation.method === 'GET' || operation.method === 'HEAD' ? { harmless: true as const } : {};
  const wrong = (text: string): Case => ({ name: `query: ${name}=${text.slice(0, 40)}`, refusals: OF_INPUT, query: `${name}=${text}` });
  return [
    ...(alternatives(schema, resolve).some(({ type }) => type === 'array') ? [] : [{ name: `query: ${name} twice`, refusals: OF_INPUT, query: `${name}=${usual}&${name}=${usual}` }]),
    ...(required ? [{ name: `query: no ${name}`, refusals: OF_INPUT }] : []),
    ...[`${name}[]=a`, `${name}[$ne]=a`, `${name}.x=a`].map((query) => ({ name: `query: ${query}`, refusals: OF_INPUT, query, ...(required ? {} : may) })),
    ...wrongTexts(one).map(wrong).filter(({ query }) => !LEFT_OUT.includes(query ?? '')),
    ...(one['type'] === 'string' && one['enum'] === undefined ? [wrong('a%00b')] : []),
  ].map((found: Case) => ({ ...found, query: [found.query, ...(required ? [] : neededBeside(name, operation, resolve))].filter((part) => part !== undefined).join('&') }));
}

/** The parameters that the operation cannot do without. */
export function neededBeside(name: string | undefined, { parameters }: Operation, resolve: Resolve): string[] {
  return parameters.filter((one) => one.in === 'query' && one.required && one.name !== name).map((one) => `${one.name}=${encodeURIComponent(String(sample(one.schema, resolve)))}`);
}

function wrongTexts(schema: JsonObject): string[] {
  if (schema['enum'] !== undefined || schema['const'] !== undefined) return ['no-such-value', ''];
  switch (schema['type']) {
    case 'integer': return ['abc', '1.5', '', '1e9', 'NaN', '0x10', '99999999999999999999', '%2B1', '1%2C2', ...(typeof schema['minimum'] === 'number' ? [String(schema['minimum'] - 1)] : []), ...(typeof schema['maximum'] === 'number' ? [String(schema['maximum'] + 1)] : [])];
    case 'boolean': return ['maybe', '2', 'null', '%5B%5D'];
    case 'string': return typeof schema['maxLength'] === 'number' && schema['maxLength'] < 7000 ? ['x'.repeat(schema['maxLength'] + 1)] : [];
    default: return [];
  }
}

/** Harbor's word for the registry that this is itself: the one route where 0 names something. */
const OURSELVES = '/api/v2.0/registries/{id}/info';

function pathCases({ name, schema }: Parameter, path: string): Case[] {
  const wrong = (text: string): Case => ({ name: `path: ${name} ${text.slice(0, 40)}`, refusals: OF_PATH, path: { [name]: text } });
  const common = ['%00', 'a%00b', '%ff', '%zz', '..%2F..%2Fetc%2Fpasswd', "'%3B--", 'x'.repeat(3000), '%F0%9F%98%80%0A'];
  const numbers = ['abc', '0', '-1', '1.5', '1e3', '0x1', '2147483648', '9223372036854775808', '99999999999999999999', '%2B1', '1%20'];
  return [...common, ...(schema['type'] === 'integer' ? numbers.filter((text) => text !== '0' || path !== OURSELVES) : [])].map(wrong);
}

function shown(value: Json): string {
  return JSON.stringify(value).slice(0, 40);
}
