import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { TestBrowser } from '../../testing/browser.js';
import { DOORS, doorsOf, type Door } from '../../testing/doors.js';
import { basic, startTestCore, type Answer, type TestCore } from '../../testing/test-core.js';
import { DIRECTORY_PASSWORD, group, groupDn, OpenLdap, openLdapObstacle, person, personDn } from './testing/open-ldap.js';

const CURRENT = '/api/v2.0/users/current';
const TOKEN = '/service/token?service=harbor-registry&scope=repository:alpha/app:pull,push';
const START_MS = 300_000;
const LONG_PASSWORD = 'Long-password-1'.repeat(6).slice(0, 80);
const SAMPLES = 9;
/** Refusals take a multiple of this (external-login.service.ts). */
const STEP_MS = 300;

const obstacle = await openLdapObstacle();

/** What section A of the security cases asks of accounts, for those that a directory keeps. */
(obstacle === undefined ? describe : describe.skip)(`accounts of a directory${obstacle === undefined ? '' : ` (${obstacle})`}`, () => {
  let core: TestCore;
  let directory: OpenLdap;
  let doors: readonly Door[];
  let calls = 0;

  const elsewhere = (): string => `2001:db8:${(calls += 1).toString(16)}::1`;
  const call = (method: string, path: string, name: string, password = DIRECTORY_PASSWORD): Promise<Answer> =>
    core.call(method, path, { headers: { authorization: basic(name, password), 'x-forwarded-for': elsewhere() } });
  const idOf = async (name: string): Promise<number> => ((await call('GET', CURRENT, name)).body as { user_id: number }).user_id;
  const accounts = (): Promise<unknown[]> => core.database.query('SELECT id, source, external_id, username, sysadmin, deleted_at FROM haven_user ORDER BY id');
  const actions = async (name: string): Promise<unknown> => {
    const { body } = await call('GET', TOKEN, name);
    return (JSON.parse(Buffer.from((body as { token: string }).token.split('.')[1] ?? '', 'base64url').toString()) as { access: { actions: string[] }[] }).access[0]?.actions;
  };

  beforeAll(async () => {
    const people = ['dave', 'dora', 'lena', 'gone', 'cora'].map((uid) => person(uid));
    directory = await OpenLdap.start([...people, group('developers', [personDn('dave'), personDn('gone')])]);
    core = await startTestCore();
    await core.addProject('alpha');
    const { status, body } = await core.call('PUT', '/api/v2.0/configurations', { as: 'admin', json: { auth_mode: 'ldap_auth', ...directory.settings() } });
    if (status !== 200) throw new Error(JSON.stringify(body));
    await core.call('POST', '/api/v2.0/projects/alpha/members', { as: 'admin', json: { role_id: 2, member_group: { ldap_group_dn: groupDn('developers') } } });
    doors = Object.values(doorsOf(core));
  }, START_MS);
  afterAll(async () => {
    await core?.stop();
    await directory?.stop();
  }, START_MS);
  afterEach(() => core.database.execute('DELETE FROM login_failure'));

  test.each(DOORS)('A-01, A-07: the administrator’s well-known password and people of the directory who call themselves so do not open %s', async (door) => {
    for (const password of ['Harbor12345', DIRECTORY_PASSWORD]) expect((await doorsOf(core)[door]({ name: 'admin', password, address: elsewhere() })).status).toBe(401);
  });

  describe('A-11: guessing', () => {
    const guess = (index: number, address: string): Promise<Answer> =>
      (doors[index % doors.length] as Door)({ name: ['dave', 'DAVE', 'Dave', 'ｄａｖｅ'][Math.floor(index / doors.length) % 4] ?? '', password: `guess-${index}`, address });

    test('through all doors and in every spelling at once gets as far as one by one; the owner gets in from elsewhere, and after a minute from there', async () => {
      const statuses = (await Promise.all(Array.from({ length: 32 }, (_, index) => guess(index, '203.0.113.1')))).map(({ status }) => status);
      const tried = statuses.filter((status) => status === 401).length;
      expect(tried).toBeGreaterThanOrEqual(5);
      expect(tried).toBeLessThanOrEqual(9);
      expect(statuses.filter((status) => status === 429)).toHaveLength(32 - tried);
      for (const door of doors) {
        expect((await door({ name: 'dave', password: DIRECTORY_PASSWORD, address: '203.0.113.1' })).status).toBe(429);
        expect((await door({ name: 'dave', password: DIRECTORY_PASSWORD, address: '203.0.113.2' })).status).toBe(200);
      }
      await core.database.execute('UPDATE login_failure SET failed_at = failed_at - make_interval(secs => 60)');
      for (const door of doors) expect((await door({ name: 'dave', password: DIRECTORY_PASSWORD, address: '203.0.113.1' })).status).toBe(200);
    });

    test('many right ones of somebody at once are all let in', async () => {
      const answers = await Promise.all(Array.from({ length: 40 }, () => core.call('GET', CURRENT, { headers: { authorization: basic('dora', DIRECTORY_PASSWORD), 'x-forwarded-for': '203.0.113.3' } })));
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    });
  });

  test('A-12: neither the answer nor its time tells apart people of the directory, nobody, robots and the administrator', async () => {
    await core.call('POST', '/api/v2.0/robots', { as: 'admin', json: { name: 'ci', level: 'system', duration: -1, permissions: [{ kind: 'project', namespace: 'alpha', access: [{ resource: 'repository', action: 'pull' }] }] } });
    await idOf('cora');
    const names = ['cora', 'lena', 'nobody-at-all', 'robot$ci', 'robot$nobody', 'admin'];
    const times = new Map<string, number[]>(names.map((name) => [name, []]));
    const answers = new Set<string>();
    for (let round = 0; round < SAMPLES; round += 1) {
      for (const name of names) {
        const begun = performance.now();
        const { status, body } = await call('GET', CURRENT, name, 'Wrong-horse-1');
        times.get(name)?.push(performance.now() - begun);
        answers.add(JSON.stringify([status, body]));
      }
    }
    expect([...answers]).toHaveLength(1);
    // On a busy machine some take a step more; none may come before the first step, nor far from the end of one.
    expect(Math.min(...[...times.values()].flat())).toBeGreaterThan(STEP_MS - 5);
    const late = [...times.values()].map((values) => values.map((time) => time % STEP_MS).sort((a, b) => a - b)[Math.floor(SAMPLES / 2)] ?? 0);
    expect(Math.max(...late) - Math.min(...late)).toBeLessThan(STEP_MS / 3);
  }, START_MS);

  test('A-14, A-26: who is deleted here loses everything at once; logging in again makes somebody new, without what was given to the old one', async () => {
    const id = await idOf('gone');
    await core.call('POST', '/api/v2.0/projects/alpha/members', { as: 'admin', json: { role_id: 1, member_user: { user_id: id } } });
    const browser = new TestBrowser(core);
    expect((await browser.logIn('gone', DIRECTORY_PASSWORD)).status).toBe(200);
    expect(await actions('gone')).toEqual(['pull', 'push']);
    await directory.removeMember(groupDn('developers'), personDn('gone'));
    expect((await core.call('DELETE', `/api/v2.0/users/${id}`, { as: 'admin' })).status).toBe(200);
    expect((await browser.send('GET', CURRENT)).status).toBe(401);
    expect(await core.database.query('SELECT 1 FROM access_epoch WHERE subject = $1', [`user:${id}`])).toHaveLength(1);
    const again = await idOf('gone');
    expect([again > id, await actions('gone'), (await call('GET', '/api/v2.0/projects/alpha', 'gone')).status]).toEqual([true, [], 403]);
    expect(await core.database.query('SELECT 1 FROM haven_user WHERE id = $1 AND deleted_at IS NULL', [id])).toEqual([]);
  });

  test('A-27: nearly the password is not the password', async () => {
    await directory.replace(personDn('lena'), 'userPassword', [LONG_PASSWORD]);
    expect((await call('GET', CURRENT, 'lena', LONG_PASSWORD)).status).toBe(200);
    const near = [LONG_PASSWORD.slice(0, 72), LONG_PASSWORD.slice(0, -1), `${LONG_PASSWORD}x`, `${LONG_PASSWORD}\0`, `${LONG_PASSWORD} `, ` ${LONG_PASSWORD}`, LONG_PASSWORD.toUpperCase(), `${LONG_PASSWORD.slice(0, 40)}\0`, '*', ''];
    for (const password of near) expect([password, (await call('GET', CURRENT, 'lena', password)).status]).toEqual([password, 401]);
  });

  test('A-28: headers that are no names and passwords are nobody’s', async () => {
    const before = await accounts();
    const encoded = (text: string | Buffer): string => `Basic ${Buffer.from(text).toString('base64')}`;
    for (const authorization of ['Basic ***', encoded('dora'), encoded(`:${DIRECTORY_PASSWORD}`), encoded(`dora:${DIRECTORY_PASSWORD}::`), encoded(Buffer.from([0x64, 0xff, 0x3a, 0x61])), encoded(`dora\0:${DIRECTORY_PASSWORD}`), encoded(`dora:${DIRECTORY_PASSWORD}\0`)]) {
      expect([authorization, (await core.call('GET', CURRENT, { headers: { authorization, 'x-forwarded-for': elsewhere() } })).status]).toEqual([authorization, 401]);
    }
    expect(await accounts()).toEqual(before);
  });
});
