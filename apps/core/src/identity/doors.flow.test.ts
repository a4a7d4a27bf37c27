import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { TestBrowser } from '../testing/browser.js';
import { DOORS, doorsOf, type Door } from '../testing/doors.js';
import { openGate } from '../testing/tcp-gate.js';
import { basic, PASSWORD, startCore, startTestCore, type TestCore } from '../testing/test-core.js';

const CURRENT = '/api/v2.0/users/current';
/** For tests that have many passwords hashed, on a machine that does much else besides. */
const HASHING_MS = 180_000;

let core: TestCore;
let doors: readonly Door[];
let api: Door;
beforeAll(async () => {
  core = await startTestCore();
  doors = Object.values(doorsOf(core));
  api = doorsOf(core)['the API'];
  for (const name of ['alice', 'bob', 'carol', 'dora', 'eve']) await core.addUser(name);
});
afterAll(() => core.stop());

const from = (address: string): Record<string, string> => ({ 'x-forwarded-for': address });

/** Time goes by for what is counted. */
function pass(seconds: number): Promise<number> {
  return core.database.execute('UPDATE login_failure SET failed_at = failed_at - make_interval(secs => $1)', [seconds]);
}

describe('A-01: the password that everybody knows', () => {
  test.each(DOORS)('does not open %s', async (door) => {
    expect((await doorsOf(core)[door]({ name: 'admin', password: 'Harbor12345', address: '198.51.100.1' })).status).toBe(401);
  });
});

describe('A-10: headers that claim to name the user', () => {
  const claims = {
    'x-webauth-user': 'admin', 'x-remote-user': 'admin', 'remote-user': 'admin', 'x-forwarded-user': 'admin', 'x-auth-request-user': 'admin', 'x-harbor-user': 'admin', 'x-forwarded-for': '127.0.0.1',
  };

  test('make nobody of anybody', async () => {
    for (const path of [CURRENT, '/api/internal/renameadmin', '/api/v2.0/users']) {
      for (const authorization of [undefined, 'Harbor-Secret x', 'Proxy-Cache-Secret x']) {
        const { status } = await core.call('GET', path, { headers: { ...claims, ...(authorization === undefined ? {} : { authorization }) } });
        expect(status).toBe(path.startsWith('/api/internal') ? 404 : 401);
      }
    }
  });

  test('nor does the audit trail believe the address of a peer that is not trusted', async () => {
    const distrustful = await startTestCore({ environment: { HAVEN_TRUSTED_PROXIES: '192.0.2.1' } });
    try {
      await distrustful.call('GET', CURRENT, { as: 'admin', password: 'wrong', headers: { 'x-forwarded-for': '203.0.113.99' } });
      const rows = await distrustful.database.query<{ origin: object }>(`SELECT origin FROM outbox WHERE payload->>'operation' = 'login'`);
      expect(rows.map(({ origin }) => origin)).toEqual([expect.objectContaining({ name: 'admin', address: '127.0.0.1' })]);
    } finally {
      await distrustful.stop();
    }
  });
});

describe('A-11: guessing', () => {
  test('through all doors at once is slowed down as through one; the victim gets in after the wait, and at once from elsewhere', async () => {
    const guesses = Array.from({ length: 30 }, (_, index) => (doors[index % doors.length] as Door)({ name: 'alice', password: `guess-${index}`, address: '203.0.113.1' }));
    const statuses = (await Promise.all(guesses)).map(({ status }) => status);
    const tried = statuses.filter((status) => status === 401).length;
    expect(tried).toBeGreaterThanOrEqual(5);
    expect(tried).toBeLessThanOrEqual(9);
    expect(statuses.filter((status) => status === 429)).toHaveLength(30 - tried);
    for (const door of doors) {
      const refused = await door({ name: 'alice', password: PASSWORD, address: '203.0.113.1' });
      expect(refused.status).toBe(429);
      expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
      expect((await door({ name: 'alice', password: PASSWORD, address: '203.0.113.2' })).status).toBe(200);
    }
    await pass(60);
    for (const door of doors) expect((await door({ name: 'alice', password: PASSWORD, address: '203.0.113.1' })).status).toBe(200);
  });

  test('from many addresses is slowed down, and the owner and the administrator are not shut out', async () => {
    for (const name of ['bob', 'admin']) {
      await core.database.execute(
        `INSERT INTO login_failure (key, failures, failed_at) VALUES (sha256(convert_to($1, 'UTF8')), 100000, now())
         ON CONFLICT (key) DO UPDATE SET failures = excluded.failures, failed_at = now()`,
        [JSON.stringify(['account', name])],
      );
    }
    expect((await api({ name: 'bob', password: 'guess-1', address: '203.0.113.3' })).status).toBe(401);
    expect((await api({ name: 'bob', password: 'guess-2', address: '203.0.113.3' })).status).toBe(429);
    expect((await api({ name: 'bob', password: PASSWORD, address: '203.0.113.4' })).status).toBe(200);
    expect((await core.call('GET', CURRENT, { as: 'admin' })).status).toBe(200);
    await pass(61);
    expect((await api({ name: 'bob', password: PASSWORD, address: '203.0.113.3' })).status).toBe(200);
  });

  test('costs no memory: nothing about a failure is kept in the process', async () => {
    const throttled = Array.from({ length: 200 }, (_, index) => api({ name: `nobody-${index}`, password: 'x'.repeat(1000), address: `10.0.${index % 250}.1` }));
    const statuses = new Set((await Promise.all(throttled)).map(({ status }) => status));
    expect([...statuses].sort()).toEqual([401, 429]);
    const [row] = await core.database.query<{ keys: string; bytes: number }>('SELECT count(*) AS keys, max(pg_column_size(login_failure)) AS bytes FROM login_failure');
    expect(Number(row?.keys)).toBeGreaterThan(0);
    expect(row?.bytes).toBeLessThan(100);
  }, HASHING_MS);
});

describe('A-12: whether somebody has an account', () => {
  test('shows neither in the answer nor in its time', async () => {
    await core.database.execute(`INSERT INTO haven_user (external_id, username, source) VALUES ('cn=lena', 'lena', 'ldap')`);
    const names = ['carol', 'nobody-at-all', 'lena', 'robot$nobody'];
    const times = new Map<string, number[]>(names.map((name) => [name, []]));
    const bodies = new Set<string>();
    for (let round = 0; round < 15; round += 1) {
      for (const name of names) {
        const started = performance.now();
        const { status, body, headers } = await api({ name, password: 'Wrong-horse-1', address: `198.18.${round}.1` });
        times.get(name)?.push(performance.now() - started);
        bodies.add(JSON.stringify([status, body, headers.get('www-authenticate')]));
      }
    }
    expect(bodies.size).toBe(1);
    const medians = [...times.values()].map((values) => values.sort((a, b) => a - b)[7] ?? 0);
    expect(Math.max(...medians) / Math.min(...medians)).toBeLessThan(2); // without the hash for nobody it would be twenty
  }, HASHING_MS);
});

describe('A-25: while the database is away', () => {
  test('nobody is let in, by whatever they hold; afterwards everybody is again', async () => {
    const browser = new TestBrowser(core);
    await browser.logIn('dora');
    const cookie = `sid=${browser.cookies.get('sid') ?? ''}`;
    const address = new URL(core.databaseUrl);
    const gate = await openGate(address.hostname, Number(address.port));
    address.host = `127.0.0.1:${gate.port}`;
    const service = await startCore({ HAVEN_DATABASE_URL: address.href, HAVEN_STORAGE: `file://${core.folder}`, HAVEN_SECRET_KEY: core.secretKey });
    const ask = async (headers: Record<string, string>, path: string): Promise<number> => (await fetch(`http://127.0.0.1:${service.address?.port ?? 0}${path}`, { headers })).status;
    const holders = [{}, { cookie }, { authorization: basic('dora', PASSWORD) }, { authorization: basic('nobody', 'x') }];
    const everybody = (): Promise<number[]> => Promise.all([...holders.map((headers) => ask(headers, '/api/v2.0/projects')), ...holders.map((headers) => ask(headers, CURRENT))]);
    try {
      const usual = [200, 200, 200, 401, 401, 200, 200, 401];
      expect(await everybody()).toEqual(usual);
      await gate.shut();
      const statuses = await everybody();
      expect(statuses.filter((status) => status !== 401 && status !== 503)).toEqual([]);
      await gate.open();
      await new Promise((resolve) => setTimeout(resolve, 200));
      expect(await everybody()).toEqual(usual);
    } finally {
      await service.stop();
      await gate.shut();
    }
  });
});

describe('A-28: the Authorization header', () => {
  const encoded = (text: string | Buffer): string => `Basic ${Buffer.from(text).toString('base64')}`;

  test.each([
    ['invalid base64', 'Basic ***'],
    ['no colon', encoded('eve')],
    ['three colons', encoded(`eve:${PASSWORD}::`)],
    ['no user', encoded(`:${PASSWORD}`)],
    ['invalid UTF-8', encoded(Buffer.from([0x65, 0xff, 0x3a, 0x61]))],
    ['NUL', encoded(`eve\0:${PASSWORD}`)],
    ['a password with NUL behind it', encoded(`eve:${PASSWORD}\0`)],
    ['a trailing space', encoded(`eve:${PASSWORD} `)],
    ['12 KiB', encoded(`eve:${'x'.repeat(9000)}`)],
  ])('with %s is refused', async (_name, authorization) => {
    expect((await core.call('GET', CURRENT, { headers: { authorization, 'x-forwarded-for': '198.51.100.60' } })).status).toBe(401);
  });

  test('of 60 KiB is too large', async () => {
    expect((await core.call('GET', CURRENT, { headers: { authorization: encoded('x'.repeat(45_000)) } })).status).toBe(431);
  });
});

describe('the audit trail', () => {
  interface Line { readonly payload: { readonly operation: string; readonly resource: string; readonly result: boolean; readonly description: string }; readonly actor: string; readonly origin: { readonly name: string; readonly address: string } }

  async function lines(name: string): Promise<Line[]> {
    return core.database.query<Line>(`SELECT payload, actor, origin FROM outbox WHERE type = 'audit.recorded' AND payload->>'resourceType' = 'user' AND payload->>'resource' = $1 ORDER BY id`, [name]);
  }

  test('has every login and logout of a browser, and each failed login with its name and address', async () => {
    const id = await core.addUser('gail');
    const browser = new TestBrowser(core);
    await browser.logIn('gail', 'Wrong-secret-9', from('203.0.113.30'));
    await browser.logIn('gail', PASSWORD, from('203.0.113.30'));
    await browser.send('GET', '/c/log_out', { headers: from('203.0.113.31') });
    await core.call('GET', CURRENT, { as: 'gail', password: 'Wrong-secret-9', headers: from('203.0.113.32') });
    const seen = (await lines('gail')).map(({ payload: { operation, result }, actor, origin: { name, address } }) => [operation, result, actor, name, address]);
    expect(seen).toEqual([
      ['login', false, '', 'gail', '203.0.113.30'], ['login', true, `user:${id}`, 'gail', '203.0.113.30'], ['logout', true, `user:${id}`, 'gail', '203.0.113.31'],
      ['login', false, '', 'gail', '203.0.113.32'],
    ]);
    expect(JSON.stringify(await lines('gail'))).not.toMatch(/Wrong-secret|Correct-horse/);
  });

  test('M-24: cannot be filled by guessing', async () => {
    await core.database.execute(
      `INSERT INTO login_failure (key, failures, failed_at) VALUES (sha256(convert_to($1, 'UTF8')), 150, now())`, [JSON.stringify(['address', '203.0.113.40'])],
    );
    for (let index = 0; index < 20; index += 1) await core.call('GET', CURRENT, { as: `flood-${index}`, password: 'x', headers: from('203.0.113.40') });
    const [row] = await core.database.query<{ lines: string }>(`SELECT count(*) AS lines FROM outbox WHERE payload->>'resource' LIKE 'flood-%'`);
    expect(Number(row?.lines)).toBe(0);
  });
});
