import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { RouteTable } from '../http/route-table.service.js';
import { Pusher } from '../testing/push.js';
import { startTestCore, type TestCore } from '../testing/test-core.js';

/**
 * Who may call what, written out by hand from the Harbor API's tables (not from the code's own). One letter each:
 * a anonymous, n logged in but no member, l limited guest, g guest, d developer, m maintainer, p project admin,
 * s system administrator. Bodies are wrong and sub-resources missing on purpose: those let in see 404, 412 or 422,
 * and nothing changes.
 */
const EVERYBODY = 'anlgdmps';
const LOGGED_IN = 'nlgdmps';
const MEMBERS = 'lgdmps';

interface Expectation {
  readonly public: string;
  readonly private: string;
}

const ROUTES: Readonly<Record<string, Expectation>> = {
  'GET /service/token': same(EVERYBODY),
  'POST /service/token': same(EVERYBODY),
  'GET /api/version': same(EVERYBODY),
  'GET /devcenter-api-2.0': same(EVERYBODY),
  'GET /api/v2.0/openapi.json': same(EVERYBODY),
  'GET /api/v2.0/openapi.yaml': same(EVERYBODY),
  'GET /api/v2.0/explorer': same(EVERYBODY),
  'GET /api/v2.0/explorer/:file_name': same(EVERYBODY),
  'GET /api/v2.0/ping': same(EVERYBODY),
  'GET /api/v2.0/health': same(EVERYBODY),
  'GET /api/v2.0/systeminfo': same(EVERYBODY),
  'GET /api/v2.0/configurations': same('s'),
  'PUT /api/v2.0/configurations': same('s'),

  'GET /api/v2.0/users': same('s'),
  'POST /api/v2.0/users': same('s'),
  'GET /api/v2.0/users/search': same(LOGGED_IN),
  'GET /api/v2.0/users/current': same(LOGGED_IN),
  'GET /api/v2.0/users/current/permissions': same(LOGGED_IN),
  'GET /api/v2.0/users/:user_id': same('s'),
  'PUT /api/v2.0/users/:user_id': same('s'),
  'DELETE /api/v2.0/users/:user_id': same('s'),
  'PUT /api/v2.0/users/:user_id/sysadmin': same('s'),
  'PUT /api/v2.0/users/:user_id/password': same('s'),

  'GET /api/v2.0/projects': same(EVERYBODY),
  'HEAD /api/v2.0/projects': same(LOGGED_IN),
  'POST /api/v2.0/projects': same(LOGGED_IN),
  'GET /api/v2.0/projects/:project_name_or_id': { public: EVERYBODY, private: MEMBERS },
  'PUT /api/v2.0/projects/:project_name_or_id': same('ps'),
  'DELETE /api/v2.0/projects/:project_name_or_id': same('ps'),
  'GET /api/v2.0/projects/:project_name_or_id/_deletable': same('ps'),
  'GET /api/v2.0/projects/:project_name_or_id/summary': { public: EVERYBODY, private: MEMBERS },

  'GET /api/v2.0/projects/:project_name_or_id/members': same('gdmps'),
  'POST /api/v2.0/projects/:project_name_or_id/members': same('ps'),
  'GET /api/v2.0/projects/:project_name_or_id/members/:mid': same('gdmps'),
  'PUT /api/v2.0/projects/:project_name_or_id/members/:mid': same('ps'),
  'DELETE /api/v2.0/projects/:project_name_or_id/members/:mid': same('ps'),

  'GET /api/v2.0/repositories': same(EVERYBODY),
  'GET /api/v2.0/projects/:project_name/repositories': { public: EVERYBODY, private: MEMBERS },
  'GET /api/v2.0/projects/:project_name/repositories/:repository_name': same(MEMBERS),
  'PUT /api/v2.0/projects/:project_name/repositories/:repository_name': same('dmps'),
  'DELETE /api/v2.0/projects/:project_name/repositories/:repository_name': same('mps'),

  'GET /api/v2.0/projects/:project_name/repositories/:repository_name/artifacts': { public: EVERYBODY, private: MEMBERS },
  'GET /api/v2.0/projects/:project_name/repositories/:repository_name/artifacts/:reference': { public: EVERYBODY, private: MEMBERS },
  'DELETE /api/v2.0/projects/:project_name/repositories/:repository_name/artifacts/:reference': same('mps'),
  'GET /api/v2.0/projects/:project_name/repositories/:repository_name/artifacts/:reference/additions/:addition': { public: EVERYBODY, private: MEMBERS },
  'GET /api/v2.0/projects/:project_name/repositories/:repository_name/artifacts/:reference/tags': { public: EVERYBODY, private: MEMBERS },
  'DELETE /api/v2.0/projects/:project_name/repositories/:repository_name/artifacts/:reference/tags/:tag_name': same('mps'),
  'GET /api/v2.0/projects/:project_name/repositories/:repository_name/artifacts/:reference/accessories': { public: EVERYBODY, private: MEMBERS },

  // The scope decides: without one the request is wrong, and a label that is not there is nobody's.
  'GET /api/v2.0/labels': same(EVERYBODY),
  'POST /api/v2.0/labels': same(EVERYBODY),
  'GET /api/v2.0/labels/:label_id': same('s'),
  'PUT /api/v2.0/labels/:label_id': same(EVERYBODY),
  'DELETE /api/v2.0/labels/:label_id': same('s'),
};

const PEOPLE: Readonly<Record<string, { readonly name: string | undefined; readonly role?: number }>> = {
  a: { name: undefined },
  n: { name: 'nora' },
  l: { name: 'lars', role: 5 },
  g: { name: 'gina', role: 3 },
  d: { name: 'dave', role: 2 },
  m: { name: 'mary', role: 4 },
  p: { name: 'paul', role: 1 },
  s: { name: 'sara' },
};

function same(who: string): Expectation {
  return { public: who, private: who };
}

let core: TestCore;

beforeAll(async () => {
  core = await startTestCore();
  const members: Record<string, number> = {};
  for (const [letter, { name, role }] of Object.entries(PEOPLE)) {
    if (name === undefined) continue;
    await core.addUser(name, { sysadmin: letter === 's' });
    if (role !== undefined) members[name] = role;
  }
  for (const [name, visibility] of [['open-project', true], ['closed-project', false]] as const) {
    const id = await core.addProject(name, { public: visibility, members });
    await new Pusher(core.database, id).image(`${name}/app`, 'content', ['1']);
  }
});
afterAll(() => core.stop());

/** A path for the route in which only the project, its repository `app` and user 1 exist. */
function pathFor(pattern: string, project: string): string {
  const values: Record<string, string> = {
    project_name_or_id: project, project_name: project, repository_name: pattern.includes('/artifacts') ? 'app' : 'missing',
    reference: 'missing', tag_name: 'missing', addition: 'build_history', mid: '2000000', label_id: '2000000', user_id: '2000000',
  };
  const query = pattern.endsWith('/token') ? '?service=harbor-registry&scope=repository:library/app:pull' : '';
  return `${pattern.replace(/:([a-z_]+)/g, (_match, name: string) => values[name] ?? '')}${query}`;
}

async function statusFor(route: string, project: string, letter: string): Promise<number> {
  const [method = '', pattern = ''] = route.split(' ');
  const wrongBody = method === 'POST' || method === 'PUT' ? { json: ['wrong'] } : {};
  const { status } = await core.call(method, pathFor(pattern, project), { as: PEOPLE[letter]?.name, ...wrongBody });
  return status;
}

test('every route of the service has a row, and every row a route', () => {
  const routes = core.service.app.get(RouteTable, { strict: false }).routes.map(({ method, path }) => `${method} ${path}`);
  expect([...routes].sort()).toEqual(Object.keys(ROUTES).sort());
});

describe.each(['public', 'private'] as const)('in a %s project', (visibility) => {
  const project = visibility === 'public' ? 'open-project' : 'closed-project';

  test.each(Object.entries(ROUTES))('%s', async (route, expected) => {
    const outcome: Record<string, string> = {};
    const wanted: Record<string, string> = {};
    for (const letter of Object.keys(PEOPLE)) {
      const status = await statusFor(route, project, letter);
      if (status >= 500) throw new Error(`${route} as ${letter} failed with ${status}`);
      outcome[letter] = status === 401 ? 'log in' : status === 403 ? 'forbidden' : 'let in';
      wanted[letter] = expected[visibility].includes(letter) ? 'let in' : letter === 'a' ? 'log in' : 'forbidden';
    }
    expect(outcome).toEqual(wanted);
  });
});

describe('a project that does not exist', () => {
  test('looks like one that is hidden, except to those who see every project', async () => {
    const path = '/api/v2.0/projects/no-such-project';
    expect((await core.call('GET', path)).status).toBe(401);
    expect((await core.call('GET', path, { as: 'nora' })).status).toBe(403);
    expect((await core.call('GET', path, { as: 'sara' })).status).toBe(404);
    const hidden = await core.call('GET', '/api/v2.0/projects/closed-project', { as: 'nora' });
    const missing = await core.call('GET', path, { as: 'nora' });
    expect(missing.body).toEqual(hidden.body);
  });
});

describe('one’s own account', () => {
  test('may be read and changed, but neither deleted nor promoted', async () => {
    const [row] = await core.database.query<{ id: number }>(`SELECT id FROM haven_user WHERE username = 'nora'`);
    const own = `/api/v2.0/users/${row?.id ?? 0}`;
    expect((await core.call('GET', own, { as: 'nora' })).status).toBe(200);
    expect((await core.call('PUT', own, { as: 'nora', json: { realname: 'Nora N' } })).status).toBe(200);
    expect((await core.call('PUT', `${own}/sysadmin`, { as: 'nora', json: { sysadmin_flag: true } })).status).toBe(403);
    expect((await core.call('DELETE', own, { as: 'nora' })).status).toBe(403);
    expect((await core.call('GET', own, { as: 'lars' })).status).toBe(403);
  });
});
