import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createWorld, type World } from '../authorization/table/world.js';
import { basic, PASSWORD } from '../testing/test-core.js';
import { addressOf, operations, resolve } from './all-operations.js';
import { Fingerprints } from './fingerprints.js';
import { insertObjects } from './objects.js';
import type { Operation } from './operations.js';
import { sample } from './values.js';

const MIB = 1024 * 1024;
const LIMIT = MIB;
const changes = operations.filter(({ method }) => method !== 'GET' && method !== 'HEAD').map((operation): [string, Operation] => [`${operation.method} ${operation.path}`, operation]);
// Nobody logs in through a provider here, so that the way through one answers before it looks at anything.
const taking = changes.filter(([, { body, path }]) => body !== undefined && !path.startsWith('/c/oidc/'));
const FORMS: readonly (readonly [path: string, limit: number])[] = [['/service/token', 64 * 1024], ['/c/login', 64 * 1024], ['/c/userExists', 64 * 1024]];

/** How a body may be called that the schema would refuse, to slip past it (CVE-2025-32442 and its like). */
const DISGUISES: readonly (readonly string[])[] = [
  ['application/json\t;x'], [' application/json'], ['application/json;'], ['APPLICATION/JSON'], ['text/json'], ['application/vnd.x+json'], [], ['application/json', 'text/plain'], ['text/plain', 'application/json'],
  ['application/json; charset=utf-7'], ['application/json;application/json'], ['application/json ,application/json'], ['\tapplication/json'], ['application/ json'], [''],
];

let world: World;
let fingerprints: Fingerprints;
beforeAll(async () => {
  world = await createWorld();
  for (const place of [world.private, world.public]) await insertObjects(place);
  fingerprints = new Fingerprints(world.core.database);
});
afterAll(() => world.stop());

interface Sending {
  readonly types: readonly string[];
  /** Announced; without it the body comes in chunks. */
  readonly length?: number;
  readonly as?: string;
}

/** Sends the headers just so, where fetch would tidy them up; resolves to the status, which may come before the body was sent. */
function statusOf(method: string, path: string, { types, length, as }: Sending, body: string): Promise<number> {
  return new Promise((done, reject) => {
    const headers = ['host', 'x', ...types.flatMap((type) => ['content-type', type]), ...(length === undefined ? ['transfer-encoding', 'chunked'] : ['content-length', String(length)]), ...(as === undefined ? [] : ['authorization', basic(as, PASSWORD)])];
    const sending = request(`${world.core.url}${path}`, { method, headers, agent: false });
    let status = 0;
    sending.on('response', (response) => {
      status = response.statusCode ?? 0;
      done(status);
      sending.destroy();
    });
    // Who is refused early may find the connection closed while still sending.
    sending.on('error', (error) => { if (status === 0) reject(error); });
    sending.write(body);
    if (length === undefined || length <= Buffer.byteLength(body)) sending.end();
  });
}

const addressIn = (operation: Operation): Promise<string> => addressOf(operation, world.private, {}, resolve);

describe('F-15: what a body is called is no way around the schema:', () => {
  test.each(taking)('%s', async (_name, operation) => {
    const before = await fingerprints.take();
    const path = await addressIn(operation);
    const faults: unknown[] = [];
    for (const types of DISGUISES) {
      const status = await statusOf(operation.method, path, { types, length: 9, as: 'sara' }, '["wrong"]');
      if (![400, 415, 422].includes(status)) faults.push([types, status]);
    }
    expect(faults).toEqual([]);
    expect(await fingerprints.take()).toEqual(before);
  });

  test('a body that would do is read as JSON or refused, never taken for nothing', async () => {
    const outcomes = await Promise.all(DISGUISES.map(async (types, index) => {
      const name = `disguised-${index}`;
      const body = JSON.stringify({ project_name: name });
      const status = await statusOf('POST', '/api/v2.0/projects', { types, length: Buffer.byteLength(body), as: 'sara' }, body);
      const made = (await world.core.database.query('SELECT FROM project WHERE name = $1', [name])).length === 1;
      return { types, status, made };
    }));
    expect(outcomes.filter(({ status, made }) => (made ? status !== 201 : ![400, 415].includes(status)))).toEqual([]);
    expect(outcomes.some(({ made }) => made)).toBe(true);
    await world.core.database.execute(`DELETE FROM project WHERE name LIKE 'disguised-%'`);
  });

  test.each(FORMS)('a form for %s under another name is refused', async (path) => {
    for (const types of [['application/x-www-form-urlencoded;'], ['multipart/form-data; boundary=x'], ['text/plain'], [], ['application/json', 'application/x-www-form-urlencoded']]) {
      const status = await statusOf('POST', path, { types, length: 31, as: 'sara' }, 'principal=sara&password=%00%00x');
      expect([types, status >= 400 && status < 500]).toEqual([types, true]);
    }
  });
});

describe('F-14: a body that is too large is refused, not looked at in part:', () => {
  /** Begins as a body that would do. */
  function large(operation: Operation, size: number): string {
    const start = operation.body === undefined ? '{}' : JSON.stringify(sample(operation.body, resolve));
    return start + ' '.repeat(size - start.length);
  }

  test.each(changes)('%s', async (_name, operation) => {
    const before = await fingerprints.take();
    const path = await addressIn(operation);
    const types = ['application/json'];
    const announced = await statusOf(operation.method, path, { types, length: 20 * MIB, as: 'sara' }, large(operation, 1000));
    const chunked = await statusOf(operation.method, path, { types, as: 'sara' }, large(operation, LIMIT + 1));
    expect([announced, chunked]).toEqual([413, 413]);
    expect(await fingerprints.take()).toEqual(before);
  });

  test.each(FORMS)('the form of %s', async (path, limit) => {
    const form = 'principal=sara&password='.padEnd(limit + 1, 'x');
    const types = ['application/x-www-form-urlencoded'];
    expect([await statusOf('POST', path, { types, length: 20 * MIB }, form.slice(0, 100)), await statusOf('POST', path, { types }, form)]).toEqual([413, 413]);
  });

  test('there are doors to try, and what is just small enough is read', async () => {
    expect([taking.length > 30, changes.length > 50]).toEqual([true, true]);
    const body = `{"project_name":"!"${' '.repeat(LIMIT - 20)}}`;
    expect(body).toHaveLength(LIMIT);
    expect(await statusOf('POST', '/api/v2.0/projects', { types: ['application/json'], length: LIMIT, as: 'sara' }, body)).toBe(400);
    expect(await statusOf('POST', '/api/v2.0/projects', { types: ['application/json'], as: 'sara' }, body)).toBe(400);
  });
});
