import { TokenForm, TokenQuery } from '@haven/api';
import type { Route } from '../http/route.js';
import type { JsonObject } from './json.js';
import { operationObject } from './operation-object.js';
import { queryParameters } from './parameters.js';
import { refusals } from './refusals.js';
import type { Schemas } from './schemas.js';

/** The token service reads its requests itself (a query with repeated keys, a form); undefined for every other route. */
export function tokenOperation(route: Route, schemas: Schemas): JsonObject | undefined {
  if (route.path !== '/service/token') return undefined;
  const described = operationObject(route, schemas);
  const isForm = route.method === 'POST';
  const { responses, parameters, ...rest } = described;
  return {
    ...rest,
    security: isForm ? [] : [{}, { basic: [] }],
    parameters: [...(isForm ? [] : queryParameters(TokenQuery, schemas)), ...(parameters as readonly JsonObject[])],
    ...(isForm ? { requestBody: { required: true, content: { 'application/x-www-form-urlencoded': { schema: schemas.ofRequest(TokenForm) } } } } : {}),
    responses: { ...(responses as JsonObject), ...refusals(isForm ? [400, 401, 413, 415, 429, 500, 503] : [400, 401, 429, 500, 503]) },
  };
}
