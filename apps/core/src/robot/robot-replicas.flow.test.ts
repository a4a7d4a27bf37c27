import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Robots, ROBOTS, type TestRobot } from '../testing/robots.js';
import { startReplica, startTestCore, type Answer, type TestCore } from '../testing/test-core.js';

const SECONDS = 1000;

let core: TestCore;
let replica: TestCore;
let robots: Robots;
let there: Robots;

beforeAll(async () => {
  core = await startTestCore();
  replica = await startReplica(core);
  await core.addUser('alice');
  await core.addProject('alpha', { members: { alice: 1 } });
  [robots, there] = [new Robots(core), new Robots(replica)];
});
afterAll(async () => {
  await replica.stop();
  await core.stop();
});

const change = (robot: TestRobot, method: string, json?: object): Promise<Answer> => core.call(method, `${ROBOTS}/${robot.id}`, { as: 'alice', ...(json === undefined ? {} : { json }) });

/** A robot that has just logged in on both replicas, so that both remember what they can. */
async function known(name: string): Promise<TestRobot> {
  const robot = await robots.make(name);
  for (const replicas of [robots, there]) expect([await replicas.logIn(robot), (await replicas.token(robot)).subject]).toEqual([200, `robot:${robot.id}`]);
  return robot;
}

describe('N-08: what is done to a robot on one replica counts on the other at once:', () => {
  test('another secret', async () => {
    const robot = await known('refreshed');
    const { body } = await change(robot, 'PATCH', {});
    const { secret } = body as { secret: string };
    expect([await there.logIn(robot), await there.logIn({ ...robot, secret })]).toEqual([401, 200]);
    expect((await there.call(robot, 'GET', '/service/token?service=harbor-registry&scope=repository:alpha/app:pull')).status).toBe(401);
  });

  test('disabling it, and letting it in again', async () => {
    const robot = await known('disabled');
    expect((await change(robot, 'PUT', { disable: true })).status).toBe(200);
    expect(await there.logIn(robot)).toBe(401);
    expect((await change(robot, 'PUT', { disable: false })).status).toBe(200);
    expect(await there.logIn(robot)).toBe(200);
  });

  test('deleting it', async () => {
    const robot = await known('deleted');
    expect((await change(robot, 'DELETE')).status).toBe(200);
    expect(await there.logIn(robot)).toBe(401);
  });

  test('the end of its life, to the second, whatever the clock of the replica says', async () => {
    const robot = await known('expiring');
    await core.database.execute(`UPDATE robot SET expires_at = date_trunc('second', now()) + interval '3 seconds' WHERE id = $1`, [robot.id]);
    expect([await robots.logIn(robot), await there.logIn(robot)]).toEqual([200, 200]);
    for (const deadline = Date.now() + 10 * SECONDS; Date.now() < deadline && (await there.logIn(robot)) === 200;) await new Promise((resolve) => setTimeout(resolve, 50));
    const [row] = await core.database.query<{ past: number }>('SELECT extract(epoch FROM now() - expires_at)::float8 AS past FROM robot WHERE id = $1', [robot.id]);
    expect(row?.past).toBeGreaterThanOrEqual(0);
    expect(row?.past).toBeLessThan(1);
    expect([await robots.logIn(robot), await there.logIn(robot)]).toEqual([401, 401]);
  });

  test('another password of a person', async () => {
    const id = await core.addUser('bob');
    const login = (where: TestCore, password: string): Promise<number> => where.call('GET', '/api/v2.0/users/current', { as: 'bob', password }).then(({ status }) => status);
    expect([await login(core, 'Correct-horse-1'), await login(replica, 'Correct-horse-1')]).toEqual([200, 200]);
    expect((await core.call('PUT', `/api/v2.0/users/${id}/password`, { as: 'admin', json: { new_password: 'Other-horse-2' } })).status).toBe(200);
    expect([await login(replica, 'Correct-horse-1'), await login(replica, 'Other-horse-2')]).toEqual([401, 200]);
  });
});

describe('N-10: the same request many times at once', () => {
  test('gives a robot one secret in the end, which works; all others do not', async () => {
    const robot = await known('rotated');
    const answers = await Promise.all(Array.from({ length: 20 }, (_, index) => (index % 2 === 0 ? core : replica).call('PATCH', `${ROBOTS}/${robot.id}`, { as: 'alice', json: {} })));
    const secrets = answers.flatMap(({ status, body }) => (status === 200 ? [(body as { secret: string }).secret] : []));
    expect(new Set(secrets).size).toBe(secrets.length);
    const works = await Promise.all([robot.secret, ...secrets].map((secret) => there.logIn({ ...robot, secret })));
    expect([works[0], works.filter((status) => status === 200).length]).toEqual([401, 1]);
  });

  test('deletes it once', async () => {
    const robot = await known('doomed');
    const statuses = (await Promise.all(Array.from({ length: 20 }, (_, index) => (index % 2 === 0 ? core : replica).call('DELETE', `${ROBOTS}/${robot.id}`, { as: 'alice' })))).map(({ status }) => status);
    expect(statuses.filter((status) => status === 200)).toHaveLength(1);
    expect(new Set(statuses)).toEqual(new Set([200, ...statuses.filter((status) => status === 404 || status === 403)]));
  });
});
