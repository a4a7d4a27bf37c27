import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { AccessEpochs, RegistryTokenVerifier, type PublicKeySet, type RegistryTokenClaims } from '@haven/access';
import { TestBrowser } from '../testing/browser.js';
import { basic, PASSWORD, startTestCore, type TestCore } from '../testing/test-core.js';

const CURRENT = '/api/v2.0/users/current';
/** Everything but the time of day runs on. */
const TIMERS = ['hrtime', 'nextTick', 'performance', 'queueMicrotask', 'setImmediate', 'clearImmediate', 'setInterval', 'clearInterval', 'setTimeout', 'clearTimeout'] as const;

let core: TestCore;
let id: number;

beforeAll(async () => {
  core = await startTestCore();
  id = await core.addUser('alice');
  await core.addProject('alpha', { members: { alice: 2 } });
});
afterEach(() => { jest.useRealTimers(); });
afterAll(() => core.stop());

/** Somebody puts the clock of this machine, or a time service steps it. */
function step(seconds: number): void {
  jest.useFakeTimers({ doNotFake: [...TIMERS], now: Date.now() + seconds * 1000 });
}

async function publicKeys(): Promise<PublicKeySet> {
  const rows = await core.database.query<{ kid: string; public_jwk: PublicKeySet[string] }>('SELECT kid, public_jwk FROM signing_key WHERE retired_at IS NULL');
  return Object.fromEntries(rows.map((row) => [row.kid, row.public_jwk]));
}

async function freshToken(): Promise<string> {
  const { status, body } = await core.call('GET', '/service/token?service=harbor-registry&scope=repository:alpha/app:pull,push', { headers: { authorization: basic('alice', PASSWORD) } });
  expect(status).toBe(200);
  return (body as { token: string }).token;
}

/** What the registry makes of a token now. */
async function judged(token: string): Promise<{ readonly claims: RegistryTokenClaims; readonly revoked: boolean }> {
  const claims = await new RegistryTokenVerifier(publicKeys).verify(token);
  const epochs = new AccessEpochs();
  for (const row of await core.database.query<{ subject: string; not_before: Date }>('SELECT subject, not_before FROM access_epoch')) epochs.raise(row.subject, row.not_before);
  return { claims, revoked: epochs.isRevoked(claims) };
}

async function isGood(token: string): Promise<boolean> {
  const { claims, revoked } = await judged(token);
  return !revoked && claims.access.length === 1;
}

describe.each([['back', -45], ['ahead', 45]])('when the clock steps %s a little', (_direction, seconds) => {
  test('sessions go on, and new ones begin', async () => {
    const browser = new TestBrowser(core);
    expect((await browser.logIn('alice')).status).toBe(200);
    step(seconds);
    expect((await browser.send('GET', CURRENT)).status).toBe(200);
    expect((await browser.send('GET', '/api/v2.0/users/current/sessions')).status).toBe(200);
    const another = new TestBrowser(core);
    expect((await another.logIn('alice')).status).toBe(200);
    expect((await another.send('GET', CURRENT)).status).toBe(200);
    jest.useRealTimers();
    expect((await another.send('GET', CURRENT)).status).toBe(200);
  });

  test('registry tokens from before it and after it are good, on machines that step and on those that do not', async () => {
    const before = await freshToken();
    expect(await isGood(before)).toBe(true);
    step(seconds);
    expect(await isGood(before)).toBe(true);
    const after = await freshToken();
    expect(await isGood(after)).toBe(true);
    jest.useRealTimers();
    expect(await isGood(after)).toBe(true);
  });

  test('whoever’s tokens were withdrawn just before gets new ones that are good', async () => {
    const old = await freshToken();
    expect((await core.call('PUT', `/api/v2.0/users/${id}/sysadmin`, { as: 'admin', json: { sysadmin_flag: true } })).status).toBe(200);
    expect((await core.call('PUT', `/api/v2.0/users/${id}/sysadmin`, { as: 'admin', json: { sysadmin_flag: false } })).status).toBe(200);
    step(seconds);
    expect(await isGood(await freshToken())).toBe(true);
    expect((await judged(old)).revoked).toBe(true);
  });
});

test('a token of a machine whose clock is more than a minute ahead is refused', async () => {
  step(75);
  const token = await freshToken();
  jest.useRealTimers();
  await expect(new RegistryTokenVerifier(publicKeys).verify(token)).rejects.toThrow('not valid yet');
});
