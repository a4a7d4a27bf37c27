import { Errors } from '@haven/api';
import type { Route } from '../http/route.js';
import { sorted, type JsonObject } from './json.js';
import { operationObject } from './operation-object.js';
import type { PlacedOperation } from './placed-operation.js';
import { refusalComponents } from './refusals.js';
import { registryOperations, registrySchemas } from './registry-operations.js';
import { Schemas } from './schemas.js';
import { tokenOperation } from './token-operations.js';

/** The OpenAPI 3.1 document of these routes, and of the registry's beside them. The same routes give the same text. */
export function openApiDocument(routes: readonly Route[]): JsonObject {
  const schemas = new Schemas();
  schemas.ofAnswer(Errors);
  const operations = [...routes.map((route) => describe(route, schemas)), ...registryOperations()];
  refuseTwins(operations);
  return {
    openapi: '3.1.1',
    info: {
      title: 'Haven',
      version: '2.0',
      summary: 'The REST API of the Haven container registry',
      description: 'Version 2.0 of the Harbor API, the registry API of the OCI Distribution Specification, and operations of Haven’s own, marked x-haven-extension. Every refusal under /api has the form of the schema Errors.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    tags: tagsOf(operations),
    paths: pathsOf(operations),
    components: {
      headers: HEADERS,
      parameters: { RequestId: { name: 'X-Request-Id', in: 'header', description: 'An id for this request, which the answer and the log repeat.', required: false, schema: { type: 'string', minLength: 1 } } },
      responses: refusalComponents(new Set(operations.flatMap(({ operation }) => Object.keys(operation['responses'] as JsonObject)))),
      schemas: sorted(Object.entries({ ...schemas.components, ...registrySchemas() }) as [string, JsonObject][]),
      securitySchemes: SECURITY,
    },
  };
}

const HEADERS = {
  Link: { description: 'The pages before and after: <address>; rel="prev" , <address>; rel="next".', schema: { type: 'string' } },
  Location: { description: 'The address of what was created.', schema: { type: 'string' } },
  RequestId: { description: 'The id of the request, as it was sent or made up.', schema: { type: 'string' } },
  RetryAfter: { description: 'Seconds to wait.', schema: { type: 'string' } },
  TotalCount: { description: 'Items on all pages together.', schema: { type: 'integer' } },
};

const SECURITY = {
  basic: { type: 'http', scheme: 'basic', description: 'The name and password of a user, a user’s CLI secret, or the name and secret of a robot account.' },
  bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: 'A registry token from /service/token.' },
  csrf: { type: 'apiKey', in: 'header', name: 'X-Harbor-CSRF-Token', description: 'With a session, for everything that changes something: the token of the latest answer.' },
  session: { type: 'apiKey', in: 'cookie', name: 'sid', description: 'The session of a browser.' },
};

function describe(route: Route, schemas: Schemas): PlacedOperation {
  const operation = tokenOperation(route, schemas) ?? operationObject(route, schemas);
  return { method: route.method, path: route.path.replaceAll(/:(\w+)/g, '{$1}'), operation };
}

function pathsOf(operations: readonly PlacedOperation[]): JsonObject {
  const paths = new Map<string, [string, JsonObject][]>();
  for (const { method, path, operation } of operations) paths.set(path, [...(paths.get(path) ?? []), [method.toLowerCase(), operation]]);
  return sorted([...paths].map(([path, methods]) => [path, sorted(methods)]));
}

function tagsOf(operations: readonly PlacedOperation[]): JsonObject[] {
  const names = new Set(operations.flatMap(({ operation }) => operation['tags'] as string[]));
  return [...names].sort().map((name) => ({ name }));
}

function refuseTwins(operations: readonly PlacedOperation[]): void {
  const seen = new Set<unknown>();
  for (const { method, path, operation } of operations) {
    const id = operation['operationId'];
    if (seen.has(id)) throw new Error(`${method} ${path}: another operation is called ${String(id)}, too`);
    seen.add(id);
  }
}
