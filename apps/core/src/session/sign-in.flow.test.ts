import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { TestBrowser } from '../testing/browser.js';
import { ADMIN_PASSWORD, PASSWORD, startTestCore, type TestCore } from '../testing/test-core.js';
import { SessionService } from './session.service.js';

let core: TestCore;
beforeAll(async () => {
  core = await startTestCore();
  for (const name of ['alice', 'bob', 'carol', 'dora', 'emil', 'fred']) await core.addUser(name);
});
afterAll(() => core.stop());

const CURRENT = '/api/v2.0/users/current';

async function loggedIn(name: string, password = PASSWORD): Promise<TestBrowser> {
  const browser = new TestBrowser(core);
  expect((await browser.logIn(name, password)).status).toBe(200);
  return browser;
}

function setting(name: string, value: unknown): Promise<unknown> {
  return core.call('PUT', '/api/v2.0/configurations', { as: 'admin', json: { [name]: value } });
}

describe('logging in with the form', () => {
  test('gives a session that answers as its user, until it is logged out', async () => {
    const browser = new TestBrowser(core);
    const answer = await browser.logIn('alice');
    expect([answer.status, answer.body]).toEqual([200, undefined]);
    expect(await browser.send('GET', CURRENT)).toMatchObject({ status: 200, body: { username: 'alice', sysadmin_flag: false } });
    const sid = browser.cookies.get('sid') ?? '';
    expect((await browser.send('GET', '/c/log_out')).status).toBe(200);
    expect(browser.cookies.has('sid')).toBe(false);
    expect((await core.call('GET', CURRENT, { headers: { cookie: `sid=${sid}` } })).status).toBe(401);
    expect((await browser.send('GET', '/c/log_out')).status).toBe(200);
  });

  test('keeps no id of a session, and notes when somebody logged in', async () => {
    const browser = await loggedIn('alice');
    const rows = await core.database.query<{ row: string }>(`SELECT s::text || u.last_login_at::text AS row FROM session s JOIN haven_user u ON u.id = s.user_id WHERE username = 'alice'`);
    expect(rows).toHaveLength(1);
    expect(rows[0]?.row).not.toContain(browser.cookies.get('sid'));
  });

  test.each([
    ['a wrong password', { principal: 'bob', password: 'wrong' }, 401],
    ['nobody', { principal: 'nobody', password: PASSWORD }, 401],
    ['no password', { principal: 'bob', password: '' }, 401],
    ['no name', { password: PASSWORD }, 401],
    ['a name with NUL', { principal: 'bob\0', password: PASSWORD }, 401],
    ['a long name', { principal: 'b'.repeat(300), password: PASSWORD }, 401],
    ['a huge form', { principal: 'bob', password: 'x'.repeat(100_000) }, 413],
  ])('refuses %s, without a session', async (_name, fields, status) => {
    const browser = new TestBrowser(core);
    await browser.send('GET', '/c/login');
    const answer = await browser.form('/c/login', fields);
    expect(answer.status).toBe(status);
    expect(answer.body).toEqual({ errors: [{ code: expect.any(String), message: expect.any(String) }] });
    expect(browser.cookies.has('sid')).toBe(false);
  });

  test('takes forms only, with each field once', async () => {
    const browser = new TestBrowser(core);
    await browser.send('GET', '/c/login');
    expect((await browser.send('POST', '/c/login', { json: { principal: 'bob', password: PASSWORD } })).status).toBe(415);
    const body = `principal=bob&password=${PASSWORD}&principal=admin`;
    expect((await browser.send('POST', '/c/login', { body, headers: { 'content-type': 'application/x-www-form-urlencoded' } })).status).toBe(400);
  });

  test('works for clients that try, read the token and the cookie off the refusal, and try again', async () => {
    const client = new TestBrowser(core);
    const refused = await client.form('/c/login', { principal: 'bob', password: PASSWORD });
    expect(refused.status).toBe(403);
    expect(refused.headers.getSetCookie()).toEqual([expect.stringMatching(/^_gorilla_csrf=[\w-]+; Path=\/; HttpOnly; SameSite=Strict$/)]);
    expect((await client.form('/c/login', { principal: 'bob', password: PASSWORD })).status).toBe(200);
    // As Terraform's provider does with a session id: change, 403 with token and cookie, change again.
    const provider = new TestBrowser(core);
    provider.cookies.set('sid', client.cookies.get('sid') ?? '');
    const first = await provider.send('POST', '/api/v2.0/projects', { json: { project_name: 'provided' } });
    expect([first.status, provider.cookies.has('_gorilla_csrf'), provider.token !== undefined]).toEqual([403, true, true]);
    expect((await provider.send('POST', '/api/v2.0/projects', { json: { project_name: 'provided' } })).status).toBe(201);
  });
});

describe('A-16: fixation and cookie flags', () => {
  test('an id that was there before is not the session, and a session that was there before ends', async () => {
    const browser = new TestBrowser(core);
    browser.cookies.set('sid', 'attacker');
    await browser.logIn('carol');
    expect(browser.cookies.get('sid')).toMatch(/^[\w-]{43}$/);
    const old = browser.cookies.get('sid') ?? '';
    await browser.logIn('carol');
    expect(browser.cookies.get('sid')).not.toBe(old);
    for (const sid of ['attacker', old]) expect((await core.call('GET', CURRENT, { headers: { cookie: `sid=${sid}` } })).status).toBe(401);
    expect((await browser.send('GET', CURRENT)).status).toBe(200);
  });

  test('the cookies are HttpOnly and SameSite, and Secure where clients use TLS', async () => {
    const login = await new TestBrowser(core).logIn('carol');
    expect(login.headers.getSetCookie()).toEqual([expect.stringMatching(/^sid=[\w-]{43}; Path=\/; HttpOnly; SameSite=Lax$/)]);
    const overTls = await new TestBrowser(core).logIn('carol', PASSWORD, { 'x-forwarded-proto': 'https' });
    expect(overTls.headers.getSetCookie()).toEqual([expect.stringMatching(/^sid=[\w-]{43}; Path=\/; HttpOnly; SameSite=Lax; Secure$/)]);
    const external = await startTestCore({ environment: { HAVEN_EXTERNAL_URL: 'https://reg.example.org' } });
    try {
      const browser = new TestBrowser(external);
      const visit = await browser.send('GET', '/c/login');
      const answer = await browser.form('/c/login', { principal: 'admin', password: ADMIN_PASSWORD }, { origin: 'https://reg.example.org' });
      expect(answer.status).toBe(200);
      for (const text of [...visit.headers.getSetCookie(), ...answer.headers.getSetCookie()]) expect(text).toMatch(/; HttpOnly; SameSite=(Lax|Strict); Secure$/);
    } finally {
      await external.stop();
    }
  });

  test('of two session cookies none is taken', async () => {
    const browser = await loggedIn('carol');
    const sid = browser.cookies.get('sid') ?? '';
    expect((await core.call('GET', CURRENT, { headers: { cookie: `sid=${sid}; sid=x` } })).status).toBe(401);
  });
});

describe('a session ends', () => {
  async function age(seconds: number, column: 'used_at' | 'expires_at'): Promise<void> {
    await core.database.execute(`UPDATE session SET ${column} = ${column} - make_interval(secs => $1)`, [seconds]);
  }

  test('when it is not used for as long as the setting says, as it is now', async () => {
    const browser = await loggedIn('dora');
    await age(3590, 'used_at');
    expect((await browser.send('GET', CURRENT)).status).toBe(200);
    await age(3590, 'used_at');
    expect((await browser.send('GET', CURRENT)).status).toBe(200); // the use before was noted
    await age(3601, 'used_at');
    expect((await browser.send('GET', CURRENT)).status).toBe(401);
    const again = await loggedIn('dora');
    await age(120, 'used_at');
    await setting('session_timeout', 1);
    try {
      expect((await again.send('GET', CURRENT)).status).toBe(401);
    } finally {
      await setting('session_timeout', 60);
    }
  });

  test('also when only a page asks for news in it', async () => {
    const browser = await loggedIn('dora');
    await age(3500, 'used_at');
    expect((await browser.send('GET', CURRENT, { headers: { 'x-harbor-no-session-renewal': 'true' } })).status).toBe(200);
    await age(200, 'used_at');
    expect((await browser.send('GET', CURRENT)).status).toBe(401);
  });

  test('a day after it began, however much it is used; logging in sweeps up what has ended', async () => {
    const browser = await loggedIn('dora');
    await age(86_390, 'expires_at');
    expect((await browser.send('GET', CURRENT)).status).toBe(200);
    await age(20, 'expires_at');
    expect((await browser.send('GET', CURRENT)).status).toBe(401);
    await loggedIn('emil');
    expect(await core.database.query('SELECT 1 FROM session WHERE expires_at < now()')).toEqual([]);
  });

  test('A-15: when the password is changed, except the one it is changed in, which goes on under a new id', async () => {
    const [first, second] = [await loggedIn('emil'), await loggedIn('emil')];
    const old = first.cookies.get('sid') ?? '';
    const { body } = await first.send('GET', CURRENT);
    const change = await first.send('PUT', `/api/v2.0/users/${(body as { user_id: number }).user_id}/password`, { json: { old_password: PASSWORD, new_password: 'Brand-new-1' } });
    expect(change.status).toBe(200);
    expect(first.cookies.get('sid')).not.toBe(old);
    expect((await first.send('GET', CURRENT)).status).toBe(200);
    expect((await first.send('POST', '/api/v2.0/projects', { json: { project_name: 'emils' } })).status).toBe(201);
    expect((await second.send('GET', CURRENT)).status).toBe(401);
    expect((await core.call('GET', CURRENT, { headers: { cookie: `sid=${old}` } })).status).toBe(401);
    expect((await core.call('GET', CURRENT, { as: 'emil' })).status).toBe(401);
    expect((await core.call('GET', CURRENT, { as: 'emil', password: 'Brand-new-1' })).status).toBe(200);
  });

  test('A-16: under a new id when it would have ended under the old one, used or not', async () => {
    const id = await core.addUser('renewer');
    let password = PASSWORD;
    const renewed = async (seconds: number, column: 'used_at' | 'expires_at'): Promise<TestBrowser> => {
      const browser = await loggedIn('renewer', password);
      await age(seconds, column);
      const old = browser.cookies.get('sid');
      const next = `Brand-new-${seconds}-${column}`;
      expect((await browser.send('PUT', `/api/v2.0/users/${id}/password`, { json: { old_password: password, new_password: next } })).status).toBe(200);
      password = next;
      expect([browser.cookies.get('sid') === old, (await browser.send('GET', CURRENT)).status]).toEqual([false, 200]);
      return browser;
    };
    const old = await renewed(86_390, 'expires_at');
    await age(20, 'expires_at');
    expect((await old.send('GET', CURRENT)).status).toBe(401);
    const unused = await renewed(3000, 'used_at');
    await age(3601, 'used_at');
    expect((await unused.send('GET', CURRENT)).status).toBe(401);
  });

  test('when somebody else sets the password; that one’s own session goes on', async () => {
    const id = await core.addUser('helped');
    const [admin, user] = [await loggedIn('admin', ADMIN_PASSWORD), await loggedIn('helped')];
    const sid = admin.cookies.get('sid');
    expect((await admin.send('PUT', `/api/v2.0/users/${id}/password`, { json: { new_password: 'Brand-new-1' } })).status).toBe(200);
    expect((await user.send('GET', CURRENT)).status).toBe(401);
    expect([(await admin.send('GET', CURRENT)).status, admin.cookies.get('sid')]).toEqual([200, sid]);
  });

  test('before it begins, when the account changes while its password is being checked', async () => {
    const id = await core.addUser('racer');
    const sessions = core.service.app.get(SessionService, { strict: false });
    const account = { id, username: 'racer', sysadmin: false, lastWithdrawal: 0, source: 'local', confirmed: true, loginIsNews: true };
    const device = { address: '192.0.2.1', userAgent: '' };
    for (const passwordHash of ['the one before', undefined]) await expect(sessions.open({ ...account, passwordHash }, device, undefined)).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
    await core.call('DELETE', `/api/v2.0/users/${id}`, { as: 'admin' });
    await expect(sessions.open({ ...account, passwordHash: undefined }, device, undefined)).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
    expect(await core.database.query('SELECT 1 FROM session WHERE user_id = $1', [id])).toEqual([]);
  });

  test('A-14: when the account is deleted; nothing it holds works any longer', async () => {
    const id = await core.addUser('leaver');
    const browser = await loggedIn('leaver');
    expect((await core.call('DELETE', `/api/v2.0/users/${id}`, { as: 'admin' })).status).toBe(200);
    expect((await browser.send('GET', CURRENT)).status).toBe(401);
    expect((await core.call('GET', CURRENT, { as: 'leaver' })).status).toBe(401);
    expect((await core.call('GET', '/service/token?service=harbor-registry', { as: 'leaver' })).status).toBe(401);
    expect(await core.database.query('SELECT 1 FROM session WHERE user_id = $1', [id])).toEqual([]);
  });

  test('is found by nobody while the database is away', async () => {
    const browser = await loggedIn('fred');
    await core.database.execute('ALTER TABLE session RENAME TO session_away');
    try {
      expect((await browser.send('GET', CURRENT)).status).toBe(500);
      expect((await browser.send('GET', '/api/v2.0/projects')).status).toBe(500);
    } finally {
      await core.database.execute('ALTER TABLE session_away RENAME TO session');
    }
    expect((await browser.send('GET', CURRENT)).status).toBe(200);
  });

  test('when rights change, it has the new ones at once', async () => {
    const id = await core.addUser('riser', { sysadmin: true });
    const browser = await loggedIn('riser');
    expect((await browser.send('GET', '/api/v2.0/users')).status).toBe(200);
    expect((await core.call('PUT', `/api/v2.0/users/${id}/sysadmin`, { as: 'admin', json: { sysadmin_flag: false } })).status).toBe(200);
    expect((await browser.send('GET', '/api/v2.0/users')).status).toBe(403);
  });

  test('the hundred and first of one account replaces the one that was used least lately', async () => {
    const id = await core.addUser('script');
    await core.database.execute(
      `INSERT INTO session (id_hash, user_id, csrf_secret, used_at, expires_at)
       SELECT sha256(n::text::bytea), $1, '', now() - make_interval(secs => n), now() + interval '1 day' FROM generate_series(1, 120) n`, [id]);
    await loggedIn('script');
    const [row] = await core.database.query<{ sessions: string; oldest: number }>(`SELECT count(*) AS sessions, extract(epoch FROM now() - min(used_at))::int AS oldest FROM session WHERE user_id = $1`, [id]);
    expect(Number(row?.sessions)).toBe(100);
    expect(row?.oldest).toBeLessThan(110);
  });
});
