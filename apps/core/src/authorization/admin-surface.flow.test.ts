import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { addressOf, operations, resolve } from '../bad-input/all-operations.js';
import { Fingerprints } from '../bad-input/fingerprints.js';
import { insertObjects } from '../bad-input/objects.js';
import type { Operation } from '../bad-input/operations.js';
import { sample } from '../bad-input/values.js';
import { RouteTable } from '../http/route-table.service.js';
import type { CallerLetter } from './table/row.js';
import { createWorld, type World } from './table/world.js';

const API = '/api/v2.0';
/** What only administrators of the system may touch. */
const ADMINISTRATION = [
  'users', 'usergroups', 'configurations', 'internalconfig', 'quotas', 'statistics', 'schedules', 'systeminfo', 'system', 'jobservice', 'ldap', 'registries', 'replication', 'scanners', 'scans',
  'p2p', 'security', 'export', 'audit-logs', 'auditlog-exts',
];
/** What everybody who is logged in may call there all the same, with an answer about what is theirs. */
const FOR_EVERYBODY = [
  'GET /users/current', 'GET /users/current/permissions', 'GET /users/search', 'GET /usergroups/search', 'GET /statistics', 'GET /audit-logs', 'GET /auditlog-exts',
  'GET /system/CVEAllowlist', 'GET /schedules/{job_type}/paused',
  'POST /export/cve', 'GET /export/cve/executions', 'GET /export/cve/execution/{execution_id}', 'GET /export/cve/download/{execution_id}',
  'GET /users/current/sessions', 'DELETE /users/current/sessions', 'DELETE /users/current/sessions/{session_id}',
];
/** What strangers may call. */
const FOR_ANYBODY = ['GET /systeminfo', 'GET /systeminfo/getcert'];
/** Of Harbor's administration, not there yet: whatever comes must be shut to others, too. */
const NOT_THERE = [
  '/registries', '/registries/1', '/registries/ping', '/replication/policies', '/replication/executions', '/replication/executions/1/tasks/1/log', '/replication/adapters', '/replication/adapterinfos', '/internalconfig',
  '/scanners', '/scanners/x', '/scanners/ping', '/ldap/ping', '/ldap/users/search', '/ldap/users/import', '/ldap/groups/search', '/jobservice/pools', '/jobservice/pools/x/workers', '/jobservice/jobs/x', '/jobservice/jobs/x/log',
  '/jobservice/queues', '/jobservice/queues/GARBAGE_COLLECTION', '/schedules/GARBAGE_COLLECTION', '/p2p/preheat/instances', '/p2p/preheat/instances/ping', '/p2p/preheat/providers', '/security/summary', '/security/vul',
  '/system/gc', '/system/gc/1', '/system/gc/1/log', '/system/gc/schedule', '/system/purgeaudit', '/system/purgeaudit/schedule', '/system/scanAll/schedule', '/system/scanAll/stop', '/system/oidc/ping',
];

const relative = ({ method, path }: Operation): string => `${method} ${path.slice(API.length)}`;
const concerned = operations.filter(({ path }) => path.startsWith(`${API}/`) && ADMINISTRATION.includes(path.split('/')[3] ?? '')).map((operation): [string, Operation] => [relative(operation), operation]);
const shut = concerned.filter(([name]) => !FOR_ANYBODY.includes(name) && !FOR_EVERYBODY.includes(name));

let world: World;
let fingerprints: Fingerprints;
beforeAll(async () => {
  world = await createWorld();
  await insertObjects(world.private);
  fingerprints = new Fingerprints(world.core.database);
});
afterAll(() => world.stop());

/** With a body that would do, and one that would not: who may not is told before anything is read. */
async function statuses(operation: Operation, letter: CallerLetter): Promise<number[]> {
  const bodies = operation.body === undefined ? [undefined] : [sample(operation.body, resolve), ['wrong']];
  const address = await addressOf(operation, world.private, {}, resolve);
  return Promise.all(bodies.map(async (json) => (await world.core.call(operation.method, address, { ...world.as(letter, world.private), json })).status));
}

describe('D-16: the administration is shut to everybody else, before a body is looked at:', () => {
  test.each(shut)('%s', async (_name, operation) => {
    const before = await fingerprints.take();
    for (const status of await statuses(operation, 'a')) expect(status).toBe(401);
    for (const letter of ['n', 'p', '+'] as const) for (const status of await statuses(operation, letter)) expect([letter, status]).toEqual([letter, 403]);
    expect(await fingerprints.take()).toEqual(before);
  });

  test('the exceptions are there, and shut to strangers', async () => {
    expect(shut.length).toBeGreaterThan(15);
    const open = concerned.filter(([name]) => FOR_EVERYBODY.includes(name));
    for (const [name, operation] of open) expect([name, ...new Set(await statuses(operation, 'a'))]).toEqual([name, 401]);
    expect([...FOR_EVERYBODY, ...FOR_ANYBODY].filter((name) => !concerned.some(([found]) => found === name))).toEqual([]);
  });

  test('whatever else needs a permission of the system is among them', () => {
    const names = shut.map(([, { method, path }]) => `${method} ${path}`);
    const needed = world.core.service.app.get(RouteTable, { strict: false }).routes.filter(({ requirement }) => requirement.kind === 'system' || requirement.kind === 'self-or-system');
    expect(needed.map(({ method, path }) => `${method} ${path.replaceAll(/:(\w+)/g, '{$1}')}`).filter((name) => !names.includes(name))).toEqual([]);
  });

  test.each(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])('%s of what is not there yet', async (method) => {
    const before = await fingerprints.take();
    const json = method === 'POST' || method === 'PUT' || method === 'PATCH' ? { url: 'http://127.0.0.1:9/', schedule: { type: 'Manual' } } : undefined;
    for (const path of NOT_THERE) {
      for (const letter of ['a', 'p'] as const) {
        const { status } = await world.core.call(method, `${API}${path}`, { ...world.as(letter, world.private), json });
        expect([path, status, [401, 403, 404, 405].includes(status)]).toEqual([path, status, true]);
      }
    }
    expect(await fingerprints.take()).toEqual(before);
  });
});
