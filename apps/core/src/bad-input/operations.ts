import type { Route } from '../http/route.js';
import { openApiDocument } from '../openapi/document.js';
import { isObject, type Json, type JsonObject } from '../openapi/json.js';

/** A parameter that an operation takes. */
export interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header';
  readonly required: boolean;
  readonly schema: JsonObject;
  /** It is taken and not read. */
  readonly deprecated?: boolean;
}

/** One operation of core as its own document describes it: what the cases are made from. */
export interface Operation {
  readonly method: string;
  /** With its parameters in braces. */
  readonly path: string;
  readonly parameters: readonly Parameter[];
  /** The schema of a JSON body. */
  readonly body: JsonObject | undefined;
  readonly bodyRequired: boolean;
  /** The schema of the items, for lists with pages. */
  readonly item: JsonObject | undefined;
  readonly statuses: ReadonlySet<number>;
}

/** The operations of these routes, with every reference resolved one step at a time by `resolve`. */
export function operationsOf(routes: readonly Route[]): { readonly operations: readonly Operation[]; readonly resolve: (schema: Json | undefined) => JsonObject } {
  const document = openApiDocument(routes);
  const resolve = (schema: Json | undefined): JsonObject => {
    if (!isObject(schema)) return {};
    const reference = schema['$ref'];
    if (typeof reference === 'string') return resolve(reference.slice(2).split('/').reduce<Json | undefined>((at, key) => (isObject(at) ? at[key] : undefined), document));
    return schema;
  };
  const operations = Object.entries(document['paths'] as Readonly<Record<string, JsonObject>>).flatMap(([path, methods]) => {
    if (path.startsWith('/v2/')) return [];
    return Object.entries(methods).map(([method, described]) => operationOf(method.toUpperCase(), path, described as JsonObject, resolve));
  });
  return { operations, resolve };
}

function operationOf(method: string, path: string, described: JsonObject, resolve: (schema: Json | undefined) => JsonObject): Operation {
  const responses = described['responses'] as Readonly<Record<string, JsonObject>>;
  const body = described['requestBody'];
  const success = Object.entries(responses).find(([status]) => Number(status) < 300)?.[1] ?? {};
  const isPage = isObject(success['headers']) && success['headers']['X-Total-Count'] !== undefined;
  return {
    method,
    path,
    parameters: (described['parameters'] as readonly Json[]).map(resolve) as unknown as readonly Parameter[],
    body: isObject(body) ? jsonSchema(body) : undefined,
    bodyRequired: isObject(body) && body['required'] === true,
    item: isPage ? resolve(jsonSchema(success)?.['items']) : undefined,
    statuses: new Set(Object.keys(responses).map(Number)),
  };
}

function jsonSchema(described: JsonObject): JsonObject | undefined {
  const content = isObject(described['content']) ? described['content']['application/json'] : undefined;
  const schema = isObject(content) ? content['schema'] : undefined;
  return isObject(schema) ? schema : undefined;
}
