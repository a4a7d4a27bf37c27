import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { selfSigned } from '@haven/runtime';
import { changeSettings, OidcBrowser, startOidcCore, type OidcCore } from '../testing/oidc-core.js';
import { CLIENT_SECRET, newKey, OpenIdStub, rs256 } from '../testing/openid-stub.js';
import type { Answer, TestCore } from '../testing/test-core.js';

const PING = '/api/v2.0/system/oidc/ping';

let all: OidcCore;
let core: TestCore;
let serial = 0;

beforeAll(async () => {
  all = await startOidcCore();
  core = all.core;
});
afterAll(() => all.stop());
afterEach(async () => {
  Object.assign(all.provider, { metadata: {}, override: undefined });
  all.provider.makeIdToken = (claims) => rs256(all.provider.key, claims);
  await changeSettings(core, { oidc_endpoint: all.provider.url });
});

const ping = (json: object, as: string | undefined = 'admin'): Promise<Answer> => core.call('POST', PING, { as, json });
const messageOf = ({ body }: Answer): string => (body as { errors: { message: string }[] }).errors[0]?.message ?? '';

async function logIn(): Promise<Answer> {
  serial += 1;
  all.provider.person = { sub: `subject-${serial}`, preferred_username: `person-${serial}`, name: 'P', email: `p${serial}@example.test`, groups: [] };
  const visitor = new OidcBrowser(core, all.provider);
  const departure = await visitor.go('/c/oidc/login');
  return departure.status === 302 ? visitor.return(departure.headers.get('location') ?? '') : departure;
}

/** The core forgets what it knows of the provider: its settings change. */
async function forget(): Promise<void> {
  await changeSettings(core, { oidc_client_id: 'other' });
  await logIn();
  await changeSettings(core, { oidc_client_id: 'haven' });
}

describe('trying a provider (POST /system/oidc/ping)', () => {
  test('says yes to one that works, whether or not it is the one that is set', async () => {
    expect((await ping({ url: all.provider.url, verify_cert: true })).status).toBe(200);
    expect((await ping({})).status).toBe(200);
    const other = await new OpenIdStub().start();
    try {
      expect((await ping({ url: other.url })).status).toBe(200);
    } finally {
      await other.stop();
    }
  });

  test.each<[string, object, string]>([
    ['an address where nothing listens', { url: 'http://127.0.0.1:9' }, 'cannot be reached'],
    ['a name that is nobody’s', { url: 'http://no-such-host.invalid' }, 'not known'],
    ['no address', { url: 'provider' }, 'must be the http'],
    ['a file', { url: 'file:///etc/passwd' }, 'must be the http'],
    ['an address with a password', { url: 'http://a:b@127.0.0.1/' }, 'must be the http'],
    ['an address with a query', { url: 'http://127.0.0.1/?a=b' }, 'must be the http'],
  ])('says no to %s, and why', async (_name, body, reason) => {
    const answer = await ping(body);
    expect([answer.status, messageOf(answer)]).toEqual([400, expect.stringContaining(reason)]);
  });

  test.each<[string, Readonly<Record<string, unknown>>, string]>([
    ['another issuer', { issuer: 'https://other.test' }, 'issuer'],
    ['no address for tokens', { token_endpoint: undefined }, 'token_endpoint'],
    ['no keys', { jwks_uri: undefined }, 'jwks_uri'],
    ['no authorization code flow', { response_types_supported: ['id_token'] }, 'authorization code flow'],
    ['signatures with shared secrets only', { id_token_signing_alg_values_supported: ['HS256', 'none'] }, 'signs ID tokens with none of'],
    ['an address that is none', { token_endpoint: 'javascript:alert(1)' }, 'not an https:// address'],
  ])('says no to one with %s', async (_name, metadata, reason) => {
    all.provider.metadata = metadata;
    const answer = await ping({ url: all.provider.url });
    expect([answer.status, messageOf(answer)]).toEqual([400, expect.stringContaining(reason)]);
  });

  test.each<[string, OpenIdStub['override']]>([
    ['HTML', (_request, response) => { response.writeHead(200, { 'content-type': 'text/html' }).end('<html>secret inside</html>'); return true; }],
    ['broken JSON', (_request, response) => { response.writeHead(200, { 'content-type': 'application/json' }).end('{"issuer":'); return true; }],
    ['an error', (_request, response) => { response.writeHead(500).end('secret inside'); return true; }],
    ['a redirect elsewhere', (_request, response) => { response.writeHead(302, { location: 'http://169.254.169.254/' }).end(); return true; }],
    ['more than anybody reads', (_request, response) => { response.writeHead(200, { 'content-type': 'application/json' }).end(`{"issuer":"${'x'.repeat(1024 * 1024)}"}`); return true; }],
    ['nothing', (request) => { request.socket.destroy(); return true; }],
  ])('says no to one that answers with %s, without showing what that was', async (_name, override) => {
    all.provider.override = override;
    const answer = await ping({ url: all.provider.url });
    expect(answer.status).toBe(400);
    expect(messageOf(answer)).not.toMatch(/secret inside|169\.254/);
  });

  test('is for administrators', async () => {
    await core.addUser('visitor');
    expect((await core.call('POST', PING, { json: {} })).status).toBe(401);
    expect((await ping({}, 'visitor')).status).toBe(403);
  });
});

test('K-02: another provider is not shown the secret that is stored for this one', async () => {
  const put = (json: object): Promise<Answer> => core.call('PUT', '/api/v2.0/configurations', { as: 'admin', json });
  const refused = await put({ oidc_endpoint: 'https://other.test/' });
  expect([refused.status, messageOf(refused)]).toEqual([400, expect.stringContaining('oidc_client_secret')]);
  expect((await put({ oidc_endpoint: `${all.provider.url}/` })).status).toBe(200);
  expect((await put({ oidc_endpoint: 'https://other.test/', oidc_client_secret: 'of-the-other' })).status).toBe(200);
  await changeSettings(core, { oidc_endpoint: all.provider.url, oidc_client_secret: CLIENT_SECRET });
});

describe('a provider that is in trouble', () => {
  test.each<[string, OpenIdStub['override']]>([
    ['answers with errors', (_request, response) => { response.writeHead(502).end(); return true; }],
    ['breaks off', (request) => { request.socket.destroy(); return true; }],
    ['redirects', (_request, response) => { response.writeHead(307, { location: 'http://127.0.0.1:9/' }).end(); return true; }],
  ])('%s: people are told so, administrators find out in the log, and nobody gets in', async (_name, override) => {
    const visitor = new OidcBrowser(core, all.provider);
    const location = await visitor.depart();
    all.provider.override = override;
    core.logger.lines.length = 0;
    expect([(await visitor.return(location)).status, visitor.cookies.has('sid')]).toEqual([400, false]);
    expect(core.logger.messages('error')).toEqual(['a login through OpenID Connect failed']);
    expect((await core.call('GET', '/api/v2.0/users/current', { as: 'admin' })).status).toBe(200);
  });

  test('one that hangs is given up, and holds up nobody else', async () => {
    const visitor = new OidcBrowser(core, all.provider);
    const location = await visitor.depart();
    all.provider.override = () => true;
    const begun = Date.now();
    const pending = visitor.return(location);
    expect((await core.call('GET', '/api/v2.0/users/current', { as: 'admin' })).status).toBe(200);
    expect(Date.now() - begun).toBeLessThan(5_000);
    expect((await pending).status).toBe(400);
    expect(Date.now() - begun).toBeLessThan(20_000);
  }, 30_000);

  test('is asked what it is once, however many people come, and after a failure not with each of them', async () => {
    await forget();
    const asked = (): number => all.provider.requests.filter((request) => request.includes('openid-configuration')).length;
    const before = asked();
    await Promise.all(Array.from({ length: 10 }, () => logIn()));
    expect(asked() - before).toBe(1);
    await changeSettings(core, { oidc_client_id: 'other' });
    all.provider.override = (_request, response) => { response.writeHead(500).end(); return true; };
    const statuses = await Promise.all(Array.from({ length: 10 }, async () => (await logIn()).status));
    expect([new Set(statuses), asked() - before]).toEqual([new Set([400]), 2]);
    await changeSettings(core, { oidc_client_id: 'haven' });
  });
});

test('new keys of the provider are found, and unknown ones do not make it be asked for them each time', async () => {
  await forget();
  expect((await logIn()).status).toBe(302);
  const asked = (): number => all.provider.requests.filter((request) => request === 'GET /jwks').length;
  const before = asked();
  const next = newKey('next');
  all.provider.makeIdToken = (claims) => rs256(next, claims);
  const statuses = await Promise.all(Array.from({ length: 20 }, async () => (await logIn()).status));
  expect([new Set(statuses), asked() - before]).toEqual([new Set([400]), 0]); // it was asked less than a minute ago
  all.provider.keys = [all.provider.key, next];
  await forget();
  expect((await logIn()).status).toBe(302);
  all.provider.keys = [all.provider.key];
});

describe('the certificate of the provider', () => {
  test('is checked unless an administrator says otherwise, which the log says, too', async () => {
    const { key, cert } = selfSigned('localhost');
    const server = createTlsServer({ key, cert }, (_request, response) => {
      const issuer = `https://localhost:${(server.address() as AddressInfo).port}`;
      const metadata = { issuer, authorization_endpoint: `${issuer}/a`, token_endpoint: `${issuer}/t`, jwks_uri: `${issuer}/k`, response_types_supported: ['code'] };
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(metadata));
    });
    await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve); });
    try {
      const url = `https://localhost:${(server.address() as AddressInfo).port}`;
      const refused = await ping({ url, verify_cert: true });
      expect([refused.status, messageOf(refused)]).toEqual([400, expect.stringContaining('certificate')]);
      core.logger.lines.length = 0;
      expect((await ping({ url, verify_cert: false })).status).toBe(200);
      expect(core.logger.messages('warn')).toEqual([expect.stringContaining('oidc_verify_cert')]);
    } finally {
      server.closeAllConnections();
      await new Promise((resolve) => { server.close(resolve); });
    }
  });

  test('a provider with TLS names no addresses without it', async () => {
    const { key, cert } = selfSigned('localhost');
    const server = createTlsServer({ key, cert }, (_request, response) => {
      const issuer = `https://localhost:${(server.address() as AddressInfo).port}`;
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ issuer, authorization_endpoint: `${issuer}/a`, token_endpoint: 'http://localhost:1/t', jwks_uri: `${issuer}/k` }));
    });
    await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve); });
    try {
      const answer = await ping({ url: `https://localhost:${(server.address() as AddressInfo).port}`, verify_cert: false });
      expect([answer.status, messageOf(answer)]).toEqual([400, expect.stringContaining('not an https:// address')]);
    } finally {
      server.closeAllConnections();
      await new Promise((resolve) => { server.close(resolve); });
    }
  });
});
