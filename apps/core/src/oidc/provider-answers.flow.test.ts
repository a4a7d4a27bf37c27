import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { changeSettings, OidcBrowser, startOidcCore, type OidcCore } from '../testing/oidc-core.js';
import type { OpenIdStub } from '../testing/openid-stub.js';
import type { Answer } from '../testing/test-core.js';

const PING = '/api/v2.0/system/oidc/ping';
const MIB = Buffer.alloc(1024 * 1024, 'x');

let all: OidcCore;
let canary: Server;
let sung: string[] = [];
let serial = 0;

beforeAll(async () => {
  all = await startOidcCore();
  canary = createServer((request, response) => {
    sung.push(request.url ?? '');
    response.end(JSON.stringify({ keys: [{ ...all.provider.key.publicKey.export({ format: 'jwk' }), kid: 'first', use: 'sig', alg: 'RS256' }] }));
  });
  await new Promise<void>((resolve) => { canary.listen(0, '127.0.0.2', resolve); });
});
afterAll(async () => {
  await all.stop();
  canary.closeAllConnections();
  await new Promise((resolve) => { canary.close(resolve); });
});
afterEach(async () => {
  Object.assign(all.provider, { metadata: {}, override: undefined });
  sung = [];
  await forget();
});

/** What is known of the provider is forgotten: its settings change. */
async function forget(): Promise<void> {
  await changeSettings(all.core, { oidc_client_id: 'other' });
  await new OidcBrowser(all.core, all.provider).go('/c/oidc/login');
  await changeSettings(all.core, { oidc_client_id: 'haven' });
}

const elsewhere = (path: string): string => `http://127.0.0.2:${(canary.address() as AddressInfo).port}${path}`;
const ping = (url: string): Promise<Answer> => all.core.call('POST', PING, { as: 'admin', json: { url } });

/** The whole login with what the provider says now; resolves to the status that the browser sees in the end, and whether it is in. */
async function logIn(): Promise<readonly [number, boolean]> {
  await forget();
  serial += 1;
  all.provider.person = { sub: `subject-${serial}`, preferred_username: `person-${serial}`, name: 'P', email: `p${serial}@example.test`, groups: [] };
  const visitor = new OidcBrowser(all.core, all.provider);
  const departure = await visitor.go('/c/oidc/login');
  if (departure.status !== 302) return [departure.status, false];
  const { status } = await visitor.return(departure.headers.get('location') ?? '');
  return [status, visitor.cookies.has('sid')];
}

test('nothing is wrong to begin with', async () => {
  expect(await logIn()).toEqual([302, true]);
});

describe('H-02: only http and https addresses are asked', () => {
  test.each(['file:///etc/passwd', 'gopher://127.0.0.1/', 'ftp://127.0.0.1/', 'unix:/var/run/docker.sock', 'data:application/json,{}', 'http://', 'http:///a', 'javascript:alert(1)', 'ws://127.0.0.1/'])('%s is refused, when it is tried and when it is set', async (url) => {
    expect((await ping(url)).status).toBe(400);
    expect([400, 422]).toContain((await all.core.call('PUT', '/api/v2.0/configurations', { as: 'admin', json: { oidc_endpoint: url } })).status);
  });

  test('in capital letters, too', async () => {
    expect((await ping(all.provider.url.replace('http:', 'HTTP:'))).status).toBe(200);
  });
});

describe('H-13: what a provider says of itself', () => {
  test.each<[string, Readonly<Record<string, () => string>>]>([
    ['keys', { jwks_uri: () => elsewhere('/jwks') }], ['tokens', { token_endpoint: () => elsewhere('/token') }],
  ])('does not send this server for %s to an address that it may not reach', async (_what, metadata) => {
    all.provider.metadata = Object.fromEntries(Object.entries(metadata).map(([name, url]) => [name, url()]));
    const [status, isIn] = await logIn();
    expect([status, isIn, sung]).toEqual([400, false, []]);
  });

  test.each<[string, (path: string) => boolean]>([['its metadata', (path) => path.includes('openid-configuration')], ['its keys', (path) => path === '/jwks'], ['its tokens', (path) => path === '/token']])('is not followed when it redirects for %s', async (_what, isThis) => {
    const override: OpenIdStub['override'] = (request, response) => {
      if (!isThis(request.url ?? '')) return false;
      response.writeHead(307, { location: elsewhere('/jwks') }).end();
      return true;
    };
    all.provider.override = override;
    const [status, isIn] = await logIn();
    expect([status, isIn, sung]).toEqual([400, false, []]);
  });

  test('must be about the issuer that was asked for', async () => {
    all.provider.metadata = { issuer: elsewhere('') };
    expect((await ping(all.provider.url)).status).toBe(400);
    expect(await logIn()).toEqual([400, false]);
  });

  test.each<[string, (path: string) => boolean]>([['metadata', (path) => path.includes('openid-configuration')], ['keys', (path) => path === '/jwks']])('%s of 100 MiB are not read to their end, and let nobody in', async (_what, isThis) => {
    let written = 0;
    all.provider.override = (request, response) => {
      if (!isThis(request.url ?? '')) return false;
      response.writeHead(200, { 'content-type': 'application/json' }).write('{"keys":[],"padding":"');
      const more = (): void => {
        while (written < 100 && !response.destroyed && response.write(MIB)) written += 1;
        if (written < 100 && !response.destroyed) response.once('drain', more);
      };
      more();
      return true;
    };
    const begun = performance.now();
    expect(await logIn()).toEqual([400, false]);
    expect(written).toBeLessThan(32);
    expect(performance.now() - begun).toBeLessThan(10_000);
  });
});
