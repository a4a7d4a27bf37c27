import { afterAll, beforeAll, beforeEach, afterEach, describe, expect, test } from '@jest/globals';
import { TestBrowser } from '../testing/browser.js';
import { requireUnchanged, tableState } from '../testing/table-state.js';
import { basic, PASSWORD, startTestCore, type Answer, type TestCore } from '../testing/test-core.js';

const CURRENT = '/api/v2.0/users/current';
const PROJECTS = '/api/v2.0/projects';
const FORBIDDEN = { errors: [{ code: 'FORBIDDEN', message: expect.stringMatching(/another site|X-Harbor-CSRF-Token/) }] };

let core: TestCore;
let victim: TestBrowser;
let attacker: TestBrowser;
beforeAll(async () => {
  core = await startTestCore();
  await core.addUser('sara', { sysadmin: true });
  for (const name of ['alice', 'mallory']) await core.addUser(name);
  victim = await browserOf('sara');
  attacker = await browserOf('mallory');
});
afterAll(() => core.stop());

async function browserOf(name: string): Promise<TestBrowser> {
  const browser = new TestBrowser(core);
  await browser.logIn(name);
  return browser;
}

function cookiesOf(browser: TestBrowser): string {
  return [...browser.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
}

describe('nothing changes', () => {
  const tables = ['project', 'haven_user', 'member', 'setting'];
  let before: string;
  beforeEach(async () => void (before = await tableState(core.database, ...tables)));
  afterEach(() => requireUnchanged(before, core.database, ...tables));

  describe('I-06: by a page of another site that has the victim’s browser send its cookies', () => {
    test.each([
      ['POST', PROJECTS, { json: { project_name: 'forged' } }],
      ['PUT', '/api/v2.0/projects/library', { json: { metadata: { public: 'false' } } }],
      ['DELETE', '/api/v2.0/projects/library', {}],
      ['PUT', '/api/v2.0/users/1', { json: { email: 'mallory@example.org' } }],
      ['PUT', '/api/v2.0/users/2/sysadmin', { json: { sysadmin_flag: false } }],
      ['PUT', '/api/v2.0/configurations', { json: { self_registration: true } }],
      ['DELETE', '/api/v2.0/users/current/sessions', {}],
    ])('%s %s without a token', async (method, path, call) => {
      const answer = await core.call(method, path, { ...call, headers: { cookie: cookiesOf(victim) } });
      expect([answer.status, answer.body]).toEqual([403, FORBIDDEN]);
    });

    test.each([
      ['no word', ''],
      ['a word', 'x'],
      ['an invented token', Buffer.alloc(64, 7).toString('base64')],
    ])('with %s for a token', async (_name, token) => {
      const answer = await core.call('POST', PROJECTS, { json: { project_name: 'forged' }, headers: { cookie: cookiesOf(victim), 'x-harbor-csrf-token': token } });
      expect([answer.status, answer.body]).toEqual([403, FORBIDDEN]);
    });

    test('with the token of another session, of a visitor, or with the visitor’s cookie of the attacker', async () => {
      const visitor = new TestBrowser(core);
      await visitor.send('GET', '/c/login');
      for (const other of [attacker, visitor]) {
        const tossed = `sid=${victim.cookies.get('sid')}; _gorilla_csrf=${other.cookies.get('_gorilla_csrf')}`;
        for (const cookie of [cookiesOf(victim), tossed]) {
          const answer = await core.call('POST', PROJECTS, { json: { project_name: 'forged' }, headers: { cookie, 'x-harbor-csrf-token': other.token ?? '' } });
          expect([answer.status, answer.body]).toEqual([403, FORBIDDEN]);
        }
      }
    });

    test.each([
      [{ origin: 'https://evil.test' }], [{ origin: 'null' }], [{ origin: 'http://127.0.0.1.evil.test' }], [{ 'sec-fetch-site': 'cross-site' }], [{ 'sec-fetch-site': 'same-site' }],
      [{ origin: 'https://evil.test', 'sec-fetch-site': 'same-origin' }],
    ])('with a token that leaked, but %j', async (headers) => {
      const answer = await victim.send('POST', PROJECTS, { json: { project_name: 'forged' }, headers });
      expect([answer.status, answer.body]).toEqual([403, FORBIDDEN]);
    });

    test.each(['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x'])('as the %s of a form', async (type) => {
      const answer = await core.call('POST', PROJECTS, { body: '{"project_name":"forged"}', headers: { cookie: cookiesOf(victim), 'content-type': type } });
      expect([403, 415]).toContain(answer.status);
    });

    test('with names and passwords that the browser remembers', async () => {
      const answer = await core.call('DELETE', '/api/v2.0/projects/library', { as: 'admin', headers: { 'sec-fetch-site': 'cross-site' } });
      expect([answer.status, answer.body]).toEqual([403, FORBIDDEN]);
    });

    test('by logging the victim in or out', async () => {
      const login = await core.call('POST', '/c/login', { body: `principal=mallory&password=${PASSWORD}`, headers: { 'content-type': 'application/x-www-form-urlencoded', cookie: cookiesOf(victim) } });
      expect([login.status, login.headers.getSetCookie()]).toEqual([403, []]);
      expect((await victim.send('GET', '/c/log_out', { headers: { 'sec-fetch-site': 'cross-site' } })).status).toBe(403);
      expect((await victim.send('GET', CURRENT)).status).toBe(200);
    });
  });

  describe('A-17: by an Authorization header that is wrong, whatever the cookie', () => {
    test.each([
      ['a wrong password', basic('alice', 'wrong')],
      ['an unknown scheme', 'Negotiate abc'],
      ['an invented token', 'Bearer abc.def.ghi'],
      ['nothing', ''],
      ['half a word', 'Basic'],
    ])('%s', async (_name, authorization) => {
      for (const [method, path] of [['GET', CURRENT], ['DELETE', '/api/v2.0/projects/library'], ['GET', '/api/v2.0/users']] as const) {
        const answer = await victim.send(method, path, { headers: { authorization } });
        expect([answer.status, answer.headers.get('x-harbor-csrf-token')]).toEqual([401, null]);
      }
    });
  });

  test('A-17: nor by a registry token beside the cookie, valid or not', async () => {
    const { body } = await core.call('GET', '/service/token?service=harbor-registry&scope=repository:library/app:pull', { as: 'alice' });
    const { token } = body as { token: string };
    for (const authorization of [`Bearer ${token}`, `Bearer ${token.slice(0, -8)}AAAAAAAA`, `bearer ${token}`]) {
      for (const [method, path] of [['GET', CURRENT], ['DELETE', '/api/v2.0/projects/library']] as const) expect((await victim.send(method, path, { headers: { authorization } })).status).toBe(401);
    }
  });

  describe('B-14: by a cookie or its token in the wrong place', () => {
    test('the session cookie is nobody to the token service', async () => {
      const headers = { cookie: cookiesOf(victim) };
      expect((await core.call('GET', '/service/token?service=harbor-registry', { headers })).status).toBe(401);
      const { body } = await core.call('GET', '/service/token?service=harbor-registry&scope=registry:catalog:*', { headers });
      const [, claims = ''] = (body as { token: string }).token.split('.');
      expect(JSON.parse(Buffer.from(claims, 'base64url').toString())).toMatchObject({ sub: '', access: [] });
    });

    test('its token and its id are no credentials', async () => {
      const sid = victim.cookies.get('sid') ?? '';
      for (const authorization of [`Bearer ${victim.token ?? ''}`, `Bearer ${sid}`, basic('sara', sid), basic('sara', victim.token ?? '')]) {
        expect((await core.call('GET', CURRENT, { headers: { authorization, 'x-forwarded-for': '198.51.100.77' } })).status).toBe(401);
      }
      expect((await core.call('GET', CURRENT, { headers: { cookie: `sid=${victim.token ?? ''}` } })).status).toBe(401);
    });
  });
});

describe('what is allowed', () => {
  test('a page of ours changes something, each time with the token of the answer before', async () => {
    const browser = await browserOf('alice');
    const origin = new URL(core.url).origin;
    for (const project of ['one', 'two', 'three']) {
      const answer = await browser.send('POST', PROJECTS, { json: { project_name: project }, headers: { origin, 'sec-fetch-site': 'same-origin' } });
      expect(answer.status).toBe(201);
      expect(answer.headers.get('x-harbor-csrf-token')).toMatch(/^[A-Za-z0-9+/]{86}==$/);
    }
  });

  test('a page is ours by the name that the proxy was asked under', async () => {
    const browser = await browserOf('alice');
    const headers = { 'x-forwarded-host': 'reg.example.org:8443', 'x-forwarded-proto': 'https' };
    const send = (origin: string, project: string): Promise<Answer> => browser.send('POST', PROJECTS, { json: { project_name: project }, headers: { ...headers, origin } });
    expect((await send('https://reg.example.org:8443', 'by-name')).status).toBe(201);
    expect((await send('https://reg.example.org', 'by-another-port')).status).toBe(403);
    expect((await send(new URL(core.url).origin, 'by-inner-name')).status).toBe(403);
  });

  test('clients without cookies need no token, also when a cookie jar sends what it has', async () => {
    const call = { as: 'alice', headers: { cookie: 'sid=old; _gorilla_csrf=old; other=1' } };
    const answer = await core.call('POST', PROJECTS, { ...call, json: { project_name: 'by-basic' } });
    expect([answer.status, answer.headers.getSetCookie(), answer.headers.get('x-harbor-csrf-token')]).toEqual([201, [], null]);
  });

  test('a session that has ended is nobody’s: reading goes on, changing needs a login', async () => {
    const headers = { cookie: `sid=${'a'.repeat(43)}` };
    expect((await core.call('GET', PROJECTS, { headers })).status).toBe(200);
    expect((await core.call('POST', PROJECTS, { json: { project_name: 'ghostly' }, headers })).status).toBe(401);
  });
});

describe('visitors', () => {
  test('get their cookie below /c/ and nowhere else', async () => {
    expect((await core.call('GET', '/c/login')).headers.getSetCookie()).toHaveLength(1);
    for (const path of ['/api/v2.0/systeminfo', PROJECTS, CURRENT, '/api/v2.0/ping', '/service/token?service=harbor-registry', '/c/nothing', '/']) {
      expect((await core.call('GET', path)).headers.getSetCookie()).toEqual([]);
    }
  });

  test('keep it as long as it is ours', async () => {
    const visitor = new TestBrowser(core);
    await visitor.send('GET', '/c/login');
    expect((await visitor.send('GET', '/c/login')).headers.getSetCookie()).toEqual([]);
    visitor.cookies.set('_gorilla_csrf', 'made-up');
    expect((await visitor.send('GET', '/c/login')).headers.getSetCookie()).toHaveLength(1);
  });
});
