import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { ConfigurationService } from '../configuration/configuration.service.js';
import { TestBrowser } from '../testing/browser.js';
import { requireUnchanged, tableState } from '../testing/table-state.js';
import { startTestCore, type Answer, type TestCore } from '../testing/test-core.js';

const USERS = '/api/v2.0/users';
const WISHES = { sysadmin_flag: true, has_admin_role: true, admin_role_in_auth: true, user_id: 1, role_id: 1, deleted: false, salt: 'x', sysadmin: true, source: 'ldap' };

let core: TestCore;
beforeAll(async () => {
  core = await startTestCore();
  await core.addUser('alice');
  await core.addUser('sara', { sysadmin: true });
});
afterAll(() => core.stop());

function account(username: string): object {
  return { username, email: `${username}@example.org`, realname: 'New One', comment: '', password: 'Good-enough-1', ...WISHES };
}

function set(settings: object): Promise<Answer> {
  return core.call('PUT', '/api/v2.0/configurations', { as: 'admin', json: settings });
}

/** As a broadcast would: the settings were changed. */
function forget(): void {
  core.service.app.get(ConfigurationService, { strict: false }).forget();
}

async function visitor(): Promise<TestBrowser> {
  const browser = new TestBrowser(core);
  await browser.send('GET', '/c/login');
  return browser;
}

function exists(browser: TestBrowser, target: string, value: string): Promise<Answer> {
  return browser.form('/c/userExists', { target, value });
}

describe('A-03: while registration is closed', () => {
  let before: string;
  beforeEach(async () => void (before = await tableState(core.database, 'haven_user')));
  afterEach(() => requireUnchanged(before, core.database, 'haven_user'));

  test('nobody but administrators makes accounts, with or without a browser', async () => {
    expect((await core.call('POST', USERS, { json: account('closed') })).status).toBe(401);
    expect((await (await visitor()).send('POST', USERS, { json: account('closed') })).status).toBe(401);
    expect((await core.call('POST', USERS, { as: 'alice', json: account('closed') })).status).toBe(403);
  });

  test.each(['ldap_auth', 'oidc_auth', 'http_auth'])('also where accounts are kept elsewhere (%s) and the switch is on', async (mode) => {
    await core.database.execute(`INSERT INTO setting (key, value) VALUES ('auth_mode', $1), ('self_registration', 'true')`, [JSON.stringify(mode)]);
    forget();
    try {
      expect((await core.call('POST', USERS, { json: account('closed') })).status).toBe(401);
      expect((await (await visitor()).send('POST', USERS, { json: account('closed') })).status).toBe(401);
      expect((await core.call('POST', USERS, { as: 'alice', json: account('closed') })).status).toBe(403);
      expect((await exists(await visitor(), 'username', 'alice')).status).toBe(412);
    } finally {
      await core.database.execute(`DELETE FROM setting WHERE key IN ('auth_mode', 'self_registration')`);
      forget();
    }
  });

  test('L-06: nobody is told whether a name is taken, except administrators', async () => {
    for (const name of ['alice', 'nobody']) {
      const answer = await exists(await visitor(), 'username', name);
      expect(answer.status).toBe(412);
      expect(answer.body).toEqual((await exists(await visitor(), 'username', 'another')).body);
      const browser = new TestBrowser(core);
      await browser.logIn('alice');
      expect((await exists(browser, 'username', name)).status).toBe(412);
    }
    const admin = new TestBrowser(core);
    await admin.logIn('sara');
    expect((await exists(admin, 'username', 'alice')).body).toBe(true);
    expect((await exists(admin, 'username', 'nobody')).body).toBe(false);
  });
});

describe('A-02: while registration is open', () => {
  beforeAll(() => set({ self_registration: true }));
  afterAll(() => set({ self_registration: false }));

  test.each([
    ['without a browser', {}],
    ['with an invented cookie', { cookie: '_gorilla_csrf=invented', 'x-harbor-csrf-token': 'invented' }],
    ['with an invented session', { cookie: `sid=${'a'.repeat(43)}` }],
  ])('an API call %s is refused', async (_name, headers) => {
    const before = await tableState(core.database, 'haven_user');
    const answer = await core.call('POST', USERS, { json: account('by-api'), headers });
    expect([answer.status, answer.body]).toEqual([403, { errors: [{ code: 'FORBIDDEN', message: expect.stringContaining('self-registration cannot be triggered via API') }] }]);
    expect(answer.headers.getSetCookie()).toEqual([]);
    expect(await tableState(core.database, 'haven_user')).toBe(before);
  });

  test('so is a browser without the token, with another’s, or on another site’s page', async () => {
    const browser = await visitor();
    const other = await visitor();
    for (const token of [undefined, other.token]) {
      browser.token = token;
      expect((await browser.send('POST', USERS, { json: account('forged') })).status).toBe(403);
      browser.token = undefined;
    }
    const again = await visitor();
    expect((await again.send('POST', USERS, { json: account('forged'), headers: { origin: 'https://evil.test' } })).status).toBe(403);
  });

  test('a visitor of the sign-in page gets an account of no rights, whatever else was asked for', async () => {
    const browser = await visitor();
    const made = await browser.send('POST', USERS, { json: account('newcomer') });
    expect([made.status, made.headers.get('location')]).toEqual([201, expect.stringMatching(/^\/api\/v2\.0\/users\/\d+$/)]);
    await browser.logIn('newcomer', 'Good-enough-1');
    const { body } = await browser.send('GET', `${USERS}/current`);
    expect(body).toMatchObject({ username: 'newcomer', sysadmin_flag: false, admin_role_in_auth: false, user_id: Number(made.headers.get('location')?.split('/').at(-1)) });
    expect((await browser.send('GET', USERS)).status).toBe(403);
    expect((await browser.send('POST', USERS, { json: account('another') })).status).toBe(403);
  });

  test('a visitor’s account is held to the rules of all', async () => {
    const browser = await visitor();
    for (const [change, status] of [[{ username: 'alice' }, 409], [{ username: 'admin' }, 409], [{ username: 'robot$ci' }, 400], [{ password: 'weak' }, 400], [{ username: 7 }, 422]] as const) {
      expect((await browser.send('POST', USERS, { json: { ...account('ruled'), ...change } })).status).toBe(status);
    }
  });

  test('visitors are told whether a name is taken, to choose another', async () => {
    await core.database.execute(`UPDATE haven_user SET email = 'Alice@example.org' WHERE username = 'alice'`);
    const browser = await visitor();
    const answers = [['username', 'alice'], ['username', 'Alice'], ['email', 'alice@EXAMPLE.org'], ['email', 'x@example.org']] as const;
    const bodies: unknown[] = [];
    for (const [target, value] of answers) bodies.push((await exists(browser, target, value)).body);
    expect(bodies).toEqual([true, false, true, false]);
    expect((await exists(browser, 'password_hash', 'x')).status).toBe(400);
    expect((await core.call('POST', '/c/userExists', { body: 'target=username&value=alice', headers: { 'content-type': 'application/x-www-form-urlencoded' } })).status).toBe(403);
  });
});
