import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { RouteTable } from '../http/route-table.service.js';
import { CALLERS, read, write, type CallerLetter, type Place, type Row } from './table/row.js';
import { ROWS } from './table/rows.js';
import { createWorld, type World } from './table/world.js';

type Documented = Readonly<Record<string, Readonly<Record<string, { readonly responses: Readonly<Record<string, unknown>> }>>>>;

let world: World;
let documented: Documented;
beforeAll(async () => {
  world = await createWorld();
  documented = ((await world.core.call('GET', '/api/v2.0/openapi.json')).body as { paths: Documented }).paths;
});
afterAll(() => world.stop());

test('every route of the service has a row in authorization/table, and every row a route', () => {
  const routes = world.core.service.app.get(RouteTable, { strict: false }).routes.map(({ method, path }) => `${method} ${path}`);
  expect([...routes].sort()).toEqual(Object.keys(ROWS).sort());
});

async function statusFor(route: string, { sends }: Row, letter: CallerLetter, place: Place): Promise<number> {
  const [method = '', pattern = ''] = route.split(' ');
  const given = typeof sends.path === 'function' ? await sends.path(place) : (sends.path ?? {});
  const values: Readonly<Record<string, string>> = { project_name_or_id: place.project, project_name: place.project, repository_name: 'app', ...given };
  const path = pattern.replace(/:([a-z_]+)/g, (_match, name: string) => values[name] ?? (name.endsWith('id') ? '2000000000' : 'missing'));
  const query = typeof sends.query === 'function' ? sends.query(place) : sends.query;
  const json = typeof sends.json === 'function' ? sends.json(place) : sends.json;
  const body = method === 'POST' || method === 'PUT' || method === 'PATCH' ? { json: json ?? ['wrong'] } : {};
  const { status } = await place.core.call(method, `${path}${query === undefined ? '' : `?${query}`}`, { ...world.as(letter, place), ...body });
  return status;
}

describe.each(['public', 'private'] as const)('in a %s project', (visibility) => {
  test.each(Object.entries(ROWS))('%s', async (route, row) => {
    const seen = new Map<CallerLetter, number>();
    for (const letter of CALLERS) seen.set(letter, await statusFor(route, row, letter, world[visibility]));
    expect(write(seen)).toBe(write(read(row[visibility])));
    const [method = '', path = ''] = route.split(' ');
    const statuses = documented[path.replaceAll(/:(\w+)/g, '{$1}')]?.[method.toLowerCase()]?.responses ?? {};
    expect([...seen.values()].filter((status) => statuses[String(status)] === undefined)).toEqual([]);
  });
});

describe('a project that does not exist', () => {
  test('looks like one that is hidden, except to those who see every project', async () => {
    const { core } = world;
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
    const { core } = world;
    const [row] = await core.database.query<{ id: number }>(`SELECT id FROM haven_user WHERE username = 'nora'`);
    const own = `/api/v2.0/users/${row?.id ?? 0}`;
    expect((await core.call('GET', own, { as: 'nora' })).status).toBe(200);
    expect((await core.call('PUT', own, { as: 'nora', json: { realname: 'Nora N' } })).status).toBe(200);
    expect((await core.call('PUT', `${own}/sysadmin`, { as: 'nora', json: { sysadmin_flag: true } })).status).toBe(403);
    expect((await core.call('DELETE', own, { as: 'nora' })).status).toBe(403);
    expect((await core.call('GET', own, { as: 'lars' })).status).toBe(403);
  });
});
