import { CoreModule } from '../core.module.js';
import type { Place } from '../authorization/table/row.js';
import { routesOf } from '../http/route-table.service.js';
import { controllersOf } from '../openapi/module-controllers.js';
import { neededBeside, type Case } from './cases.js';
import { makeObjects, usualQuery } from './objects.js';
import { operationsOf, type Operation } from './operations.js';
import type { Resolve } from './values.js';

/** Every operation of core, also those that nobody has thought of here. */
export const { operations, resolve } = operationsOf(routesOf(controllersOf(CoreModule) as Parameters<typeof routesOf>[0]));

/** The address of an operation in which everything exists, but for what the case has wrong. */
export async function addressOf(operation: Operation, place: Place, { path = {}, query }: Pick<Case, 'path' | 'query'>, resolveWith: Resolve): Promise<string> {
  const values = { ...(await makeObjects(place, operation.path)), ...path };
  const filled = operation.path.replaceAll(/\{(\w+)\}/g, (_match, name: string) => values[name] ?? 'missing');
  const search = withExisting(query ?? neededBeside(undefined, operation, resolveWith).join('&'), usualQuery(operation.path, place));
  return search === '' ? filled : `${filled}?${search}`;
}

/** A required parameter that names an object names one that exists, where the sample for its schema does not. */
function withExisting(search: string, usual: string): string {
  return usual.startsWith('policy_id=') ? search.replace(/\bpolicy_id=1(?=&|$)/, usual) : search;
}
