import type { Requirement } from '../authorization/requirement.js';
import type { Route } from '../http/route.js';
import type { Json, JsonObject } from './json.js';
import { parametersOf } from './parameters.js';
import { refusalsOf } from './refusals.js';
import { successOf } from './responses.js';
import type { Schemas } from './schemas.js';

/** The OpenAPI operation object of a route. */
export function operationObject(route: Route, schemas: Schemas): JsonObject {
  const { operation, status } = route;
  return {
    operationId: operation.id,
    tags: [operation.tag],
    summary: operation.summary,
    description: permissionOf(route.requirement),
    ...(operation.extension === true ? { 'x-haven-extension': true } : {}),
    security: securityOf(route),
    parameters: parametersOf(route, schemas),
    ...bodyOf(route, schemas),
    responses: { [String(status)]: successOf(route, schemas), ...refusalsOf(route) },
  };
}

function bodyOf({ parameters }: Route, schemas: Schemas): JsonObject {
  const body = parameters.find((one) => one.in === 'body' && one.name === undefined && one.schema !== undefined)?.schema;
  if (body === undefined) return {};
  return { requestBody: { required: body._zod.optin !== 'optional', content: { 'application/json': { schema: schemas.ofRequest(body) } } } };
}

function securityOf({ requirement, method }: Route): readonly Json[] {
  if (requirement.kind === 'open') return [];
  const session = method === 'GET' || method === 'HEAD' ? { session: [] } : { csrf: [], session: [] };
  return [...(requirement.kind === 'anyone' ? [{}] : []), { basic: [] }, session];
}

function permissionOf(requirement: Requirement): string {
  switch (requirement.kind) {
    case 'open': return 'For everybody.';
    case 'anyone': return 'For everybody; the answer depends on who asks.';
    case 'authenticated': return 'For every account.';
    case 'system': return `Needs the system permission ${requirement.resource}:${requirement.action}.`;
    case 'self-or-system': return `For the account itself, and for those with the system permission ${requirement.resource}:${requirement.action}.`;
    case 'project': return `Needs the permission ${requirement.resource}:${requirement.action} in the project.`;
  }
}
