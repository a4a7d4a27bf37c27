import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { TestBrowser } from '../testing/browser.js';
import { changeSettings, EXTERNAL_URL, startOidcCore, type OidcCore } from '../testing/oidc-core.js';
import { People, profileOf } from '../testing/oidc-people.js';
import { tableState } from '../testing/table-state.js';
import { ADMIN_PASSWORD, basic, type Answer, type TestCore } from '../testing/test-core.js';
import { RefreshService } from './refresh.service.js';

const CURRENT = '/api/v2.0/users/current';

let all: OidcCore;
let core: TestCore;
let people: People;

beforeAll(async () => {
  all = await startOidcCore();
  core = all.core;
  people = new People(all);
});
afterAll(() => all.stop());
afterEach(async () => {
  Object.assign(all.provider, { onRefresh: 'renew', userinfo: undefined, givesRefreshTokens: true, override: undefined });
  await changeSettings(core, { oidc_auto_onboard: true, oidc_admin_group: '', oidc_login_groups: '', oidc_group_filter: '', oidc_logout: false, oidc_cli_secret_days: 365 });
});

const untouched = (): Promise<string> => tableState(core.database, 'haven_user', 'session', 'user_group', 'user_group_member', 'oidc_account');

describe('A-21: the name of a new account', () => {
  test('is what its owner chooses, where the provider does not decide', async () => {
    await changeSettings(core, { oidc_auto_onboard: false });
    people.somebody({ preferred_username: 'Chosen One, Jr' });
    const visitor = people.browser();
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
    const later = people.browser();
    await later.logInThere();
    expect(await profileOf(later)).toMatchObject({ username: 'chosen' }); // although the provider calls it otherwise
  });

  test('I-10: suggested by the provider, it is one parameter of the way to the page, whatever it holds', async () => {
    await changeSettings(core, { oidc_auto_onboard: false });
    for (const name of ['a&redirect_url=//evil.test#', 'a\r\nLocation: //evil.test', '"><script>alert(1)</script>', 'a%26redirect_url=//evil.test', '//evil.test/?']) {
      people.somebody({ preferred_username: name });
      const answer = await people.browser().logInThere('?redirect_url=/projects');
      const location = new URL(answer.headers.get('location') ?? '', EXTERNAL_URL);
      expect([answer.status, location.origin, location.pathname, location.hash]).toEqual([302, EXTERNAL_URL, '/oidc-onboard', '']);
      expect([...location.searchParams.keys(), location.searchParams.get('redirect_url')]).toEqual(['username', 'redirect_url', '/projects']);
    }
  });

  test('can be chosen only by the browser that logged in, with its token, and for half an hour', async () => {
    await changeSettings(core, { oidc_auto_onboard: false });
    people.somebody();
    const visitor = people.browser();
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
    ['admin', 409], ['taken', 409], ['Admin', 409], ['ADMIN', 409], ['ａdmin', 409], ['admin ', 409], [' admin', 409], ['admin\u00a0', 409], ['robot$alpha+ci', 400], ['robot$x', 400], ['x'.repeat(300), 400], ['a\r\nb', 400], ['"', 400], ['', 400], ['#1', 400],
  ])('A-07, B-16: %j from the provider does not become somebody else’s account', async (name, status) => {
    await core.database.execute(`INSERT INTO haven_user (external_id, username) VALUES ('taken', 'taken') ON CONFLICT DO NOTHING`);
    people.somebody({ preferred_username: name });
    const before = await untouched();
    const visitor = people.browser();
    expect([(await visitor.logInThere()).status, visitor.cookies.has('sid')]).toEqual([status, false]);
    expect(await untouched()).toBe(before);
  });

  test('an email address that is somebody else’s is left out, and ties nobody to that account', async () => {
    const first = await people.arrived({ email: 'same@example.test' });
    const second = await people.arrived({ email: 'SAME@example.test' });
    expect([first.id === second.id, (await profileOf(second.visitor)).email]).toEqual([false, '']);
  });
});

test('A-22: issuer and subject together are one identity; strung together they are not', async () => {
  const first = await people.arrived({ sub: 'a', preferred_username: 'pair-1' });
  const subiss = (await profileOf(first.visitor)).oidc_user_meta.subiss;
  expect(subiss).toBe(`a${all.provider.url}`);
  const second = await people.arrived({ sub: `a${all.provider.url.slice(0, 1)}`, preferred_username: 'pair-2' });
  await core.database.execute(`UPDATE haven_user SET external_id = $2 WHERE id = $1`, [first.id, JSON.stringify([`b${all.provider.url}`, 'a'])]);
  const third = await people.arrived({ sub: 'ab', preferred_username: 'pair-3' });
  const fourth = await people.arrived({ sub: 'a', preferred_username: 'pair-4' }); // the same subject of another issuer was here
  expect(new Set([first.id, second.id, third.id, fourth.id]).size).toBe(4);
});

describe('groups', () => {
  test('are those of the claim that the filter lets through, anew at every login', async () => {
    await changeSettings(core, { oidc_group_filter: '^dev-' });
    const person = await people.arrived({ groups: ['dev-a', 'dev-b', 'staff', '', ' padded ', 'a\nb'] });
    expect(await people.groupsOf(person.id)).toEqual(['dev-a', 'dev-b']);
    all.provider.person = { ...all.provider.person, groups: 'dev-c' };
    await person.visitor.logInThere();
    expect(await people.groupsOf(person.id)).toEqual(['dev-c']);
    all.provider.person = { ...all.provider.person, groups: undefined };
    await person.visitor.logInThere();
    expect(await people.groupsOf(person.id)).toEqual([]);
  });

  test.each<[string, unknown]>([
    ['an object', { a: 1 }], ['numbers', [1, 2]], ['a number', 7], ['more than two thousand', Array.from({ length: 2001 }, (_, index) => `g${index}`)],
  ])('%s: that is no list of groups, and nobody gets in', async (_name, groups) => {
    people.somebody({ groups });
    const before = await untouched();
    expect((await people.browser().logInThere()).status).toBe(400);
    expect(await untouched()).toBe(before);
  });

  test('give roles in projects, and take them at the next login', async () => {
    const alpha = await core.addProject('alpha');
    const person = await people.arrived({ groups: ['builders'] });
    await core.database.execute(`INSERT INTO member (project_id, group_id, role) SELECT $1, id, 2 FROM user_group WHERE name = 'builders' AND type = 3`, [alpha]);
    expect((await person.visitor.send('GET', '/api/v2.0/projects/alpha')).status).toBe(200);
    const granted = (answer: Answer): unknown => JSON.parse(Buffer.from((answer.body as { token: string }).token.split('.')[1] ?? '', 'base64url').toString()) as unknown;
    expect(granted(await people.docker(person.name, person.secret))).toMatchObject({ access: [{ actions: ['pull', 'push'] }] });
    all.provider.person = { ...all.provider.person, groups: [] };
    await people.age(person.id, 301);
    expect(granted(await people.docker(person.name, person.secret))).toMatchObject({ access: [{ actions: [] }] }); // the refresh said so
    expect((await person.visitor.send('GET', '/api/v2.0/projects/alpha')).status).toBe(403);
    const [epoch] = await core.database.query(`SELECT 1 FROM access_epoch WHERE subject = $1`, [`user:${person.id}`]);
    expect(epoch).toBeDefined();
  });

  test('make administrators, whatever the filter hides, for as long as the provider says so', async () => {
    await changeSettings(core, { oidc_admin_group: 'root-people', oidc_group_filter: '^nothing$' });
    const person = await people.arrived({ groups: ['root-people'] });
    expect(await profileOf(person.visitor)).toMatchObject({ admin_role_in_auth: true });
    expect((await person.visitor.send('GET', '/api/v2.0/users')).status).toBe(200);
    all.provider.person = { ...all.provider.person, groups: ['Root-people'] };
    await people.age(person.id, 301);
    await core.service.app.get(RefreshService, { strict: false }).refreshDue();
    expect((await person.visitor.send('GET', '/api/v2.0/users')).status).toBe(403);
  });
});

describe('A-23: who is in no group that may log in', () => {
  test('does not get in, and leaves nothing behind', async () => {
    await changeSettings(core, { oidc_login_groups: 'staff, crew' });
    people.somebody({ groups: ['guests'] });
    const before = await untouched();
    expect((await people.browser().logInThere()).status).toBe(403);
    expect(await untouched()).toBe(before);
    expect((await people.arrived({ groups: ['crew'] })).id).toBeGreaterThan(0);
  });

  test('is shut out from the command line at once when the settings change, and with the next word of the provider', async () => {
    const person = await people.arrived({ groups: ['guests'] });
    expect((await people.docker(person.name, person.secret)).status).toBe(200);
    const groups = await tableState(core.database, 'user_group', 'user_group_member');
    await changeSettings(core, { oidc_login_groups: 'staff' });
    expect((await people.docker(person.name, person.secret)).status).toBe(401);
    expect((await core.call('GET', '/api/v2.0/projects', { headers: { authorization: basic(person.name, person.secret) } })).status).toBe(401);
    expect(await tableState(core.database, 'user_group', 'user_group_member')).toBe(groups);
    await people.forgiven();
    await people.age(person.id, 301);
    expect((await people.docker(person.name, person.secret)).status).toBe(401);
    expect((await person.visitor.send('GET', CURRENT)).status).toBe(401); // the session ended, too
  });
});

describe('those who are logged in', () => {
  test('are asked about in the background; who may not log in any more is out', async () => {
    const [first, second] = [await people.arrived(), await people.arrived()];
    await people.age(second.id, 301);
    all.provider.onRefresh = 'refuse';
    expect(await core.service.app.get(RefreshService, { strict: false }).refreshDue()).toBe(1);
    expect([(await first.visitor.send('GET', CURRENT)).status, (await second.visitor.send('GET', CURRENT)).status]).toEqual([200, 401]);
  });

  test('stay in when the provider answers a refresh without an ID token', async () => {
    const { id, visitor } = await people.arrived({ groups: ['kept'] });
    all.provider.onRefresh = 'without-id-token';
    all.provider.userinfo = { ...all.provider.person };
    await people.age(id, 301);
    await core.service.app.get(RefreshService, { strict: false }).refreshDue();
    expect([(await visitor.send('GET', CURRENT)).status, await people.groupsOf(id)]).toEqual([200, ['kept']]);
  });

  test('of another provider are out once this one is set, and their refresh tokens are not shown to it', async () => {
    const { id, visitor } = await people.arrived();
    await core.database.execute('UPDATE haven_user SET external_id = $2 WHERE id = $1', [id, JSON.stringify(['https://former.test', 'subject'])]);
    await people.age(id, 301);
    const before = all.provider.tokenForms.length;
    await core.service.app.get(RefreshService, { strict: false }).refreshDue();
    expect([(await visitor.send('GET', CURRENT)).status, all.provider.tokenForms.length - before]).toEqual([401, 0]);
  });

  test('are not made somebody else by a refresh', async () => {
    const { id, name, visitor } = await people.arrived();
    all.provider.person = { ...all.provider.person, sub: 'somebody-else', groups: ['root'] };
    await people.age(id, 301);
    await core.service.app.get(RefreshService, { strict: false }).refreshDue();
    expect([(await profileOf(visitor)).username, await people.groupsOf(id)]).toEqual([name, []]);
  });
});

describe('logging out', () => {
  test('the form’s way out says where to go; that ends the session here, and there where it is set so', async () => {
    const { visitor } = await people.arrived();
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

  test('I-06: is not done by pages of other sites', async () => {
    const { visitor } = await people.arrived();
    expect((await visitor.send('GET', '/c/oidc/logout', { redirect: 'manual', headers: { 'sec-fetch-site': 'cross-site' } })).status).toBe(403);
    expect((await visitor.send('GET', CURRENT)).status).toBe(200);
  });
});

describe('the built-in administrator and local accounts', () => {
  test('the sign-in page can name the provider', async () => {
    expect((await core.call('GET', '/api/v2.0/systeminfo')).body).toMatchObject({ auth_mode: 'oidc_auth', oidc_provider_name: 'stub' });
  });

  test('log in with their passwords, also while the provider is away; names that are nobody’s go to the provider', async () => {
    all.provider.override = (_request, response) => { response.writeHead(500).end(); return true; };
    const admin = new TestBrowser(core);
    expect((await admin.logIn('admin', ADMIN_PASSWORD)).status).toBe(200);
    expect((await admin.send('GET', CURRENT)).body).toMatchObject({ username: 'admin', sysadmin_flag: true });
    expect((await admin.send('GET', '/c/log_out')).status).toBe(200);
    expect((await core.call('GET', CURRENT, { as: 'admin' })).status).toBe(200);
    expect((await new TestBrowser(core).logIn('admin', 'wrong')).status).toBe(401);
    expect((await new TestBrowser(core).logIn('nobody', 'x')).body).toEqual({ redirect_location: `${EXTERNAL_URL}/c/oidc/login` });
    await people.forgiven();
  });
});
