import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { selfSigned } from '@haven/runtime';
import { TestBrowser } from '../../testing/browser.js';
import { openGate } from '../../testing/tcp-gate.js';
import { basic, startTestCore, type Answer, type TestCore } from '../../testing/test-core.js';
import { DirectoryRefreshService } from './directory-refresh.service.js';
import { BASE, DIRECTORY_PASSWORD, group, groupDn, OpenLdap, openLdapObstacle, person, personDn, SEARCH_PASSWORD } from './testing/open-ldap.js';

const CURRENT = '/api/v2.0/users/current';
const START_MS = 300_000;
/** A well-formed answer to a request that nobody sent. */
const ANSWER_TO_NOBODY = Buffer.from([0x30, 0x0c, 0x02, 0x01, 0x7f, 0x61, 0x07, 0x0a, 0x01, 0x00, 0x04, 0x00, 0x04, 0x00]);

const obstacle = await openLdapObstacle();

/** Both the log and the ping say this. */
const saying = (reason: RegExp): unknown => [expect.stringMatching(reason), expect.stringMatching(reason)];

/** A server that talks as `talk` does, and remembers what it was sent. */
interface Stub {
  readonly port: number;
  received(): string;
  stop(): Promise<void>;
}

async function stub(talk: (socket: Socket) => void, make: (listener: (socket: Socket) => void) => Server = createServer): Promise<Stub> {
  const sockets = new Set<Socket>();
  const chunks: Buffer[] = [];
  const server = make((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined).on('data', (chunk: Buffer) => chunks.push(chunk));
    talk(socket);
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as { port: number }).port,
    received: () => Buffer.concat(chunks).toString('latin1'),
    stop: () => new Promise((resolve) => {
      for (const socket of sockets) socket.destroy();
      server.close(() => resolve());
    }),
  };
}

(obstacle === undefined ? describe : describe.skip)(`when the directory is in trouble${obstacle === undefined ? '' : ` (${obstacle})`}`, () => {
  let core: TestCore;
  let directory: OpenLdap;
  let withoutTls: OpenLdap;
  let calls = 0;
  const stubs: { stop(): Promise<void> }[] = [];

  const from = (name: string, password = DIRECTORY_PASSWORD): { headers: Record<string, string> } => {
    calls += 1;
    return { headers: { authorization: basic(name, password), 'x-forwarded-for': `2001:db8:${calls.toString(16)}::1` } };
  };
  const login = async (name: string, password?: string): Promise<number> => (await core.call('GET', CURRENT, from(name, password))).status;
  const configure = async (json: object): Promise<void> => {
    const { status, body } = await core.call('PUT', '/api/v2.0/configurations', { as: 'admin', json });
    if (status !== 200) throw new Error(JSON.stringify(body));
  };
  const ping = async (json: object): Promise<{ success: boolean; message: string }> => {
    const { status, body } = await core.call('POST', '/api/v2.0/ldap/ping', { as: 'admin', json });
    if (status !== 200) throw new Error(JSON.stringify(body));
    return body as { success: boolean; message: string };
  };
  /** With these settings somebody is refused while the administrator is let in; resolves to what the log and the ping say of it. */
  const troubled = async (json: Readonly<Record<string, unknown>>): Promise<readonly [log: string, ping: string]> => {
    await configure(json);
    core.logger.lines.length = 0;
    expect(await login('dave')).toBe(401);
    expect(core.logger.messages('error')).toEqual(['nobody could be asked whether a password is right']);
    const log = JSON.stringify(core.logger.lines);
    for (const secret of [DIRECTORY_PASSWORD, SEARCH_PASSWORD]) expect(log).not.toContain(secret);
    const { success, message } = await ping({});
    expect(success).toBe(false);
    expect((await core.call('GET', CURRENT, { as: 'admin' })).status).toBe(200);
    return [log, message];
  };
  const keep = async (made: Promise<Stub>): Promise<Stub> => {
    const one = await made;
    stubs.push(one);
    return one;
  };

  beforeAll(async () => {
    const entries = [...['dave', 'dora'].map((uid) => person(uid)), group('developers', [personDn('dave')])];
    directory = await OpenLdap.start(entries);
    withoutTls = await OpenLdap.start([person('clara')], { tls: false });
    core = await startTestCore();
    await core.addProject('alpha', { public: true });
    await configure({ auth_mode: 'ldap_auth', ...directory.settings(), ldap_timeout: 2 });
  }, START_MS);
  afterEach(async () => {
    for (const one of stubs.splice(0)) await one.stop();
    directory.server.resume();
    await configure({ ...directory.settings(), ldap_timeout: 2, ldap_start_tls: true });
  });
  afterAll(async () => {
    await core?.stop();
    await directory?.stop();
    await withoutTls?.stop();
  }, START_MS);

  test('nothing is wrong to begin with: over ldaps and over StartTLS', async () => {
    expect(await ping({})).toMatchObject({ success: true });
    expect(await login('dave')).toBe(200);
    await configure({ ldap_url: `ldap://127.0.0.1:${directory.server.port}` });
    expect(await ping({})).toMatchObject({ success: true });
    expect(await login('dora')).toBe(200);
    expect(await login('dora', 'wrong')).toBe(401);
  });

  describe('A-06: passwords go only where the settings allow', () => {
    test('not to a server whose certificate nobody vouches for', async () => {
      const pair = selfSigned('127.0.0.1');
      const fake = await keep(stub(() => undefined, (listener) => createTlsServer(pair, listener)));
      expect(await troubled({ ldap_url: `ldaps://127.0.0.1:${fake.port}` })).toEqual(saying(/certificate is not trusted/));
      expect(fake.received()).toBe('');
    });

    test('not to one whose certificate has expired, even when its issuer is trusted', async () => {
      const pair = selfSigned('127.0.0.1', { expired: true });
      const fake = await keep(stub(() => undefined, (listener) => createTlsServer(pair, listener)));
      expect(await troubled({ ldap_url: `ldaps://127.0.0.1:${fake.port}`, ldap_ca_certificate: pair.cert })).toEqual(saying(/CERT_HAS_EXPIRED/));
      expect(fake.received()).toBe('');
    });

    test('not to one that has another name', async () => {
      expect(await troubled({ ldap_url: `ldaps://localhost:${directory.server.securePort}` })).toEqual(saying(/ERR_TLS_CERT_ALTNAME_INVALID|cannot be reached/));
    });

    test('not in clear when StartTLS is refused', async () => {
      expect(await troubled({ ldap_url: `ldap://127.0.0.1:${withoutTls.server.port}` })).toEqual(saying(/refuses StartTLS/));
      await configure({ ldap_start_tls: false, ldap_verify_cert: false });
      expect(await login('clara')).toBe(200); // in clear, as somebody said in two words
      await configure({ ldap_start_tls: true, ldap_verify_cert: true });
    });

    test('not to one that says yes to StartTLS and sends more', async () => {
      const yes = Buffer.from([0x30, 0x0c, 0x02, 0x01, 0x01, 0x78, 0x07, 0x0a, 0x01, 0x00, 0x04, 0x00, 0x04, 0x00]);
      const forged = Buffer.from([0x30, 0x0c, 0x02, 0x01, 0x01, 0x61, 0x07, 0x0a, 0x01, 0x00, 0x04, 0x00, 0x04, 0x00]);
      const fake = await keep(stub((socket) => socket.once('data', () => socket.write(Buffer.concat([yes, forged])))));
      expect(await troubled({ ldap_url: `ldap://127.0.0.1:${fake.port}` })).toEqual(saying(/unprotected bytes/));
      expect(fake.received()).not.toContain(SEARCH_PASSWORD);
    });

    test('the stored password of the search account is not sent to an address that the ping names', async () => {
      const pair = selfSigned('127.0.0.1');
      const fake = await keep(stub(() => undefined, (listener) => createTlsServer(pair, listener)));
      expect(await ping({ ldap_url: `ldaps://127.0.0.1:${fake.port}`, ldap_verify_cert: false })).toEqual({ success: false, message: expect.stringContaining('ldap_search_password is not set') });
      expect(fake.received()).toBe('');
    });
  });

  test('down', async () => {
    expect(await troubled({ ldap_url: 'ldaps://127.0.0.1:9' })).toEqual(saying(/cannot be reached/));
  });

  test('slow: others are not held up, and the one who logs in is refused in time', async () => {
    directory.server.pause();
    const begun = performance.now();
    const logins = Promise.all(Array.from({ length: 30 }, (_, index) => login(`somebody${index}`)));
    const other = performance.now();
    expect((await core.call('GET', '/api/v2.0/projects')).status).toBe(200);
    expect((await core.call('GET', CURRENT, { as: 'admin' })).status).toBe(200);
    expect(performance.now() - other).toBeLessThan(4000);
    expect(new Set(await logins)).toEqual(new Set([401]));
    expect(performance.now() - begun).toBeLessThan(15_000);
    expect(JSON.stringify(core.logger.lines)).toContain('ldap_timeout');
    directory.server.resume();
  });

  test.each<readonly [string, (socket: Socket) => void]>([
    ['text', (socket) => socket.write('HTTP/1.1 400 Bad Request\r\n\r\n')],
    ['random bytes', (socket) => socket.once('data', () => socket.write(Buffer.alloc(5000, 0xa7)))],
    ['a message without end', (socket) => socket.once('data', () => socket.write(Buffer.concat([Buffer.from([0x30, 0x84, 0x7f, 0xff, 0xff, 0xff]), Buffer.alloc(100_000)])))],
    ['thousands of messages nobody asked for', (socket) => socket.once('data', () => socket.write(Buffer.concat(Array.from({ length: 20_000 }, () => ANSWER_TO_NOBODY))))],
    ['nothing, and hangs up', (socket) => socket.once('data', () => socket.destroy())],
  ])('answering garbage: %s', async (_name, talk) => {
    const pair = selfSigned('127.0.0.1');
    const plain = await keep(stub(talk));
    expect(await troubled({ ldap_url: `ldap://127.0.0.1:${plain.port}` })).toEqual(saying(/127\.0\.0\.1/));
    const secure = await keep(stub(talk, (listener) => createTlsServer(pair, listener)));
    expect(await troubled({ ldap_url: `ldaps://127.0.0.1:${secure.port}`, ldap_ca_certificate: pair.cert })).toEqual(saying(/127\.0\.0\.1/));
  });

  test('the search account’s password is wrong', async () => {
    expect(await troubled({ ldap_search_password: 'wrong' })).toEqual(saying(/does not take ldap_search_dn/));
  });

  test('the base is not there: nobody is found, and the ping says why', async () => {
    await configure({ ldap_base_dn: 'dc=elsewhere,dc=test' });
    expect(await login('dave')).toBe(401);
    expect(await ping({})).toEqual({ success: false, message: expect.stringContaining('ldap_base_dn') });
  });

  test('referrals are not followed', async () => {
    const elsewhere = await keep(stub(() => undefined));
    await directory.change((client) => client.add(`ou=away,${BASE}`, { objectClass: ['referral', 'extensibleObject'], ou: 'away', ref: `ldap://127.0.0.1:${elsewhere.port}/ou=away,${BASE}` }));
    expect(await login('dora')).toBe(200);
    expect(await login('nobody')).toBe(401);
    await configure({ ldap_base_dn: `ou=away,${BASE}` });
    expect(await login('dora')).toBe(401);
    expect(elsewhere.received()).toBe('');
  });

  test('a second server serves while the first one is down', async () => {
    await configure({ ldap_url: `ldaps://127.0.0.1:9, ldaps://127.0.0.1:${directory.server.securePort}` });
    expect(await login('dave')).toBe(200);
    const gate = await openGate('127.0.0.1', directory.server.securePort);
    await configure({ ldap_url: `ldaps://127.0.0.1:${gate.port} ldaps://127.0.0.1:${directory.server.securePort}` });
    expect(await login('dave')).toBe(200);
    await gate.shut();
    expect(await login('dora')).toBe(200);
    expect(await login('dora', 'wrong')).toBe(401);
  });

  test('what it said holds for an hour, and no longer', async () => {
    await configure({ ldap_group_admin_dn: groupDn('developers') });
    const browser = new TestBrowser(core);
    await browser.logIn('dave', DIRECTORY_PASSWORD);
    const users = (): Promise<Answer> => browser.send('GET', '/api/v2.0/users');
    expect((await users()).status).toBe(200);
    await configure({ ldap_url: 'ldaps://127.0.0.1:9' });
    const age = (minutes: number): Promise<number> => core.database.execute(`UPDATE haven_user SET source_confirmed_at = now() - make_interval(mins => $1), source_checked_at = NULL WHERE source = 'ldap'`, [minutes]);
    const refresh = core.service.app.get(DirectoryRefreshService, { strict: false });
    await age(50);
    await refresh.refresh();
    expect((await users()).status).toBe(200);
    await age(61);
    expect((await users()).status).toBe(401); // also before the refresh says so
    await refresh.refresh();
    expect(await core.database.query(`SELECT 1 FROM session s JOIN haven_user u ON u.id = s.user_id WHERE u.username = 'dave'`)).toEqual([]);
    expect(await core.database.query(`SELECT source_admin FROM haven_user WHERE username = 'dave'`)).toEqual([{ source_admin: false }]);
    await configure({ ...directory.settings(), ldap_group_admin_dn: '' });
    expect(await login('dave')).toBe(200);
  });

  test('A-25: while the settings cannot be read nobody is let in, by no mode', async () => {
    await core.database.execute('ALTER TABLE setting RENAME TO setting_away');
    await new Promise((resolve) => void setTimeout(resolve, 5500)); // what is in memory is too old by then
    try {
      for (const name of ['dave', 'nobody']) expect([401, 500, 503]).toContain((await core.call('GET', '/api/v2.0/users/current', from(name))).status);
    } finally {
      await core.database.execute('ALTER TABLE setting_away RENAME TO setting');
    }
    expect(await login('dave')).toBe(200);
  });

  test('A-12: who is in the directory does not show in the time or the answer of a refusal', async () => {
    const sample = async (name: string): Promise<{ readonly median: number; readonly answer: unknown }> => {
      const times: number[] = [];
      let answer: unknown;
      for (let round = 0; round < 15; round += 1) {
        const begun = performance.now();
        const { status, body } = await core.call('GET', CURRENT, from(name, 'wrong-password'));
        times.push(performance.now() - begun);
        answer = [status, body];
      }
      return { median: times.sort((a, b) => a - b)[7] ?? 0, answer };
    };
    const known = await sample('dave');
    const unknown = await sample('nobody-at-all');
    expect(unknown.answer).toEqual(known.answer);
    expect(Math.abs(known.median - unknown.median)).toBeLessThan(Math.max(5, known.median * 0.1));
  });
});
