import { CoreModule } from '../core.module.js';
import type { Place } from '../authorization/table/row.js';
import { routesOf } from '../http/route-table.service.js';
import { controllersOf } from '../openapi/module-controllers.js';
import { neededBeside, type Case } from './cases.js';
import { makeObjects } from './objects.js';
import { operationsOf, type Operation } from './operations.js';
import type { Resolve } from './values.js';

/** Every operation of core, also those that nobody has thought of here. */
export const { operations, resolve } = operationsOf(routesOf(controllersOf(CoreModule) as Parameters<typeof routesOf>[0]));

/** The address of an operation in which everything exists, but for what the case has wrong. */
export async function addressOf(operation: Operation, place: Place, { path = {}, query }: Pick<Case, 'path' | 'query'>, resolveWith: Resolve): Promise<string> {
  const values = { ...(await makeObjects(place, operation.path)), ...path };
  const filled = operation.path.replaceAll(/\{(\w+)\}/g, (_match, name: string) => values[name] ?? 'missing');
  const search = query ?? neededBeside(undefined, operation, resolveWith).join('&');
  return search === '' ? filled : `${filled}?${search}`;
}
