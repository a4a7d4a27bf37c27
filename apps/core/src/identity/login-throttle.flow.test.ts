import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createTestDatabase, type TestDatabase } from '@haven/database';
import { LoginFailureStore } from './login-failure.store.js';
import { LoginThrottle } from './login-throttle.js';

let fixture: TestDatabase;
let throttle: LoginThrottle;
beforeAll(async () => {
  fixture = await createTestDatabase();
  throttle = new LoginThrottle(new LoginFailureStore(fixture.database));
});
afterAll(() => fixture.drop());

async function fail(times: number, account: string, address: string): Promise<void> {
  for (let time = 0; time < times; time += 1) await throttle.failed(account, address);
}

function pass(seconds: number): Promise<number> {
  return fixture.database.execute('UPDATE login_failure SET failed_at = failed_at - make_interval(secs => $1)', [seconds]);
}

describe('the throttle', () => {
  test('makes one address wait for one account, and touches neither other addresses nor other accounts', async () => {
    await fail(8, 'alice', '192.0.2.1');
    await expect(throttle.requireNoWait('alice', '192.0.2.1')).rejects.toMatchObject({ code: 'TOO_MANY_REQUEST', headers: { 'Retry-After': '8' } });
    expect(await throttle.requireNoWait('alice', '192.0.2.2')).toMatchObject({ pair: 0, account: 8, address: 0 });
    expect(await throttle.requireNoWait('bob', '192.0.2.1')).toMatchObject({ pair: 0, account: 0, address: 8 });
  });

  test('is one for all replicas', async () => {
    const other = new LoginThrottle(new LoginFailureStore(fixture.database));
    await fail(9, 'replicated', '192.0.2.3');
    await expect(other.requireNoWait('replicated', '192.0.2.3')).rejects.toThrow('try again in 16 s');
    await pass(16);
    expect(await other.requireNoWait('replicated', '192.0.2.3')).toMatchObject({ pair: 9 });
  });

  test('forgets after a success, and after a quarter of an hour', async () => {
    await fail(10, 'carol', '192.0.2.4');
    await pass(60);
    await throttle.succeeded('carol', '192.0.2.4', await throttle.requireNoWait('carol', '192.0.2.4'));
    expect(await throttle.requireNoWait('carol', '192.0.2.4')).toMatchObject({ pair: 0, account: 10 });
    await fail(4, 'carol', '192.0.2.4');
    await pass(16 * 60);
    expect(await throttle.failed('carol', '192.0.2.4')).toMatchObject({ pair: 1, account: 1, address: 1 });
  });

  test('gives each address one try a minute for an account that many guess at, and never shuts it', async () => {
    for (let address = 0; address < 60; address += 1) await throttle.failed('victim', `198.51.100.${address}`);
    await expect(throttle.requireNoWait('victim', '198.51.100.1')).rejects.toThrow('too many wrong passwords');
    expect(await throttle.requireNoWait('victim', '203.0.113.1')).toMatchObject({ pair: 0, account: 60 });
    await pass(61);
    expect(await throttle.requireNoWait('victim', '198.51.100.1')).toMatchObject({ pair: 1 });
  });

  test('counts right when many fail at once', async () => {
    const counts = await Promise.all(Array.from({ length: 40 }, (_, index) => throttle.failed(`many-${index % 4}`, '192.0.2.5')));
    expect(counts.map(({ address }) => address).sort((a, b) => a - b)).toEqual(Array.from({ length: 40 }, (_, index) => index + 1));
    expect(await throttle.failed('many-0', '192.0.2.6')).toMatchObject({ pair: 1, account: 11 });
  });

  test('removes what counts no longer', async () => {
    for (let index = 0; index < 100; index += 1) await throttle.failed(`name-${index}`, '192.0.2.7');
    await pass(16 * 60);
    for (let index = 0; index < 100; index += 1) await throttle.failed('another', '192.0.2.8');
    const [row] = await fixture.database.query<{ rows: string }>('SELECT count(*) AS rows FROM login_failure');
    expect(Number(row?.rows)).toBeLessThan(10);
  });
});
