import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { basic, startTestCore, type Answer, type TestCore } from '../testing/test-core.js';

const ROBOTS = '/api/v2.0/robots';
const PULL = { resource: 'repository', action: 'pull' };
const PUSH = { resource: 'repository', action: 'push' };
let core: TestCore;
let alpha: number;

interface Created {
  readonly id: number;
  readonly name: string;
  readonly secret: string;
  readonly expires_at: number;
}

beforeAll(async () => {
  core = await startTestCore();
  for (const name of ['alice', 'mia', 'dave', 'gina', 'lars', 'eve']) await core.addUser(name);
  alpha = await core.addProject('alpha', { members: { alice: 1, mia: 4, dave: 2, gina: 3, lars: 5 } });
  await core.addProject('bravo');
});
afterAll(() => core.stop());

function inAlpha(change: object = {}): object {
  return { name: 'ci', level: 'project', duration: 30, permissions: [{ kind: 'project', namespace: 'alpha', access: [PULL] }], ...change };
}

function create(change: object, as = 'alice'): Promise<Answer> {
  return core.call('POST', ROBOTS, { as, json: inAlpha(change) });
}

async function created(change: object, as = 'alice'): Promise<Created> {
  const answer = await create(change, as);
  expect(answer.status).toBe(201);
  return answer.body as Created;
}

async function rows(): Promise<unknown> {
  return core.database.query('SELECT r.*, (SELECT json_agg(g ORDER BY g.id) FROM robot_permission g WHERE g.robot_id = r.id) AS grants FROM robot r ORDER BY r.id');
}

describe('making a robot', () => {
  test('of a project answers its full name, its secret and its end, once', async () => {
    const answer = await create({ name: 'first', description: 'builds', secret: 'Ignored-123' });
    expect(answer.status).toBe(201);
    const robot = answer.body as Created;
    expect(answer.headers.get('location')).toBe(`${ROBOTS}/${robot.id}`);
    expect(robot).toEqual({ id: expect.any(Number), name: 'robot$alpha+first', secret: expect.stringMatching(/^[A-Za-z0-9]{32}$/), creation_time: expect.any(String), expires_at: expect.any(Number) });
    expect(Math.abs(robot.expires_at - (Date.now() / 1000 + 30 * 86_400))).toBeLessThan(10);
    const [alice] = await core.database.query<{ id: number }>(`SELECT id FROM haven_user WHERE username = 'alice'`);
    const shown = await core.call('GET', `${ROBOTS}/${robot.id}`, { as: 'alice' });
    expect(shown.body).toEqual({
      id: robot.id, name: 'robot$alpha+first', description: 'builds', level: 'project', duration: 30, editable: true, disable: false, expires_at: robot.expires_at,
      permissions: [{ kind: 'project', namespace: 'alpha', access: [{ ...PULL, effect: 'allow' }] }], creator_type: 'local', creator_ref: alice?.id,
      creation_time: expect.any(String), update_time: expect.any(String),
    });
    expect(JSON.stringify(await rows())).not.toContain(robot.secret);
  });

  test('of the system spans the system, all projects and single ones', async () => {
    const permissions = [
      { kind: 'system', namespace: '/', access: [{ resource: 'catalog', action: 'read' }] },
      { kind: 'project', namespace: '*', access: [PULL] },
      { kind: 'project', namespace: 'alpha', access: [PUSH, { resource: 'robot', action: 'create', effect: 'allow' }] },
    ];
    const robot = await created({ name: 'wide', level: 'system', duration: -1, permissions }, 'admin');
    expect(robot).toMatchObject({ name: 'robot$wide', expires_at: -1 });
    const { body } = await core.call('GET', `${ROBOTS}/${robot.id}`, { as: 'admin' });
    expect(body).toMatchObject({ level: 'system', duration: -1, expires_at: -1 });
    expect((body as { permissions: unknown }).permissions).toEqual(permissions.map((entry) => ({ ...entry, access: entry.access.map((line) => ({ ...line, effect: 'allow' })) })));
  });

  test('names are unique per project, and free elsewhere', async () => {
    await created({ name: 'twin' });
    expect((await create({ name: 'twin' })).status).toBe(409);
    expect((await create({ name: 'twin', permissions: [{ kind: 'project', namespace: 'bravo', access: [PULL] }] }, 'admin')).status).toBe(201);
    expect((await create({ name: 'twin', level: 'system' }, 'admin')).status).toBe(201);
  });

  test('many times at once makes it once', async () => {
    const answers = await Promise.all(Array.from({ length: 6 }, () => create({ name: 'race' })));
    expect(answers.map(({ status }) => status).toSorted()).toEqual([201, 409, 409, 409, 409, 409]);
  });

  test.each([
    ['no name', { name: undefined }], ['an upper-case name', { name: 'CI' }], ['a plus in the name', { name: 'a+b' }], ['a long name', { name: 'a'.repeat(250) }], ['an odd name', { name: 'a--b' }],
    ['no level', { level: undefined }], ['another level', { level: 'galaxy' }],
    ['no duration', { duration: undefined }], ['duration 0', { duration: 0 }], ['duration -2', { duration: -2 }], ['duration null', { duration: null }], ['a duration of centuries', { duration: 99_999_999 }],
    ['no permissions', { permissions: undefined }], ['empty permissions', { permissions: [] }], ['empty access', { permissions: [{ kind: 'project', namespace: 'alpha', access: [] }] }],
    ['a denial', { permissions: [{ kind: 'project', namespace: 'alpha', access: [{ ...PULL, effect: 'deny' }] }] }],
    ['another kind', { permissions: [{ kind: 'galaxy', namespace: 'alpha', access: [PULL] }] }],
  ])('refuses %s', async (_name, change) => {
    const before = await rows();
    for (const as of ['alice', 'admin']) expect((await create(change, as)).status).toBe(400);
    expect(await rows()).toEqual(before);
  });

  test.each([
    ['a number for the name', { name: 7 }], ['a number for the namespace', { permissions: [{ kind: 'project', namespace: 1, access: [PULL] }] }], ['null among the permissions', { permissions: [null] }],
    ['null in access', { permissions: [{ kind: 'project', namespace: 'alpha', access: [null] }] }], ['a number for an action', { permissions: [{ kind: 'project', namespace: 'alpha', access: [{ resource: 'repository', action: 1 }] }] }],
    ['permissions that are no list', { permissions: {} }], ['a text for the duration', { duration: '30' }], ['half a day', { duration: 1.5 }], ['a duration beyond all numbers', { duration: 1e300 }],
    ['a text for disable', { disable: 'true' }], ['NUL in the description', { description: 'a\0b' }], ['NUL in the namespace', { permissions: [{ kind: 'project', namespace: 'a\0', access: [PULL] }] }],
  ])('refuses %s as malformed', async (_name, change) => {
    const before = await rows();
    expect((await create(change)).status).toBe(422);
    expect(await rows()).toEqual(before);
  });

  test('with a project that is not there', async () => {
    const change = { level: 'system', permissions: [{ kind: 'project', namespace: 'ghost', access: [PULL] }] };
    expect((await create(change, 'admin')).status).toBe(404);
    expect((await create({ permissions: change.permissions }, 'admin')).status).toBe(404);
    expect((await create({ permissions: change.permissions })).status).toBe(403);
  });

  test('is put into the audit trail without the secret', async () => {
    const robot = await created({ name: 'noted' });
    const events = await core.database.query<{ payload: object }>(`SELECT payload FROM outbox WHERE type = 'audit.recorded' AND payload->>'resource' = $1`, [robot.name]);
    expect(events.map(({ payload }) => payload)).toEqual([
      { operation: 'create', resourceType: 'robot', resource: robot.name, description: `create robot: ${robot.name}`, result: true, project: alpha },
    ]);
  });
});

describe('listing robots', () => {
  const names = async (query: string, as = 'admin'): Promise<string[]> => {
    const answer = await core.call('GET', `${ROBOTS}?page_size=100${query}`, { as });
    expect(answer.status).toBe(200);
    return (answer.body as { name: string }[]).map(({ name }) => name);
  };

  test('shows those of the system, or of a project', async () => {
    await created({ name: 'listed' });
    await created({ name: 'sys-listed', level: 'system' }, 'admin');
    expect(await names('')).toContain('robot$sys-listed');
    expect(await names('')).not.toContain('robot$alpha+listed');
    const q = `&q=Level%3Dproject%2CProjectID%3D${alpha}`;
    expect(await names(q, 'alice')).toContain('robot$alpha+listed');
    expect(await names(`${q}%2Cname%3D~LIST`, 'alice')).toEqual(['robot$alpha+listed']);
    expect(await names(`${q}%2Cname%3Drobot$alpha%2Blisted`, 'alice')).toEqual([]);
    expect(await names(`${q}%2Cname%3Drobot$alpha%252Blisted`, 'alice')).toEqual(['robot$alpha+listed']);
  });

  test('shows neither secrets nor hashes, to nobody (K-07)', async () => {
    for (const as of ['alice', 'mia', 'dave', 'gina']) {
      const { status, body } = await core.call('GET', `${ROBOTS}?q=Level%3Dproject%2CProjectID%3D${alpha}`, { as });
      expect(status).toBe(200);
      expect(JSON.stringify(body)).not.toMatch(/secret|sha256|scrypt|hash/);
    }
  });

  test.each(['Level=project', 'Level=project,ProjectID=x', 'Level=project,ProjectID=0', 'Level=galaxy', 'Level=~project', 'secret_hash=x', 'salt=x', 'Level=system,Level=project'])('refuses q=%s', async (q) => {
    expect((await core.call('GET', `${ROBOTS}?q=${encodeURIComponent(q)}`, { as: 'admin' })).status).toBe(400);
  });

  test('is for those who may', async () => {
    const list = (as: string | undefined, q = ''): Promise<Answer> => core.call('GET', `${ROBOTS}?q=${encodeURIComponent(q)}`, { as });
    expect((await list(undefined)).status).toBe(401);
    expect((await list('alice')).status).toBe(403);
    const [ofAlpha, ofNowhere] = [await list('eve', `Level=project,ProjectID=${alpha}`), await list('eve', 'Level=project,ProjectID=99999')];
    expect([ofAlpha.status, ofAlpha.body]).toEqual([403, ofNowhere.body]);
    expect((await list('lars', `Level=project,ProjectID=${alpha}`)).status).toBe(403);
  });
});

describe('changing a robot', () => {
  test('changes what is named; the end counts from the beginning', async () => {
    const robot = await created({ name: 'changing' });
    const before = (await core.call('GET', `${ROBOTS}/${robot.id}`, { as: 'alice' })).body as object;
    const put = (change: object): Promise<Answer> => core.call('PUT', `${ROBOTS}/${robot.id}`, { as: 'alice', json: { ...before, ...change } });
    expect((await put({ description: 'new', duration: 60, disable: true, permissions: [{ kind: 'project', namespace: 'alpha', access: [PUSH] }] })).status).toBe(200);
    expect((await core.call('GET', `${ROBOTS}/${robot.id}`, { as: 'alice' })).body).toMatchObject({
      description: 'new', duration: 60, disable: true, expires_at: robot.expires_at + 30 * 86_400, permissions: [{ namespace: 'alpha', access: [{ ...PUSH, effect: 'allow' }] }],
    });
    expect((await core.call('PUT', `${ROBOTS}/${robot.id}`, { as: 'alice', json: { disable: false } })).status).toBe(200);
    expect((await core.call('GET', `${ROBOTS}/${robot.id}`, { as: 'alice' })).body).toMatchObject({ description: 'new', duration: 60, disable: false });
    for (const wrong of [{ level: 'system' }, { name: 'robot$alpha+other' }, { duration: 0 }, { permissions: [] }]) expect((await put(wrong)).status).toBe(400);
    expect((await put({ permissions: [null] })).status).toBe(422);
    expect((await put({ permissions: null, duration: null })).status).toBe(200);
  });

  test('a secret of one’s own choice works, a bad one is refused', async () => {
    const robot = await created({ name: 'chosen' });
    const patch = (json: object): Promise<Answer> => core.call('PATCH', `${ROBOTS}/${robot.id}`, { as: 'alice', json });
    for (const secret of ['Short1a', 'no-upper-case-1', 'NO-LOWER-CASE-1', 'No-digits-here', `A1${'a'.repeat(127)}`]) expect((await patch({ secret })).status).toBe(400);
    for (const secret of [null, 7, ['x']]) expect((await patch({ secret })).status).toBe(422);
    expect(await logsIn(robot.name, robot.secret)).toBe(true);
    expect((await patch({ secret: 'Chosen-secret-1' })).body).toEqual({ secret: '' });
    expect(await logsIn(robot.name, robot.secret)).toBe(false);
    expect(await logsIn(robot.name, 'Chosen-secret-1')).toBe(true);
    const { body } = await patch({});
    expect(body).toEqual({ secret: expect.stringMatching(/^[A-Za-z0-9]{32}$/) });
    expect(await logsIn(robot.name, 'Chosen-secret-1')).toBe(false);
    expect(await logsIn(robot.name, (body as { secret: string }).secret)).toBe(true);
  });

  test('an identifier that cannot be one is refused, one that is nobody’s is not found', async () => {
    for (const id of ['0', '-1', 'x', '99999999999', '1.5']) expect((await core.call('GET', `${ROBOTS}/${id}`, { as: 'admin' })).status).toBe(422);
    for (const [method, json] of [['GET'], ['PUT', {}], ['PATCH', {}], ['DELETE']] as const) {
      expect((await core.call(method, `${ROBOTS}/2000000`, { as: 'admin', json })).status).toBe(404);
    }
  });
});

describe('the prefix', () => {
  test('changes every login name at once', async () => {
    const robot = await created({ name: 'renamed' });
    const set = (value: string): Promise<Answer> => core.call('PUT', '/api/v2.0/configurations', { as: 'admin', json: { robot_name_prefix: value } });
    expect((await set('bot_')).status).toBe(200);
    expect(await logsIn(robot.name, robot.secret)).toBe(false);
    expect(await logsIn('bot_alpha+renamed', robot.secret)).toBe(true);
    expect((await core.call('GET', `${ROBOTS}/${robot.id}`, { as: 'alice' })).body).toMatchObject({ name: 'bot_alpha+renamed' });
    await set('robot$');
    expect(await logsIn(robot.name, robot.secret)).toBe(true);
  });
});

describe('the older addresses', () => {
  const OLDER = '/api/v2.0/projects/alpha/robots';

  test('make, list, show, change and delete robots of the project', async () => {
    const end = Math.floor(Date.now() / 1000) + 86_400;
    const answer = await core.call('POST', OLDER, { as: 'alice', json: { name: 'older', expires_at: end, access: [{ resource: `/project/${alpha}/repository`, action: 'push' }, { resource: `/project/${alpha}`, action: 'read' }] } });
    expect(answer.status).toBe(201);
    const { id, name } = answer.body as Created;
    expect(answer.headers.get('location')).toBe(`${OLDER}/${id}`);
    expect(answer.body).toMatchObject({ name: 'robot$alpha+older', expires_at: end });
    expect((await core.call('GET', `${OLDER}/${id}`, { as: 'gina' })).body).toMatchObject({ name, duration: 1, permissions: [{ namespace: 'alpha', access: [PUSH, { resource: 'project', action: 'read' }] }] });
    expect((await core.call('GET', `${OLDER}?page_size=100`, { as: 'gina' })).body).toContainEqual(expect.objectContaining({ name }));
    expect((await core.call('PUT', `${OLDER}/${id}`, { as: 'alice', json: { disable: true } })).status).toBe(200);
    expect((await core.call('DELETE', `${OLDER}/${id}`, { as: 'mia' })).status).toBe(403);
    expect((await core.call('DELETE', `${OLDER}/${id}`, { as: 'alice' })).status).toBe(200);
    expect((await core.call('GET', `${OLDER}/${id}`, { as: 'alice' })).status).toBe(404);
  });

  test.each([
    ['nothing to do', {}], ['the end of time', { expires_at: 99_999_999_999 }], ['the past', { expires_at: 1000 }],
    ['a resource of another project', { access: [{ resource: '/project/999/repository', action: 'pull' }] }], ['a resource without a project', { access: [{ resource: 'repository', action: 'pull' }] }],
  ])('refuse %s', async (_name, change) => {
    const access = 'expires_at' in change ? [{ resource: `/project/${alpha}/repository`, action: 'pull' }] : [];
    expect((await core.call('POST', OLDER, { as: 'alice', json: { name: 'wrong', expires_at: -1, access, ...change } })).status).toBe(400);
  });
});

test('deleting a project takes its robots and what others were given there', async () => {
  await core.addProject('doomed');
  const robot = await created({ name: 'inside', permissions: [{ kind: 'project', namespace: 'doomed', access: [PULL] }] }, 'admin');
  const wide = await created({ name: 'outside', level: 'system', permissions: [{ kind: 'project', namespace: 'doomed', access: [PULL] }, { kind: 'project', namespace: 'alpha', access: [PULL] }] }, 'admin');
  expect((await core.call('DELETE', '/api/v2.0/projects/doomed', { as: 'admin' })).status).toBe(200);
  expect(await logsIn(robot.name, robot.secret)).toBe(false);
  expect((await core.call('GET', `${ROBOTS}/${robot.id}`, { as: 'admin' })).status).toBe(404);
  expect((await core.call('GET', `${ROBOTS}/${wide.id}`, { as: 'admin' })).body).toMatchObject({ permissions: [{ namespace: 'alpha' }] });
});

let logins = 0;

/** Each time from another address, so that no login waits for an earlier wrong one. */
async function logsIn(name: string, secret: string): Promise<boolean> {
  const { status } = await core.call('GET', '/api/v2.0/projects', { headers: { authorization: basic(name, secret), 'x-forwarded-for': `203.0.113.${(logins += 1) % 250}` } });
  expect([200, 401]).toContain(status);
  return status === 200;
}
