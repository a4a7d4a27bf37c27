import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Place } from '../authorization/table/row.js';
import { Pusher } from '../testing/push.js';
import { startTestCore, type Answer, type TestCore } from '../testing/test-core.js';
import { addressOf, operations, resolve } from './all-operations.js';
import { Fingerprints } from './fingerprints.js';
import { insertObjects, makeObjects, USUAL_BODIES, usualQuery } from './objects.js';
import type { Operation } from './operations.js';
import { sample } from './values.js';

/** Parts of a path that name something of one project only. */
const OBJECTS: readonly string[] = ['mid', 'label_id', 'immutable_rule_id', 'robot_id', 'id', 'eid', 'tid', 'entry_id', 'webhook_policy_id', 'execution_id', 'task_id'];
const MISSING = '2000000000';

const concerned = operations.flatMap((operation): [string, Operation, string][] => operation.parameters
  .filter(({ in: place, name }) => place === 'path' && OBJECTS.includes(name))
  .map(({ name }) => [`${operation.method} ${operation.path} (${name})`, operation, name]));

let core: TestCore;
let own: Place;
let foreign: Place;
let fingerprints: Fingerprints;

beforeAll(async () => {
  core = await startTestCore();
  const bystander = await core.addUser('otto');
  const place = async (project: string, admin: string): Promise<Place> => {
    await core.addUser(admin);
    const projectId = await core.addProject(project, { members: { [admin]: 1 } });
    await new Pusher(core.database, projectId).image(`${project}/app`, 'content', ['1']);
    await core.database.execute(`INSERT INTO robot (name, level, project_id, secret_hash, duration) VALUES ('useless', 'project', $1, '', -1)`, [projectId]);
    const made = { core, database: core.database, project, projectId, bystander };
    await insertObjects(made);
    return made;
  };
  [own, foreign] = [await place('alpha', 'alice'), await place('bravo', 'bob')];
  fingerprints = new Fingerprints(core.database);
});
afterAll(() => core.stop());

async function callAsAlice(operation: Operation, values: Readonly<Record<string, string>>): Promise<Answer> {
  const query = usualQuery(operation.path, own);
  const address = await addressOf(operation, own, { path: values, ...(query === '' ? {} : { query }) }, resolve);
  const body = USUAL_BODIES[`${operation.method} ${operation.path}`] ?? (operation.body === undefined ? undefined : sample(operation.body, resolve));
  return core.call(operation.method, address, { as: 'alice', json: body });
}

/** The whole answer, without the numbers that differ because the request named them. */
function seen({ status, body, headers }: Answer): unknown {
  return [status, JSON.stringify(body)?.replaceAll(/\d+/g, '#'), [...headers.keys()].sort()];
}

test('there are routes to try', () => {
  expect(concerned.length).toBeGreaterThan(5);
});

describe('D: what belongs to another project looks like what does not exist, and stays as it is:', () => {
  test.each(concerned)('%s', async (_name, operation, name) => {
    const theirs = (await makeObjects(foreign, operation.path))[name];
    if (theirs === undefined) throw new Error(`the test has no ${name} of another project: add it to objects.ts`);
    const before = await fingerprints.take();
    const hidden = await callAsAlice(operation, { [name]: theirs });
    const missing = await callAsAlice(operation, { [name]: MISSING });
    expect([403, 404]).toContain(hidden.status);
    expect(seen(hidden)).toEqual(seen(missing));
    expect(await fingerprints.take()).toEqual(before);
  });
});
