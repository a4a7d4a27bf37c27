import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Place } from '../authorization/table/row.js';
import { createWorld, type World } from '../authorization/table/world.js';
import { Pusher } from '../testing/push.js';
import type { Answer, Call } from '../testing/test-core.js';
import { addressOf, operations, resolve } from './all-operations.js';
import { insertObjects, usualQuery } from './objects.js';
import type { Operation } from './operations.js';

/** Different in every answer. */
const OF_THE_MOMENT = ['x-request-id', 'date', 'set-cookie', 'x-harbor-csrf-token'];
/** It gives out a new token, with the time in it, every time. */
const ALWAYS_NEW = ['/service/token'];
/** What the unseen project is found by, if it is found. */
const WORDS = ['unseen', 'name=unseen-project', 'q=name%3D~unseen', 'q=unseen', 'public=false', 'sort=-name', 'page_size=1', 'page_size=100'];

const reads = operations.filter(({ method, path }) => method === 'GET' && !ALWAYS_NEW.includes(path));

let world: World;
beforeAll(async () => {
  world = await createWorld();
  for (const place of [world.private, world.public]) await insertObjects(place);
});
afterAll(() => world.stop());

/** Nobody, somebody in no project, a guest of two others, and a robot of one. */
const strangers = (): Record<string, Call> => ({ nobody: world.as('a', world.public), nora: world.as('n', world.public), gina: world.as('g', world.public), robot: world.as('+', world.public) });

function seen({ status, body, headers }: Answer): string {
  const text = JSON.stringify(body) ?? '';
  return JSON.stringify([status, text.replaceAll(/,?"(?:current_time|last_login_time|last_seen_at|last_used_time|used_at|expires_at)":"[^"]+"/g, ''), [...headers].filter(([name]) => !OF_THE_MOMENT.includes(name))]);
}

function queries(operation: Operation, place: Place): (string | undefined)[] {
  const usual = usualQuery(operation.path, place);
  if (operation.item === undefined && !operation.path.endsWith('/search')) return [undefined];
  const needed = operation.parameters.filter((one) => one.in === 'query' && one.required).map(({ name }) => `${name}=e`);
  return ['', ...WORDS].map((words) => [usual, ...needed.filter((need) => !words.startsWith(need.slice(0, 2))), words].filter((part) => part !== '').join('&'));
}

/** Everything that these callers can read, with the words that would find what they must not. */
async function everything(): Promise<Map<string, string>> {
  const answers = new Map<string, string>();
  for (const operation of reads) {
    for (const query of queries(operation, world.public)) {
      const address = await addressOf(operation, world.public, query === undefined ? {} : { query }, resolve);
      await Promise.all(Object.entries(strangers()).map(async ([name, call]) => answers.set(`${name}: ${address}`, seen(await world.core.call('GET', address, call)))));
    }
  }
  return answers;
}

describe('D-18, L-08: what a private project holds', () => {
  test('changes no list, no count, no page and no other answer to those who may not see it', async () => {
    const before = await everything();
    expect(before.size).toBeGreaterThan(400);
    const { core, private: { bystander } } = world;
    const projectId = await core.addProject('unseen-project', { members: { paul: 1 } });
    const unseen: Place = { core, database: core.database, project: 'unseen-project', projectId, bystander };
    for (const name of ['app', 'unseen', 'second']) await new Pusher(core.database, projectId).image(`unseen-project/${name}`, `unseen ${name}`, ['1', 'unseen']);
    await insertObjects(unseen);
    await core.database.execute(`DELETE FROM user_group WHERE name = 'people of unseen-project'`);
    const after = await everything();
    expect([...after].filter(([key, answer]) => before.get(key) !== answer).map(([key, answer]) => [key, before.get(key)?.slice(0, 300), answer.slice(0, 300)])).toEqual([]);
    expect([...after].filter(([key, answer]) => !key.includes('unseen') && answer.includes('unseen'))).toEqual([]);
  }, 120_000);

  test('and is seen by those who may: the test above would find it', async () => {
    for (const path of ['/projects?name=unseen-project', '/search?q=unseen', '/repositories?q=name%3D~unseen', '/statistics']) {
      const [member, stranger] = await Promise.all(['paul', 'nora'].map((as) => world.core.call('GET', `/api/v2.0${path}`, { as })));
      expect([path, member?.status, JSON.stringify(member?.body) === JSON.stringify(stranger?.body)]).toEqual([path, 200, false]);
    }
  });

  test('strangers are told nothing of it by name', async () => {
    for (const path of ['', '/summary', '/repositories', '/members', '/repositories/app/artifacts']) {
      expect([path, (await world.core.call('GET', `/api/v2.0/projects/unseen-project${path}`)).status]).toEqual([path, 401]);
      expect([path, (await world.core.call('GET', `/api/v2.0/projects/unseen-project${path}`, { as: 'nora' })).status]).toEqual([path, 403]);
    }
    const listed = await world.core.call('GET', '/api/v2.0/projects?public=false');
    expect([listed.body, listed.headers.get('x-total-count')]).toEqual([[], '0']);
  });
});
