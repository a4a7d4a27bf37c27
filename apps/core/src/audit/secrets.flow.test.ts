import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { TestBrowser } from '../testing/browser.js';
import { startTestCore, type TestCore } from '../testing/test-core.js';

const API = '/api/v2.0';
/** In every secret of this file; in nothing else. */
const MARKER = 'Zq7Marker';
const secret = (what: string): string => `${MARKER}-${what}-1234`;

let core: TestCore;
beforeAll(async () => {
  core = await startTestCore({ environment: { HAVEN_LOG_LEVEL: 'debug' } });
});
afterAll(() => core.stop());

/** Everything in the database, as text. */
async function dump(): Promise<string> {
  const { database } = core;
  const tables = await database.query<{ name: string }>(`SELECT c.oid::regclass::text AS name FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition`);
  const rows = await Promise.all(tables.map(({ name }) => database.query<{ line: string }>(`SELECT t::text AS line FROM ${name} t`)));
  return rows.flat().map(({ line }) => line).join('\n');
}

// What operations are told in confidence is in no event, no line of the trail and no log, whether they work or fail.
test('K-01, K-03: no secret reaches the outbox, the audit trail or a log', async () => {
  const admin = (method: string, path: string, json: unknown): Promise<unknown> => core.call(method, `${API}/${path}`, { as: 'admin', json });
  const user = { username: 'secretive', email: 's@example.test', realname: 'S', password: secret('Password') };
  const { headers } = await core.call('POST', `${API}/users`, { as: 'admin', json: user });
  const id = headers.get('location')?.split('/').at(-1) ?? '';
  await admin('POST', 'users', user);
  await admin('POST', 'users', { ...user, username: 'x y', password: { nested: secret('Nested') } });
  await admin('POST', 'users', { ...user, username: 'long', password: secret('Long').padEnd(2000, 'x') });
  await core.call('POST', `${API}/users`, { as: 'admin', body: `{"password":"${secret('Broken')}"`, headers: { 'content-type': 'application/json' } });
  await admin('PUT', `users/${id}/password`, { new_password: secret('New-Password') });
  await core.call('PUT', `${API}/users/${id}/password`, { as: 'secretive', password: secret('New-Password'), json: { old_password: secret('Wrong-Old'), new_password: secret('Newer') } });
  await core.call('GET', `${API}/users/current`, { as: 'secretive', password: secret('Wrong') });
  await core.call('GET', `/service/token?service=harbor-registry&scope=repository:a/b:pull&secret=${secret('Query')}`, { as: 'secretive', password: secret('New-Password') });
  const browser = new TestBrowser(core);
  await browser.logIn('secretive', secret('Wrong-Form'));
  await browser.logIn('secretive', secret('New-Password'));
  await core.call('DELETE', `${API}/users/1?secret=${secret('Query')}`, { as: 'secretive', password: secret('New-Password') });
  const robot = { name: 'ci', level: 'system', duration: 1, permissions: [{ kind: 'project', namespace: '*', access: [{ resource: 'repository', action: 'pull' }] }] };
  const made = await core.call('POST', `${API}/robots`, { as: 'admin', json: robot });
  const { id: robotId, secret: robotSecret } = made.body as { id: number; secret: string };
  await admin('POST', 'robots', { ...robot, name: 'other', secret: secret('Robot') });
  await admin('PATCH', `robots/${robotId}`, { secret: secret('Robot-Secret') });
  await admin('PUT', 'configurations', { oidc_client_secret: secret('Oidc'), ldap_search_password: secret('Ldap'), no_such_setting: secret('Unknown') });
  await admin('PUT', 'configurations', { oidc_client_secret: secret('Failing'), token_expiration: -1 });

  const { database, logger } = core;
  const [told] = await database.query<{ count: number }>(`SELECT count(*)::int AS count FROM outbox WHERE type = 'audit.recorded'`);
  expect(told?.count).toBeGreaterThan(10);
  const traces = `${await dump()}\n${logger.lines.map((line) => JSON.stringify(line)).join('\n')}`;
  expect(traces).toContain('secretive');
  for (const found of [MARKER, robotSecret, browser.cookies.get('sid') ?? 'no session']) {
    expect([found, traces.split('\n').filter((line) => line.includes(found))]).toEqual([found, []]);
  }
});

// A name is one name, also of somebody who does not exist.
test('G-08: a made-up login name forges no line', async () => {
  await core.database.execute('DELETE FROM outbox');
  await core.call('GET', `${API}/users/current`, { as: 'x\r\nINFO admin logged in\u001B[2K', password: 'Whatever-12345' });
  const rows = await core.database.query<{ payload: { resource: string; description: string; operation: string; result: boolean } }>(`SELECT payload FROM outbox WHERE type = 'audit.recorded'`);
  expect(rows).toHaveLength(1);
  expect(rows[0]?.payload).toMatchObject({ operation: 'login', result: false, resource: 'x\uFFFD\uFFFDINFO admin logged in\uFFFD[2K' });
  expect(JSON.stringify(rows)).not.toMatch(/\\[rn]|\\u001b/i);
});
