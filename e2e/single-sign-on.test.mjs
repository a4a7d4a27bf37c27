import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { join } from 'node:path';
import pg from 'pg';
import { noClients } from './clients.mjs';
import { Skopeo } from './clients/skopeo.mjs';
import { Haven } from './haven.mjs';
import { randomImage } from './image/synthetic.mjs';
import { noBrowser, startChromium } from './single-sign-on/chromium.mjs';
import { freePort, OpenIdProvider } from './single-sign-on/provider.mjs';

const CURRENT = '/api/v2.0/users/current';

(noBrowser ? describe.skip : describe)('people log in with a browser at a real OpenID provider', () => {
  let haven, provider, chromium, database;

  beforeAll(async () => {
    const httpPort = await freePort();
    haven = await Haven.start({ httpPort, env: { HAVEN_EXTERNAL_URL: `http://localhost:${httpPort}` } });
    provider = await OpenIdProvider.start(haven.platform.url);
    await settings({
      auth_mode: 'oidc_auth', oidc_name: 'provider', oidc_endpoint: provider.url, oidc_client_id: provider.client.client_id, oidc_client_secret: provider.client.client_secret,
      oidc_auto_onboard: true, oidc_user_claim: 'preferred_username', oidc_groups_claim: 'groups', oidc_scope: 'openid,profile,email,offline_access', oidc_logout: true,
      oidc_extra_redirect_parms: '{"prompt":"consent"}', // OpenID Connect Core, section 11: without consent there is no offline access
    });
    chromium = await startChromium();
    database = new pg.Client({ connectionString: haven.platform.databaseUrl });
    await database.connect();
  }, 180_000);

  afterAll(async () => {
    await chromium?.close();
    await database?.end();
    await provider?.stop();
    await haven?.stop();
  }, 60_000);

  async function settings(body) {
    const response = await haven.admin.request('PUT', '/configurations', body);
    if (response.status !== 200) throw new Error(`the settings were refused: ${await response.text()}`);
  }

  const person = (name, more = {}) => provider.person({ sub: `id-of-${name}`, preferred_username: name, name: `${name} Example`, email: `${name}@example.test`, email_verified: true, groups: [], ...more });

  /** A browser of its own: nobody is logged in anywhere. */
  const visitor = async () => (await chromium.newContext()).newPage();

  /** Through the provider's pages: name, password, consent. Ends where the platform sends the browser. */
  async function logIn(page, name, returnTo = CURRENT) {
    await page.goto(`${haven.platform.url}/c/oidc/login?redirect_url=${encodeURIComponent(returnTo)}`);
    if (await page.locator('input[name=login]').count()) {
      await page.fill('input[name=login]', `id-of-${name}`);
      await page.fill('input[name=password]', 'anything');
      await page.click('button[type=submit]');
    }
    await page.click('button[type=submit]'); // consent
    await page.waitForURL((url) => url.origin === new URL(haven.platform.url).origin);
  }

  /** A real client, where there is one. */
  async function skopeoLogsIn(user, password) {
    if (noClients) return;
    const { code, output } = await new Skopeo(join(haven.folder, 'skopeo')).login(haven.host, user, password);
    if (code !== 0) throw new Error(`skopeo could not log in: ${output}`);
  }

  const current = async (page) => {
    const response = await page.context().request.get(`${haven.platform.url}${CURRENT}`);
    return { status: response.status(), body: await response.json() };
  };

  test('from the login page to their account, and back in without being asked again', async () => {
    await person('ada', { groups: ['developers'] });
    const page = await visitor();
    const asked = [];
    page.on('request', (request) => asked.push(request.url()));
    await logIn(page, 'ada');
    expect(page.url()).toBe(`${haven.platform.url}${CURRENT}`);
    expect(JSON.parse(await page.innerText('body'))).toMatchObject({ username: 'ada', realname: 'ada Example', email: 'ada@example.test', sysadmin_flag: false });
    const there = new URL(asked.find((url) => url.startsWith(`${provider.url}/auth?`)));
    expect(Object.fromEntries(there.searchParams)).toMatchObject({ code_challenge_method: 'S256', code_challenge: expect.stringMatching(/^[\w-]{43}$/), nonce: expect.stringMatching(/^.{43}$/), state: expect.stringMatching(/^.{43}$/) });
    const cookies = await page.context().cookies(haven.platform.url);
    expect(cookies.find(({ name }) => name === 'sid')).toMatchObject({ httpOnly: true, sameSite: 'Lax' });
    expect(cookies.map(({ name }) => name)).not.toContain('haven_oidc');
    const { rows } = await database.query(`SELECT g.name FROM user_group g JOIN user_group_member m ON m.group_id = g.id JOIN haven_user u ON u.id = m.user_id WHERE u.username = 'ada'`);
    expect(rows).toEqual([{ name: 'developers' }]);
  }, 60_000);

  test('A-20: the way back is no good a second time, nor in another browser', async () => {
    await person('bea');
    const page = await visitor();
    const backs = [];
    page.on('request', (request) => { if (request.url().includes('/c/oidc/callback')) backs.push(request.url()); });
    await logIn(page, 'bea');
    expect(backs).toHaveLength(1);
    const again = await page.goto(backs[0]);
    expect(again.status()).toBe(400);
    const other = await visitor();
    expect((await other.goto(backs[0])).status()).toBe(400);
    expect((await current(other)).status).toBe(401);
    expect((await current(page)).body).toMatchObject({ username: 'bea' }); // the session that is there stays
  }, 60_000);

  test('choosing a name where the provider does not decide', async () => {
    await settings({ oidc_auto_onboard: false });
    try {
      await person('cleo');
      const page = await visitor();
      await logIn(page, 'cleo', '/projects');
      const url = new URL(page.url());
      expect([url.pathname, Object.fromEntries(url.searchParams)]).toEqual(['/oidc-onboard', { username: 'cleo', redirect_url: '/projects' }]);
      expect((await current(page)).status).toBe(401);
      const { request } = page.context();
      const token = (await request.get(`${haven.platform.url}/c/login`)).headers()['x-harbor-csrf-token'];
      const choose = (username) => request.post(`${haven.platform.url}/c/oidc/onboard`, { data: { username }, headers: { 'x-harbor-csrf-token': token } });
      expect((await choose('admin')).status()).toBe(409);
      expect((await choose('chosen-by-cleo')).status()).toBe(200);
      expect((await current(page)).body).toMatchObject({ username: 'chosen-by-cleo' });
    } finally {
      await settings({ oidc_auto_onboard: true });
    }
  }, 60_000);

  test('the command line secret pushes, outlives the web session, and ends with the group at the provider', async () => {
    await settings({ oidc_login_groups: 'staff' });
    try {
      await person('dora', { groups: ['staff', 'builders'] });
      const page = await visitor();
      await logIn(page, 'dora');
      const { body: { user_id: id, oidc_user_meta: { secret } } } = await current(page);
      const project = await haven.project();
      const { rows: [group] } = await database.query(`SELECT id FROM user_group WHERE name = 'builders' AND type = 3`);
      const added = await haven.admin.request('POST', `/projects/${project}/members`, { role_id: 2, member_group: { id: group.id } });
      expect(added.status).toBe(201);
      const oci = haven.oci({ user: 'dora', password: secret });
      await oci.pushImage(`${project}/app`, 'v1', randomImage({ layers: 1, size: 1000 }));
      await page.goto(`${haven.platform.url}/c/oidc/logout`);
      expect((await current(page)).status).toBe(401);
      await skopeoLogsIn('dora', secret);
      oci.forgetTokens();
      expect((await oci.requestToken([`repository:${project}/app:push`])).status).toBe(200);
      await person('dora', { groups: ['builders'] });
      await database.query(`UPDATE haven_user SET source_confirmed_at = source_confirmed_at - interval '6 minutes' WHERE id = $1`, [id]);
      expect((await oci.requestToken([`repository:${project}/app:push`])).status).toBe(401);
    } finally {
      await settings({ oidc_login_groups: '' });
    }
  }, 90_000);

  test('logging out ends the login at the provider, too', async () => {
    await person('emma');
    const page = await visitor();
    await logIn(page, 'emma');
    await page.goto(`${haven.platform.url}/c/oidc/logout`);
    expect(page.url()).toContain(`${provider.url}/session/end`);
    await page.click('button[name=logout]');
    await page.waitForURL((url) => url.href.startsWith(`${haven.platform.url}/account/sign-in`));
    expect((await current(page)).status).toBe(401);
    await page.goto(`${haven.platform.url}/c/oidc/login`);
    expect(await page.locator('input[name=login]').count()).toBe(1); // asked for a name again
  }, 60_000);

  test('B-14, A-19: neither the session cookie nor a real ID token opens the registry, the token service or the API, whatever their owner may do', async () => {
    await person('gwen');
    const page = await visitor();
    await logIn(page, 'gwen');
    const project = await haven.project({ members: { gwen: 'projectAdmin' } });
    const { request } = page.context();
    const base = haven.platform.url;
    const csrf = (await request.get(`${base}${CURRENT}`)).headers()['x-harbor-csrf-token'];
    expect((await request.get(`${base}/api/v2.0/projects/${project}`)).status()).toBe(200); // what the cookie is for
    const scope = `repository:${project}/app:pull,push`;
    const doors = [['GET', '/v2/'], ['GET', `/v2/${project}/app/manifests/1`], ['POST', `/v2/${project}/app/blobs/uploads/`], ['PUT', `/v2/${project}/app/manifests/1`]];
    const statusOf = async (method, path, headers) => (await request.fetch(`${base}${path}`, { method, headers })).status();
    for (const [method, path] of doors) for (const headers of [{}, { 'x-harbor-csrf-token': csrf, origin: base, 'sec-fetch-site': 'same-origin' }]) expect([method, await statusOf(method, path, headers)]).toEqual([method, 401]);
    const anonymous = await (await request.get(`${base}/service/token?service=harbor-registry&scope=${scope}`)).json();
    expect(JSON.parse(Buffer.from(anonymous.token.split('.')[1], 'base64url'))).toMatchObject({ sub: '', access: [{ actions: [] }] });
    const out = await request.get(`${base}/c/oidc/logout`, { maxRedirects: 0 });
    const idToken = new URL(out.headers().location).searchParams.get('id_token_hint');
    expect(JSON.parse(Buffer.from(idToken.split('.')[1], 'base64url'))).toMatchObject({ sub: 'id-of-gwen', aud: provider.client.client_id });
    const bearer = { authorization: `Bearer ${idToken}` };
    const basic = { authorization: `Basic ${Buffer.from(`gwen:${idToken}`).toString('base64')}` };
    for (const [method, path] of [...doors, ['GET', CURRENT], ['GET', `/api/v2.0/projects/${project}`], ['GET', `/service/token?service=harbor-registry&scope=${scope}`]]) {
      for (const headers of [bearer, basic]) expect([path, await statusOf(method, path, headers)]).toEqual([path, 401]);
    }
  }, 60_000);

  test('the built-in administrator logs in with the password, also while the provider is away', async () => {
    await provider.stop();
    const { request } = (await visitor()).context();
    const token = (await request.get(`${haven.platform.url}/c/login`)).headers()['x-harbor-csrf-token'];
    const logInHere = (principal, password) => request.post(`${haven.platform.url}/c/login`, { form: { principal, password }, headers: { 'x-harbor-csrf-token': token } });
    const stranger = await logInHere('ada', 'anything');
    expect([stranger.status(), await stranger.json()]).toEqual([403, { redirect_location: `${haven.platform.url}/c/oidc/login` }]);
    expect((await logInHere('admin', haven.adminAccount.password)).status()).toBe(200);
    provider = undefined;
  }, 60_000);
});
