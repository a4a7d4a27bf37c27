import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { changeSettings, EXTERNAL_URL, OidcBrowser, startOidcCore, type OidcCore } from '../testing/oidc-core.js';
import { TestBrowser } from '../testing/browser.js';
import { tableState } from '../testing/table-state.js';
import { ADMIN_PASSWORD, basic, startReplica, type Answer, type TestCore } from '../testing/test-core.js';
import { RefreshService } from './refresh.service.js';

const CURRENT = '/api/v2.0/users/current';
const TOKEN = '/service/token?service=harbor-registry&scope=repository:alpha/app:pull,push';

let all: OidcCore;
let core: TestCore;
let serial = 0;

beforeAll(async () => {
  all = await startOidcCore();
  core = all.core;
});
afterAll(() => all.stop());
afterEach(async () => {
  Object.assign(all.provider, { onRefresh: 'renew', userinfo: undefined, givesRefreshTokens: true, override: undefined });
  await changeSettings(core, { oidc_auto_onboard: true, oidc_admin_group: '', oidc_login_groups: '', oidc_group_filter: '', oidc_logout: false, oidc_cli_secret_days: 365 });
});

const browser = (): OidcBrowser => new OidcBrowser(core, all.provider);
const untouched = (): Promise<string> => tableState(core.database, 'haven_user', 'session', 'user_group', 'user_group_member', 'oidc_account');

/** Somebody who was never here. */
function somebody(more: object = {}): string {
  serial += 1;
  all.provider.person = { sub: `subject-${serial}`, preferred_username: `person-${serial}`, name: `Person ${serial}`, email: `person-${serial}@example.test`, groups: [], ...more };
  return String(all.provider.person['preferred_username']);
}

interface Profile {
  readonly user_id: number;
  readonly username: string;
  readonly sysadmin_flag: boolean;
  readonly admin_role_in_auth: boolean;
  readonly oidc_user_meta: { readonly secret?: string; readonly subiss: string };
}

/** Somebody who has just logged in. */
interface Person {
  readonly name: string;
  readonly id: number;
  readonly secret: string;
  readonly visitor: OidcBrowser;
}

const profileOf = async (visitor: TestBrowser): Promise<Profile> => (await visitor.send('GET', CURRENT)).body as Profile;

async function arrived(more: object = {}): Promise<Person> {
  const name = somebody(more);
  const visitor = browser();
  const answer = await visitor.logInThere();
  if (answer.status !== 302) throw new Error(`the login was refused: ${JSON.stringify(answer.body)}`);
  const { user_id: id, oidc_user_meta: { secret = '' } } = await profileOf(visitor);
  return { name, id, secret, visitor };
}

const docker = (name: string, secret: string, core_ = core): Promise<Answer> => core_.call('GET', TOKEN, { headers: { authorization: basic(name, secret) } });
const age = (id: number, seconds: number): Promise<number> => core.database.execute('UPDATE haven_user SET source_confirmed_at = source_confirmed_at - make_interval(secs => $2) WHERE id = $1', [id, seconds]);
const forgiven = (): Promise<number> => core.database.execute('DELETE FROM login_failure');
const groupsOf = async (id: number): Promise<string[]> => (await core.database.query<{ name: string }>('SELECT g.name FROM user_group g JOIN user_group_member m ON m.group_id = g.id WHERE m.user_id = $1 ORDER BY 1', [id])).map(({ name }) => name);

describe('A-21: the name of a new account', () => {
  test('is what its owner chooses, where the provider does not decide', async () => {
    await changeSettings(core, { oidc_auto_onboard: false });
    somebody({ preferred_username: 'Chosen One, Jr' });
    const visitor = browser();
    const answer = await visitor.logInThere('?redirect_url=/projects');
    expect([answer.status, answer.headers.get('location')]).toEqual([302, '/oidc-onboard?username=Chosen_One__Jr&redirect_url=%2Fprojects']);
    expect([visitor.cookies.has('sid'), (await visitor.send('GET', CURRENT)).status]).toEqual([false, 401]);
    const onboard = (username: unknown): Promise<Answer> => visitor.send('POST', '/c/oidc/onboard', { json: { username } });
    const before = await untouched();
    await core.addUser('local-alice');
    const named = await untouched();
    expect(named).not.toBe(before);
    for (const username of ['admin', 'Admin', 'local-alice']) expect([username, (await onboard(username)).status]).toEqual([username, 409]);
    for (const username of ['robot$x', 'robot$', 'a,b', '', ' ', ' a', 'x'.repeat(300), 'a\r\nb', 'a"b', 'a:b', 'a%00b', 'a\u0000b']) expect([username, [400, 422].includes((await onboard(username)).status)]).toEqual([username, true]);
    expect((await onboard(7)).status).toBe(422);
    expect(await untouched()).toBe(named);
    expect((await onboard('chosen')).status).toBe(200);
    expect(await profileOf(visitor)).toMatchObject({ username: 'chosen' });
    expect((await onboard('again')).status).toBe(400); // the choice was made
    const later = browser();
    await later.logInThere();
    expect(await profileOf(later)).toMatchObject({ username: 'chosen' }); // although the provider calls it otherwise
  });

  test('can be chosen only by the browser that logged in, with its token, and for half an hour', async () => {
    await changeSettings(core, { oidc_auto_onboard: false });
    somebody();
    const visitor = browser();
    await visitor.logInThere();
    const cookie = `haven_oidc_onboarding=${visitor.cookies.get('haven_oidc_onboarding') ?? ''}`;
    expect((await core.call('POST', '/c/oidc/onboard', { json: { username: 'forged' }, headers: { cookie } })).status).toBe(403);
    const other = new TestBrowser(core);
    await other.send('GET', '/c/login');
    expect((await other.send('POST', '/c/oidc/onboard', { json: { username: 'forged' } })).status).toBe(400);
    await core.database.execute(`UPDATE oidc_onboarding SET expires_at = now() - interval '1 second'`);
    expect((await visitor.send('POST', '/c/oidc/onboard', { json: { username: 'late' } })).status).toBe(400);
    expect(await core.database.query(`SELECT 1 FROM haven_user WHERE username IN ('forged', 'late')`)).toEqual([]);
  });

  test.each([
    ['admin', 409], ['taken', 409], ['Admin', 409], ['robot$x', 400], ['x'.repeat(300), 400], ['a\r\nb', 400], ['"', 400], ['', 400], ['#1', 400],
  ])('%j from the provider does not become somebody else’s account', async (name, status) => {
    await core.database.execute(`INSERT INTO haven_user (external_id, username) VALUES ('taken', 'taken') ON CONFLICT DO NOTHING`);
    somebody({ preferred_username: name });
    const before = await untouched();
    const visitor = browser();
    expect([(await visitor.logInThere()).status, visitor.cookies.has('sid')]).toEqual([status, false]);
    expect(await untouched()).toBe(before);
  });

  test('an email address that is somebody else’s is left out, and ties nobody to that account', async () => {
    const first = await arrived({ email: 'same@example.test' });
    const second = await arrived({ email: 'SAME@example.test' });
    expect([first.id === second.id, (await profileOf(second.visitor) as unknown as { email: string }).email]).toEqual([false, '']);
  });
});

test('A-22: issuer and subject together are one identity; strung together they are not', async () => {
  const first = await arrived({ sub: 'a', preferred_username: 'pair-1' });
  const subiss = (await profileOf(first.visitor)).oidc_user_meta.subiss;
  expect(subiss).toBe(`a${all.provider.url}`);
  const second = await arrived({ sub: `a${all.provider.url.slice(0, 1)}`, preferred_username: 'pair-2' });
  await core.database.execute(`UPDATE haven_user SET external_id = $2 WHERE id = $1`, [first.id, JSON.stringify([`b${all.provider.url}`, 'a'])]);
  const third = await arrived({ sub: 'ab', preferred_username: 'pair-3' });
  const fourth = await arrived({ sub: 'a', preferred_username: 'pair-4' }); // the same subject of another issuer was here
  expect(new Set([first.id, second.id, third.id, fourth.id]).size).toBe(4);
});

describe('groups', () => {
  test('are those of the claim that the filter lets through, anew at every login', async () => {
    await changeSettings(core, { oidc_group_filter: '^dev-' });
    const person = await arrived({ groups: ['dev-a', 'dev-b', 'staff', '', ' padded ', 'a\nb'] });
    expect(await groupsOf(person.id)).toEqual(['dev-a', 'dev-b']);
    all.provider.person = { ...all.provider.person, groups: 'dev-c' };
    await person.visitor.logInThere();
    expect(await groupsOf(person.id)).toEqual(['dev-c']);
    all.provider.person = { ...all.provider.person, groups: undefined };
    await person.visitor.logInThere();
    expect(await groupsOf(person.id)).toEqual([]);
  });

  test.each<[string, unknown]>([
    ['an object', { a: 1 }], ['numbers', [1, 2]], ['a number', 7], ['more than two thousand', Array.from({ length: 2001 }, (_, index) => `g${index}`)],
  ])('%s: that is no list of groups, and nobody gets in', async (_name, groups) => {
    somebody({ groups });
    const before = await untouched();
    expect((await browser().logInThere()).status).toBe(400);
    expect(await untouched()).toBe(before);
  });

  test('give roles in projects, and take them at the next login', async () => {
    const alpha = await core.addProject('alpha');
    const person = await arrived({ groups: ['builders'] });
    await core.database.execute(`INSERT INTO member (project_id, group_id, role) SELECT $1, id, 2 FROM user_group WHERE name = 'builders' AND type = 3`, [alpha]);
    expect((await person.visitor.send('GET', '/api/v2.0/projects/alpha')).status).toBe(200);
    const granted = (answer: Answer): unknown => JSON.parse(Buffer.from((answer.body as { token: string }).token.split('.')[1] ?? '', 'base64url').toString()) as unknown;
    expect(granted(await docker(person.name, person.secret))).toMatchObject({ access: [{ actions: ['pull', 'push'] }] });
    all.provider.person = { ...all.provider.person, groups: [] };
    await age(person.id, 301);
    expect(granted(await docker(person.name, person.secret))).toMatchObject({ access: [{ actions: [] }] }); // the refresh said so
    expect((await person.visitor.send('GET', '/api/v2.0/projects/alpha')).status).toBe(403);
    const [epoch] = await core.database.query(`SELECT 1 FROM access_epoch WHERE subject = $1`, [`user:${person.id}`]);
    expect(epoch).toBeDefined();
  });

  test('make administrators, whatever the filter hides, for as long as the provider says so', async () => {
    await changeSettings(core, { oidc_admin_group: 'root-people', oidc_group_filter: '^nothing$' });
    const person = await arrived({ groups: ['root-people'] });
    expect(await profileOf(person.visitor)).toMatchObject({ admin_role_in_auth: true });
    expect((await person.visitor.send('GET', '/api/v2.0/users')).status).toBe(200);
    all.provider.person = { ...all.provider.person, groups: ['Root-people'] };
    await age(person.id, 301);
    await core.service.app.get(RefreshService, { strict: false }).refreshDue();
    expect((await person.visitor.send('GET', '/api/v2.0/users')).status).toBe(403);
  });
});

describe('A-23: who is in no group that may log in', () => {
  test('does not get in, and leaves nothing behind', async () => {
    await changeSettings(core, { oidc_login_groups: 'staff, crew' });
    somebody({ groups: ['guests'] });
    const before = await untouched();
    expect((await browser().logInThere()).status).toBe(403);
    expect(await untouched()).toBe(before);
    expect((await arrived({ groups: ['crew'] })).id).toBeGreaterThan(0);
  });

  test('is shut out from the command line at once when the settings change, and with the next word of the provider', async () => {
    const person = await arrived({ groups: ['guests'] });
    expect((await docker(person.name, person.secret)).status).toBe(200);
    const groups = await tableState(core.database, 'user_group', 'user_group_member');
    await changeSettings(core, { oidc_login_groups: 'staff' });
    expect((await docker(person.name, person.secret)).status).toBe(401);
    expect((await core.call('GET', '/api/v2.0/projects', { headers: { authorization: basic(person.name, person.secret) } })).status).toBe(401);
    expect(await tableState(core.database, 'user_group', 'user_group_member')).toBe(groups);
    await forgiven();
    await age(person.id, 301);
    expect((await docker(person.name, person.secret)).status).toBe(401);
    expect((await person.visitor.send('GET', CURRENT)).status).toBe(401); // the session ended, too
  });
});

describe('the CLI secret', () => {
  test('opens the registry, does not end with the web session, and can be made anew', async () => {
    const { name, secret, visitor, id } = await arrived();
    expect(secret).toMatch(/^[A-Za-z0-9]{32}$/);
    expect((await visitor.go('/c/oidc/logout')).status).toBe(302);
    expect((await visitor.send('GET', CURRENT)).status).toBe(401);
    expect((await docker(name, secret)).status).toBe(200);
    expect((await core.call('GET', '/api/v2.0/projects', { headers: { authorization: basic(name, secret) } })).status).toBe(200);
    await visitor.logInThere();
    expect((await visitor.send('PUT', `/api/v2.0/users/${id}/cli_secret`, { json: { secret: '' } })).status).toBe(200);
    const { oidc_user_meta: { secret: next = '' } } = await profileOf(visitor);
    expect([next === secret, (await docker(name, secret)).status, (await docker(name, next)).status]).toEqual([false, 401, 200]);
    expect((await visitor.send('PUT', `/api/v2.0/users/${id}/cli_secret`, { json: { secret: 'weak' } })).status).toBe(400);
    expect((await visitor.send('PUT', `/api/v2.0/users/${id}/cli_secret`, { json: { secret: 'My-own-choice-1' } })).status).toBe(200);
    expect((await docker(name, 'My-own-choice-1')).status).toBe(200);
    await forgiven();
  });

  test('B-14: is nothing but that: neither the form nor the rest of the API takes it, nor the provider’s tokens', async () => {
    const { name, secret, id } = await arrived();
    const visitor = new TestBrowser(core);
    const form = await visitor.logIn(name, secret);
    expect([form.status, form.body, visitor.cookies.has('sid')]).toEqual([403, { redirect_location: `${EXTERNAL_URL}/c/oidc/login` }, false]);
    const authorization = basic(name, secret);
    for (const [method, path] of [['GET', CURRENT], ['GET', `/api/v2.0/users/${id}`], ['PUT', `/api/v2.0/users/${id}/cli_secret`], ['GET', '/api/v2.0/users/current/sessions'], ['GET', '/api/v2.0/robots']] as const) {
      expect([path, (await core.call(method, path, { headers: { authorization }, ...(method === 'PUT' ? { json: { secret: '' } } : {}) })).status]).toEqual([path, 401]);
    }
    const { token } = (await docker(name, secret)).body as { token: string };
    for (const bearer of [token, secret, all.provider.refreshToken]) expect((await core.call('GET', CURRENT, { headers: { authorization: `Bearer ${bearer}` } })).status).toBe(401);
    expect((await docker(name, all.provider.refreshToken)).status).toBe(401);
    await forgiven();
  });

  test('is shown in its owner’s browser only, and kept sealed', async () => {
    const { secret, id } = await arrived();
    expect(JSON.stringify((await core.call('GET', `/api/v2.0/users/${id}`, { as: 'admin' })).body)).not.toContain(secret);
    expect(JSON.stringify((await core.call('GET', '/api/v2.0/users', { as: 'admin' })).body)).not.toContain(secret);
    const rows = await core.database.query<{ row: string }>('SELECT u::text || o::text || s::text AS row FROM haven_user u JOIN oidc_account o ON o.user_id = u.id JOIN oidc_session s ON true WHERE u.id = $1', [id]);
    expect(rows.length).toBeGreaterThan(0);
    for (const hidden of [secret, all.provider.refreshToken, 'eyJ']) expect(JSON.stringify(rows)).not.toContain(hidden);
    expect(JSON.stringify(core.logger.lines)).not.toContain(secret);
  });

  test('ends after its own time, not before', async () => {
    await changeSettings(core, { oidc_cli_secret_days: 2 });
    const { name, secret, visitor, id } = await arrived();
    const pass = (days: number): Promise<number> => core.database.execute('UPDATE haven_user SET cli_secret_expires_at = cli_secret_expires_at - make_interval(days => $2) WHERE id = $1', [id, days]);
    await pass(1);
    expect((await docker(name, secret)).status).toBe(200);
    await pass(1);
    expect((await docker(name, secret)).status).toBe(401);
    expect((await profileOf(visitor)).oidc_user_meta).not.toHaveProperty('secret');
    await forgiven();
  });

  test('A-14: of a deleted account opens nothing, nor does its session, nor a token that the provider still refreshes', async () => {
    const { name, secret, visitor, id } = await arrived();
    expect((await docker(name, secret)).status).toBe(200);
    expect((await core.call('DELETE', `/api/v2.0/users/${id}`, { as: 'admin' })).status).toBe(200);
    expect([(await docker(name, secret)).status, (await visitor.send('GET', CURRENT)).status]).toEqual([401, 401]);
    expect(await core.service.app.get(RefreshService, { strict: false }).refreshDue()).toBe(0);
    const again = browser();
    await again.logInThere(); // somebody new, with nothing of what was before
    const profile = await profileOf(again);
    expect([profile.user_id === id, profile.oidc_user_meta.secret === secret]).toEqual([false, false]);
    await forgiven();
  });

  test('is refused once the provider revoked the login; a login in the browser brings it back', async () => {
    const { name, secret, visitor, id } = await arrived({ groups: ['revoked'] });
    all.provider.onRefresh = 'refuse';
    expect((await docker(name, secret)).status).toBe(200); // asked minutes ago
    await age(id, 301);
    expect((await docker(name, secret)).status).toBe(401);
    expect([(await visitor.send('GET', CURRENT)).status, await groupsOf(id)]).toEqual([401, []]);
    await forgiven();
    await browser().logInThere();
    expect((await docker(name, secret)).status).toBe(200);
  });

  test('goes on for an hour while the provider cannot be asked, and no longer', async () => {
    const { name, secret, id } = await arrived();
    all.provider.onRefresh = 'fail';
    await age(id, 1800);
    expect((await docker(name, secret)).status).toBe(200);
    await age(id, 1860);
    await core.database.execute('UPDATE oidc_account SET asking_until = NULL');
    expect((await docker(name, secret)).status).toBe(401);
    all.provider.onRefresh = 'renew';
    await core.database.execute('UPDATE oidc_account SET asking_until = NULL');
    expect((await docker(name, secret)).status).toBe(200);
    await forgiven();
  });

  test('without refresh tokens is good for a week after a login in the browser', async () => {
    all.provider.givesRefreshTokens = false;
    const { name, secret, id } = await arrived();
    await age(id, 6 * 86_400);
    expect((await docker(name, secret)).status).toBe(200);
    await age(id, 86_400);
    expect((await docker(name, secret)).status).toBe(401);
    await forgiven();
  });

  test('asks the provider once, however many logins and replicas there are', async () => {
    const replica = await startReplica(core, { HAVEN_EXTERNAL_URL: EXTERNAL_URL });
    try {
      const { name, secret, id } = await arrived();
      await age(id, 301);
      const before = all.provider.tokenForms.length;
      const statuses = await Promise.all(Array.from({ length: 10 }, async (_, index) => (await docker(name, secret, index % 2 === 0 ? core : replica)).status));
      expect([new Set(statuses), all.provider.tokenForms.length - before]).toEqual([new Set([200]), 1]);
    } finally {
      await replica.stop();
    }
  });

  test('guesses are slowed down', async () => {
    const { name, secret } = await arrived();
    const statuses: number[] = [];
    for (let guess = 0; guess < 8; guess++) statuses.push((await docker(name, `Guess-number-${guess}`)).status);
    expect([statuses.filter((status) => status === 401).length >= 5, statuses.at(-1), (await docker(name, secret)).status]).toEqual([true, 429, 429]);
    await forgiven();
  });
});

describe('those who are logged in', () => {
  test('are asked about in the background; who may not log in any more is out', async () => {
    const [first, second] = [await arrived(), await arrived()];
    await age(second.id, 301);
    all.provider.onRefresh = 'refuse';
    expect(await core.service.app.get(RefreshService, { strict: false }).refreshDue()).toBe(1);
    expect([(await first.visitor.send('GET', CURRENT)).status, (await second.visitor.send('GET', CURRENT)).status]).toEqual([200, 401]);
  });

  test('stay in when the provider answers a refresh without an ID token', async () => {
    const { id, visitor } = await arrived({ groups: ['kept'] });
    all.provider.onRefresh = 'without-id-token';
    all.provider.userinfo = { ...all.provider.person };
    await age(id, 301);
    await core.service.app.get(RefreshService, { strict: false }).refreshDue();
    expect([(await visitor.send('GET', CURRENT)).status, await groupsOf(id)]).toEqual([200, ['kept']]);
  });

  test('are not made somebody else by a refresh', async () => {
    const { id, name, visitor } = await arrived();
    all.provider.person = { ...all.provider.person, sub: 'somebody-else', groups: ['root'] };
    await age(id, 301);
    await core.service.app.get(RefreshService, { strict: false }).refreshDue();
    expect([(await profileOf(visitor)).username, await groupsOf(id)]).toEqual([name, []]);
  });
});

describe('logging out', () => {
  test('the form’s way out says where to go; that ends the session here, and there where it is set so', async () => {
    const { visitor } = await arrived();
    const told = await visitor.send('GET', '/c/log_out');
    expect([told.status, told.body]).toEqual([403, { redirect_location: `${EXTERNAL_URL}/c/oidc/logout` }]);
    const here = await visitor.go('/c/oidc/logout');
    expect([here.status, here.headers.get('location'), visitor.cookies.has('sid')]).toEqual([302, '/account/sign-in', false]);
    await changeSettings(core, { oidc_logout: true });
    await visitor.logInThere();
    const there = new URL((await visitor.go('/c/oidc/logout')).headers.get('location') ?? '');
    expect(`${there.origin}${there.pathname}`).toBe(`${all.provider.url}/logout`);
    expect(there.searchParams.get('post_logout_redirect_uri')).toBe(`${EXTERNAL_URL}/account/sign-in`);
    expect(there.searchParams.get('id_token_hint')?.split('.')).toHaveLength(3);
    expect((await visitor.send('GET', CURRENT)).status).toBe(401);
  });

  test('is not done by pages of other sites', async () => {
    const { visitor } = await arrived();
    expect((await visitor.send('GET', '/c/oidc/logout', { redirect: 'manual', headers: { 'sec-fetch-site': 'cross-site' } })).status).toBe(403);
    expect((await visitor.send('GET', CURRENT)).status).toBe(200);
  });
});

describe('the built-in administrator and local accounts', () => {
  test('log in with their passwords, also while the provider is away; names that are nobody’s go to the provider', async () => {
    all.provider.override = (_request, response) => { response.writeHead(500).end(); return true; };
    const admin = new TestBrowser(core);
    expect((await admin.logIn('admin', ADMIN_PASSWORD)).status).toBe(200);
    expect((await admin.send('GET', CURRENT)).body).toMatchObject({ username: 'admin', sysadmin_flag: true });
    expect((await admin.send('GET', '/c/log_out')).status).toBe(200);
    expect((await core.call('GET', CURRENT, { as: 'admin' })).status).toBe(200);
    expect((await new TestBrowser(core).logIn('admin', 'wrong')).status).toBe(401);
    expect((await new TestBrowser(core).logIn('nobody', 'x')).body).toEqual({ redirect_location: `${EXTERNAL_URL}/c/oidc/login` });
    await forgiven();
  });
});
