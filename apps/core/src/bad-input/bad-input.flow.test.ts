import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Place } from '../authorization/table/row.js';
import { createWorld, type World } from '../authorization/table/world.js';
import type { Answer } from '../testing/test-core.js';
import { addressOf, operations, resolve } from './all-operations.js';
import { casesOf, type Case } from './cases.js';
import { Fingerprints } from './fingerprints.js';
import { insertObjects } from './objects.js';
import type { Operation } from './operations.js';
import { sample } from './values.js';

// The ways through an OpenID provider answer nothing but 412 and 403 here, where nobody logs in so: see oidc/oidc-login.flow.test.ts.
const named = operations.filter(({ path }) => !path.startsWith('/c/oidc/')).map((operation): [string, Operation] => [`${operation.method} ${operation.path}`, operation]);

let world: World;
let fingerprints: Fingerprints;
beforeAll(async () => {
  world = await createWorld();
  for (const place of [world.private, world.public]) await insertObjects(place);
  fingerprints = new Fingerprints(world.core.database);
});
afterAll(() => world.stop());

/** Sends the request with a body that would do, unless the case has its own. */
async function send(operation: Operation, place: Place, wrong: Case): Promise<Answer> {
  const usual = operation.body === undefined || wrong.contentType !== undefined ? {} : { json: sample(operation.body, resolve) };
  const own = wrong.contentType === undefined ? {} : { body: wrong.body ?? '', headers: { 'content-type': wrong.contentType } };
  return world.core.call(operation.method, await addressOf(operation, place, wrong, resolve), { as: 'sara', ...usual, ...own });
}

/** What is wrong with the answer; nothing when it refuses as it must. */
function fault({ method, statuses }: Operation, wrong: Case, { status, body }: Answer): string | undefined {
  if (wrong.harmless === true && status < 300) return undefined;
  if (!wrong.refusals.includes(status)) return `${wrong.name}: ${status} ${JSON.stringify(body ?? '').slice(0, 100)}`;
  if (!statuses.has(status)) return `${wrong.name}: ${status} is not in the API document`;
  const [first] = (body as { errors?: { code?: unknown; message?: unknown }[] } | undefined)?.errors ?? [];
  if (method === 'HEAD') return undefined;
  return typeof first?.code === 'string' && /\w+ \w+/.test(String(first.message)) ? undefined : `${wrong.name}: ${status} says ${JSON.stringify(body ?? '').slice(0, 100)}`;
}

describe('G-12, G-13, G-14: wrong input is refused with a sentence and changes nothing:', () => {
  test.each(named)('%s', async (_name, operation) => {
    const before = await fingerprints.take();
    const faults: string[] = [];
    for (const wrong of casesOf(operation, resolve)) {
      const found = fault(operation, wrong, await send(operation, world.private, wrong));
      if (found !== undefined) faults.push(found);
    }
    expect(faults).toEqual([]);
    expect(await fingerprints.take()).toEqual(before);
  });
});
