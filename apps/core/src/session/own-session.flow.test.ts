import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { OwnSession } from '@haven/api';
import { TestBrowser } from '../testing/browser.js';
import { startTestCore, type TestCore } from '../testing/test-core.js';

const SESSIONS = '/api/v2.0/users/current/sessions';
const CURRENT = '/api/v2.0/users/current';

let core: TestCore;
beforeAll(async () => {
  core = await startTestCore();
  for (const name of ['alice', 'bob', 'carol']) await core.addUser(name);
});
afterAll(() => core.stop());

async function browserOf(name: string, headers: Record<string, string> = {}): Promise<TestBrowser> {
  const browser = new TestBrowser(core);
  await browser.logIn(name, undefined, headers);
  return browser;
}

async function sessionsOf(browser: TestBrowser): Promise<OwnSession[]> {
  return (await browser.send('GET', SESSIONS)).body as OwnSession[];
}

describe('one’s own sessions', () => {
  test('are listed with where they come from, the current one marked, and without what is in the cookie', async () => {
    const laptop = await browserOf('alice', { 'user-agent': 'Laptop/1', 'x-forwarded-for': '192.0.2.10' });
    const phone = await browserOf('alice', { 'user-agent': `Phone/${'9'.repeat(400)}`, 'x-forwarded-for': '192.0.2.11' });
    await browserOf('bob');
    const list = await sessionsOf(laptop);
    expect(list.map(({ current, address, user_agent: agent }) => [current, address, agent.slice(0, 8), agent.length])).toEqual([
      [false, '192.0.2.11', 'Phone/99', 255], [true, '192.0.2.10', 'Laptop/1', 8],
    ]);
    expect((await sessionsOf(phone)).map(({ current }) => current)).toEqual([true, false]);
    expect(JSON.stringify(list)).not.toContain(laptop.cookies.get('sid'));
    const byBasic = (await core.call('GET', SESSIONS, { as: 'alice' })).body as OwnSession[];
    expect(byBasic.map(({ current }) => current)).toEqual([false, false]);
  });

  test('are ended one by one, also the current one', async () => {
    const [here, there] = [await browserOf('carol'), await browserOf('carol')];
    const [other] = (await sessionsOf(here)).filter(({ current }) => !current);
    expect((await here.send('DELETE', `${SESSIONS}/${other?.id}`)).status).toBe(200);
    expect((await there.send('GET', CURRENT)).status).toBe(401);
    expect((await here.send('DELETE', `${SESSIONS}/${other?.id}`)).status).toBe(404);
    const [own] = await sessionsOf(here);
    expect((await here.send('DELETE', `${SESSIONS}/${own?.id}`)).status).toBe(200);
    expect((await here.send('GET', CURRENT)).status).toBe(401);
  });

  test('are ended all but the current one', async () => {
    const [here, there, elsewhere] = [await browserOf('carol'), await browserOf('carol'), await browserOf('carol')];
    expect((await here.send('DELETE', SESSIONS)).status).toBe(200);
    expect([(await here.send('GET', CURRENT)).status, (await there.send('GET', CURRENT)).status, (await elsewhere.send('GET', CURRENT)).status]).toEqual([200, 401, 401]);
    expect((await core.call('DELETE', SESSIONS, { as: 'carol' })).status).toBe(200);
    expect((await here.send('GET', CURRENT)).status).toBe(401);
  });
});

describe('the sessions of others', () => {
  test('look like none', async () => {
    const [alice, bob] = [await browserOf('alice'), await browserOf('bob')];
    const [session] = await sessionsOf(alice);
    const theirs = await bob.send('DELETE', `${SESSIONS}/${session?.id}`);
    const nobodys = await bob.send('DELETE', `${SESSIONS}/${'0'.repeat(32)}`);
    expect([theirs.status, theirs.body]).toEqual([404, nobodys.body]);
    expect((await alice.send('GET', CURRENT)).status).toBe(200);
  });

  test.each(['0', '%25', `${'0'.repeat(31)}_`, '0'.repeat(33), '0'.repeat(31), "'--"])('have no such id: %s', async (id) => {
    expect((await core.call('DELETE', `${SESSIONS}/${id}`, { as: 'bob' })).status).toBe(422);
  });
});
