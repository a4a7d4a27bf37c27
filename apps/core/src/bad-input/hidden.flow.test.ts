import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Place } from '../authorization/table/row.js';
import { createWorld, type World } from '../authorization/table/world.js';
import type { Answer, Call } from '../testing/test-core.js';
import { addressOf, operations, resolve } from './all-operations.js';
import { Fingerprints } from './fingerprints.js';
import { insertObjects, USUAL_BODIES } from './objects.js';
import type { Operation } from './operations.js';
import { sample } from './values.js';

const MISSING = 'ghost-project';
const MISSING_ID = 2_000_000_000;
/** Different in every answer. */
const OF_THE_MOMENT = ['x-request-id', 'date'];

const ofProjects = operations.filter(({ path }) => /\{project_name(_or_id)?\}/.test(path)).map((operation): [string, Operation] => [`${operation.method} ${operation.path}`, operation]);

let world: World;
let hidden: Place;
let fingerprints: Fingerprints;
beforeAll(async () => {
  world = await createWorld();
  hidden = world.private;
  await insertObjects(hidden);
  fingerprints = new Fingerprints(world.core.database);
});
afterAll(() => world.stop());

/** Nobody; somebody who is no member; a robot of another project. */
const strangers = (): [status: number, call: Call][] => [[401, world.as('a', hidden)], [403, world.as('n', hidden)], [403, world.as('+', world.public)]];

/** The whole answer; what names the project says so in both. */
function seen({ status, body, headers }: Answer): unknown {
  const text = (value: string): string => value.replaceAll(hidden.project, MISSING).replaceAll(`/${hidden.projectId}/`, `/${MISSING_ID}/`);
  return [status, text(JSON.stringify(body) ?? ''), [...headers].filter(([name]) => !OF_THE_MOMENT.includes(name)).map(([name, value]) => [name, text(value)])];
}

/** With a body that would do, and with one that would not: who may not know is told before the body is read. */
function bodiesOf({ method, path, body }: Operation): readonly unknown[] {
  return body === undefined ? [undefined] : [USUAL_BODIES[`${method} ${path}`] ?? sample(body, resolve), ['wrong']];
}

test('there are routes to try', () => {
  expect(ofProjects.length).toBeGreaterThan(40);
});

describe('L-02: to strangers a private project looks like one that does not exist, by name and by id:', () => {
  test.each(ofProjects)('%s', async (_name, operation) => {
    const before = await fingerprints.take();
    const named = operation.path.includes('{project_name}') ? ['project_name'] : ['project_name_or_id'];
    const byId = named[0] === 'project_name_or_id' ? [[String(hidden.projectId), String(MISSING_ID)]] : [];
    for (const [theirs = '', missing = ''] of [[hidden.project, MISSING], ...byId]) {
      for (const json of bodiesOf(operation)) {
        for (const [status, call] of strangers()) {
          const ask = async (project: string): Promise<Answer> => world.core.call(operation.method, await addressOf(operation, hidden, { path: { [named[0] ?? '']: project } }, resolve), { ...call, json });
          const answer = await ask(theirs);
          expect([answer.status, seen(answer)]).toEqual([status, seen(await ask(missing))]);
        }
      }
    }
    expect(await fingerprints.take()).toEqual(before);
  });
});

describe('L-02: and where a query or a body names it:', () => {
  const selector = [{ kind: 'doublestar', decoration: 'matches', pattern: '**' }];
  test.each<[string, string, (id: number, name: string) => { readonly query?: string; readonly json?: object }]>([
    ['GET', '/api/v2.0/labels', (id) => ({ query: `scope=p&project_id=${id}` })],
    ['POST', '/api/v2.0/labels', (id) => ({ json: { name: 'new', scope: 'p', project_id: id } })],
    ['GET', '/api/v2.0/robots', (id) => ({ query: `q=${encodeURIComponent(`Level=project,ProjectID=${id}`)}` })],
    ['POST', '/api/v2.0/robots', (_id, name) => ({ json: { name: 'new', level: 'project', duration: 1, permissions: [{ kind: 'project', namespace: name, access: [{ resource: 'repository', action: 'pull' }] }] } })],
    ['POST', '/api/v2.0/retentions', (id) => ({
      json: {
        algorithm: 'or', scope: { level: 'project', ref: id }, trigger: { kind: 'Schedule', settings: { cron: '' } },
        rules: [{ action: 'retain', template: 'always', params: {}, tag_selectors: selector, scope_selectors: { repository: [{ kind: 'doublestar', decoration: 'repoMatches', pattern: '**' }] } }],
      },
    })],
    ['POST', '/api/v2.0/projects/open-project/repositories/app/artifacts', (_id, name) => ({ query: `from=${name}/app:1` })],
    ['GET', '/api/v2.0/quotas', (id) => ({ query: `reference=project&reference_id=${id}` })],
    ['GET', '/api/v2.0/users/current/permissions', (_id, name) => ({ query: `scope=/project/${name}` })],
    ['GET', '/api/v2.0/users/current/permissions', (id) => ({ query: `scope=/project/${id}` })],
  ])('%s %s', async (method, path, request) => {
    const before = await fingerprints.take();
    for (const [, call] of strangers()) {
      const ask = (id: number, name: string): Promise<Answer> => {
        const { query, json } = request(id, name);
        return world.core.call(method, `${path}${query === undefined ? '' : `?${query}`}`, { ...call, json });
      };
      const answer = await ask(hidden.projectId, hidden.project);
      expect(answer.status).toBeLessThan(500);
      expect(seen(answer)).toEqual(seen(await ask(MISSING_ID, MISSING)));
    }
    expect(await fingerprints.take()).toEqual(before);
  });

  test('HEAD /projects tells who is logged in which names are taken, as Harbor does, and nobody else', async () => {
    const ask = async (name: string, call: Call): Promise<number> => (await world.core.call('HEAD', `/api/v2.0/projects?project_name=${name}`, call)).status;
    expect([await ask(hidden.project, {}), await ask(MISSING, {})]).toEqual([401, 401]);
    expect([await ask(hidden.project, { as: 'nora' }), await ask(MISSING, { as: 'nora' })]).toEqual([200, 404]);
  });
});
