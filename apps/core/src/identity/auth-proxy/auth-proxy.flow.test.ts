import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { selfSigned } from '@haven/runtime';
import { TestBrowser } from '../../testing/browser.js';
import { tableState } from '../../testing/table-state.js';
import { ADMIN_PASSWORD, basic, startTestCore, type Answer, type TestCore } from '../../testing/test-core.js';
import { ProxyStub } from './testing/proxy-stub.js';

const CURRENT = '/api/v2.0/users/current';
const TOKEN = '/service/token?service=harbor-registry&scope=repository:alpha/app:pull,push';

let core: TestCore;
let proxy: ProxyStub;
let calls = 0;

/** From another address each time, so that nobody waits for the wrong passwords of earlier tests. */
const call = (path: string, name: string, secret: string, method = 'GET'): Promise<Answer> => {
  calls += 1;
  return core.call(method, path, { headers: { authorization: basic(name, secret), 'x-forwarded-for': `2001:db8:${calls.toString(16)}::1` } });
};
const login = async (name: string, secret = proxy.people.get(name)?.password ?? 'none'): Promise<number> => (await call(CURRENT, name, secret)).status;
const me = async (name: string, secret = proxy.people.get(name)?.password ?? 'none'): Promise<unknown> => (await call(CURRENT, name, secret)).body;
const configure = (json: object): Promise<Answer> => core.call('PUT', '/api/v2.0/configurations', { as: 'admin', json });
const accounts = (): Promise<{ username: string; external_id: string; source: string }[]> => core.database.query('SELECT username, external_id, source FROM haven_user WHERE deleted_at IS NULL ORDER BY id');
const actions = async (name: string, secret = proxy.people.get(name)?.password ?? 'none'): Promise<unknown> => {
  const { status, body } = await call(TOKEN, name, secret);
  if (status !== 200) return status;
  return (JSON.parse(Buffer.from((body as { token: string }).token.split('.')[1] ?? '', 'base64url').toString()) as { access: { actions: string[] }[] }).access[0]?.actions;
};
const groupsOf = async (name: string): Promise<unknown[]> => {
  const rows = await core.database.query<{ name: string; type: number }>(
    'SELECT g.name, g.type FROM user_group g JOIN user_group_member m ON m.group_id = g.id JOIN haven_user u ON u.id = m.user_id WHERE u.username = $1 ORDER BY g.name', [name]);
  return rows.map((row) => `${row.type} ${row.name}`);
};
/** What was right a moment ago is not asked for again: unless the account's tokens were withdrawn, as here. */
const forget = (): Promise<number> => core.database.execute(
  `INSERT INTO access_epoch (subject, not_before, changed_at) SELECT 'user:' || id, now() - interval '1 day' + make_interval(secs => $1), now() FROM haven_user WHERE source = 'http'
   ON CONFLICT (subject) DO UPDATE SET not_before = excluded.not_before`, [(calls += 1)]);

beforeAll(async () => {
  proxy = await new ProxyStub(selfSigned('127.0.0.1')).start();
  core = await startTestCore();
  await core.addProject('alpha');
});
afterAll(async () => {
  await core?.stop();
  await proxy?.stop();
});

describe('switching the mode on', () => {
  test('needs both addresses, and is refused with the reason', async () => {
    const refused = await configure({ auth_mode: 'http_auth', http_authproxy_endpoint: 'https://127.0.0.1:9/login' });
    expect([refused.status, JSON.stringify(refused.body)]).toEqual([400, expect.stringContaining('http_authproxy_tokenreview_endpoint is not set')]);
    expect((await configure({ auth_mode: 'http_auth', ...proxy.settings() })).status).toBe(200);
  });

  test('while it is on, what it needs cannot be taken away', async () => {
    for (const breaking of [{ http_authproxy_endpoint: '' }, { http_authproxy_tokenreview_endpoint: 'http://127.0.0.1/' }, { http_authproxy_server_certificate: 'none' }]) expect([breaking, (await configure(breaking)).status]).toEqual([breaking, 400]);
  });

  test('can be undone, and done again, as long as nobody has come', async () => {
    expect((await configure({ auth_mode: 'db_auth' })).status).toBe(200);
    expect((await configure({ auth_mode: 'http_auth' })).status).toBe(200);
  });

  test('command line clients find the proxy in what anybody may know', async () => {
    expect((await core.call('GET', '/api/v2.0/systeminfo')).body).toMatchObject({
      auth_mode: 'http_auth',
      authproxy_settings: { endpoint: `${proxy.url}/login`, tokenreivew_endpoint: expect.stringContaining(proxy.url), skip_search: false, verify_cert: true, server_certificate: proxy.certificate.cert },
    });
  });
});

describe('logging in with a password', () => {
  test('makes an account at the first time, known by the id that the review gives', async () => {
    proxy.add('ann', { groups: ['developers', 'testers'] });
    expect(await me('ann')).toMatchObject({ username: 'ann', realname: 'ann', email: '', sysadmin_flag: false, admin_role_in_auth: false });
    expect(await groupsOf('ann')).toEqual(['2 developers', '2 testers']);
    expect((await accounts()).filter(({ username }) => username === 'ann')).toEqual([{ username: 'ann', external_id: 'uid:uid-of-ann', source: 'http' }]);
    expect(await login('ann', 'wrong')).toBe(401);
    expect(await login('nobody', 'x')).toBe(401);
    expect((await accounts()).filter(({ username }) => username === 'ann' || username === 'nobody')).toHaveLength(1);
  });

  test('the mode of logging in is fixed now', async () => {
    expect((await configure({ auth_mode: 'db_auth' })).status).toBe(400);
  });

  test('asks as Harbor does: the password in Basic form, then whose the token is', async () => {
    proxy.requests.length = 0;
    proxy.add('bea', {}, 'pass:word é');
    expect(await login('bea')).toBe(200);
    const [first, second, ...more] = proxy.requests;
    expect(first).toEqual({ path: '/login', authorization: basic('bea', 'pass:word é'), body: '' });
    expect(JSON.parse(second?.body ?? '')).toEqual({ apiVersion: 'authentication.k8s.io/v1beta1', kind: 'TokenReview', spec: { token: second?.authorization.replace('Bearer ', '') } });
    expect(more).toEqual([]);
  });

  test('with a browser opens a session, which other modes’ rules leave alone', async () => {
    const browser = new TestBrowser(core);
    expect((await browser.logIn('ann', proxy.people.get('ann')?.password)).status).toBe(200);
    expect((await browser.send('GET', CURRENT)).body).toMatchObject({ username: 'ann' });
    expect((await browser.send('GET', '/c/log_out')).status).toBe(200);
    expect((await browser.send('GET', CURRENT)).status).toBe(401);
  });

  test('ten times at once makes one account', async () => {
    proxy.add('cora');
    expect(await Promise.all(Array.from({ length: 10 }, () => login('cora')))).toEqual(Array(10).fill(200));
    expect((await accounts()).filter(({ username }) => username === 'cora')).toHaveLength(1);
  });

  test('the many token requests of one push are one question', async () => {
    await forget();
    proxy.requests.length = 0;
    for (let round = 0; round < 5; round += 1) expect(await actions('ann')).toEqual([]);
    expect(proxy.requests.map(({ path }) => path)).toEqual(['/login', expect.stringContaining('tokenreviews')]);
  });

  test.each(['', '\0', 'a\0'])('the password %j never gets to the proxy as somebody’s', async (password) => {
    proxy.override.login = (_request, response) => { response.writeHead(200).end(JSON.stringify({ session_id: proxy.token('ann') })); return true; };
    proxy.requests.length = 0;
    try {
      expect(await login('ann', password)).toBe(401);
      expect(proxy.requests).toEqual([]);
    } finally {
      proxy.override.login = undefined;
    }
  });

  test('A-11: guesses are slowed down', async () => {
    const headers = (password: string): Record<string, string> => ({ authorization: basic('ann', password), 'x-forwarded-for': '203.0.113.77' });
    const statuses: number[] = [];
    for (let guess = 0; guess < 9; guess += 1) statuses.push((await core.call('GET', CURRENT, { headers: headers(`guess-${guess}`) })).status);
    expect(statuses.filter((status) => status === 429).length).toBeGreaterThanOrEqual(2);
    expect(await login('ann')).toBe(200);
  });
});

describe('who is who', () => {
  test('a person who is called otherwise keeps the account; who comes to have the name gets nothing of it', async () => {
    proxy.add('dora', { uid: 'fixed' });
    const before = await me('dora') as { user_id: number };
    proxy.people.delete('dora');
    proxy.add('dorothy', { uid: 'fixed' });
    expect(await me('dorothy')).toMatchObject({ user_id: before.user_id, username: 'dorothy' });
    proxy.add('dora', { uid: 'another' });
    expect((await me('dora') as { user_id: number }).user_id).not.toBe(before.user_id);
    proxy.add('dorothy', { uid: 'a-third' });
    await forget();
    expect(await login('dorothy')).toBe(401); // the name belongs to somebody else's account
    expect(JSON.stringify(core.logger.lines)).toContain('belongs to another identity');
  });

  test('without an id the name is the identity, case included; however it is typed, the proxy’s spelling counts', async () => {
    proxy.add('eva', { uid: undefined });
    proxy.add('EVA', { uid: undefined, username: 'eva' }, 'Proxy-eva-1');
    const { user_id: id } = await me('eva') as { user_id: number };
    expect(await me('EVA')).toMatchObject({ user_id: id, username: 'eva' });
    proxy.add('Eva', { uid: undefined, username: 'Eva' }, 'Proxy-Eva-2');
    expect((await me('Eva') as { user_id: number }).user_id).not.toBe(id);
    expect((await accounts()).filter(({ username }) => username.toLowerCase() === 'eva').map(({ external_id: identity }) => identity)).toEqual(['name:eva', 'name:Eva']);
  });

  test('A-07: nobody at the proxy is the administrator, in whatever spelling, by password or by token', async () => {
    const before = await accounts();
    for (const name of ['admin', 'Admin', 'ADMIN', 'ａdmin', 'admin ']) {
      proxy.add(name, { groups: ['developers'] });
      expect([name, await login(name)]).toEqual([name, 401]);
      expect([name, await login(`tokenreview$${name}`, proxy.token(name)), await actions(`tokenreview$${name}`, proxy.token(name))]).toEqual([name, 401, 401]);
    }
    expect(await accounts()).toEqual(before);
    expect(JSON.stringify(core.logger.lines)).toContain('built-in administrator');
  });

  test('the built-in administrator logs in with the password kept here, and the proxy never sees it', async () => {
    proxy.requests.length = 0;
    expect(await me('admin', ADMIN_PASSWORD)).toMatchObject({ user_id: 1, sysadmin_flag: true });
    expect(await login('admin', 'wrong')).toBe(401);
    const browser = new TestBrowser(core);
    expect((await browser.logIn('admin', ADMIN_PASSWORD)).status).toBe(200);
    expect(proxy.requests).toEqual([]);
  });

  test('the proxy’s administrators are those of the settings, for as long as it says so', async () => {
    await configure({ http_authproxy_admin_groups: 'ops', http_authproxy_admin_usernames: 'greta' });
    proxy.add('olga', { groups: ['ops'] });
    proxy.add('greta');
    for (const name of ['olga', 'greta']) {
      expect(await me(name)).toMatchObject({ sysadmin_flag: false, admin_role_in_auth: true });
      expect((await call('/api/v2.0/users', name, proxy.people.get(name)?.password ?? '')).status).toBe(200);
    }
    proxy.add('olga', { groups: [] });
    await configure({ http_authproxy_admin_usernames: '' });
    for (const name of ['olga', 'greta']) expect((await call('/api/v2.0/users', name, proxy.people.get(name)?.password ?? '')).status).toBe(403);
    await configure({ http_authproxy_admin_groups: '' });
  });
});

describe('groups', () => {
  test('give a developer what docker needs to push, and take it back at the next login', async () => {
    const { status } = await core.call('POST', '/api/v2.0/projects/alpha/members', { as: 'admin', json: { role_id: 2, member_group: { group_name: 'developers', group_type: 2 } } });
    expect(status).toBe(201);
    await forget();
    expect(await actions('ann')).toEqual(['pull', 'push']);
    proxy.add('ann', { groups: ['testers'] });
    await forget();
    expect(await actions('ann')).toEqual([]);
    expect(await groupsOf('ann')).toEqual(['2 testers']);
    expect(await core.database.query(`SELECT 1 FROM access_epoch e JOIN haven_user u ON e.subject = 'user:' || u.id WHERE u.username = 'ann' AND e.not_before > now() - interval '1 minute'`)).toHaveLength(1);
    proxy.add('ann', { groups: ['developers', 'testers'] });
  });

  test('of other kinds cannot be members here', async () => {
    expect((await core.call('POST', '/api/v2.0/projects/alpha/members', { as: 'admin', json: { role_id: 2, member_group: { group_name: 'x', group_type: 3 } } })).status).toBe(400);
  });
});

describe('docker login with a token of the proxy’s', () => {
  test('works under the name tokenreview$…, with the rights of its owner', async () => {
    await forget();
    const token = proxy.token('ann');
    proxy.requests.length = 0;
    expect(await actions('tokenreview$ann', token)).toEqual(['pull', 'push']);
    expect(await me('tokenreview$ann', token)).toMatchObject({ username: 'ann' });
    expect(proxy.requests.map(({ path }) => path)).toEqual([expect.stringContaining('tokenreviews')]);
  });

  test('makes the account of who was never here', async () => {
    proxy.add('fay');
    expect(await me('tokenreview$fay', proxy.token('fay'))).toMatchObject({ username: 'fay' });
  });

  test('fails with a token that is revoked, somebody else’s, a password, nothing, or no token at all', async () => {
    const revoked = proxy.token('fay');
    proxy.revoke(revoked);
    const before = await accounts();
    const wrong = [revoked, proxy.token('ann'), proxy.people.get('fay')?.password ?? '', '', 'a b', 'é', 'x'.repeat(9000), `${proxy.token('fay')} `];
    for (const token of wrong) expect([token.slice(0, 20), await login('tokenreview$fay', token)]).toEqual([token.slice(0, 20), 401]);
    expect(await login('tokenreview$', proxy.token('fay'))).toBe(401);
    expect(await login('fay', proxy.token('fay'))).toBe(401); // a token is no password
    expect(await accounts()).toEqual(before);
    expect(JSON.stringify(core.logger.lines)).toContain('not the name that was given');
  });

  test('the audit trail knows the person, not the way of logging in', async () => {
    await configure({ project_creation_restriction: 'everyone' });
    const token = proxy.token('fay');
    const made = await core.call('POST', '/api/v2.0/projects', { headers: { authorization: basic('tokenreview$fay', token) }, json: { project_name: 'fays' } });
    expect(made.status).toBe(201);
    const rows = await core.database.query<{ origin: { name: string } }>(`SELECT origin FROM outbox WHERE type = 'audit.recorded' AND payload->>'resource' = 'fays'`);
    expect(rows.map(({ origin }) => origin.name)).toEqual(['fay']);
  });
});

describe('people who have never come', () => {
  const add = (username: string): Promise<Answer> => core.call('POST', '/api/v2.0/projects/alpha/members', { as: 'admin', json: { role_id: 3, member_user: { username } } });

  test('cannot be members unless administrators are trusted to write names right', async () => {
    expect((await add('hanna')).status).toBe(404);
    await configure({ http_authproxy_skip_search: true });
    expect((await add('hanna')).status).toBe(201);
    expect((await add('hanna')).status).toBe(409);
    for (const name of ['admin\u00a0', 'robot$x', 'a:b', 'ADMIN']) expect([name, [400, 422].includes((await add(name)).status)]).toEqual([name, true]);
  });

  test('who comes with the name first gets the account, with its id from then on', async () => {
    proxy.add('hanna', { uid: 'h-1' });
    expect(await actions('hanna')).toEqual(['pull']);
    expect((await accounts()).filter(({ username }) => username === 'hanna')).toEqual([{ username: 'hanna', external_id: 'uid:h-1', source: 'http' }]);
    proxy.add('hanna', { uid: 'h-2' });
    await forget();
    expect(await login('hanna')).toBe(401); // another one with that name gets nothing
  });

  test('an account in which somebody has logged in is nobody else’s, whatever id comes with its name', async () => {
    const before = await accounts();
    proxy.add('eva', { uid: 'new-id' }, 'Proxy-eva-1');
    await forget();
    expect(await login('eva')).toBe(401);
    expect(await accounts()).toEqual(before);
    proxy.add('eva', { uid: undefined }, 'Proxy-eva-1');
    expect(await login('eva')).toBe(200);
    await configure({ http_authproxy_skip_search: false });
  });
});

describe('accounts here', () => {
  test('A-03: nobody registers, and nobody makes local ones', async () => {
    await configure({ self_registration: true });
    const json = { username: 'local', email: 'l@haven.test', realname: 'L', password: 'Local-12345' };
    const before = await tableState(core.database, 'haven_user');
    expect([401, 403]).toContain((await core.call('POST', '/api/v2.0/users', { json })).status);
    expect((await core.call('POST', '/api/v2.0/users', { as: 'admin', json })).status).toBe(403);
    expect(await tableState(core.database, 'haven_user')).toBe(before);
  });

  test('A-25, GHSA-xvh7-74g6-29xw: while the settings cannot be read nobody is let in, by no mode and no token', async () => {
    await core.database.execute('ALTER TABLE setting RENAME TO setting_away');
    await new Promise((resolve) => void setTimeout(resolve, 5500)); // what is in memory is too old by then
    try {
      for (const [name, secret] of [['ann', proxy.people.get('ann')?.password ?? ''], ['nobody', 'x'], ['tokenreview$ann', proxy.token('ann')], ['tokenreview$admin', proxy.token('admin')], ['admin', 'Proxy-admin-1']] as const) {
        for (const path of [CURRENT, TOKEN, '/api/v2.0/projects']) expect([name, path, [401, 500, 503].includes((await call(path, name, secret)).status)]).toEqual([name, path, true]);
      }
    } finally {
      await core.database.execute('ALTER TABLE setting_away RENAME TO setting');
    }
    expect(await login('ann')).toBe(200);
  }, 30_000);
});
