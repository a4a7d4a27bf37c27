import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { ConfigurationsReq } from '@haven/api';
import { RouteTable } from '../http/route-table.service.js';
import { TestBrowser } from '../testing/browser.js';
import { Pusher } from '../testing/push.js';
import { tableState } from '../testing/table-state.js';
import { startReplica, startTestCore, type Answer, type TestCore } from '../testing/test-core.js';

/** Long enough for a broadcast on a busy machine, too short for settings in memory to expire. */
const AT_ONCE_MS = 3_000;

let core: TestCore;
/** Never hears of a change itself: what it does about one, it knows from the broadcast. */
let replica: TestCore;
let library = 0;

beforeAll(async () => {
  core = await startTestCore();
  replica = await startReplica(core);
  await core.addUser('alice');
  library = await core.addProject('kept', { members: { alice: 1 } });
  await new Pusher(core.database, library).image('kept/app', 'content', ['1']);
});
afterAll(async () => {
  await replica.stop();
  await core.stop();
});
afterEach(() => set({
  read_only: false, project_creation_restriction: 'everyone', token_expiration: 30, robot_name_prefix: 'robot$', storage_per_project: -1, quota_per_project_enable: true,
  banner_message: '', self_registration: false, notification_enable: true, session_timeout: 60, robot_token_duration: 30,
}));

async function set(settings: ConfigurationsReq): Promise<void> {
  const { status, body } = await core.call('PUT', '/api/v2.0/configurations', { as: 'admin', json: settings });
  if (status !== 200) throw new Error(`the settings were refused: ${JSON.stringify(body)}`);
}

/** Asks the other replica until it answers as expected; fails with the difference when it does not at once. */
async function atOnce<Seen>(look: () => Promise<Seen>, expected: Seen, within = AT_ONCE_MS): Promise<void> {
  const deadline = Date.now() + within;
  let seen = await look();
  while (JSON.stringify(seen) !== JSON.stringify(expected) && Date.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    seen = await look();
  }
  expect(seen).toEqual(expected);
}

const codeOf = (answer: Answer): string | undefined => (answer.body as { errors?: { code: string }[] } | undefined)?.errors?.[0]?.code;
const post = (name: string, as: string, more: object = {}): Promise<Answer> => replica.call('POST', '/api/v2.0/projects', { as, json: { project_name: name, ...more } });
const infoOf = async (key: string): Promise<unknown> => ((await replica.call('GET', '/api/v2.0/systeminfo', { as: 'alice' })).body as Record<string, unknown>)[key];

describe('F-12: read-only mode', () => {
  /** What goes on: signing in and out, what changes nothing, and the settings, so that the mode can be ended. */
  const GOES_ON = [
    'POST /service/token', 'POST /c/login', 'POST /c/userExists', 'PUT /api/v2.0/configurations', 'DELETE /api/v2.0/users/current/sessions',
    'DELETE /api/v2.0/users/current/sessions/:session_id', 'POST /c/oidc/onboard', 'POST /api/v2.0/system/oidc/ping', 'POST /api/v2.0/system/authproxy/ping',
    // They ask others, or end what is under way, or start what reads only and refuses by itself to change anything.
    'POST /api/v2.0/ldap/ping', 'POST /api/v2.0/ldap/users/import', 'POST /api/v2.0/registries/ping', 'POST /api/v2.0/system/reconciliations', 'PUT /api/v2.0/system/reconciliations/:reconciliation_id',
    'PUT /api/v2.0/system/gc/:gc_id', 'PUT /api/v2.0/system/purgeaudit/:purge_id', 'PUT /api/v2.0/jobservice/jobs/:job_id', 'PUT /api/v2.0/jobservice/queues/:job_type',
    'POST /api/v2.0/system/scanAll/schedule', 'PUT /api/v2.0/system/scanAll/schedule', 'POST /api/v2.0/system/scanAll/stop',
    'POST /api/v2.0/export/cve',
  ];
  const isReadOnly = async (): Promise<unknown> => infoOf('read_only');

  test('refuses every route that changes something, on every replica, and changes nothing', async () => {
    await replica.call('GET', '/api/v2.0/projects', { as: 'admin' });
    await set({ read_only: true });
    await atOnce(isReadOnly, true);
    const routes = core.service.app.get(RouteTable, { strict: false }).routes.filter(({ method }) => method !== 'GET' && method !== 'HEAD');
    expect(routes.length).toBeGreaterThan(30);
    const tables = ['project', 'member', 'haven_user', 'repository', 'manifest', 'tag', 'label', 'robot', 'setting', 'cve_allowlist', 'immutability_rule', 'retention_policy', 'schedule', 'user_group'];
    const before = await tableState(core.database, ...tables);
    const wentOn: string[] = [];
    for (const { method, path } of routes) {
      const address = path.replace(/:project_name(_or_id)?/, 'kept').replace(/:repository_name/, 'app').replace(/:reference/, '1').replace(/:\w+/g, '1');
      const answer = await replica.call(method, address, { as: 'admin', ...(method === 'DELETE' ? {} : { json: {} }) });
      if (answer.status === 403 && codeOf(answer) === 'DENIED') continue;
      wentOn.push(`${method} ${path}`);
    }
    expect(wentOn.filter((route) => !GOES_ON.includes(route))).toEqual([]);
    expect(await tableState(core.database, ...tables)).toBe(before);
  });

  test('asks who calls first, and refuses before it looks at what was sent', async () => {
    await set({ read_only: true });
    await atOnce(isReadOnly, true);
    expect((await replica.call('POST', '/api/v2.0/projects', { json: { project_name: 'x' } })).status).toBe(401);
    expect((await replica.call('DELETE', '/api/v2.0/projects/library', { as: 'alice' })).status).toBe(403);
    expect(codeOf(await replica.call('POST', '/api/v2.0/projects', { as: 'alice', json: ['wrong'] }))).toBe('DENIED');
  });

  test('lets everybody sign in, read and get tokens', async () => {
    await set({ read_only: true });
    await atOnce(isReadOnly, true);
    const browser = new TestBrowser(replica);
    expect((await browser.logIn('alice')).status).toBe(200);
    expect((await browser.send('GET', '/api/v2.0/users/current')).status).toBe(200);
    expect((await browser.send('GET', '/c/log_out')).status).toBe(200);
    expect((await replica.call('GET', '/service/token?service=harbor-registry&scope=repository:kept/app:pull,push', { as: 'alice' })).status).toBe(200);
    expect((await replica.call('GET', '/api/v2.0/projects/kept', { as: 'alice' })).status).toBe(200);
  });

  test('is ended by an administrator, and by nothing else', async () => {
    await set({ read_only: true });
    await atOnce(isReadOnly, true);
    for (const json of [{ banner_message: 'x' }, { read_only: true, banner_message: 'x' }]) expect(codeOf(await replica.call('PUT', '/api/v2.0/configurations', { as: 'admin', json }))).toBe('DENIED');
    expect((await replica.call('PUT', '/api/v2.0/configurations', { as: 'admin', json: { read_only: true } })).status).toBe(200);
    expect((await replica.call('PUT', '/api/v2.0/configurations', { as: 'alice', json: { read_only: false } })).status).toBe(403);
    expect((await core.call('PUT', '/api/v2.0/configurations', { as: 'admin', json: { read_only: false, banner_message: 'back' } })).status).toBe(200);
    await atOnce(async () => (await replica.call('PUT', '/api/v2.0/projects/kept', { as: 'alice', json: {} })).status, 200);
  });

  test('reaches a replica that hears no broadcasts within seconds', async () => {
    const deaf = await startReplica(core, { HAVEN_REDIS_URL: 'redis://127.0.0.1:1' });
    try {
      const put = async (): Promise<number> => (await deaf.call('PUT', '/api/v2.0/projects/kept', { as: 'alice', json: {} })).status;
      expect(await put()).toBe(200);
      await set({ read_only: true });
      await atOnce(put, 403, 6_000);
    } finally {
      await deaf.stop();
    }
  });
});

describe('E-11: who may make projects, and with what', () => {
  test('is set for everybody, or for administrators alone', async () => {
    expect((await post('by-alice', 'alice')).status).toBe(201);
    await set({ project_creation_restriction: 'adminonly' });
    await atOnce(async () => codeOf(await post('by-alice-again', 'alice')), 'FORBIDDEN');
    expect((await post('by-admin', 'admin')).status).toBe(201);
    expect(await infoOf('project_creation_restriction')).toBe('adminonly');
    await set({ project_creation_restriction: 'everyone' });
    await atOnce(async () => [201, 409].includes((await post('by-alice-again', 'alice')).status), true);
  });

  test('takes from others only what is theirs to say', async () => {
    await set({ storage_per_project: 123_456 });
    await atOnce(async () => ((await replica.call('GET', '/api/v2.0/configurations', { as: 'admin' })).body as { storage_per_project: { value: number } }).storage_per_project.value, 123_456);
    expect(codeOf(await post('cache', 'alice', { registry_id: 1 }))).toBe('FORBIDDEN');
    expect(codeOf(await post('cache', 'admin', { registry_id: 1 }))).toBe('BAD_REQUEST');
    expect(codeOf(await post('cache', 'alice', { metadata: { retention_id: '1' } }))).toBe('BAD_REQUEST');
    expect((await post('plain', 'alice', { storage_limit: -1, owner_id: 1, project_id: 1, cve_allowlist: { project_id: 1, items: [{ cve_id: 'CVE-1' }] } })).status).toBe(201);
    const [row] = await core.database.query<{ id: number; owner: string; storage_limit: string }>(
      `SELECT p.id, o.username AS owner, p.storage_limit FROM project p JOIN haven_user o ON o.id = p.owner_id WHERE p.name = 'plain'`);
    expect(row).toMatchObject({ owner: 'alice', storage_limit: '123456' });
    expect(await core.database.query('SELECT project_id FROM cve_allowlist')).toEqual([{ project_id: row?.id }]);
  });
});

describe('other settings act at once on every replica:', () => {
  test('storage_per_project is what a new project may hold, unless an administrator says otherwise', async () => {
    await set({ storage_per_project: 5_000_000 });
    let tries = 0;
    const limitOfNew = async (): Promise<unknown> => {
      tries += 1;
      await post(`limited-${tries}`, 'alice');
      return (await core.database.query<{ storage_limit: string }>('SELECT storage_limit FROM project WHERE name = $1', [`limited-${tries}`]))[0]?.storage_limit;
    };
    await atOnce(limitOfNew, '5000000');
    await post('limited-by-admin', 'admin', { storage_limit: 77 });
    await post('limited-for-admin', 'admin', { storage_limit: 0 });
    const rows = await core.database.query(`SELECT storage_limit FROM project WHERE name IN ('limited-by-admin', 'limited-for-admin') ORDER BY name`);
    expect(rows).toEqual([{ storage_limit: '77' }, { storage_limit: '5000000' }]);
    for (const limit of [-2, 1024 ** 5 + 1]) expect((await post('limited-wrongly', 'admin', { storage_limit: limit })).status).toBe(400);
  });

  test('quota_per_project_enable lets limits be or not be', async () => {
    await set({ quota_per_project_enable: true });
    const id = await core.addProject('tight');
    await core.database.execute('UPDATE project SET storage_limit = 10 WHERE id = $1', [id]);
    await expect(new Pusher(core.database, id).image('tight/app', 'too much')).rejects.toThrow(/quota/i);
    await set({ quota_per_project_enable: false });
    await new Pusher(core.database, id).image('tight/app', 'too much', ['1']);
    await set({ quota_per_project_enable: true });
    await expect(new Pusher(core.database, id).image('tight/app', 'even more')).rejects.toThrow(/quota/i);
  });

  test('token_expiration is how long a token lives', async () => {
    const life = async (): Promise<unknown> => {
      const { body } = await replica.call('GET', '/service/token?service=harbor-registry&scope=repository:kept/app:pull', { as: 'alice' });
      const { expires_in: seconds, token } = body as { expires_in: number; token: string };
      const { exp, iat } = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as { exp: number; iat: number };
      return [seconds, exp - iat];
    };
    expect(await life()).toEqual([1800, 1800]);
    await set({ token_expiration: 7 });
    await atOnce(life, [420, 420]);
  });

  test('robot_name_prefix is what robots log in with', async () => {
    const { body } = await core.call('POST', '/api/v2.0/robots', {
      as: 'admin',
      json: { name: 'reader', level: 'system', duration: -1, permissions: [{ kind: 'project', namespace: 'kept', access: [{ resource: 'repository', action: 'list' }] }] },
    });
    const { secret: password } = body as { secret: string };
    const status = async (as: string): Promise<number> => (await replica.call('GET', '/api/v2.0/projects/kept/repositories', { as, password })).status;
    expect(await status('robot$reader')).toBe(200);
    await set({ robot_name_prefix: 'machine_' });
    await atOnce(() => status('machine_reader'), 200);
    expect(await status('robot$reader')).toBe(401);
  });

  test('session_timeout is how long an unused session lives', async () => {
    const browser = new TestBrowser(replica);
    await browser.logIn('alice');
    await core.database.execute(`UPDATE session SET used_at = now() - interval '10 minutes'`);
    const without = { headers: { 'x-harbor-no-session-renewal': 'true' } };
    const status = async (): Promise<number> => (await browser.send('GET', '/api/v2.0/users/current', without)).status;
    expect(await status()).toBe(200);
    await set({ session_timeout: 5 });
    await atOnce(status, 401);
  });

  test('self_registration opens the door for new users', async () => {
    const register = async (): Promise<number> => {
      const browser = new TestBrowser(replica);
      await browser.send('GET', '/c/login');
      return (await browser.send('POST', '/api/v2.0/users', { json: { username: 'newcomer', email: 'new@example.org', realname: 'New Comer', password: 'Correct-horse-2' } })).status;
    };
    expect(await register()).toBe(401);
    await set({ self_registration: true });
    await atOnce(register, 201);
    expect(await infoOf('self_registration')).toBe(true);
  });

  test('banner_message and notification_enable are told to everybody who asks', async () => {
    await set({ banner_message: '{"message":"maintenance at noon"}', notification_enable: false });
    await atOnce(() => infoOf('banner_message'), '{"message":"maintenance at noon"}');
    expect(await infoOf('notification_enable')).toBe(false);
    expect(((await replica.call('GET', '/api/v2.0/systeminfo')).body as { banner_message: string }).banner_message).toContain('noon');
  });
});
