import { connect } from 'node:net';
import { once } from 'node:events';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { Pusher } from '../testing/push.js';
import { ADMIN_PASSWORD, basic, startTestCore, type TestCore } from '../testing/test-core.js';

interface Recorded {
  readonly actor: string;
  readonly payload: Record<string, unknown>;
  readonly origin: Record<string, unknown>;
}

let core: TestCore;
let project: number;
let alice: number;

beforeAll(async () => {
  core = await startTestCore();
  alice = await core.addUser('alice');
  await core.addUser('dave');
  project = await core.addProject('alpha', { members: { alice: 1, dave: 2 } });
  await new Pusher(core.database, project).image('alpha/app', 'content', ['1']);
});
afterAll(() => core.stop());
beforeEach(() => core.database.execute('DELETE FROM outbox'));

const recorded = (): Promise<Recorded[]> => core.database.query<Recorded>(`SELECT actor, payload, origin FROM outbox WHERE type = 'audit.recorded' ORDER BY id`);

describe('an operation that fails', () => {
  test.each<[string, string, string, object | undefined, number, object]>([
    ['DELETE', 'projects/alpha', 'dave', undefined, 403, { operation: 'delete', resourceType: 'project', resource: 'alpha' }],
    ['DELETE', 'projects/alpha', 'alice', undefined, 412, { operation: 'delete', resourceType: 'project', resource: 'alpha' }],
    ['PUT', 'projects/alpha', 'alice', { metadata: { severity: 'awful' } }, 400, { operation: 'update', resourceType: 'project', resource: 'alpha' }],
    ['PUT', 'projects/alpha', 'alice', ['wrong'], 422, { operation: 'update', resourceType: 'project', resource: 'alpha' }],
    ['DELETE', 'projects/alpha/repositories/missing', 'alice', undefined, 404, { operation: 'delete', resourceType: 'repository', resource: 'alpha/missing' }],
    ['DELETE', 'projects/alpha/repositories/a%252Fb/artifacts/sha256:00', 'alice', undefined, 400, { operation: 'delete', resourceType: 'artifact', resource: 'alpha/a/b@sha256:00' }],
    ['DELETE', 'projects/alpha/repositories/app/artifacts/1/tags/2', 'dave', undefined, 403, { operation: 'delete', resourceType: 'tag', resource: 'alpha/app:2' }],
    ['DELETE', 'projects/alpha/members/2000000', 'alice', undefined, 404, { operation: 'delete', resourceType: 'member', resource: 'projects/alpha/members/2000000' }],
  ])('is recorded: %s %s by %s', async (method, path, as, json, status, line) => {
    const answer = await core.call(method, `/api/v2.0/${path}`, { as, ...(json === undefined ? {} : { json }), headers: { 'x-request-id': 'failing' } });
    expect(answer.status).toBe(status);
    const { operation, resourceType, resource } = line as Record<string, string>;
    const description = `${operation} ${resourceType}: ${resource}, refused with status ${status}`;
    expect(await recorded()).toEqual([
      { actor: expect.stringMatching(/^user:\d+$/), payload: { ...line, description, result: false, project }, origin: { name: as, address: '127.0.0.1', requestId: 'failing' } },
    ]);
  });

  test('is recorded without a project where there is none', async () => {
    expect((await core.call('POST', '/api/v2.0/projects', { as: 'alice', json: { project_name: 'alpha' } })).status).toBe(409);
    expect((await core.call('DELETE', '/api/v2.0/users/1', { as: 'alice' })).status).toBe(403);
    expect((await core.call('DELETE', '/api/v2.0/projects/missing', { as: 'alice' })).status).toBe(403);
    expect((await recorded()).map(({ payload }) => payload)).toEqual([
      { operation: 'create', resourceType: 'project', resource: 'projects', description: 'create project: projects, refused with status 409', result: false },
      { operation: 'delete', resourceType: 'user', resource: 'users/1', description: 'delete user: users/1, refused with status 403', result: false },
      { operation: 'delete', resourceType: 'project', resource: 'missing', description: 'delete project: missing, refused with status 403', result: false },
    ]);
  });

  test('is not recorded for strangers, nor for readers', async () => {
    expect((await core.call('DELETE', '/api/v2.0/projects/alpha')).status).toBe(401);
    expect((await core.call('GET', '/api/v2.0/users', { as: 'alice' })).status).toBe(403);
    expect((await core.call('DELETE', '/api/v2.0/nothing', { as: 'alice' })).status).toBe(404);
    expect(await recorded()).toEqual([]);
  });

  // What a caller puts into names, headers and addresses stays within its field.
  test('G-08: keeps what the caller made up within one line', async () => {
    const evil = encodeURIComponent('x\n2026 admin did it\u202E\0');
    await core.call('DELETE', `/api/v2.0/projects/alpha/repositories/${evil}`, {
      as: 'alice', headers: { 'x-request-id': 'a b\tc"', 'user-agent': 'evil\u00e9 agent' },
    });
    const [line] = await recorded();
    expect(line?.payload['resource']).toBe('alpha/x\uFFFD2026 admin did it\uFFFD\uFFFD');
    expect(line?.origin['requestId']).toMatch(/^[0-9a-f-]{36}$/);
    for (const { fields, message } of core.logger.lines) expect(JSON.stringify([message, fields])).not.toContain('evil');
  });

  test('M-24: of one account fills the trail no faster than a line a second', async () => {
    await core.addUser('mallory');
    for (let time = 0; time < 70; time++) await core.call('DELETE', '/api/v2.0/projects/alpha', { as: 'mallory' });
    expect(await recorded()).toHaveLength(60);
    expect(core.logger.messages('warn').filter((message) => message.startsWith('further failures'))).toHaveLength(1);
    expect((await core.call('DELETE', '/api/v2.0/users/1', { as: 'dave' })).status).toBe(403);
    expect(await recorded()).toHaveLength(61);
  });
});

test('what an operation records knows the caller, also when the body comes late', async () => {
  const socket = connect(Number(new URL(core.url).port), '127.0.0.1');
  const body = JSON.stringify({ project_name: 'late' });
  socket.write(`POST /api/v2.0/projects HTTP/1.1\r\nHost: x\r\nAuthorization: ${basic('admin', ADMIN_PASSWORD)}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\nX-Request-Id: late\r\nConnection: close\r\n\r\n`);
  for (const part of [body.slice(0, 5), body.slice(5)]) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    socket.write(part);
  }
  const [answer] = (await once(socket, 'data')) as [Buffer];
  expect(answer.toString()).toMatch(/^HTTP\/1.1 201/);
  socket.destroy();
  expect(await recorded()).toMatchObject([{ actor: 'user:1', payload: { operation: 'create', resourceType: 'project', resource: 'late', result: true }, origin: { name: 'admin', address: '127.0.0.1', requestId: 'late' } }]);
});

// The address is the peer's unless a proxy of ours says otherwise.
test('A-10: the address is what a trusted proxy says, and the peer for everybody else', async () => {
  const headers = { 'x-forwarded-for': '198.51.100.7' };
  await core.call('PUT', `/api/v2.0/users/${alice}`, { as: 'alice', json: { realname: 'A' }, headers });
  expect((await recorded())[0]?.origin).toMatchObject({ name: 'alice', address: '198.51.100.7' });
  const distrustful = await startTestCore({ environment: { HAVEN_TRUSTED_PROXIES: '192.0.2.1' } });
  try {
    await distrustful.call('POST', '/api/v2.0/projects', { as: 'admin', json: { project_name: 'alpha' }, headers: { ...headers, forwarded: 'for=198.51.100.7', 'x-real-ip': '198.51.100.7' } });
    expect(await distrustful.database.query(`SELECT DISTINCT origin->>'address' AS address FROM outbox WHERE type = 'audit.recorded'`)).toEqual([{ address: '127.0.0.1' }]);
  } finally {
    await distrustful.stop();
  }
});
