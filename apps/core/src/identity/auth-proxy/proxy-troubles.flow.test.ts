import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { createLogger, selfSigned, type FakeLogLine, type SelfSigned } from '@haven/runtime';
import { basic, startTestCore, type Answer, type TestCore } from '../../testing/test-core.js';
import { ProxyStub, type Override } from './testing/proxy-stub.js';

const CURRENT = '/api/v2.0/users/current';
const PING = '/api/v2.0/system/authproxy/ping';

let core: TestCore;
let proxy: ProxyStub;
let calls = 0;
const others: ProxyStub[] = [];

const configure = async (json: object): Promise<void> => {
  const { status, body } = await core.call('PUT', '/api/v2.0/configurations', { as: 'admin', json });
  if (status !== 200) throw new Error(JSON.stringify(body));
};
const login = async (name: string, password = proxy.people.get(name)?.password ?? 'none'): Promise<Answer> => {
  calls += 1;
  return core.call('GET', CURRENT, { headers: { authorization: basic(name, password), 'x-forwarded-for': `2001:db8:${calls.toString(16)}::1` } });
};
const ping = (json: object = {}, as: string | undefined = 'admin'): Promise<Answer> => core.call('POST', PING, { as, json });
const messageOf = ({ body }: Answer): string => (body as { errors: { message: string }[] } | undefined)?.errors[0]?.message ?? '';
const accounts = (): Promise<unknown[]> => core.database.query('SELECT username, external_id FROM haven_user ORDER BY id');
const answers = (status: number, body: string, headers: Readonly<Record<string, string>> = {}): Override => (_request, response) => { response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(body); return true; };
const review = (status: unknown): Override => answers(201, JSON.stringify({ kind: 'TokenReview', apiVersion: 'authentication.k8s.io/v1beta1', status }));

/** Somebody new is refused as everybody is who has a wrong password, the administrator is let in, and nothing is stored; resolves to what the log says. */
async function troubled(): Promise<string> {
  const name = `somebody${(calls += 1)}`;
  proxy.add(name);
  const before = await accounts();
  core.logger.lines.length = 0;
  const refused = await login(name);
  expect([refused.status, messageOf(refused)]).toEqual([401, 'the user name or the password is wrong; check them and log in again']);
  expect((await core.call('GET', CURRENT, { as: 'admin' })).status).toBe(200);
  expect(await accounts()).toEqual(before);
  const log = written(core.logger.lines.filter(({ level }) => level === 'error' || level === 'warn'));
  expect(log).not.toContain(proxy.people.get(name)?.password);
  expect(log).not.toContain(proxy.requests.at(-1)?.authorization.split(' ')[1] ?? 'none');
  return log;
}

/** As the service writes it, with what is known of errors and their causes. */
function written(lines: readonly FakeLogLine[]): string {
  let log = '';
  const logger = createLogger({ service: 'core', level: 'debug', write: (line) => { log += `${line}\n`; } });
  for (const { level, message, fields } of lines) logger[level](message, fields);
  return log;
}

async function another(certificate: SelfSigned): Promise<ProxyStub> {
  const one = await new ProxyStub(certificate).start();
  others.push(one);
  return one;
}

beforeAll(async () => {
  proxy = await new ProxyStub(selfSigned('127.0.0.1')).start();
  core = await startTestCore();
  await configure({ auth_mode: 'http_auth', ...proxy.settings() });
});
afterEach(async () => {
  proxy.override = {};
  for (const one of others.splice(0)) await one.stop();
  await configure(proxy.settings());
});
afterAll(async () => {
  await core?.stop();
  await proxy?.stop();
});

describe('a proxy whose answer to a password is no answer', () => {
  test.each<[string, Override, string]>([
    ['an error', answers(500, 'secret inside'), 'http_authproxy_endpoint answers with status 500'],
    ['a gateway that has nobody behind it', answers(502, ''), 'status 502'],
    ['no content', answers(204, ''), 'status 204'],
    ['created', answers(201, JSON.stringify({ session_id: 'x' })), 'status 201'],
    ['too many requests', answers(429, ''), 'status 429'],
    ['HTML', answers(200, '<html>secret inside</html>'), 'something that is no {'],
    ['broken JSON', answers(200, '{"session_id":'), 'something that is no {'],
    ['null', answers(200, 'null'), 'something that is no {'],
    ['no token', answers(200, '{}'), 'something that is no {'],
    ['an empty token', answers(200, '{"session_id":""}'), 'something that is no {'],
    ['a token that is none', answers(200, '{"session_id":7}'), 'something that is no {'],
    ['a token with a line break', answers(200, JSON.stringify({ session_id: 'a\r\nX-Evil: 1' })), 'something that is no {'],
    ['a token without end', answers(200, JSON.stringify({ session_id: 'x'.repeat(9000) })), 'something that is no {'],
    ['a redirect', answers(302, '', { location: 'http://169.254.169.254/latest/meta-data' }), 'redirects (status 302), which is not followed'],
    ['a redirect that keeps the password', answers(307, '', { location: 'https://127.0.0.1:1/login' }), 'redirects (status 307)'],
    ['more than anybody reads', (_request, response) => { response.writeHead(200); for (let part = 0; part < 20; part += 1) response.write(Buffer.alloc(64 * 1024, 32)); return true; }, 'more than 256 KiB'],
    ['the end of the connection', (request) => { request.socket.destroy(); return true; }, 'broke off'],
  ])('%s: a plain 401, and the log says why', async (_name, override, reason) => {
    proxy.override.login = override;
    const log = await troubled();
    expect(log).toContain('nobody could be asked whether a password is right');
    expect(log).toContain(reason);
    expect(log).not.toMatch(/secret inside|169\.254/);
    expect([(await ping()).status, messageOf(await ping())]).toEqual([400, expect.stringContaining(reason)]);
  });

  test.each([401, 403])('status %i is a wrong password, and no trouble', async (status) => {
    proxy.override.login = answers(status, '');
    expect(await troubled()).toBe('');
  });
});

describe('a token review that is no review', () => {
  const user = { username: 'ann', uid: '1', groups: ['developers'] };

  test.each<[string, Override, string]>([
    ['an error', answers(500, 'secret inside'), 'http_authproxy_tokenreview_endpoint answers with status 500'],
    ['no right to ask', answers(403, '{}'), 'system:auth-delegator'],
    ['no such address', answers(404, ''), 'status 404'],
    ['garbage', answers(200, 'secret inside'), 'no TokenReview'],
    ['a status', answers(200, JSON.stringify({ kind: 'Status', status: 'Failure' })), 'no TokenReview'],
    ['a text for yes', review({ authenticated: 'true', user }), 'no TokenReview (status.authenticated'],
    ['yes without a user', review({ authenticated: true }), 'no TokenReview'],
    ['yes with an empty name', review({ authenticated: true, user: { username: '' } }), 'no TokenReview (username'],
    ['yes and an error', review({ authenticated: true, error: 'x', user }), 'could not be checked'],
    ['groups that are none', review({ authenticated: true, user: { ...user, groups: 'admins' } }), 'no TokenReview (groups'],
    ['too many groups', review({ authenticated: true, user: { ...user, groups: Array.from({ length: 2001 }, (_, index) => `g${index}`) } }), 'no TokenReview (groups'],
    ['a redirect', answers(301, '', { location: 'https://127.0.0.1:1/' }), 'redirects (status 301)'],
    ['more than anybody reads', answers(200, JSON.stringify({ kind: 'TokenReview', padding: 'x'.repeat(300_000) })), 'more than 256 KiB'],
    ['the end of the connection', (request) => { request.socket.destroy(); return true; }, 'broke off'],
  ])('%s: a plain 401, and the log says why', async (_name, override, reason) => {
    proxy.override.review = override;
    const log = await troubled();
    expect(log).toContain('nobody could be asked whether a password is right');
    expect(log).toContain(reason);
    expect(log).not.toContain('secret inside');
  });

  test.each<[string, Override]>([
    ['authenticated: false', review({ authenticated: false, user: {} })],
    ['status 401', answers(401, '{}')],
  ])('%s for a token that the proxy has just given: nobody gets in', async (_name, override) => {
    proxy.override.review = override;
    expect(await troubled()).toContain('gave a token that http_authproxy_tokenreview_endpoint does not take');
  });

  test('another name than the one that was given: nobody gets in as either', async () => {
    proxy.override.review = review({ authenticated: true, user });
    expect(await troubled()).toContain('which is not the name that was given');
    for (const name of ['ann\u200b', 'an', 'annn']) {
      proxy.add(name);
      expect([name, (await login(name)).status]).toEqual([name, 401]);
    }
  });

  test.each(['', ' ', 'a"b', 'a:b', 'a\nb', 'robot$x', 'admin', 'x'.repeat(300)])('the name %j is nobody’s account', async (username) => {
    proxy.override.review = review({ authenticated: true, user: { ...user, username } });
    proxy.override.login = answers(200, JSON.stringify({ session_id: 'token' }));
    const before = await accounts();
    expect((await login(username === '' ? 'x' : username, 'some-password')).status).toBeGreaterThanOrEqual(400);
    expect(await accounts()).toEqual(before);
  });
});

describe('a proxy that is slow', () => {
  test.each<[string, 'login' | 'review', Override]>([
    ['never answers a password', 'login', () => true],
    ['never answers a review', 'review', () => true],
    ['sends one byte a second', 'login', (_request, response) => { response.writeHead(200); const timer = setInterval(() => response.write(' '), 1000); response.on('close', () => clearInterval(timer)); return true; }],
  ])('%s: is given up in time, and holds up nobody else', async (_name, which, override) => {
    proxy.override[which] = override;
    proxy.add('slow');
    const begun = performance.now();
    const logins = Promise.all(Array.from({ length: 8 }, () => login('slow')));
    expect((await core.call('GET', '/api/v2.0/projects')).status).toBe(200);
    expect((await core.call('GET', CURRENT, { as: 'admin' })).status).toBe(200);
    expect(performance.now() - begun).toBeLessThan(5_000);
    expect(new Set((await logins).map(({ status }) => status))).toEqual(new Set([401]));
    expect(performance.now() - begun).toBeLessThan(20_000);
    expect(JSON.stringify(core.logger.lines)).toContain('did not answer in time');
  }, 40_000);
});

describe('certificates', () => {
  test.each<[string, () => SelfSigned, boolean, string]>([
    ['nobody vouches for', () => selfSigned('127.0.0.1'), false, 'signed by nobody but itself'],
    ['has expired', () => selfSigned('127.0.0.1', { expired: true }), true, 'the certificate of the host has expired'],
    ['is for another name', () => selfSigned('proxy.test'), true, 'for another name'],
  ])('a proxy whose certificate %s is shown no password; log and ping say so', async (_name, make, trusted, reason) => {
    const other = await another(make());
    await configure({ ...other.settings(), ...(trusted ? {} : { http_authproxy_server_certificate: proxy.certificate.cert }) });
    expect(await troubled()).toContain(reason);
    expect(other.requests).toEqual([]);
    expect(messageOf(await ping())).toContain(reason);
  });

  test('are not looked at when an administrator says so, and the log says that', async () => {
    const other = await another(selfSigned('127.0.0.1', { expired: true }));
    core.logger.lines.length = 0;
    await configure({ ...other.settings(), http_authproxy_verify_cert: false, http_authproxy_server_certificate: '' });
    other.add('ida');
    expect((await login('ida', other.people.get('ida')?.password)).status).toBe(200);
    expect(core.logger.messages('warn')).toEqual([expect.stringContaining('http_authproxy_verify_cert')]);
  });

  test('a host where nobody listens is down', async () => {
    await configure({ http_authproxy_endpoint: 'https://127.0.0.1:9/login' });
    expect(await troubled()).toContain('the host cannot be reached');
  });
});

describe('trying a proxy (POST /system/authproxy/ping)', () => {
  test('says yes to one that works, stored or not, and asks it about nobody who could exist', async () => {
    proxy.requests.length = 0;
    expect((await ping()).status).toBe(200);
    expect(Buffer.from(proxy.requests[0]?.authorization.slice(6) ?? '', 'base64').toString()).toMatch(/^haven-probe-[0-9a-f]{24}:[\w-]{32}$/);
    const other = await another(selfSigned('127.0.0.1'));
    expect((await ping({ endpoint: `${other.url}/login`, tokenreview_endpoint: `${other.url}/review`, server_certificate: other.certificate.cert })).status).toBe(200);
    expect(other.requests.map(({ path }) => path)).toEqual(['/login', '/review']);
  });

  test('says no to one that lets anybody in', async () => {
    proxy.override.login = answers(200, JSON.stringify({ session_id: 'token' }));
    proxy.override.review = review({ authenticated: true, user: { username: 'anybody' } });
    expect(messageOf(await ping())).toContain('lets in a name and a password that nobody has');
    proxy.override.login = undefined;
    expect(messageOf(await ping())).toContain('takes a token that nobody gave');
  });

  test.each<[object, string]>([
    [{ endpoint: '' }, 'http_authproxy_endpoint is not set'],
    [{ endpoint: 'proxy' }, 'http_authproxy_endpoint: it is not an address'],
    [{ tokenreview_endpoint: 'http://127.0.0.1/' }, 'in clear'],
    [{ server_certificate: 'x' }, 'PEM'],
    [{ endpoint: 'https://no-such-host.invalid/login' }, 'the host is not known'],
  ])('says no to %j, and why', async (body, reason) => {
    const answer = await ping(body);
    expect([answer.status, messageOf(answer)]).toEqual([400, expect.stringContaining(reason)]);
  });

  test('is for administrators', async () => {
    proxy.add('jo');
    await login('jo');
    expect((await core.call('POST', PING, { json: {} })).status).toBe(401);
    expect((await core.call('POST', PING, { json: {}, headers: { authorization: basic('jo', proxy.people.get('jo')?.password ?? '') } })).status).toBe(403);
  });
});
