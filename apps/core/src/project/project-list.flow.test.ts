import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Database } from '@haven/database';
import { RouteTable } from '../http/route-table.service.js';
import { startTestCore, type Answer, type TestCore } from '../testing/test-core.js';

let core: TestCore;
beforeAll(async () => {
  core = await startTestCore();
  for (const name of ['alice', 'eve']) await core.addUser(name);
  await core.addProject('alpha', { members: { alice: 1 } });
  await core.database.execute(`INSERT INTO project (name, public, owner_id) SELECT 'many-' || n, n % 2 = 0, 1 FROM generate_series(1, 120) n`);
  await core.database.execute(`INSERT INTO repository (project_id, name) SELECT id, name || '/app' FROM project WHERE name LIKE 'many-%'`);
});
afterAll(() => core.stop());

const LISTS = ['/api/v2.0/projects', '/api/v2.0/quotas'];
/** Far less than the four seconds that the statements in these cases would sleep. */
const QUICK_MS = 2_000;

const get = (path: string, as?: string): Promise<Answer> => core.call('GET', path, { as });

describe('G-01: what a list is sorted by', () => {
  const SORTS = [
    'hard.storage%3Bselect%20pg_sleep(4)', '(case%20when%20(select%20true)%20then%20name%20else%20id%20end)', '-name,pg_sleep(4)', 'name%20desc%20nulls%20last', 'password', '-', ',,,',
    'p.name', 'o.password_hash', '__proto__', 'constructor', '%27', 'name%00',
  ];
  test.each(LISTS.flatMap((path) => SORTS.map((sort) => [path, sort] as const)))('%s?sort=%s is one of its own columns or nothing', async (path, sort) => {
    for (const as of ['admin', 'alice']) {
      const started = performance.now();
      const { status } = await get(`${path}?sort=${sort}&page_size=5`, as);
      expect([as, [200, 403, 422].includes(status)]).toEqual([as, true]);
      expect(performance.now() - started).toBeLessThan(QUICK_MS);
    }
  });

  test.each(LISTS)('%s takes no list of ten thousand keys', async (path) => {
    expect((await get(`${path}?sort=${'a,'.repeat(2_000)}`, 'admin')).status).toBe(422);
    expect((await get(`${path}?sort=${'a,'.repeat(10_000)}`, 'admin')).status).toBeGreaterThanOrEqual(400);
  });

  test('cannot tell what the order of a secret would be', async () => {
    const names = async (sort: string): Promise<unknown> => (await get(`/api/v2.0/projects?sort=${sort}`, 'admin')).body;
    expect(await names('password_hash')).toEqual(await names('-password_hash'));
  });
});

describe('G-06: odd queries', () => {
  const QUERIES = [
    'q%3D%3D', 'a', 'a%3D', '%3Dx', 'name%3D%5B~%5D', 'name%3D%5B1~', 'name%3D%7B', 'name%3D(', 'name%3D%7B%7D', 'creation_time%3D%5Bx~y%5D', 'project_id%3D~x', 'name%3D(a%20b)', 'owner_id%3D%7Ba%20b%7D',
    'public%3Dmaybe', 'name%3D%25ZZ', 'project_id%3D99999999999999999999', 'creation_time%3D%5B2026-13-45T00%3A00%3A00~%5D', 'name%3Da%00',
  ];
  test.each(QUERIES)('q=%s is answered or refused, and never fails', async (query) => {
    for (const as of ['admin', undefined]) expect((await get(`/api/v2.0/projects?q=${query}`, as)).status).toBeLessThan(500);
  });

  test.each(['a', 'a%3D', '%3D', 'name%3D%5B1~', 'name%3D%7B', 'name%3D(', 'creation_time%3D%5Bx~y%5D', 'public%3Dmaybe'])('q=%s is 400', async (query) => {
    expect((await get(`/api/v2.0/projects?q=${query}`, 'admin')).status).toBe(400);
  });

  test('of any size are refused', async () => {
    expect((await get(`/api/v2.0/projects?q=${'a%3Db,'.repeat(300)}`, 'admin')).status).toBe(400);
    expect((await get(`/api/v2.0/projects?q=${'a'.repeat(3_000)}`, 'admin')).status).toBe(422);
    for (const query of ['page_size=-2', 'page_size=101', 'page=-1', 'page=1e18', 'page_size=1.5', 'public=perhaps', 'name=a&name=b', 'name=%00']) {
      expect([query, (await get(`/api/v2.0/projects?${query}`, 'admin')).status]).toEqual([query, 422]);
    }
    expect((await get('/api/v2.0/projects?page=9999999', 'admin')).body).toEqual([]);
  });
});

describe('a list of projects', () => {
  test('comes without its details for those who do not want them', async () => {
    const [brief] = (await get('/api/v2.0/projects?name=alpha&with_detail=false', 'alice')).body as object[];
    expect(brief).toMatchObject({ name: 'alpha', owner_name: 'admin', metadata: { public: 'false' } });
    for (const key of ['repo_count', 'current_user_role_id', 'cve_allowlist']) expect(brief).not.toHaveProperty(key);
    const [full] = (await get('/api/v2.0/projects?name=alpha', 'alice')).body as object[];
    expect(full).toMatchObject({ repo_count: 0, current_user_role_id: 1, current_user_role_ids: [1], cve_allowlist: { items: [] } });
  });

  test('is filtered by the owner', async () => {
    expect((await get('/api/v2.0/projects?owner=admin&name=alpha', 'alice')).body).toHaveLength(1);
    expect((await get('/api/v2.0/projects?owner=alice', 'admin')).body).toEqual([]);
  });

  test.each(['/api/v2.0/projects?page_size=', '/api/v2.0/quotas?page_size=', '/api/v2.0/search?q=many-'])('%s asks the database as often for many rows as for few', async (path) => {
    const asked = async (rows: number): Promise<number> => {
      const database = core.service.app.get(Database, { strict: false });
      const query = database.query.bind(database);
      let count = 0;
      database.query = (sql, parameters) => {
        count += 1;
        return query(sql, parameters);
      };
      try {
        expect((await get(`${path}${rows}`, 'admin')).status).toBe(200);
      } finally {
        database.query = query;
      }
      return count;
    };
    await asked(1);
    const [few, many] = [await asked(2), await asked(10)];
    expect(many).toBe(few);
    expect(many).toBeLessThan(12);
  });
});

describe('L-02: a private project', () => {
  test('looks on every address like one that does not exist', async () => {
    const routes = core.service.app.get(RouteTable, { strict: false }).routes.filter(({ path, requirement }) => /:project_name/.test(path) && requirement.kind === 'project');
    expect(routes.length).toBeGreaterThan(20);
    const shape = async (method: string, path: string, project: string, as: string | undefined): Promise<unknown> => {
      const address = path.replace(/:project_name(_or_id)?/, project).replace(/:\w+/g, '1');
      const { status, body, headers } = await core.call(method, address, { as, ...(method === 'GET' || method === 'DELETE' ? {} : { json: {} }) });
      return [method, path, as, status, JSON.stringify(body).replaceAll(project, '…'), [...headers.keys()].sort().join(' ')];
    };
    for (const { method, path } of routes) {
      for (const as of [undefined, 'eve']) {
        const [hidden, missing] = [await shape(method, path, 'alpha', as), await shape(method, path, 'ghost', as)];
        expect(missing).toEqual(hidden);
        expect(hidden).toEqual(expect.arrayContaining([as === undefined ? 401 : 403]));
      }
    }
  });
});
