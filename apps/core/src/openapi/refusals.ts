import { PROBLEMS } from '@haven/api';
import type { Requirement } from '../authorization/requirement.js';
import type { Route } from '../http/route.js';
import { sorted, type JsonObject } from './json.js';

/** The response component of each status that refuses. */
const REFUSALS: Readonly<Record<number, { readonly name: string; readonly description: string }>> = {
  400: { name: 'BadRequest', description: 'The request cannot be read or asks for something that makes no sense.' },
  401: { name: 'Unauthorized', description: 'Nobody is logged in, or the credentials are wrong.' },
  403: { name: 'Forbidden', description: 'The caller may not do this, or it is switched off.' },
  404: { name: 'NotFound', description: 'There is no such thing.' },
  405: { name: 'MethodNotAllowed', description: 'Not in this state or on this resource.' },
  409: { name: 'Conflict', description: 'It exists already, or changed meanwhile.' },
  412: { name: 'PreconditionFailed', description: 'The resource is not in a state that allows this.' },
  413: { name: 'ContentTooLarge', description: 'The body is too large.' },
  415: { name: 'UnsupportedMediaType', description: 'The body is not application/json.' },
  422: { name: 'UnprocessableContent', description: 'A parameter or the body does not have the expected form.' },
  429: { name: 'TooManyRequests', description: 'Too many requests or failed logins; Retry-After says when to try again.' },
  500: { name: 'InternalServerError', description: 'The service failed; the log has the reason.' },
  503: { name: 'ServiceUnavailable', description: 'The service cannot answer just now; Retry-After says when to try again.' },
};

/** Every refusal that a route may answer, by status. */
export function refusalsOf(route: Route): JsonObject {
  const statuses = new Set([500, ...ofRequirement(route), ...ofInput(route), ...(route.operation.refuses ?? []).map((code) => PROBLEMS[code].status)]);
  return refusals(statuses);
}

export function refusals(statuses: Iterable<number>): JsonObject {
  return sorted([...statuses].map((status) => [String(status), { $ref: `#/components/responses/${refusal(status).name}` }]));
}

/** The response components of the statuses that are used; all have the error envelope. */
export function refusalComponents(used: ReadonlySet<string>): JsonObject {
  return sorted(Object.entries(REFUSALS).filter(([status]) => used.has(status)).map(([status, { name, description }]) => [name, {
    description,
    headers: {
      'X-Request-Id': { $ref: '#/components/headers/RequestId' },
      ...(status === '429' || status === '503' ? { 'Retry-After': { $ref: '#/components/headers/RetryAfter' } } : {}),
    },
    content: { 'application/json': { schema: { $ref: '#/components/schemas/Errors' } } },
  }]));
}

function refusal(status: number): { readonly name: string } {
  const known = REFUSALS[status];
  if (known === undefined) throw new Error(`the API document has no response for status ${status}`);
  return known;
}

function ofRequirement({ requirement, method }: Route): number[] {
  if (requirement.kind === 'open') return [];
  return [401, 429, 503, ...(mayForbid(requirement) || isChange(method) ? [403] : []), ...(requirement.kind === 'project' ? [404] : [])];
}

function mayForbid({ kind }: Requirement): boolean {
  return kind === 'system' || kind === 'self-or-system' || kind === 'project';
}

/** A change from a browser without its token, or of an account that is limited to reading, is forbidden anywhere. */
function isChange(method: string): boolean {
  return method !== 'GET' && method !== 'HEAD';
}

function ofInput({ path, parameters }: Route): number[] {
  const inPath = path.includes(':');
  const inBody = parameters.some((one) => one.in === 'body');
  const any = inPath || inBody || parameters.length > 0;
  return [...(any ? [400, 422] : []), ...(inPath ? [404] : []), ...(inBody ? [413, 415] : [])];
}
