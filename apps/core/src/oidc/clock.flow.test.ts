import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { selfSigned } from '@haven/runtime';
import { changeSettings, OidcBrowser, startOidcCore, type OidcCore } from '../testing/oidc-core.js';
import { rs256 } from '../testing/openid-stub.js';
import type { TestCore } from '../testing/test-core.js';
import { RefreshService } from './refresh.service.js';

let all: OidcCore;
let core: TestCore;
let serial = 0;

beforeAll(async () => {
  all = await startOidcCore();
  core = all.core;
});
afterAll(() => all.stop());
afterEach(() => {
  all.provider.makeIdToken = (claims) => rs256(all.provider.key, claims);
});

/** Somebody logs in at a provider whose clock is ahead by so many seconds, and whose tokens live so long. */
async function logIn(ahead: number, life = 300): Promise<{ readonly status: number; readonly session: boolean; readonly reason: string }> {
  serial += 1;
  all.provider.person = { sub: `subject-${serial}`, preferred_username: `person-${serial}`, name: 'P', email: `p${serial}@example.test`, groups: [] };
  all.provider.makeIdToken = (claims) => {
    const now = Math.floor(Date.now() / 1000) + ahead;
    return rs256(all.provider.key, { ...claims, iat: now, nbf: now, exp: now + life });
  };
  core.logger.lines.length = 0;
  const browser = new OidcBrowser(core, all.provider);
  const { status } = await browser.logInThere();
  return { status, session: browser.cookies.has('sid'), reason: String(core.logger.lines.find(({ level }) => level === 'error')?.fields['reason'] ?? '') };
}

describe('a provider whose clock', () => {
  test.each([
    ['is right', 0, 300], ['is 50 s ahead', 50, 300], ['is 50 s behind, with tokens that live for a minute', -50, 60], ['is 100 s behind, with tokens that outlive that', -100, 300],
    ['is so far behind that the token ended 40 s ago', -100, 60],
  ])('%s is believed', async (_name, ahead, life) => {
    expect(await logIn(ahead, life)).toEqual({ status: 302, session: true, reason: '' });
  });

  test.each([
    ['is 90 s ahead', 90, 300, '(?:"nbf"|iat)'], ['is a day ahead', 86_400, 300, '(?:"nbf"|iat)'], ['is so far behind that the token ended 90 s ago', -150, 60, '"exp"'], ['is a day behind', -86_400, 300, '"exp"'],
  ])('%s is not, and the log says that clocks may differ by 60 s', async (_name, ahead, life, claim) => {
    expect(await logIn(ahead, life)).toEqual({ status: 400, session: false, reason: expect.stringMatching(new RegExp(`${claim}.*compare the clocks of both machines, which may differ by 60 s`)) });
  });

  test('is ahead at a refresh is not believed there either: what it said before stands', async () => {
    expect((await logIn(0)).status).toBe(302);
    const name = `person-${serial}`;
    await core.database.execute(`UPDATE haven_user SET source_confirmed_at = now() - interval '10 minutes' WHERE username = $1`, [name]);
    all.provider.makeIdToken = (claims) => rs256(all.provider.key, { ...claims, iat: Math.floor(Date.now() / 1000) + 600 });
    core.logger.lines.length = 0;
    await core.service.app.get(RefreshService, { strict: false }).refreshDue();
    expect(core.logger.lines.map((line) => JSON.stringify(line)).join('\n')).toContain('nothing could be learned from the OpenID provider about somebody');
    expect(await core.database.query(`SELECT source_confirmed_at < now() - interval '9 minutes' AS old FROM haven_user WHERE username = $1`, [name])).toEqual([{ old: true }]);
  });
});

test.each([
  ['has expired', '127.0.0.1', true, true, 'the certificate of the host has expired'],
  ['is for another name', 'other.test', false, true, 'the certificate of the host is for another name'],
  ['comes from nobody who is trusted', '127.0.0.1', false, false, 'signed by nobody but itself'],
])('a provider whose certificate %s: the ping and the log say exactly that', async (_name, name, expired, trusted, reason) => {
  const pair = selfSigned(name, { expired });
  const authorities = getCACertificates('default');
  if (trusted) setDefaultCACertificates([...authorities, pair.cert]);
  const server = createTlsServer(pair, (_request, response) => { response.writeHead(500).end(); });
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  try {
    const ping = await core.call('POST', '/api/v2.0/system/oidc/ping', { as: 'admin', json: { url, verify_cert: true } });
    expect([ping.status, JSON.stringify(ping.body)]).toEqual([400, expect.stringContaining(reason)]);
    await changeSettings(core, { oidc_endpoint: url, oidc_client_secret: 'x', oidc_verify_cert: true });
    core.logger.lines.length = 0;
    expect((await core.call('GET', '/c/oidc/login', { redirect: 'manual' })).status).toBe(400);
    expect(String(core.logger.lines.find(({ level }) => level === 'error')?.fields['reason'])).toContain(reason);
  } finally {
    setDefaultCACertificates(authorities);
    server.closeAllConnections();
    await new Promise((resolve) => { server.close(resolve); });
  }
});
