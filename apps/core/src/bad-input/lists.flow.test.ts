import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Place } from '../authorization/table/row.js';
import { createWorld, type World } from '../authorization/table/world.js';
import { isObject } from '../openapi/json.js';
import type { Answer } from '../testing/test-core.js';
import { addressOf, operations, resolve } from './all-operations.js';
import { neededBeside } from './cases.js';
import { BROKEN_QUERIES, SORTS, VALUES } from './list-cases.js';
import { insertObjects, usualQuery } from './objects.js';
import type { Operation } from './operations.js';
import { alternatives } from './values.js';

/** Longer than any of these small lists takes, shorter than the pg_sleep of the cases. */
const TOO_SLOW_MS = 2_000;

const lists = operations.filter(({ item }) => item !== undefined);
const all = lists.map((operation): [string, Operation] => [`${operation.method} ${operation.path}`, operation]);
const searchable = all.filter(([, operation]) => has(operation, 'q'));
const sortable = all.filter(([, operation]) => has(operation, 'sort'));

let world: World;
beforeAll(async () => {
  world = await createWorld();
  for (const place of [world.private, world.public]) await insertObjects(place);
});
afterAll(() => world.stop());

function has({ parameters }: Operation, name: string): boolean {
  return parameters.some((one) => one.in === 'query' && one.name === name);
}

async function ask(operation: Operation, query: string, as = 'sara', place: Place = world.private): Promise<Answer> {
  const usual = usualQuery(operation.path, place);
  const needed = neededBeside(query.split('=', 1)[0], operation, resolve).filter((one) => !usual.includes(one.slice(0, one.indexOf('=') + 1)));
  const search = [...needed, usual, query].filter((part) => part !== '').join('&');
  return world.core.call('GET', await addressOf(operation, place, { query: search }, resolve), { as });
}

function fields({ item = {} }: Operation): string[] {
  return Object.keys(isObject(item['properties']) ? item['properties'] : {});
}

function textFields(operation: Operation): string[] {
  const properties = operation.item?.['properties'];
  return fields(operation).filter((field) => isObject(properties) && alternatives(properties[field], resolve).every(({ type, format, enum: values }) => type === 'string' && format === undefined && values === undefined));
}

function shown(query: string, { status, body }: Answer): string {
  return `${query.slice(0, 60)}: ${status} ${JSON.stringify(body).slice(0, 80)}`;
}

const refused = ({ status, body }: Answer): boolean => (status === 400 || status === 422) && typeof (body as { errors: { message: string }[] }).errors[0]?.message === 'string';
const answered = ({ status, body }: Answer): boolean => status === 200 && Array.isArray(body) && body.length <= 100;

test('there are lists to try', () => {
  expect(lists.length).toBeGreaterThan(10);
  expect(searchable.length).toBeGreaterThan(5);
});

describe('G-01: an order that is no order is ignored or refused, and takes no time:', () => {
  test.each(sortable)('%s', async (_name, operation) => {
    const faults: string[] = [];
    for (const sort of [...SORTS, ...fields(operation).flatMap((field) => [`sort=${field}`, `sort=-${field}`])]) {
      for (const as of ['sara', 'paul']) {
        const started = performance.now();
        const answer = await ask(operation, sort, as);
        if (performance.now() - started > TOO_SLOW_MS) faults.push(`${sort}: slow`);
        if (!answered(answer) && !refused(answer) && answer.status !== 403) faults.push(shown(sort, answer));
      }
    }
    expect(faults).toEqual([]);
  });
});

describe('G-06: a broken q is refused:', () => {
  test.each(searchable)('%s', async (_name, operation) => {
    const faults: string[] = [];
    for (const { query = '' } of BROKEN_QUERIES) {
      const answer = await ask(operation, query);
      if (!refused(answer)) faults.push(shown(query, answer));
    }
    expect(faults).toEqual([]);
  });
});

describe('G-06, G-12: whatever is asked of a key, the answer is a page or a refusal:', () => {
  test.each(searchable)('%s', async (_name, operation) => {
    const faults: string[] = [];
    for (const key of [...fields(operation), 'Level', 'ProjectID', 'labels', 'tags', 'base', 'reference', 'reference_id', 'no_such_key', 'name__icontains', '__proto__', 'constructor']) {
      await Promise.all(VALUES.map(async (value) => {
        const answer = await ask(operation, `q=${encodeURIComponent(encodeURIComponent(`${key}=${value}`))}`);
        if (!answered(answer) && !refused(answer)) faults.push(shown(`${key}=${value}`, answer));
      }));
    }
    expect(faults.sort()).toEqual([]);
  }, 60_000);
});

describe('G-05: % and _ and \\ are letters like others:', () => {
  test.each(searchable)('%s', async (_name, operation) => {
    const faults: string[] = [];
    for (const field of textFields(operation)) {
      const find = (value: string): Promise<Answer> => ask(operation, `q=${encodeURIComponent(encodeURIComponent(`${field}=~${value}`))}`);
      if (!(await isFilter(find))) continue;
      for (const letter of ['%', '_', '\\']) {
        const answer = await find(letter);
        const strangers = answered(answer) ? (answer.body as Record<string, unknown>[]).filter((item) => !String(item[field]).includes(letter)) : [];
        if (!answered(answer) || strangers.length > 0) faults.push(shown(`${field}=~${letter}`, answer));
      }
    }
    expect(faults).toEqual([]);
  });

  /** Keys that a list does not filter by are ignored, or refused where the model is sensitive. */
  async function isFilter(find: (value: string) => Promise<Answer>): Promise<boolean> {
    const { status, body } = await find('no such text anywhere');
    return status === 200 && (body as unknown[]).length === 0;
  }
});

describe('M-02: no list gives more than a page:', () => {
  test.each(all)('%s', async (_name, operation) => {
    const faults: string[] = [];
    for (const query of ['page_size=-2', 'page_size=101', 'page_size=1e9', 'page_size=NaN', 'page_size=1.5', 'page=-1', 'page=1000000000000000000', 'page=1&page=2', 'page_size=1&page_size=100']) {
      const answer = await ask(operation, query);
      if (answer.status !== 422 || !refused(answer)) faults.push(shown(query, answer));
    }
    const beyond = await ask(operation, 'page=1000000');
    if (beyond.status !== 200 || (beyond.body as unknown[]).length > 0 || beyond.headers.get('link') !== null || beyond.headers.get('x-total-count') === null) faults.push(shown('page=1000000', beyond));
    const one = await ask(operation, 'page_size=1');
    if (!answered(one) || (one.body as unknown[]).length > 1) faults.push(shown('page_size=1', one));
    expect(faults).toEqual([]);
  });
});
