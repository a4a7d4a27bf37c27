import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ConfigurationService } from '../configuration/configuration.service.js';
import { RobotUseService } from '../identity/robot-use.service.js';
import { PULL, PUSH, ROBOTS, Robots, type TestRobot } from '../testing/robots.js';
import { basic, startTestCore, type Answer, type TestCore } from '../testing/test-core.js';

let core: TestCore;
let robots: Robots;
let alpha: number;

beforeAll(async () => {
  core = await startTestCore();
  for (const name of ['alice', 'mia', 'dave', 'bob']) await core.addUser(name);
  alpha = await core.addProject('alpha', { members: { alice: 1, mia: 4, dave: 2 } });
  await core.addProject('bravo', { members: { bob: 1 } });
  await core.addProject('pub', { public: true });
  robots = new Robots(core);
});
afterAll(() => core.stop());

describe('A-26: what is disabled or gone does not come back by logging in', () => {
  test('a disabled robot stays out and disabled, with the right secret', async () => {
    const robot = await robots.make('disabled');
    await core.call('PUT', `${ROBOTS}/${robot.id}`, { as: 'alice', json: { disable: true } });
    expect(await robots.logIn(robot)).toBe(401);
    expect((await robots.call(robot, 'GET', '/service/token?service=harbor-registry')).status).toBe(401);
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
    const robot = await robots.make('nearly');
    const { secret } = robot;
    for (const wrong of [secret.slice(0, 31), secret.slice(0, 8), `${secret} `, ` ${secret}`, `${secret}\0`, `${secret}x`, secret.toUpperCase(), '']) expect(await robots.logIn({ name: robot.name, secret: wrong })).toBe(401);
    expect(await robots.logIn(robot)).toBe(200);
  });

  test('of a robot, chosen, of 80 characters', async () => {
    const robot = await robots.make('chosen');
    const secret = `Aa1${'x'.repeat(77)}`;
    expect((await core.call('PATCH', `${ROBOTS}/${robot.id}`, { as: 'alice', json: { secret } })).status).toBe(200);
    for (const wrong of [secret.slice(0, 72), secret.slice(0, 79), `${secret} `, `${secret}\0`]) expect(await robots.logIn({ name: robot.name, secret: wrong })).toBe(401);
    expect(await robots.logIn({ name: robot.name, secret })).toBe(200);
  });

  test('of a user, of 80 characters', async () => {
    const password = `Aa1${'y'.repeat(77)}`;
    await core.call('POST', '/api/v2.0/users', { as: 'admin', json: { username: 'long', email: '', realname: 'L', password } });
    for (const wrong of [password.slice(0, 72), `${password} `, `${password}\0`, `${password.slice(0, 40)}\0${password.slice(41)}`]) expect(await robots.logIn({ name: 'long', secret: wrong })).toBe(401);
    expect(await robots.logIn({ name: 'long', secret: password })).toBe(200);
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
    const robot = await robots.make(`ending-${name.replaceAll(' ', '-')}`);
    const claims = await robots.token(robot);
    expect(claims).toMatchObject({ subject: `robot:${robot.id}`, name: robot.name, access: [{ name: 'alpha/app', actions: ['pull'], project: alpha }] });
    expect(await robots.isRevoked(claims)).toBe(false);
    expect((await change(robot.id)).status).toBe(200);
    expect(await robots.logIn(robot)).toBe(then);
    expect(await robots.isRevoked(claims)).toBe(true);
  });

  test('a new token, asked for at once, is good for what is left', async () => {
    const robot = await robots.make('renewed', { permissions: [{ kind: 'project', namespace: 'alpha', access: [PULL, PUSH] }] });
    await core.call('PUT', `${ROBOTS}/${robot.id}`, { as: 'alice', json: { permissions: [{ kind: 'project', namespace: 'alpha', access: [PULL] }] } });
    const claims = await robots.token(robot, 'repository:alpha/app:pull,delete');
    expect(claims.access).toEqual([expect.objectContaining({ actions: ['pull'] })]);
    expect(await robots.isRevoked(claims)).toBe(false);
  });

  test('its end: logins stop at once, and no token outlives it', async () => {
    const robot = await robots.make('expiring');
    await core.database.execute(`UPDATE robot SET expires_at = now() + interval '100 seconds' WHERE id = $1`, [robot.id]);
    const claims = await robots.token(robot);
    expect(claims.expiresAt - Date.now() / 1000).toBeLessThanOrEqual(100);
    await core.database.execute(`UPDATE robot SET expires_at = now() - interval '1 second' WHERE id = $1`, [robot.id]);
    expect(await robots.logIn(robot)).toBe(401);
    expect((await robots.call(robot, 'GET', '/service/token?service=harbor-registry')).status).toBe(401);
  });

  test('deleting its project', async () => {
    await core.addProject('brief');
    const robot = await robots.make('brief', { permissions: [{ kind: 'project', namespace: 'brief', access: [PULL] }] }, 'admin');
    const claims = await robots.token(robot, 'repository:brief/app:pull');
    await core.call('DELETE', '/api/v2.0/projects/brief', { as: 'admin' });
    expect(await robots.logIn(robot)).toBe(401);
    expect(await robots.isRevoked(claims)).toBe(true);
    expect(await robots.isRevoked({ ...claims, access: [] })).toBe(true);
  });

  test('nothing that leaves its rights alone', async () => {
    const robot = await robots.make('growing');
    const claims = await robots.token(robot);
    await core.call('PUT', `${ROBOTS}/${robot.id}`, { as: 'alice', json: { description: 'new', duration: -1, permissions: [{ kind: 'project', namespace: 'alpha', access: [PULL, PUSH] }] } });
    expect(await robots.isRevoked(claims)).toBe(false);
  });
});

describe('B-16: a robot is a robot and a person a person', () => {
  test('nobody can be called like a robot', async () => {
    await robots.make('shadowed');
    const register = (username: string): Promise<Answer> => core.call('POST', '/api/v2.0/users', { as: 'admin', json: { username, email: '', realname: 'X', password: 'Good-enough-1' } });
    for (const name of ['robot$alpha+shadowed', 'robot$x', 'ROBOT$x', 'alpha+shadowed:x']) expect((await register(name)).status).toBe(400);
    expect((await core.call('PUT', '/api/v2.0/configurations', { as: 'admin', json: { robot_name_prefix: 'bot-' } })).status).toBe(200);
    expect((await register('bot-alpha')).status).toBe(400);
    await core.call('PUT', '/api/v2.0/configurations', { as: 'admin', json: { robot_name_prefix: 'robot$' } });
  });

  test('a robot cannot be called like one of another project', async () => {
    for (const name of ['alpha+x', 'robot$alpha+x', 'alpha%2Bx', 'alpha x']) {
      expect((await robots.post({ name, level: 'project', duration: 1, permissions: [{ kind: 'project', namespace: 'bravo', access: [PULL] }] }, 'bob')).status).toBe(400);
    }
  });

  test('robots of the same name in two projects are two, and each opens its own project', async () => {
    const ours = await robots.make('same');
    const theirs = await robots.make('same', { permissions: [{ kind: 'project', namespace: 'bravo', access: [PULL] }] }, 'bob');
    expect(await robots.logIn({ name: ours.name, secret: theirs.secret })).toBe(401);
    expect((await robots.token(theirs, 'repository:alpha/app:pull')).access).toEqual([expect.objectContaining({ actions: [] })]);
  });

  test('no prefix makes a robot of a person who is there; if one does all the same, the person keeps logging in as a person', async () => {
    await core.addUser('ci-alice');
    expect((await core.call('PUT', '/api/v2.0/configurations', { as: 'admin', json: { robot_name_prefix: 'ci-' } })).status).toBe(400);
    await core.database.execute(`INSERT INTO setting (key, value) VALUES ('robot_name_prefix', '"ci-"') ON CONFLICT (key) DO UPDATE SET value = excluded.value`);
    core.service.app.get(ConfigurationService, { strict: false }).forget();
    const robot = await robots.make('prefixed');
    expect(robot.name).toBe('ci-alpha+prefixed');
    expect((await core.call('GET', '/api/v2.0/users/current', { as: 'ci-alice' })).body).toMatchObject({ username: 'ci-alice' });
    expect((await core.call('PUT', '/api/v2.0/configurations', { as: 'admin', json: { robot_name_prefix: 'robot$' } })).status).toBe(200);
  });
});

describe('robots as callers', () => {
  test('see their projects and the public ones; those for all see all', async () => {
    const names = async (robot: TestRobot): Promise<string[]> => ((await robots.call(robot, 'GET', '/api/v2.0/projects?page_size=100')).body as { name: string }[]).map(({ name }) => name);
    expect(await names(await robots.make('narrow'))).toEqual(['alpha', 'library', 'pub']);
    expect(await names(await robots.make('wide', { level: 'system', permissions: [{ kind: 'project', namespace: '*', access: [PULL] }] }, 'admin'))).toEqual(expect.arrayContaining(['alpha', 'bravo', 'pub']));
  });

  test('of the system may make projects, which belong to the first administrator', async () => {
    const maker = await robots.make('project-maker', { level: 'system', permissions: [{ kind: 'system', namespace: '/', access: [{ resource: 'project', action: 'create' }] }] }, 'admin');
    const answer = await robots.call(maker, 'POST', '/api/v2.0/projects', { project_name: 'made-by-robot' });
    expect(answer.status).toBe(201);
    expect((await core.call('GET', '/api/v2.0/projects/made-by-robot', { as: 'admin' })).body).toMatchObject({ owner_id: 1, owner_name: 'admin', current_user_role_id: 1 });
    const [event] = await core.database.query<{ actor: string }>(`SELECT actor FROM outbox WHERE type = 'project.created' AND payload->>'name' = 'made-by-robot'`);
    expect(event?.actor).toBe(`robot:${maker.id}`);
  });

  test('have the time of their last use noted, many together', async () => {
    const used = [await robots.make('used-a'), await robots.make('used-b')];
    await Promise.all(used.flatMap((robot) => [robots.logIn(robot), robots.logIn(robot)]));
    await core.service.app.get(RobotUseService, { strict: false }).write();
    for (const { id } of used) {
      const { body } = await core.call('GET', `${ROBOTS}/${id}`, { as: 'alice' });
      expect(Math.abs(Date.parse((body as { last_used_time: string }).last_used_time) - Date.now())).toBeLessThan(10_000);
    }
  });

  test('log in fast, however often, and while wrong secrets are slowed down', async () => {
    const robot = await robots.make('busy');
    const call = (secret: string): Promise<Answer> => core.call('GET', '/api/v2.0/users/current/permissions', { headers: { authorization: basic(robot.name, secret), 'x-forwarded-for': '198.51.100.77' } });
    const wrong = await Promise.all(Array.from({ length: 20 }, (_, index) => call(`wrong-${index}`)));
    expect(new Set(wrong.map(({ status }) => status))).toEqual(new Set([401, 429]));
    const started = performance.now();
    const right = await Promise.all(Array.from({ length: 100 }, () => call(robot.secret)));
    expect(new Set(right.map(({ status }) => status))).toEqual(new Set([200]));
    expect(performance.now() - started).toBeLessThan(5000);
  });
});
