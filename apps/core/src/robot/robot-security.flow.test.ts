import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { PULL, PUSH, ROBOTS, Robots, type TestRobot } from '../testing/robots.js';
import { Pusher } from '../testing/push.js';
import { tableState } from '../testing/table-state.js';
import { startTestCore, type TestCore } from '../testing/test-core.js';

let core: TestCore;
let robots: Robots;
let alpha: number;
let bravo: number;

beforeAll(async () => {
  core = await startTestCore();
  for (const name of ['alice', 'mia', 'dave', 'bob']) await core.addUser(name);
  alpha = await core.addProject('alpha', { members: { alice: 1, mia: 4, dave: 2 } });
  bravo = await core.addProject('bravo', { members: { bob: 1 } });
  await core.addProject('pub', { public: true });
  await new Pusher(core.database, alpha).image('alpha/app', 'content', ['1']);
  robots = new Robots(core);
});
afterAll(() => core.stop());

/** Runs what must not change any robot. */
async function unchanged(work: () => Promise<void>): Promise<void> {
  const read = async (): Promise<string> => (await tableState(core.database, 'robot', 'robot_permission')).replaceAll(/"last_used_at": ("[^"]*"|null)/g, '');
  const before = await read();
  await work();
  expect(await read()).toBe(before);
}

describe('B-15: the same secret opens the same, whichever the door', () => {
  test('a robot that may only pull does nothing else', async () => {
    const robot = await robots.make('puller');
    const { access } = await robots.token(robot, 'repository:alpha/app:pull,push,delete repository:bravo/app:pull registry:catalog:*');
    expect(access).toEqual([{ type: 'repository', name: 'alpha/app', actions: ['pull'], project: alpha }, { type: 'repository', name: 'bravo/app', actions: [], project: 0 }]);
    const app = '/api/v2.0/projects/alpha/repositories/app';
    for (const [method, path, json] of [
      ['GET', '/api/v2.0/projects/alpha'], ['PUT', '/api/v2.0/projects/alpha', {}], ['DELETE', '/api/v2.0/projects/alpha'], ['GET', '/api/v2.0/projects/bravo'],
      ['GET', '/api/v2.0/projects/alpha/repositories'], ['DELETE', app], ['GET', `${app}/artifacts`], ['DELETE', `${app}/artifacts/1`], ['DELETE', `${app}/artifacts/1/tags/1`],
      ['POST', `${app}/artifacts?from=alpha/app:1`], ['POST', `${app}/artifacts/1/tags`, { name: '2' }], ['GET', '/api/v2.0/users'], ['PUT', '/api/v2.0/users/1/sysadmin', { sysadmin_flag: false }],
      ['POST', '/api/v2.0/projects', { project_name: 'robots-own' }], ['GET', ROBOTS], ['GET', `${ROBOTS}/${robot.id}`], ['PATCH', `${ROBOTS}/${robot.id}`, {}], ['POST', '/api/v2.0/usergroups', {}],
    ] as const) {
      expect([method, path, (await robots.call(robot, method, path, json)).status]).toEqual([method, path, 403]);
    }
    expect((await robots.call(robot, 'GET', '/api/v2.0/users/current')).status).toBe(412);
    expect(await core.database.query('SELECT name FROM tag ORDER BY name')).toEqual([{ name: '1' }]);
  });
});

describe('D-07: robots of others', () => {
  test('can be neither seen nor changed, and look like none', async () => {
    const theirs = await robots.make('theirs', { permissions: [{ kind: 'project', namespace: 'bravo', access: [PULL] }] }, 'bob');
    const system = await robots.make('everywhere', { level: 'system' }, 'admin');
    await unchanged(async () => {
      const widened = { permissions: [{ kind: 'project', namespace: 'alpha', access: [PUSH] }] };
      for (const [method, json] of [['GET'], ['PUT', widened], ['PATCH', { secret: 'Stolen-secret-1' }], ['PATCH', {}], ['DELETE']] as const) {
        const answers = await Promise.all([theirs.id, system.id, 2_000_000].map((id) => core.call(method, `${ROBOTS}/${id}`, { as: 'alice', json })));
        expect(answers.map(({ status }) => status)).toEqual([403, 403, 403]);
        expect(new Set(answers.map(({ body }) => JSON.stringify(body))).size).toBe(1);
      }
      for (const method of ['GET', 'DELETE']) expect((await core.call(method, `/api/v2.0/projects/alpha/robots/${theirs.id}`, { as: 'alice' })).status).toBe(404);
      expect((await core.call('PUT', `/api/v2.0/projects/alpha/robots/${theirs.id}`, { as: 'alice', json: widened })).status).toBe(404);
      expect((await core.call('PUT', `/api/v2.0/projects/bravo/robots/${theirs.id}`, { as: 'alice', json: widened })).status).toBe(403);
    });
    expect(await robots.logIn(theirs)).toBe(200);
  });
});

describe('E-01: a robot for a project of somebody else', () => {
  test.each([
    ['the namespace of another project', { permissions: [{ kind: 'project', namespace: 'bravo', access: [PULL] }] }, 403],
    ['two projects', { permissions: [{ kind: 'project', namespace: 'alpha', access: [PULL] }, { kind: 'project', namespace: 'bravo', access: [PULL] }] }, 400],
    ['the same project twice', { permissions: [{ kind: 'project', namespace: 'alpha', access: [PULL] }, { kind: 'project', namespace: 'alpha', access: [PUSH] }] }, 400],
    ['the system', { permissions: [{ kind: 'system', namespace: '/', access: [{ resource: 'catalog', action: 'read' }] }] }, 403],
    ['all projects', { permissions: [{ kind: 'project', namespace: '*', access: [PULL] }] }, 403],
    ['level system', { level: 'system' }, 403],
    ['a number', { permissions: [{ kind: 'project', namespace: 2, access: [PULL] }] }, 422],
    ['a space', { permissions: [{ kind: 'project', namespace: 'alpha ', access: [PULL] }] }, 403],
    ['upper case', { permissions: [{ kind: 'project', namespace: 'ALPHA', access: [PULL] }] }, 403],
    ['nothing', { permissions: [{ kind: 'project', namespace: '', access: [PULL] }] }, 403],
  ])('by %s', async (_name, change, status) => {
    await unchanged(async () => {
      expect((await robots.post({ name: 'foreign', level: 'project', duration: 1, permissions: [{ kind: 'project', namespace: 'alpha', access: [PULL] }], ...change })).status).toBe(status);
    });
  });

  test('by the older resource names', async () => {
    await unchanged(async () => {
      for (const resource of [`/project/${bravo}/repository`, '/project/*/repository', '/repository', `/project/${alpha}/../${bravo}/repository`]) {
        expect((await core.call('POST', '/api/v2.0/projects/alpha/robots', { as: 'alice', json: { name: 'foreign', expires_at: -1, access: [{ resource, action: 'pull' }] } })).status).toBe(400);
      }
    });
  });

  test('maintainers and developers make none', async () => {
    await unchanged(async () => {
      for (const as of ['mia', 'dave']) {
        expect((await robots.post({ name: 'foreign', level: 'project', duration: 1, permissions: [{ kind: 'project', namespace: 'alpha', access: [PULL] }] }, as)).status).toBe(403);
        expect((await core.call('POST', '/api/v2.0/projects/alpha/robots', { as, json: { name: 'foreign', expires_at: -1, access: [{ resource: `/project/${alpha}/repository`, action: 'pull' }] } })).status).toBe(403);
      }
    });
  });
});

describe('E-02: a robot does not grow beyond its project by being changed', () => {
  test.each([
    ['its level', { level: 'system' }, 400],
    ['its name', { name: 'robot$bravo+own' }, 400],
    ['its project', { permissions: [{ kind: 'project', namespace: 'bravo', access: [PULL] }] }, 400],
    ['a second project', { permissions: [{ kind: 'project', namespace: 'alpha', access: [PULL] }, { kind: 'project', namespace: 'bravo', access: [PULL] }] }, 400],
    ['all projects', { permissions: [{ kind: 'project', namespace: '*', access: [PULL] }] }, 400],
    ['the system', { permissions: [{ kind: 'system', namespace: '/', access: [{ resource: 'catalog', action: 'read' }] }] }, 400],
    ['what cannot be given', { permissions: [{ kind: 'project', namespace: 'alpha', access: [PULL, { resource: 'robot', action: 'update' }] }] }, 400],
    ['what its administrator does not hold', { permissions: [{ kind: 'project', namespace: 'alpha', access: [PULL, { resource: 'metadata', action: 'list' }] }] }, 403],
  ])('by %s', async (name, change, status) => {
    const robot = await robots.make(`own-${name.replaceAll(/[ ,]/g, '-')}`);
    await unchanged(async () => {
      expect((await core.call('PUT', `${ROBOTS}/${robot.id}`, { as: 'alice', json: { description: 'changed', disable: true, ...change } })).status).toBe(status);
    });
  });

  test('what somebody else gave it may stay', async () => {
    const robot = await robots.make('gifted', { permissions: [{ kind: 'project', namespace: 'alpha', access: [PULL, { resource: 'metadata', action: 'list' }] }] }, 'admin');
    const change = { permissions: [{ kind: 'project', namespace: 'alpha', access: [PUSH, { resource: 'metadata', action: 'list' }] }] };
    expect((await core.call('PUT', `${ROBOTS}/${robot.id}`, { as: 'alice', json: change })).status).toBe(200);
  });
});

describe('E-05: a robot makes no stronger robot', () => {
  let maker: TestRobot;
  const here = (...access: object[]): object => ({ level: 'system', permissions: [{ kind: 'project', namespace: 'alpha', access }] });
  beforeAll(async () => {
    const own = [{ kind: 'system', namespace: '/', access: [{ resource: 'robot', action: 'create' }] }, { kind: 'project', namespace: 'alpha', access: [PULL, { resource: 'robot', action: 'create' }] }];
    maker = await robots.make('maker', { level: 'system', duration: 1, permissions: own }, 'admin');
  });

  test('of its own rights, project and life it makes one', async () => {
    // A life counts in whole days: one of the same number of days would end a moment later.
    await core.database.execute(`UPDATE robot SET expires_at = expires_at + interval '1 hour' WHERE id = $1`, [maker.id]);
    const made = await robots.make('made-by-robot', { ...here(PULL, { ...PULL, effect: '' }, { ...PULL, effect: 'allow' }), duration: 1 }, maker);
    expect((await core.call('GET', `${ROBOTS}/${made.id}`, { as: 'admin' })).body).toMatchObject({ creator_type: 'robot', creator_ref: maker.id, permissions: [{ access: [PULL] }] });
    await robots.make('made-in-project', { duration: 1 }, maker);
  });

  test.each<[string, object, number, string?]>([
    ['that may push', here(PUSH), 403],
    ['that may push as well', here(PULL, PUSH), 403],
    ['that may push, in an entry beside', { level: 'system', permissions: [{ kind: 'project', namespace: 'alpha', access: [PULL] }, { kind: 'project', namespace: 'alpha', access: [PUSH] }] }, 403],
    ['that may push, without an effect', here({ ...PUSH, effect: '' }), 403],
    ['that is denied to pull', here({ ...PULL, effect: 'deny' }), 400, 'BAD_REQUEST'],
    ['elsewhere', { level: 'system', permissions: [{ kind: 'project', namespace: 'bravo', access: [PULL] }] }, 403],
    ['nowhere', { level: 'system', permissions: [{ kind: 'project', namespace: 'ghost', access: [PULL] }] }, 403],
    ['everywhere', { level: 'system', permissions: [{ kind: 'project', namespace: '*', access: [PULL] }] }, 403],
    ['in a public project', { level: 'system', permissions: [{ kind: 'project', namespace: 'pub', access: [PULL] }] }, 403],
    ['on the system', { level: 'system', permissions: [{ kind: 'system', namespace: '/', access: [{ resource: 'catalog', action: 'read' }] }] }, 403],
    ['for ever', { ...here(PULL), duration: -1 }, 403],
    ['for longer', { ...here(PULL), duration: 2 }, 403],
    ['of another project', { permissions: [{ kind: 'project', namespace: 'bravo', access: [PULL] }] }, 403, 'FORBIDDEN'],
  ])('%s', async (_name, change, status, code = 'DENIED') => {
    await unchanged(async () => {
      const answer = await robots.post({ name: 'stronger', level: 'project', duration: 1, permissions: [], ...change }, maker);
      expect([answer.status, (answer.body as { errors: [{ code: string }] }).errors[0].code]).toEqual([status, code]);
    });
  });

  test('foreign and missing projects look alike to it', async () => {
    const ask = async (namespace: string): Promise<string> => JSON.stringify((await robots.post({ name: 'stronger', level: 'system', duration: 1, permissions: [{ kind: 'project', namespace, access: [PULL] }] }, maker)).body);
    expect((await ask('bravo')).replaceAll('bravo', 'NAME')).toBe((await ask('ghost')).replaceAll('ghost', 'NAME'));
  });

  test('and changes none, not even itself', async () => {
    await unchanged(async () => {
      for (const [method, json] of [['PUT', { duration: -1 }], ['PATCH', {}], ['DELETE', undefined]] as const) {
        expect((await robots.call(maker, method, `${ROBOTS}/${maker.id}`, json)).status).toBe(403);
      }
    });
  });
});

describe('K-07: who may look sees names and rights only', () => {
  test('no token and no hash, in lists and alone', async () => {
    const robot = await robots.make('watched');
    for (const as of ['alice', 'mia', 'dave']) {
      for (const path of [`${ROBOTS}/${robot.id}`, `${ROBOTS}?q=Level%3Dproject%2CProjectID%3D${alpha}&page_size=100`, `/api/v2.0/projects/alpha/robots/${robot.id}`, '/api/v2.0/projects/alpha/robots?page_size=100']) {
        const { status, body } = await core.call('GET', path, { as });
        expect(status).toBe(200);
        expect(JSON.stringify(body)).not.toMatch(new RegExp(`${robot.secret}|\\$sha256|\\$scrypt|"(secret|secret_hash|hash|salt|token)"`));
      }
    }
  });
});

