import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { AuditLog, AuditLogExt, type AuditLogEventType } from '@haven/api';
import { z } from 'zod';
import { startTestCore, type Answer, type TestCore } from '../testing/test-core.js';

let core: TestCore;
const ids: Record<string, number> = {};

interface Line {
  readonly project?: string;
  readonly username?: string;
  readonly operation?: string;
  readonly type?: string;
  readonly resource: string;
  readonly result?: boolean;
  readonly at?: string;
}

/** As the job service writes it. */
async function write({ project, username = 'alice', operation = 'create', type = 'artifact', resource, result = true, at = '2026-02-03T04:05:06Z' }: Line): Promise<void> {
  await core.database.execute(
    `INSERT INTO audit_event (event_id, op_time, project_id, username, operation, resource_type, resource, operation_description, operation_result) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
    [randomUUID(), at, project === undefined ? null : ids[project], username, operation, type, resource, `${operation} ${type}: ${resource}`, result],
  );
}

beforeAll(async () => {
  core = await startTestCore();
  for (const name of ['alice', 'bob', 'gina', 'sara']) await core.addUser(name, { sysadmin: name === 'sara' });
  ids['alpha'] = await core.addProject('alpha', { members: { alice: 1, gina: 3 } });
  ids['bravo'] = await core.addProject('bravo', { public: true, members: { bob: 1, alice: 4 } });
  ids['gone'] = await core.addProject('gone', { members: { alice: 1 } });
  await write({ project: 'alpha', resource: 'alpha/app:1', at: '2026-01-01T00:00:00Z' });
  await write({ project: 'alpha', resource: 'alpha/app:2', username: 'gina', operation: 'delete', result: false, at: '2026-02-01T00:00:00Z' });
  await write({ project: 'bravo', resource: 'bravo/app:1', username: 'bob', at: '2026-03-01T00:00:00Z' });
  await write({ resource: 'eve', username: 'eve', operation: 'login', type: 'user', result: false, at: '2026-04-01T00:00:00Z' });
  await write({ project: 'gone', resource: 'gone/app:1', at: '2025-01-01T00:00:00Z' });
  await core.database.execute(`UPDATE project SET deleted_at = now() WHERE name = 'gone'`);
});
afterAll(() => core.stop());

function get(path: string, as?: string): Promise<Answer> {
  return core.call('GET', `/api/v2.0/${path}`, { as });
}

const resources = ({ body }: Answer): string[] => (body as AuditLogExt[]).map((line) => line.resource);
const total = ({ headers }: Answer): string | null => headers.get('x-total-count');
const q = (text: string): string => `q=${encodeURIComponent(encodeURIComponent(text))}`;

describe('the audit trail', () => {
  test('is all there is for system administrators, newest first', async () => {
    const answer = await get('auditlog-exts', 'sara');
    expect([answer.status, resources(answer), total(answer)]).toEqual([200, ['eve', 'bravo/app:1', 'alpha/app:2', 'alpha/app:1', 'gone/app:1'], '5']);
    expect(answer.body).toEqual(z.array(AuditLogExt).parse(answer.body));
    expect((answer.body as AuditLogExt[])[2]).toEqual({
      id: expect.any(Number), username: 'gina', resource: 'alpha/app:2', resource_type: 'artifact', operation: 'delete', operation_description: 'delete artifact: alpha/app:2',
      operation_result: false, op_time: '2026-02-01T00:00:00.000Z',
    });
  });

  test('has the same lines in its older form', async () => {
    const answer = await get('audit-logs', 'sara');
    expect([resources(answer), total(answer)]).toEqual([['eve', 'bravo/app:1', 'alpha/app:2', 'alpha/app:1', 'gone/app:1'], '5']);
    expect(answer.body).toEqual(z.array(AuditLog).parse(answer.body));
    expect(Object.keys((answer.body as object[])[0] ?? {}).sort()).toEqual(['id', 'op_time', 'operation', 'resource', 'resource_type', 'username']);
  });

  // Neither lines nor their number tell of projects whose trail the caller may not read.
  test.each(['audit-logs', 'auditlog-exts'])('D-14: %s shows the projects that the caller administers', async (path) => {
    for (const [name, seen] of [['alice', ['alpha/app:2', 'alpha/app:1']], ['bob', ['bravo/app:1']], ['gina', []]] as const) {
      for (const filter of ['', q('operation_description=~'), q('username=~a'), q('op_time=[2020-01-01T00:00:00~]')]) {
        const answer = await get(`${path}?${filter}`, name);
        const expected = filter.includes('username') ? seen.filter((resource) => resource.startsWith('alpha')) : seen;
        expect([answer.status, resources(answer), total(answer)]).toEqual([200, expected, String(expected.length)]);
      }
    }
    expect((await get(path)).status).toBe(401);
  });

  test.each(['logs', 'auditlog-exts'])("a project's %s are for those who may read them", async (path) => {
    expect(resources(await get(`projects/alpha/${path}`, 'alice'))).toEqual(['alpha/app:2', 'alpha/app:1']);
    expect(resources(await get(`projects/bravo/${path}`, 'sara'))).toEqual(['bravo/app:1']);
    for (const [project, as] of [['bravo', 'alice'], ['bravo', 'gina'], ['alpha', 'gina'], ['missing', 'alice'], ['gone', 'alice']]) {
      expect((await get(`projects/${project}/${path}`, as)).status).toBe(403);
    }
    expect((await get(`projects/bravo/${path}`)).status).toBe(401);
    expect((await get(`projects/missing/${path}`, 'sara')).status).toBe(404);
  });

  test.each([
    ['username=gina', ['alpha/app:2']],
    ['username=~IN', ['alpha/app:2']],
    ['username={gina eve}', ['eve', 'alpha/app:2']],
    ['resource=~app:1', ['bravo/app:1', 'alpha/app:1', 'gone/app:1']],
    ['resource_type=user,operation=login', ['eve']],
    ['operation_result=false', ['eve', 'alpha/app:2']],
    ['op_time=[2026-02-01T00:00:00~2026-03-01T00:00:00]', ['bravo/app:1', 'alpha/app:2']],
    ['op_time=[~2026-01-31T00:00:00]', ['alpha/app:1', 'gone/app:1']],
    ["username=x' OR '1'='1", []],
  ])('finds %s', async (text, found) => {
    const answer = await get(`auditlog-exts?${q(text)}`, 'sara');
    expect([resources(answer), total(answer)]).toEqual([found, String(found.length)]);
  });

  test.each([
    ['q=address%3D1', 400], ['q=request_id%3D1', 400], ['q=event_id%3Dx', 400], ['q=project_id%3D1', 400], ['q=op_time%3Dsoon', 400], ['q=operation_result%3Dmaybe', 400], ['q=id%3Dx', 400],
    ['page_size=101', 422], ['page_size=-2', 422], ['page=-1', 422],
  ])('refuses %s with %i', async (query, status) => {
    for (const path of ['audit-logs', 'auditlog-exts', 'projects/alpha/logs', 'projects/alpha/auditlog-exts']) expect((await get(`${path}?${query}`, 'alice')).status).toBe(status);
  });

  test('comes in pages, in either direction', async () => {
    const second = await get('auditlog-exts?page=2&page_size=2', 'sara');
    expect([resources(second), total(second), second.headers.get('link')]).toEqual([
      ['alpha/app:2', 'alpha/app:1'], '5', '</api/v2.0/auditlog-exts?page=1&page_size=2>; rel="prev" , </api/v2.0/auditlog-exts?page=3&page_size=2>; rel="next"',
    ]);
    expect(resources(await get('auditlog-exts?sort=op_time&page_size=2', 'sara'))).toEqual(['gone/app:1', 'alpha/app:1']);
    expect(resources(await get('auditlog-exts?sort=-op_time&page_size=1', 'sara'))).toEqual(['eve']);
  });

  test('its count follows what is removed', async () => {
    await write({ project: 'alpha', resource: 'short-lived' });
    expect(total(await get('auditlog-exts', 'alice'))).toBe('3');
    await core.database.execute(`DELETE FROM audit_event WHERE resource = 'short-lived'`);
    expect(total(await get('auditlog-exts', 'alice'))).toBe('2');
  });

  test('tells its readers which kinds of lines there are', async () => {
    const { status, body } = await get('auditlog-exts/events', 'sara');
    expect(status).toBe(200);
    expect((body as AuditLogEventType[]).map(({ event_type: type }) => type)).toEqual(expect.arrayContaining([
      'create_artifact', 'create_member', 'create_project', 'create_user', 'delete_artifact', 'delete_member', 'delete_project', 'delete_repository', 'delete_user', 'login_user',
      'logout_user', 'pull_artifact', 'update_member', 'update_project', 'update_user', 'create_robot', 'delete_robot', 'update_configuration',
    ]));
    expect((await get('auditlog-exts/events', 'alice')).status).toBe(403);
  });
});
