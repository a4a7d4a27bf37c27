import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { changeSettings, EXTERNAL_URL, OidcBrowser, startOidcCore, type OidcCore } from '../testing/oidc-core.js';
import { CLIENT_ID, CLIENT_SECRET, hs256, jwt, newKey, rs256 } from '../testing/openid-stub.js';
import { tableState } from '../testing/table-state.js';
import { startTestCore, type TestCore } from '../testing/test-core.js';

const CURRENT = '/api/v2.0/users/current';

let all: OidcCore;
let core: TestCore;
let serial = 0;

beforeAll(async () => {
  all = await startOidcCore();
  core = all.core;
});
afterAll(() => all.stop());
afterEach(async () => {
  all.provider.makeIdToken = (claims) => rs256(all.provider.key, claims);
  all.provider.userinfo = undefined;
  all.provider.metadata = {};
  all.provider.override = undefined;
  await changeSettings(core, { oidc_auto_onboard: true, oidc_user_claim: 'preferred_username', oidc_admin_group: '', oidc_login_groups: '', oidc_group_filter: '', oidc_logout: false });
});

const browser = (): OidcBrowser => new OidcBrowser(core, all.provider);

/** Somebody who was never here. */
function somebody(more: object = {}): string {
  serial += 1;
  all.provider.person = { sub: `subject-${serial}`, preferred_username: `person-${serial}`, name: `Person ${serial}`, email: `person-${serial}@example.test`, ...more };
  return `person-${serial}`;
}

const untouched = (): Promise<string> => tableState(core.database, 'haven_user', 'session', 'user_group', 'user_group_member', 'oidc_account', 'oidc_onboarding');

describe('logging in at the provider', () => {
  test('makes an account of who was never here, and finds it again', async () => {
    const name = somebody({ groups: ['developers', 'testers'] });
    const first = browser();
    const answer = await first.logInThere('?redirect_url=/harbor/projects?page=2');
    expect([answer.status, answer.headers.get('location')]).toEqual([302, '/harbor/projects?page=2']);
    const { body } = await first.send('GET', CURRENT);
    expect(body).toMatchObject({ username: name, email: `${name}@example.test`, realname: expect.stringContaining('Person'), sysadmin_flag: false, admin_role_in_auth: false });
    expect(first.cookies.has('haven_oidc')).toBe(false);
    const second = browser();
    expect((await second.logInThere()).headers.get('location')).toBe('/');
    expect((await second.send('GET', CURRENT)).body).toMatchObject({ user_id: (body as { user_id: number }).user_id });
    const groups = await core.database.query<{ name: string }>('SELECT g.name FROM user_group g JOIN user_group_member m ON m.group_id = g.id JOIN haven_user u ON u.id = m.user_id WHERE u.username = $1 AND g.type = 3 ORDER BY 1', [name]);
    expect(groups.map((group) => group.name)).toEqual(['developers', 'testers']);
  });

  test('A-20: asks with PKCE (S256), a state and a nonce, and names only its own address', async () => {
    const parameters = new URL(await browser().depart()).searchParams;
    expect(Object.fromEntries(parameters)).toMatchObject({
      client_id: CLIENT_ID, response_type: 'code', redirect_uri: `${EXTERNAL_URL}/c/oidc/callback`, scope: 'openid profile email offline_access',
      code_challenge_method: 'S256', code_challenge: expect.stringMatching(/^[\w-]{43}$/), state: expect.stringMatching(/^[\w-]{43}$/), nonce: expect.stringMatching(/^[\w-]{43}$/),
    });
    await changeSettings(core, { oidc_extra_redirect_parms: '{"prompt":"consent","state":"x","redirect_uri":"http://evil.test/","code_challenge_method":"plain"}' });
    const extended = new URL(await browser().depart()).searchParams;
    await changeSettings(core, { oidc_extra_redirect_parms: '{}' });
    expect([extended.get('prompt'), extended.get('redirect_uri'), extended.get('code_challenge_method'), extended.getAll('state')]).toEqual(['consent', `${EXTERNAL_URL}/c/oidc/callback`, 'S256', [expect.stringMatching(/^.{43}$/)]]);
  });

  test('the cookie on the way is sealed, HttpOnly, and ends soon', async () => {
    const visitor = browser();
    const answer = await visitor.go('/c/oidc/login');
    const [text = ''] = answer.headers.getSetCookie().filter((cookie) => cookie.startsWith('haven_oidc='));
    expect(text).toMatch(/^haven_oidc=v1\.[\w-]+; Path=\/; HttpOnly; SameSite=Lax; Max-Age=600$/);
    const state = new URL(answer.headers.get('location') ?? '').searchParams.get('state') ?? '';
    expect(Buffer.from(text.slice('haven_oidc=v1.'.length).split(';')[0] ?? '', 'base64url').toString('latin1')).not.toContain(state);
  });

  test('asks the userinfo endpoint only for what the ID token lacks, and believes it only about the same person', async () => {
    const name = somebody();
    const { sub } = all.provider.person;
    all.provider.person = { sub };
    all.provider.userinfo = { sub, preferred_username: name, groups: 'single' };
    const visitor = browser();
    expect((await visitor.logInThere()).status).toBe(302);
    expect((await visitor.send('GET', CURRENT)).body).toMatchObject({ username: name });
    all.provider.userinfo = { sub: 'somebody-else', preferred_username: name };
    const before = await untouched();
    expect((await browser().logInThere()).status).toBe(400);
    expect(await untouched()).toBe(before);
    const asked = all.provider.requests.filter((request) => request === 'GET /userinfo').length;
    somebody({ groups: [] });
    await browser().logInThere();
    expect(all.provider.requests.filter((request) => request === 'GET /userinfo')).toHaveLength(asked);
  });

  test.each(['//evil.test/', 'https://evil.test/', '/\\evil.test', '\\\\evil.test', '/\r\nSet-Cookie:x', 'projects', '/a\tb', 'javascript:alert(1)', '/ /evil.test', '/\u2028', '/\t/evil.test', '/..//evil.test', '/.//evil.test', '/a/..//evil.test', 'https:evil.test', '\t//evil.test', '///evil.test'])('I-09: does not send anybody to %j afterwards', async (path) => {
    expect((await browser().go(`/c/oidc/login?redirect_url=${encodeURIComponent(path)}`)).status).toBe(400);
  });

  test.each(['redirect_url=/a&redirect_url=//evil.test', 'redirect_url[]=//evil.test&redirect_url=//evil.test', 'redirect_url=%2F%5Cevil.test', 'redirect_url=%2F%09%2Fevil.test'])('I-09: nor with ?%s', async (query) => {
    expect([400, 422]).toContain((await browser().go(`/c/oidc/login?${query}`)).status);
  });

  test('A-16: a new session begins, and the browser’s session before ends', async () => {
    somebody();
    const visitor = browser();
    visitor.cookies.set('sid', 'attacker');
    await visitor.logInThere();
    const first = visitor.cookies.get('sid') ?? '';
    expect(first).toMatch(/^[\w-]{43}$/);
    await visitor.logInThere();
    expect((await core.call('GET', CURRENT, { headers: { cookie: `sid=${first}` } })).status).toBe(401);
    expect((await visitor.send('GET', CURRENT)).status).toBe(200);
  });
});

describe('A-19: ID tokens that are not what they must be', () => {
  const other = newKey('other');
  const pem = (): string => all.provider.key.publicKey.export({ type: 'spki', format: 'pem' }) as string;
  type Claims = Readonly<Record<string, unknown>>;
  const now = (): number => Math.floor(Date.now() / 1000);
  const signed = (claims: Claims): string => rs256(all.provider.key, claims);
  const without = (claims: Claims, name: string): Claims => Object.fromEntries(Object.entries(claims).filter(([key]) => key !== name));

  test.each<[string, string, (claims: Claims) => string]>([
    ['another audience', '"aud"', (claims) => signed({ ...claims, aud: 'other' })],
    ['a list of audiences without us', '"aud"', (claims) => signed({ ...claims, aud: ['other', 'another'] })],
    ['several audiences and no authorized party', 'additional untrusted', (claims) => signed({ ...claims, aud: [CLIENT_ID, 'other'] })],
    ['another authorized party', 'azp', (claims) => signed({ ...claims, azp: 'other' })],
    ['several audiences, made for another one', '"azp"', (claims) => signed({ ...claims, aud: [CLIENT_ID, 'other'], azp: 'other' })],
    ['another issuer', '"iss"', (claims) => signed({ ...claims, iss: 'http://127.0.0.1:1' })],
    ['an issuer with a slash behind it', '"iss"', (claims) => signed({ ...claims, iss: `${String(claims['iss'])}/` })],
    ['no issuer', '"iss"', (claims) => signed(without(claims, 'iss'))],
    ['another nonce', '"nonce"', (claims) => signed({ ...claims, nonce: 'foreign' })],
    ['no nonce', '"nonce"', (claims) => signed(without(claims, 'nonce'))],
    ['an end in the past', 'past current', (claims) => signed({ ...claims, exp: now() - 60 })],
    ['no end', '"exp"', (claims) => signed(without(claims, 'exp'))],
    ['an end that is no number', '"exp"', (claims) => signed({ ...claims, exp: String(claims['exp']) })],
    ['a beginning in the future', '"nbf"', (claims) => signed({ ...claims, nbf: now() + 600 })],
    ['a time of issue in the future', 'compare the clocks', (claims) => signed({ ...claims, iat: now() + 600 })],
    ['no time of issue', '"iat"', (claims) => signed(without(claims, 'iat'))],
    ['no subject', '"sub"', (claims) => signed(without(claims, 'sub'))],
    ['an empty subject', 'must not be empty', (claims) => signed({ ...claims, sub: '' })],
    ['a subject that is no text', '"sub"', (claims) => signed({ ...claims, sub: 7 })],
    ['a subject with NUL', 'sub', (claims) => signed({ ...claims, sub: 'a\0b' })],
    ['the signature of another key', 'signature', (claims) => rs256({ ...other, kid: 'first' }, claims)],
    ['a key that the provider does not know', 'no applicable keys', (claims) => rs256(other, claims)],
    ['a key of its own in the header', 'signature', (claims) => rs256(other, claims, { kid: 'first', jwk: other.publicKey.export({ format: 'jwk' }) })],
    ['an address for its key', 'no applicable keys', (claims) => rs256(other, claims, { jku: 'http://127.0.0.1:1/jwks' })],
    ['no signature (alg none)', '"alg"', (claims) => jwt({ alg: 'none' }, claims, () => Buffer.alloc(0))],
    ['alg None', '"alg"', (claims) => jwt({ alg: 'None' }, claims, () => Buffer.alloc(0))],
    ['HS256 with the client secret', '"alg"', (claims) => hs256(CLIENT_SECRET, claims)],
    ['HS256 with the public key', '"alg"', (claims) => hs256(pem(), claims, { kid: 'first' })],
    ['RS256 over other claims', 'signature', (claims) => { const [head, , signature] = signed(claims).split('.'); return [head, Buffer.from(JSON.stringify({ ...claims, sub: 'admin' })).toString('base64url'), signature].join('.'); }],
    ['no signature behind RS256', 'signature', (claims) => `${signed(claims).split('.').slice(0, 2).join('.')}.`],
    ['nothing that is a token', 'Invalid JWT', () => 'not-a-token'],
    ['nothing at all', 'must not be empty', () => ''],
    ['critical headers that nobody knows', 'crit', (claims) => rs256(all.provider.key, claims, { crit: ['x'], x: 1 })],
  ])('%s: nobody is logged in, nothing is stored', async (_name, reason, make) => {
    somebody();
    all.provider.makeIdToken = make;
    const before = await untouched();
    const visitor = browser();
    const answer = await visitor.logInThere();
    expect([answer.status, visitor.cookies.has('sid')]).toEqual([400, false]);
    expect(await untouched()).toBe(before);
    expect(String(core.logger.lines.findLast(({ level }) => level === 'error')?.fields['reason'])).toContain(reason);
    expect(JSON.stringify(answer.body)).not.toMatch(/jwt|claim|expected/i);
  });

  test('the claims that are right are taken: several audiences when made for us, a clock that is a little wrong', async () => {
    for (const change of [{ aud: [CLIENT_ID, 'other'], azp: CLIENT_ID }, { aud: [CLIENT_ID] }, { exp: now() - 5 }, { nbf: now() + 5 }]) {
      somebody();
      all.provider.makeIdToken = (claims) => rs256(all.provider.key, { ...claims, ...change });
      expect((await browser().logInThere()).status).toBe(302);
    }
  });

  test('as the bearer token of an API call it opens nothing', async () => {
    const token = rs256(all.provider.key, all.provider.claims('x'));
    for (const path of [CURRENT, '/service/token?service=harbor-registry', '/api/v2.0/users']) expect((await core.call('GET', path, { headers: { authorization: `Bearer ${token}` } })).status).toBe(401);
  });
});

describe('A-20: the way back', () => {
  test('works once', async () => {
    somebody();
    const visitor = browser();
    const back = all.provider.logIn(await visitor.depart());
    const cookie = visitor.cookies.get('haven_oidc') ?? '';
    expect((await visitor.go(back)).status).toBe(302);
    visitor.cookies.set('haven_oidc', cookie);
    const before = await untouched();
    expect((await visitor.go(back)).status).toBe(400);
    const thief = browser();
    thief.cookies.set('haven_oidc', cookie);
    expect([(await thief.go(back)).status, thief.cookies.has('sid')]).toEqual([400, false]);
    expect(await untouched()).toBe(before);
  });

  test('N-10: works once also when both come at the same time', async () => {
    somebody();
    const visitor = browser();
    const back = all.provider.logIn(await visitor.depart());
    const cookie = `haven_oidc=${visitor.cookies.get('haven_oidc') ?? ''}`;
    const statuses = await Promise.all(Array.from({ length: 6 }, async () => (await core.call('GET', back, { headers: { cookie }, redirect: 'manual' })).status));
    expect(statuses.sort()).toEqual([302, 400, 400, 400, 400, 400]);
  });

  test('is only for the browser that left', async () => {
    somebody();
    const victim = browser();
    const attacker = browser();
    const back = all.provider.logIn(await attacker.depart());
    expect((await victim.go(back)).status).toBe(400); // no login began in it
    await victim.depart();
    expect([(await victim.go(back)).status, victim.cookies.has('sid')]).toEqual([400, false]); // another one did
  });

  test('I-05: nothing of what the provider’s page says is shown', async () => {
    for (const name of ['error', 'error_description', 'error_uri']) {
      const visitor = browser();
      const back = new URL(all.provider.logIn(await visitor.depart()), EXTERNAL_URL);
      back.searchParams.delete('code');
      back.searchParams.set('error', 'access_denied');
      back.searchParams.set(name, '<script>alert(1)</script>');
      const answer = await visitor.go(`${back.pathname}${back.search}`);
      expect([answer.status, answer.headers.get('content-type'), answer.headers.get('x-content-type-options')]).toEqual([400, 'application/json; charset=utf-8', 'nosniff']);
      expect(JSON.stringify(answer.body)).not.toContain('script');
    }
  });

  test.each<[string, (query: URLSearchParams) => void]>([
    ['no state', (query) => query.delete('state')],
    ['another state', (query) => query.set('state', 'x'.repeat(43))],
    ['two states', (query) => query.append('state', 'x')],
    ['no code', (query) => query.delete('code')],
    ['two codes', (query) => query.append('code', 'x')],
    ['a code of nobody', (query) => query.set('code', 'x')],
    ['an error', (query) => { query.delete('code'); query.set('error', 'access_denied'); }],
    ['an error with a text of its own', (query) => { query.delete('code'); query.set('error', 'login_required'); query.set('error_description', '<script>alert(1)</script>'); }],
    ['another issuer', (query) => query.set('iss', 'https://other.test')],
    ['an ID token in the query', (query) => { query.delete('code'); query.set('id_token', rs256(all.provider.key, all.provider.claims('x'))); }],
  ])('with %s is refused', async (_name, change) => {
    somebody();
    const visitor = browser();
    const back = new URL(all.provider.logIn(await visitor.depart()), EXTERNAL_URL);
    change(back.searchParams);
    const before = await untouched();
    const answer = await visitor.go(`${back.pathname}${back.search}`);
    expect([answer.status, visitor.cookies.has('sid')]).toEqual([400, false]);
    expect(JSON.stringify(answer.body)).not.toContain('script');
    expect(await untouched()).toBe(before);
  });

  test.each(['', 'x', 'v1.', `v1.${'A'.repeat(200)}`, 'v1.'.padEnd(6000, 'A')])('with the cookie %j is refused', async (cookie) => {
    const visitor = browser();
    const back = all.provider.logIn(await visitor.depart());
    if (cookie === '') visitor.cookies.delete('haven_oidc');
    else visitor.cookies.set('haven_oidc', cookie);
    expect((await visitor.go(back)).status).toBe(400);
  });
});

test('the addresses are not there in another mode, and the mode needs to know where browsers come back to', async () => {
  const local = await startTestCore();
  try {
    for (const path of ['login', 'callback', 'logout']) expect((await local.call('GET', `/c/oidc/${path}`, { redirect: 'manual' })).status).toBe(412);
    const put = (json: object) => local.call('PUT', '/api/v2.0/configurations', { as: 'admin', json });
    expect((await put({ auth_mode: 'oidc_auth' })).body).toEqual({ errors: [{ code: 'BAD_REQUEST', message: expect.stringContaining('oidc_endpoint') }] });
    expect((await put({ auth_mode: 'oidc_auth', oidc_endpoint: all.provider.url, oidc_client_id: 'x' })).body).toEqual({ errors: [{ code: 'BAD_REQUEST', message: expect.stringContaining('HAVEN_EXTERNAL_URL') }] });
  } finally {
    await local.stop();
  }
});
