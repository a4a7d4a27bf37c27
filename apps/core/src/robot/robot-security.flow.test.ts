import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { AccessEpochs, RegistryTokenVerifier, type PublicKeySet, type RegistryTokenClaims } from '@haven/access';
import { RobotUseService } from '../identity/robot-use.service.js';
import { Pusher } from '../testing/push.js';
import { basic, startTestCore, type Answer, type TestCore } from '../testing/test-core.js';

const ROBOTS = '/api/v2.0/robots';
const PULL = { resource: 'repository', action: 'pull' };
const PUSH = { resource: 'repository', action: 'push' };

interface Robot {
  readonly id: number;
  readonly name: string;
  readonly secret: string;
}

let core: TestCore;
let verifier: RegistryTokenVerifier;
let alpha: number;
let bravo: number;
/** Gives every attempt another client address, so that none waits for another's failures. */
let attempts = 0;

beforeAll(async () => {
  core = await startTestCore();
  for (const name of ['alice', 'mia', 'dave', 'bob']) await core.addUser(name);
  alpha = await core.addProject('alpha', { members: { alice: 1, mia: 4, dave: 2 } });
  bravo = await core.addProject('bravo', { members: { bob: 1 } });
  await core.addProject('pub', { public: true });
  await new Pusher(core.database, alpha).image('alpha/app', 'content', ['1']);
  verifier = new RegistryTokenVerifier(async () => {
    const rows = await core.database.query<{ kid: string; public_jwk: PublicKeySet[string] }>('SELECT kid, public_jwk FROM signing_key WHERE retired_at IS NULL');
    return Object.fromEntries(rows.map((row) => [row.kid, row.public_jwk]));
  });
});
afterAll(() => core.stop());

function post(json: object, as: string | Robot = 'alice'): Promise<Answer> {
  return typeof as === 'string' ? core.call('POST', ROBOTS, { as, json }) : by(as, 'POST', ROBOTS, json);
}

async function make(name: string, change: object = {}, as: string | Robot = 'alice'): Promise<Robot> {
  const answer = await post({ name, level: 'project', duration: 30, permissions: [{ kind: 'project', namespace: 'alpha', access: [PULL] }], ...change }, as);
  expect(answer.status).toBe(201);
  return answer.body as Robot;
}

function by({ name, secret }: Pick<Robot, 'name' | 'secret'>, method: string, path: string, json?: unknown): Promise<Answer> {
  attempts += 1;
  const from = `2001:db8:${attempts.toString(16)}::1`;
  return core.call(method, path, { headers: { authorization: basic(name, secret), 'x-forwarded-for': from }, ...(json === undefined ? {} : { json }) });
}

async function logsIn(robot: Pick<Robot, 'name' | 'secret'>): Promise<number> {
  return (await by(robot, 'GET', '/api/v2.0/users/current/permissions')).status;
}

async function token(robot: Robot, scope = 'repository:alpha/app:pull'): Promise<RegistryTokenClaims> {
  const answer = await by(robot, 'GET', `/service/token?service=harbor-registry&scope=${scope}`);
  expect(answer.status).toBe(200);
  return verifier.verify((answer.body as { token: string }).token);
}

async function isRevoked(claims: RegistryTokenClaims): Promise<boolean> {
  const epochs = new AccessEpochs();
  for (const row of await core.database.query<{ subject: string; not_before: Date }>('SELECT subject, not_before FROM access_epoch')) epochs.raise(row.subject, row.not_before);
  return epochs.isRevoked(claims);
}

async function state(): Promise<unknown> {
  const robots = await core.database.query('SELECT id, name, level, project_id, description, secret_hash, disabled, duration, expires_at FROM robot ORDER BY id');
  return [robots, await core.database.query('SELECT * FROM robot_permission ORDER BY id')];
}

/** Runs what must not change any robot. */
async function unchanged(work: () => Promise<void>): Promise<void> {
  const before = await state();
  await work();
  expect(await state()).toEqual(before);
}

describe('A-26: what is disabled or gone does not come back by logging in', () => {
  test('a disabled robot stays out and disabled, with the right secret', async () => {
    const robot = await make('disabled');
    await core.call('PUT', `${ROBOTS}/${robot.id}`, { as: 'alice', json: { disable: true } });
    expect(await logsIn(robot)).toBe(401);
    expect((await by(robot, 'GET', '/service/token?service=harbor-registry')).status).toBe(401);
    expect((await core.call('GET', `${ROBOTS}/${robot.id}`, { as: 'alice' })).body).toMatchObject({ disable: true });
  });

  test('somebody with the name of a deleted account is somebody else, without its memberships', async () => {
    const create = (): Promise<Answer> => core.call('POST', '/api/v2.0/users', { as: 'admin', json: { username: 'phoenix', email: 'phoenix@example.org', realname: 'P', password: 'Good-enough-1' } });
    const first = (await create()).headers.get('location') ?? '';
    await core.call('POST', '/api/v2.0/projects/alpha/members', { as: 'alice', json: { role_id: 1, member_user: { username: 'phoenix' } } });
    expect((await core.call('DELETE', first, { as: 'admin' })).status).toBe(200);
    expect((await core.call('GET', '/api/v2.0/projects/alpha', { as: 'phoenix', password: 'Good-enough-1' })).status).toBe(401);
    expect((await create()).headers.get('location')).not.toBe(first);
    expect((await core.call('GET', '/api/v2.0/projects/alpha', { as: 'phoenix', password: 'Good-enough-1' })).status).toBe(403);
  });
});

describe('A-27: nearly the secret is not the secret', () => {
  test('of a robot, generated', async () => {
    const robot = await make('nearly');
    const { secret } = robot;
    for (const wrong of [secret.slice(0, 31), secret.slice(0, 8), `${secret} `, ` ${secret}`, `${secret}\0`, `${secret}x`, secret.toUpperCase(), '']) expect(await logsIn({ name: robot.name, secret: wrong })).toBe(401);
    expect(await logsIn(robot)).toBe(200);
  });

  test('of a robot, chosen, of 80 characters', async () => {
    const robot = await make('chosen');
    const secret = `Aa1${'x'.repeat(77)}`;
    expect((await core.call('PATCH', `${ROBOTS}/${robot.id}`, { as: 'alice', json: { secret } })).status).toBe(200);
    for (const wrong of [secret.slice(0, 72), secret.slice(0, 79), `${secret} `, `${secret}\0`]) expect(await logsIn({ name: robot.name, secret: wrong })).toBe(401);
    expect(await logsIn({ name: robot.name, secret })).toBe(200);
  });

  test('of a user, of 80 characters', async () => {
    const password = `Aa1${'y'.repeat(77)}`;
    await core.call('POST', '/api/v2.0/users', { as: 'admin', json: { username: 'long', email: '', realname: 'L', password } });
    for (const wrong of [password.slice(0, 72), `${password} `, `${password}\0`, `${password.slice(0, 40)}\0${password.slice(41)}`]) expect(await logsIn({ name: 'long', secret: wrong })).toBe(401);
    expect(await logsIn({ name: 'long', secret: password })).toBe(200);
  });
});

describe('B-13: what ends a robot ends its tokens', () => {
  test.each([
    ['disabling it', (id: number) => core.call('PUT', `${ROBOTS}/${id}`, { as: 'alice', json: { disable: true } }), 401],
    ['deleting it', (id: number) => core.call('DELETE', `${ROBOTS}/${id}`, { as: 'alice' }), 401],
    ['refreshing its secret', (id: number) => core.call('PATCH', `${ROBOTS}/${id}`, { as: 'alice', json: {} }), 401],
    ['choosing its secret', (id: number) => core.call('PATCH', `${ROBOTS}/${id}`, { as: 'alice', json: { secret: 'Chosen-secret-1' } }), 401],
    ['shortening its life', (id: number) => core.call('PUT', `${ROBOTS}/${id}`, { as: 'alice', json: { duration: 1 } }), 200],
    ['taking a right from it', (id: number) => core.call('PUT', `${ROBOTS}/${id}`, { as: 'alice', json: { permissions: [{ kind: 'project', namespace: 'alpha', access: [PUSH] }] } }), 200],
  ])('%s', async (name, change, then) => {
    const robot = await make(`ending-${name.replaceAll(' ', '-')}`);
    const claims = await token(robot);
    expect(claims).toMatchObject({ subject: `robot:${robot.id}`, name: robot.name, access: [{ name: 'alpha/app', actions: ['pull'], project: alpha }] });
    expect(await isRevoked(claims)).toBe(false);
    expect((await change(robot.id)).status).toBe(200);
    expect(await logsIn(robot)).toBe(then);
    expect(await isRevoked(claims)).toBe(true);
    if (then === 200) expect(await isRevoked(await token(robot))).toBe(false);
  });

  test('its end: logins stop at once, and no token outlives it', async () => {
    const robot = await make('expiring');
    await core.database.execute(`UPDATE robot SET expires_at = now() + interval '100 seconds' WHERE id = $1`, [robot.id]);
    const claims = await token(robot);
    expect(claims.expiresAt - Date.now() / 1000).toBeLessThanOrEqual(100);
    await core.database.execute(`UPDATE robot SET expires_at = now() - interval '1 second' WHERE id = $1`, [robot.id]);
    expect(await logsIn(robot)).toBe(401);
    expect((await by(robot, 'GET', '/service/token?service=harbor-registry')).status).toBe(401);
  });

  test('deleting its project', async () => {
    await core.addProject('brief');
    const robot = await make('brief', { permissions: [{ kind: 'project', namespace: 'brief', access: [PULL] }] }, 'admin');
    const claims = await token(robot, 'repository:brief/app:pull');
    await core.call('DELETE', '/api/v2.0/projects/brief', { as: 'admin' });
    expect(await logsIn(robot)).toBe(401);
    expect(await isRevoked(claims)).toBe(true);
    expect(await isRevoked({ ...claims, access: [] })).toBe(true);
  });

  test('nothing that leaves its rights alone', async () => {
    const robot = await make('growing');
    const claims = await token(robot);
    await core.call('PUT', `${ROBOTS}/${robot.id}`, { as: 'alice', json: { description: 'new', duration: -1, permissions: [{ kind: 'project', namespace: 'alpha', access: [PULL, PUSH] }] } });
    expect(await isRevoked(claims)).toBe(false);
  });
});

describe('B-15: the same secret opens the same, whichever the door', () => {
  test('a robot that may only pull does nothing else', async () => {
    const robot = await make('puller');
    const { access } = await token(robot, 'repository:alpha/app:pull,push,delete repository:bravo/app:pull registry:catalog:*');
    expect(access).toEqual([{ type: 'repository', name: 'alpha/app', actions: ['pull'], project: alpha }, { type: 'repository', name: 'bravo/app', actions: [], project: bravo }]);
    const app = '/api/v2.0/projects/alpha/repositories/app';
    for (const [method, path, json] of [
      ['GET', '/api/v2.0/projects/alpha'], ['PUT', '/api/v2.0/projects/alpha', {}], ['DELETE', '/api/v2.0/projects/alpha'], ['GET', '/api/v2.0/projects/bravo'],
      ['GET', '/api/v2.0/projects/alpha/repositories'], ['DELETE', app], ['GET', `${app}/artifacts`], ['DELETE', `${app}/artifacts/1`], ['DELETE', `${app}/artifacts/1/tags/1`],
      ['POST', `${app}/artifacts?from=alpha/app:1`], ['POST', `${app}/artifacts/1/tags`, { name: '2' }], ['GET', '/api/v2.0/users'], ['PUT', '/api/v2.0/users/1/sysadmin', { sysadmin_flag: false }],
      ['POST', '/api/v2.0/projects', { project_name: 'robots-own' }], ['GET', ROBOTS], ['GET', `${ROBOTS}/${robot.id}`], ['PATCH', `${ROBOTS}/${robot.id}`, {}], ['POST', '/api/v2.0/usergroups', {}],
    ] as const) {
      expect([method, path, (await by(robot, method, path, json)).status]).toEqual([method, path, 403]);
    }
    expect((await by(robot, 'GET', '/api/v2.0/users/current')).status).toBe(412);
    expect(await core.database.query('SELECT name FROM tag ORDER BY name')).toEqual([{ name: '1' }]);
  });
});

describe('B-16: a robot is a robot and a person a person', () => {
  test('nobody can be called like a robot', async () => {
    await make('shadowed');
    const register = (username: string): Promise<Answer> => core.call('POST', '/api/v2.0/users', { as: 'admin', json: { username, email: '', realname: 'X', password: 'Good-enough-1' } });
    for (const name of ['robot$alpha+shadowed', 'robot$x', 'ROBOT$x', 'alpha+shadowed:x']) expect((await register(name)).status).toBe(400);
    await core.call('PUT', '/api/v2.0/configurations', { as: 'admin', json: { robot_name_prefix: 'bot-' } });
    expect((await register('bot-alpha')).status).toBe(400);
    await core.call('PUT', '/api/v2.0/configurations', { as: 'admin', json: { robot_name_prefix: 'robot$' } });
  });

  test('a robot cannot be called like one of another project', async () => {
    for (const name of ['alpha+x', 'robot$alpha+x', 'alpha%2Bx', 'alpha x']) {
      expect((await post({ name, level: 'project', duration: 1, permissions: [{ kind: 'project', namespace: 'bravo', access: [PULL] }] }, 'bob')).status).toBe(400);
    }
  });

  test('robots of the same name in two projects are two, and each opens its own project', async () => {
    const ours = await make('same');
    const theirs = await make('same', { permissions: [{ kind: 'project', namespace: 'bravo', access: [PULL] }] }, 'bob');
    expect(await logsIn({ name: ours.name, secret: theirs.secret })).toBe(401);
    expect((await token(theirs, 'repository:alpha/app:pull')).access).toEqual([expect.objectContaining({ actions: [] })]);
  });

  test('a person who was there before the prefix changed keeps logging in, and is no robot', async () => {
    await core.addUser('ci-alice');
    await core.call('PUT', '/api/v2.0/configurations', { as: 'admin', json: { robot_name_prefix: 'ci-' } });
    expect((await core.call('GET', '/api/v2.0/users/current', { as: 'ci-alice' })).body).toMatchObject({ username: 'ci-alice' });
    await core.call('PUT', '/api/v2.0/configurations', { as: 'admin', json: { robot_name_prefix: 'robot$' } });
  });
});

describe('D-07: robots of others', () => {
  test('can be neither seen nor changed, and look like none', async () => {
    const theirs = await make('theirs', { permissions: [{ kind: 'project', namespace: 'bravo', access: [PULL] }] }, 'bob');
    const system = await make('everywhere', { level: 'system' }, 'admin');
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
    expect(await logsIn(theirs)).toBe(200);
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
      expect((await post({ name: 'foreign', level: 'project', duration: 1, permissions: [{ kind: 'project', namespace: 'alpha', access: [PULL] }], ...change })).status).toBe(status);
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
        expect((await post({ name: 'foreign', level: 'project', duration: 1, permissions: [{ kind: 'project', namespace: 'alpha', access: [PULL] }] }, as)).status).toBe(403);
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
    const robot = await make(`own-${name.replaceAll(/[ ,]/g, '-')}`);
    await unchanged(async () => {
      expect((await core.call('PUT', `${ROBOTS}/${robot.id}`, { as: 'alice', json: { description: 'changed', disable: true, ...change } })).status).toBe(status);
    });
  });

  test('what somebody else gave it may stay', async () => {
    const robot = await make('gifted', { permissions: [{ kind: 'project', namespace: 'alpha', access: [PULL, { resource: 'metadata', action: 'list' }] }] }, 'admin');
    const change = { permissions: [{ kind: 'project', namespace: 'alpha', access: [PUSH, { resource: 'metadata', action: 'list' }] }] };
    expect((await core.call('PUT', `${ROBOTS}/${robot.id}`, { as: 'alice', json: change })).status).toBe(200);
  });
});

describe('E-05: a robot makes no stronger robot', () => {
  let maker: Robot;
  const here = (...access: object[]): object => ({ level: 'system', permissions: [{ kind: 'project', namespace: 'alpha', access }] });
  beforeAll(async () => {
    const own = [{ kind: 'system', namespace: '/', access: [{ resource: 'robot', action: 'create' }] }, { kind: 'project', namespace: 'alpha', access: [PULL, { resource: 'robot', action: 'create' }] }];
    maker = await make('maker', { level: 'system', duration: 1, permissions: own }, 'admin');
  });

  test('of its own rights, project and life it makes one', async () => {
    // A life counts in whole days: one of the same number of days would end a moment later.
    await core.database.execute(`UPDATE robot SET expires_at = expires_at + interval '1 hour' WHERE id = $1`, [maker.id]);
    const made = await make('made-by-robot', { ...here(PULL, { ...PULL, effect: '' }, { ...PULL, effect: 'allow' }), duration: 1 }, maker);
    expect((await core.call('GET', `${ROBOTS}/${made.id}`, { as: 'admin' })).body).toMatchObject({ creator_type: 'robot', creator_ref: maker.id, permissions: [{ access: [PULL] }] });
    await make('made-in-project', { duration: 1 }, maker);
  });

  test.each([
    ['that may push', here(PUSH), 403],
    ['that may push as well', here(PULL, PUSH), 403],
    ['that may push, in an entry beside', { level: 'system', permissions: [{ kind: 'project', namespace: 'alpha', access: [PULL] }, { kind: 'project', namespace: 'alpha', access: [PUSH] }] }, 403],
    ['that may push, without an effect', here({ ...PUSH, effect: '' }), 403],
    ['that is denied to pull', here({ ...PULL, effect: 'deny' }), 400],
    ['elsewhere', { level: 'system', permissions: [{ kind: 'project', namespace: 'bravo', access: [PULL] }] }, 403],
    ['nowhere', { level: 'system', permissions: [{ kind: 'project', namespace: 'ghost', access: [PULL] }] }, 403],
    ['everywhere', { level: 'system', permissions: [{ kind: 'project', namespace: '*', access: [PULL] }] }, 403],
    ['in a public project', { level: 'system', permissions: [{ kind: 'project', namespace: 'pub', access: [PULL] }] }, 403],
    ['on the system', { level: 'system', permissions: [{ kind: 'system', namespace: '/', access: [{ resource: 'catalog', action: 'read' }] }] }, 403],
    ['for ever', { ...here(PULL), duration: -1 }, 403],
    ['for longer', { ...here(PULL), duration: 2 }, 403],
    ['of another project', { permissions: [{ kind: 'project', namespace: 'bravo', access: [PULL] }] }, 403],
  ])('%s', async (_name, change, status) => {
    await unchanged(async () => {
      const answer = await post({ name: 'stronger', level: 'project', duration: 1, permissions: [], ...change }, maker);
      expect(answer.status).toBe(status);
      if (status === 403) expect(answer.body).toEqual({ errors: [expect.objectContaining({ code: expect.stringMatching(/^(DENIED|FORBIDDEN)$/) })] });
    });
  });

  test('foreign and missing projects look alike to it', async () => {
    const ask = async (namespace: string): Promise<string> => JSON.stringify((await post({ name: 'stronger', level: 'system', duration: 1, permissions: [{ kind: 'project', namespace, access: [PULL] }] }, maker)).body);
    expect((await ask('bravo')).replaceAll('bravo', 'NAME')).toBe((await ask('ghost')).replaceAll('ghost', 'NAME'));
  });

  test('and changes none, not even itself', async () => {
    await unchanged(async () => {
      for (const [method, json] of [['PUT', { duration: -1 }], ['PATCH', {}], ['DELETE', undefined]] as const) {
        expect((await by(maker, method, `${ROBOTS}/${maker.id}`, json)).status).toBe(403);
      }
    });
  });
});

describe('K-07: who may look sees names and rights only', () => {
  test('no token and no hash, in lists and alone', async () => {
    const robot = await make('watched');
    for (const as of ['alice', 'mia', 'dave']) {
      for (const path of [`${ROBOTS}/${robot.id}`, `${ROBOTS}?q=Level%3Dproject%2CProjectID%3D${alpha}&page_size=100`, `/api/v2.0/projects/alpha/robots/${robot.id}`, '/api/v2.0/projects/alpha/robots?page_size=100']) {
        const { status, body } = await core.call('GET', path, { as });
        expect(status).toBe(200);
        expect(JSON.stringify(body)).not.toMatch(new RegExp(`${robot.secret}|\\$sha256|\\$scrypt|"(secret|secret_hash|hash|salt|token)"`));
      }
    }
  });
});

describe('robots as callers', () => {
  test('see their projects and the public ones; those for all see all', async () => {
    const names = async (robot: Robot): Promise<string[]> => ((await by(robot, 'GET', '/api/v2.0/projects?page_size=100')).body as { name: string }[]).map(({ name }) => name);
    expect(await names(await make('narrow'))).toEqual(['alpha', 'library', 'pub']);
    expect(await names(await make('wide', { level: 'system', permissions: [{ kind: 'project', namespace: '*', access: [PULL] }] }, 'admin'))).toEqual(expect.arrayContaining(['alpha', 'bravo', 'pub']));
  });

  test('of the system may make projects, which belong to the first administrator', async () => {
    const maker = await make('project-maker', { level: 'system', permissions: [{ kind: 'system', namespace: '/', access: [{ resource: 'project', action: 'create' }] }] }, 'admin');
    const answer = await by(maker, 'POST', '/api/v2.0/projects', { project_name: 'made-by-robot' });
    expect(answer.status).toBe(201);
    expect((await core.call('GET', '/api/v2.0/projects/made-by-robot', { as: 'admin' })).body).toMatchObject({ owner_id: 1, owner_name: 'admin', current_user_role_id: 1 });
    const [event] = await core.database.query<{ actor: string }>(`SELECT actor FROM outbox WHERE type = 'project.created' AND payload->>'name' = 'made-by-robot'`);
    expect(event?.actor).toBe(`robot:${maker.id}`);
  });

  test('have the time of their last use noted, many together', async () => {
    const robots = [await make('used-a'), await make('used-b')];
    await Promise.all(robots.flatMap((robot) => [logsIn(robot), logsIn(robot)]));
    await core.service.app.get(RobotUseService, { strict: false }).write();
    for (const { id } of robots) {
      const { body } = await core.call('GET', `${ROBOTS}/${id}`, { as: 'alice' });
      expect(Math.abs(Date.parse((body as { last_used_time: string }).last_used_time) - Date.now())).toBeLessThan(10_000);
    }
  });

  test('log in fast, however often, and while wrong secrets are slowed down', async () => {
    const robot = await make('busy');
    const call = (secret: string): Promise<Answer> => core.call('GET', '/api/v2.0/users/current/permissions', { headers: { authorization: basic(robot.name, secret), 'x-forwarded-for': '198.51.100.77' } });
    const wrong = await Promise.all(Array.from({ length: 20 }, (_, index) => call(`wrong-${index}`)));
    expect(new Set(wrong.map(({ status }) => status))).toEqual(new Set([401, 429]));
    const started = performance.now();
    const right = await Promise.all(Array.from({ length: 100 }, () => call(robot.secret)));
    expect(new Set(right.map(({ status }) => status))).toEqual(new Set([200]));
    expect(performance.now() - started).toBeLessThan(5000);
  });
});
