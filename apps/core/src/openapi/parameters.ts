import { z } from 'zod';
import type { Route } from '../http/route.js';
import type { Json, JsonObject } from './json.js';
import type { Schemas } from './schemas.js';

/** What the parameters mean that many operations share. */
const DESCRIPTIONS: Readonly<Record<string, string>> = {
  page: 'Which page, from 1.',
  page_size: 'Items on a page, from 1 to 100.',
  q: 'Terms joined by commas: k=v (is), k=~v (contains), k=[a~b] (range), k={a b} (any of), k=(a b) (all of); percent-encoded once more.',
  sort: 'Keys joined by commas, a minus before those in descending order.',
  project_name_or_id: 'The id of a project, or its name.',
  repository_name: 'The name without its project; slashes are percent-encoded twice (%252F).',
  reference: 'A tag or a digest.',
};

type Place = 'query' | 'header';

/** What Harbor's clients send to operations that answer the same with and without it. */
const TOLERATED: Readonly<Record<string, readonly (readonly [Place, string, z.ZodType])[]>> = {
  getArtifact: [['query', 'page', z.int().optional()], ['query', 'page_size', z.int().optional()], ['header', 'X-Accept-Vulnerabilities', z.string().optional()]],
  listArtifacts: [['header', 'X-Accept-Vulnerabilities', z.string().optional()]],
  listArtifactsOfProject: [['header', 'X-Accept-Vulnerabilities', z.string().optional()]],
  downloadScanData: [['query', 'format', z.string().optional()]],
};

const BOOLEAN_HEADERS = new Set(['X-Is-Resource-Name', 'X-Resource-Name-In-Location']);

/** The parameters of a route, in path, query and header. */
export function parametersOf(route: Route, schemas: Schemas): JsonObject[] {
  const declared = route.parameters.flatMap(({ in: place, name, schema }) => {
    if (place === 'body' || place === 'path') return [];
    if (name !== undefined) return [parameter(place === 'header' ? headerName(name) : name, place, schema ?? z.string().optional(), schemas)];
    return place === 'query' && schema !== undefined ? queryParameters(schema, schemas) : [];
  });
  const tolerated = (TOLERATED[route.operation.id] ?? []).map(([place, name, schema]): JsonObject => ({ ...parameter(name, place, schema, schemas), description: 'Taken from clients of Harbor; changes nothing.', deprecated: true }));
  return [
    ...pathParameters(route, schemas),
    ...declared,
    ...(route.path.includes(':project_name_or_id') ? [parameter('X-Is-Resource-Name', 'header', z.string().optional(), schemas)] : []),
    ...tolerated.filter((one) => !declared.some((other) => other['name'] === one['name'])),
    { $ref: '#/components/parameters/RequestId' },
  ];
}

export function queryParameters(schema: z.ZodType, schemas: Schemas): JsonObject[] {
  if (!(schema instanceof z.ZodObject)) throw new Error('the schema of a query must be an object');
  return Object.entries(schema.shape as Readonly<Record<string, z.ZodType>>).map(([name, property]) => parameter(name, 'query', property, schemas));
}

function pathParameters({ path, parameters }: Route, schemas: Schemas): JsonObject[] {
  return [...path.matchAll(/:(\w+)/g)].map(([, name = '']) => {
    const declared = parameters.find((one) => one.in === 'path' && one.name === name)?.schema ?? wholePath(parameters, name);
    return parameter(name, 'path', declared ?? z.string(), schemas);
  });
}

/** The schema of one name where a handler takes all of the path at once. */
function wholePath(parameters: Route['parameters'], name: string): z.ZodType | undefined {
  const all = parameters.find((one) => one.in === 'path' && one.name === undefined)?.schema;
  return all instanceof z.ZodObject ? (all.shape as Readonly<Record<string, z.ZodType>>)[name] : undefined;
}

function parameter(name: string, place: string, schema: z.ZodType, schemas: Schemas): JsonObject {
  const fallback: unknown = isOptional(schema) ? schema.safeParse(undefined).data : undefined;
  const type = BOOLEAN_HEADERS.has(name) ? { type: 'boolean' } : schemas.ofAnswer(meaningOf(schema));
  const description = schema.description ?? DESCRIPTIONS[name];
  return {
    name,
    in: place,
    ...(description === undefined ? {} : { description }),
    required: place === 'path' || !isOptional(schema),
    schema: { ...type, ...(fallback === undefined ? {} : { default: fallback as Json }) },
  };
}

function isOptional(schema: z.ZodType): boolean {
  return schema._zod.optin === 'optional';
}

/** What the text of a parameter is read as: behind the steps that read it. */
function meaningOf(schema: z.ZodType): z.ZodType {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodNullable || schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault) {
    return meaningOf(schema.unwrap() as z.ZodType);
  }
  if (!(schema instanceof z.ZodPipe)) return schema;
  return meaningOf((schema.out instanceof z.ZodTransform ? schema.in : schema.out) as z.ZodType);
}

function headerName(name: string): string {
  return name.split('-').map((word) => `${word.slice(0, 1).toUpperCase()}${word.slice(1)}`).join('-');
}
