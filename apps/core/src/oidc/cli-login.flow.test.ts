import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { TestBrowser } from '../testing/browser.js';
import { changeSettings, EXTERNAL_URL, startOidcCore, type OidcCore } from '../testing/oidc-core.js';
import { People, profileOf } from '../testing/oidc-people.js';
import { basic, startReplica, type TestCore } from '../testing/test-core.js';
import { OidcAccountStore } from './oidc-account.store.js';
import { RefreshService } from './refresh.service.js';

const CURRENT = '/api/v2.0/users/current';
/** Refusals take a multiple of this (external-login.service.ts). */
const STEP_MS = 300;

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

describe('the CLI secret', () => {
  test('opens the registry, does not end with the web session, and can be made anew', async () => {
    const { name, secret, visitor, id } = await people.arrived();
    expect(secret).toMatch(/^[A-Za-z0-9]{32}$/);
    expect((await visitor.go('/c/oidc/logout')).status).toBe(302);
    expect((await visitor.send('GET', CURRENT)).status).toBe(401);
    expect((await people.docker(name, secret)).status).toBe(200);
    expect((await core.call('GET', '/api/v2.0/projects', { headers: { authorization: basic(name, secret) } })).status).toBe(200);
    await visitor.logInThere();
    expect((await visitor.send('PUT', `/api/v2.0/users/${id}/cli_secret`, { json: { secret: '' } })).status).toBe(200);
    const { oidc_user_meta: { secret: next = '' } } = await profileOf(visitor);
    expect([next === secret, (await people.docker(name, secret)).status, (await people.docker(name, next)).status]).toEqual([false, 401, 200]);
    expect((await visitor.send('PUT', `/api/v2.0/users/${id}/cli_secret`, { json: { secret: 'weak' } })).status).toBe(400);
    expect((await visitor.send('PUT', `/api/v2.0/users/${id}/cli_secret`, { json: { secret: 'My-own-choice-1' } })).status).toBe(200);
    expect((await people.docker(name, 'My-own-choice-1')).status).toBe(200);
    await people.forgiven();
  });

  test('B-14: is nothing but that: neither the form nor the rest of the API takes it, nor the provider’s tokens', async () => {
    const { name, secret, id } = await people.arrived();
    const visitor = new TestBrowser(core);
    const form = await visitor.logIn(name, secret);
    expect([form.status, form.body, visitor.cookies.has('sid')]).toEqual([403, { redirect_location: `${EXTERNAL_URL}/c/oidc/login` }, false]);
    const authorization = basic(name, secret);
    for (const [method, path] of [['GET', CURRENT], ['GET', `/api/v2.0/users/${id}`], ['PUT', `/api/v2.0/users/${id}/cli_secret`], ['GET', '/api/v2.0/users/current/sessions'], ['GET', '/api/v2.0/robots']] as const) {
      expect([path, (await core.call(method, path, { headers: { authorization }, ...(method === 'PUT' ? { json: { secret: '' } } : {}) })).status]).toEqual([path, 401]);
    }
    const { token } = (await people.docker(name, secret)).body as { token: string };
    for (const bearer of [token, secret, all.provider.refreshToken]) expect((await core.call('GET', CURRENT, { headers: { authorization: `Bearer ${bearer}` } })).status).toBe(401);
    expect((await people.docker(name, all.provider.refreshToken)).status).toBe(401);
    await people.forgiven();
  });

  test('is shown in its owner’s browser only, and kept sealed', async () => {
    const { secret, id } = await people.arrived();
    expect(JSON.stringify((await core.call('GET', `/api/v2.0/users/${id}`, { as: 'admin' })).body)).not.toContain(secret);
    expect(JSON.stringify((await core.call('GET', '/api/v2.0/users', { as: 'admin' })).body)).not.toContain(secret);
    const rows = await core.database.query<{ row: string }>('SELECT u::text || o::text || s::text AS row FROM haven_user u JOIN oidc_account o ON o.user_id = u.id JOIN oidc_session s ON true WHERE u.id = $1', [id]);
    expect(rows.length).toBeGreaterThan(0);
    for (const hidden of [secret, all.provider.refreshToken, 'eyJ']) expect(JSON.stringify(rows)).not.toContain(hidden);
    expect(JSON.stringify(core.logger.lines)).not.toContain(secret);
  });

  test('ends after its own time, not before', async () => {
    await changeSettings(core, { oidc_cli_secret_days: 2 });
    const { name, secret, visitor, id } = await people.arrived();
    const pass = (days: number): Promise<number> => core.database.execute('UPDATE haven_user SET cli_secret_expires_at = cli_secret_expires_at - make_interval(days => $2) WHERE id = $1', [id, days]);
    await pass(1);
    expect((await people.docker(name, secret)).status).toBe(200);
    await pass(1);
    expect((await people.docker(name, secret)).status).toBe(401);
    expect((await profileOf(visitor)).oidc_user_meta).not.toHaveProperty('secret');
    await people.forgiven();
  });

  test('A-14, A-26: of a deleted account opens nothing, nor does its session, nor a token that the provider still refreshes', async () => {
    const { name, secret, visitor, id } = await people.arrived();
    expect((await people.docker(name, secret)).status).toBe(200);
    expect((await core.call('DELETE', `/api/v2.0/users/${id}`, { as: 'admin' })).status).toBe(200);
    expect([(await people.docker(name, secret)).status, (await visitor.send('GET', CURRENT)).status]).toEqual([401, 401]);
    expect(await core.service.app.get(RefreshService, { strict: false }).refreshDue()).toBe(0);
    expect(await core.database.query('SELECT 1 FROM oidc_account WHERE user_id = $1', [id])).toEqual([]);
    const again = people.browser();
    await again.logInThere(); // somebody new, with nothing of what was before
    const profile = await profileOf(again);
    expect([profile.user_id === id, profile.oidc_user_meta.secret === secret]).toEqual([false, false]);
    await people.forgiven();
  });

  test('is refused once the provider revoked the login; a login in the browser brings it back', async () => {
    const { name, secret, visitor, id } = await people.arrived({ groups: ['revoked'] });
    all.provider.onRefresh = 'refuse';
    expect((await people.docker(name, secret)).status).toBe(200); // asked minutes ago
    await people.age(id, 301);
    expect((await people.docker(name, secret)).status).toBe(401);
    expect([(await visitor.send('GET', CURRENT)).status, await people.groupsOf(id)]).toEqual([401, []]);
    await people.forgiven();
    await people.browser().logInThere();
    expect((await people.docker(name, secret)).status).toBe(200);
  });

  test('goes on for an hour while the provider cannot be asked, and no longer', async () => {
    const { name, secret, id } = await people.arrived();
    all.provider.onRefresh = 'fail';
    await people.age(id, 1800);
    expect((await people.docker(name, secret)).status).toBe(200);
    await people.age(id, 1860);
    await core.database.execute('UPDATE oidc_account SET asking_until = NULL');
    expect((await people.docker(name, secret)).status).toBe(401);
    all.provider.onRefresh = 'renew';
    await core.database.execute('UPDATE oidc_account SET asking_until = NULL');
    expect((await people.docker(name, secret)).status).toBe(200);
    await people.forgiven();
  });

  test('without refresh tokens is good for a week after a login in the browser', async () => {
    all.provider.givesRefreshTokens = false;
    const { name, secret, id } = await people.arrived();
    await people.age(id, 6 * 86_400);
    expect((await people.docker(name, secret)).status).toBe(200);
    await people.age(id, 86_400);
    expect((await people.docker(name, secret)).status).toBe(401);
    await people.forgiven();
  });

  test('never sends a refresh token that was used since the account was read', async () => {
    const { name, secret, id } = await people.arrived();
    const account = await core.service.app.get(OidcAccountStore, { strict: false }).find(id);
    if (account === undefined) throw new Error('nobody arrived');
    const refreshes = core.service.app.get(RefreshService, { strict: false });
    expect([await refreshes.refresh(account), await refreshes.refresh(account)]).toEqual(['in', 'unknown']);
    expect((await people.docker(name, secret)).status).toBe(200);
  });

  test('is not used up for groups that cannot be kept, because the filter of an earlier version is of no use', async () => {
    const { name, secret, visitor, id } = await people.arrived({ groups: ['dev'] });
    await core.database.execute(`INSERT INTO setting (key, value) VALUES ('oidc_group_filter', '"^(?!tmp-)"') ON CONFLICT (key) DO UPDATE SET value = excluded.value`);
    await changeSettings(core, { oidc_logout: true });
    const before = all.provider.tokenForms.length;
    await people.age(id, 301);
    expect([(await people.docker(name, secret)).status, (await visitor.send('GET', CURRENT)).status, all.provider.tokenForms.length - before]).toEqual([200, 200, 0]);
    expect(core.logger.lines.map((line) => String(line.fields['error'] ?? '')).join()).toContain('oidc_group_filter cannot be used');
    await changeSettings(core, { oidc_group_filter: '^dev' });
    await core.database.execute('UPDATE oidc_account SET asking_until = NULL');
    expect([(await people.docker(name, secret)).status, all.provider.tokenForms.length - before, await people.groupsOf(id)]).toEqual([200, 1, ['dev']]);
  });

  test('asks the provider once, however many logins and replicas there are', async () => {
    const replica = await startReplica(core, { HAVEN_EXTERNAL_URL: EXTERNAL_URL });
    try {
      const { name, secret, id } = await people.arrived();
      await people.age(id, 301);
      const before = all.provider.tokenForms.length;
      const statuses = await Promise.all(Array.from({ length: 10 }, async (_, index) => (await people.docker(name, secret, index % 2 === 0 ? core : replica)).status));
      expect([new Set(statuses), all.provider.tokenForms.length - before]).toEqual([new Set([200]), 1]);
    } finally {
      await replica.stop();
    }
  });

  test('A-27: nearly the secret is not the secret', async () => {
    const { name, secret } = await people.arrived();
    for (const near of [secret.slice(0, -1), secret.slice(0, 1), `${secret}x`, `${secret}\0`, `${secret} `, ` ${secret}`, secret.toUpperCase(), secret.toLowerCase(), '', '\0']) {
      expect([near, (await people.docker(name, near)).status]).toEqual([near, 401]);
      await people.forgiven();
    }
    expect((await people.docker(name, secret)).status).toBe(200);
  });

  test('A-12: neither the answer nor its time tells apart people of the provider, nobody, robots and the administrator', async () => {
    const { name } = await people.arrived();
    await core.call('POST', '/api/v2.0/robots', { as: 'admin', json: { name: 'ci', level: 'system', duration: -1, permissions: [{ kind: 'system', namespace: '/', access: [{ resource: 'catalog', action: 'read' }] }] } });
    const times = new Map<string, number[]>([name, 'nobody-at-all', 'robot$ci', 'robot$nobody', 'admin'].map((one) => [one, []]));
    const answers = new Set<string>();
    for (let round = 0; round < 9; round++) {
      for (const [one, taken] of times) {
        const begun = performance.now();
        const { status, body } = await people.docker(one, 'Wrong-secret-1');
        taken.push(performance.now() - begun);
        answers.add(JSON.stringify([status, body]));
        await people.forgiven();
      }
    }
    expect([...answers]).toHaveLength(1);
    // On a busy machine some take a step more; none may come before the first step, nor far from the end of one.
    expect(Math.min(...[...times.values()].flat())).toBeGreaterThan(STEP_MS - 5);
    const late = [...times.values()].map((taken) => taken.map((time) => time % STEP_MS).sort((a, b) => a - b)[4] ?? 0);
    expect(Math.max(...late) - Math.min(...late)).toBeLessThan(STEP_MS / 3);
  }, 120_000);

  test('A-11: guesses are slowed down', async () => {
    const { name, secret } = await people.arrived();
    const statuses: number[] = [];
    for (let guess = 0; guess < 8; guess++) statuses.push((await people.docker(name, `Guess-number-${guess}`)).status);
    expect([statuses.filter((status) => status === 401).length >= 5, statuses.at(-1), (await people.docker(name, secret)).status]).toEqual([true, 429, 429]);
    await people.forgiven();
  });
});
