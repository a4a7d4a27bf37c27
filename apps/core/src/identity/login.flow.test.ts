import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { PASSWORD, startTestCore, type TestCore } from '../testing/test-core.js';
import { hashPassword } from './password-hash.js';

let core: TestCore;
beforeAll(async () => {
  core = await startTestCore();
  for (const name of ['alice', 'bob', 'carol']) await core.addUser(name);
});
afterAll(() => core.stop());

const CURRENT = '/api/v2.0/users/current';

function from(address: string): { readonly headers: Readonly<Record<string, string>> } {
  return { headers: { 'x-forwarded-for': address } }; // tests come from loopback, which is trusted
}

/** On a machine that does much else besides. */
const FLOOD_MS = 180_000;

/** What this process worked meanwhile, on all threads: unlike time, it does not depend on what others do. */
async function cpuMilliseconds(work: () => Promise<unknown>): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

describe('logging in', () => {
  test('takes the right name and password, as they are written', async () => {
    expect((await core.call('GET', CURRENT, { as: 'alice' })).body).toMatchObject({ username: 'alice', sysadmin_flag: false });
    for (const as of ['Alice', 'alice ', ' alice', 'alicé', "alice'--"]) {
      expect((await core.call('GET', CURRENT, { as, ...from('198.51.100.1') })).status).toBe(401);
    }
  });

  test('works neither without a password nor with a hash', async () => {
    await core.database.execute(`INSERT INTO haven_user (external_id, username, source) VALUES ('cn=x', 'external', 'ldap')`);
    const [row] = await core.database.query<{ password_hash: string }>(`SELECT password_hash FROM haven_user WHERE username = 'alice'`);
    for (const [as, password] of [['external', 'x'], ['external', ''], ['alice', row?.password_hash ?? '']] as const) {
      expect((await core.call('GET', CURRENT, { as, password, ...from('198.51.100.2') })).status).toBe(401);
    }
  });

  test('ends at once for a deleted account and for an old password', async () => {
    const id = await core.addUser('leaver');
    expect((await core.call('GET', CURRENT, { as: 'leaver' })).status).toBe(200);
    await core.call('PUT', `/api/v2.0/users/${id}/password`, { as: 'admin', json: { new_password: 'Brand-new-1' } });
    expect((await core.call('GET', CURRENT, { as: 'leaver' })).status).toBe(401);
    expect((await core.call('GET', CURRENT, { as: 'leaver', password: 'Brand-new-1' })).status).toBe(200);
    await core.call('DELETE', `/api/v2.0/users/${id}`, { as: 'admin' });
    expect((await core.call('GET', CURRENT, { as: 'leaver', password: 'Brand-new-1' })).status).toBe(401);
  });
});

describe('guessing', () => {
  test('is slowed down for that account from that address, and for nobody else', async () => {
    const guess = (address: string, as = 'bob', password = 'wrong') => core.call('GET', CURRENT, { as, password, ...from(address) });
    const statuses: number[] = [];
    for (let attempt = 0; attempt < 8; attempt += 1) statuses.push((await guess('203.0.113.7')).status);
    expect(statuses.slice(0, 5)).toEqual([401, 401, 401, 401, 401]);
    const blocked = await guess('203.0.113.7', 'bob', PASSWORD);
    expect(blocked.status).toBe(429);
    expect(Number(blocked.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await guess('203.0.113.8', 'bob', PASSWORD)).status).toBe(200);
    expect((await guess('203.0.113.7', 'carol', PASSWORD)).status).toBe(200);
  });

  test('many passwords at once gets no further than one by one', async () => {
    const answers = await Promise.all(Array.from({ length: 60 }, (_, index) => core.call('GET', CURRENT, { as: 'carol', password: `guess-${index}`, ...from('203.0.113.9') })));
    const tried = answers.filter(({ status }) => status === 401).length;
    expect(tried).toBeLessThanOrEqual(8);
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(60 - tried);
  });
});

describe('M-23: a flood of 500 logins', () => {
  test('neither stalls the server nor is all let in', async () => {
    const pings: number[] = [];
    let probing = true;
    const probe = (async () => {
      while (probing) {
        const started = performance.now();
        expect((await core.call('GET', '/api/v2.0/ping')).status).toBe(200);
        pings.push(performance.now() - started);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    })();
    const begun = performance.now();
    const flood = await Promise.all(Array.from({ length: 500 }, (_, index) => core.call('GET', CURRENT, { as: `nobody-${index}`, password: 'x', ...from('203.0.113.20') })));
    const lasted = performance.now() - begun;
    probing = false;
    await probe;
    const counts = { refused: 0, wrong: 0, other: 0 };
    for (const { status } of flood) counts[status === 429 ? 'refused' : status === 401 ? 'wrong' : 'other'] += 1;
    expect(counts.other).toBe(0);
    expect(counts.refused).toBeGreaterThan(250);
    expect(counts.wrong).toBeGreaterThan(0);
    // Two hashes run at a time. A server that hashed where it answers would make every ping wait for one at least; how busy
    // the machine is otherwise slows both.
    const oneHash = (2 * lasted) / counts.wrong;
    expect(pings.sort((a, b) => a - b)[Math.floor(pings.length / 2)]).toBeLessThan(oneHash);
    expect((await core.call('GET', CURRENT, { as: 'alice', ...from('203.0.113.21') })).status).toBe(200);
  }, FLOOD_MS);

  test('of right ones with one account costs one hash', async () => {
    await core.addUser('robotlike');
    const oneHash = await cpuMilliseconds(() => hashPassword(PASSWORD));
    const all = await cpuMilliseconds(async () => {
      const answers = await Promise.all(Array.from({ length: 200 }, () => core.call('GET', CURRENT, { as: 'robotlike' })));
      expect(answers.every(({ status }) => status === 200)).toBe(true);
    });
    expect(all).toBeLessThan(100 * oneHash); // the requests themselves and one hash, not two hundred
  }, FLOOD_MS);
});
