import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { appendEvents, createTestDatabase, withOrigin, type NewEvent, type TestDatabase } from '@haven/database';
import { connectRedis, type Messages } from '@haven/messages';
import { FakeLogger, Metrics, readSettings, startService, type RunningService } from '@haven/runtime';
import { JobServiceModule } from '../job-service.module.js';
import { settingsSchema } from '../settings.js';
import { testRedisUrl } from '../testing/settings.js';

const digest = `sha256:${'a'.repeat(64)}`;
const ORIGIN = { name: 'alice', address: '192.0.2.1', requestId: 'r1' };

let fixture: TestDatabase;
let folder: string;
let messages: Messages;
let service: RunningService;
let syslog: Server;
let received = '';

beforeAll(async () => {
  fixture = await createTestDatabase();
  folder = mkdtempSync(join(tmpdir(), 'haven-audit-'));
  messages = connectRedis(testRedisUrl(), new FakeLogger());
  syslog = createServer((socket) => { socket.on('data', (bytes) => { received += bytes.toString(); }); });
  await new Promise<void>((resolve) => { syslog.listen(0, '127.0.0.1', resolve); });
  const settings = readSettings(settingsSchema, {
    HAVEN_PRIVATE_LISTEN: '127.0.0.1:0', HAVEN_REDIS_URL: testRedisUrl(), HAVEN_DATABASE_URL: fixture.url, HAVEN_STORAGE: pathToFileURL(folder).href,
  });
  service = await startService({ service: 'job-service', settings, module: JobServiceModule.with(settings), parts: { logger: new FakeLogger(), metrics: new Metrics() } });
});
afterAll(async () => {
  await service.stop();
  await messages.close();
  await fixture.drop();
  syslog.close();
  rmSync(folder, { recursive: true });
});

async function eventually<Value>(what: string, look: () => Promise<Value | undefined> | Value | undefined): Promise<Value> {
  for (const deadline = Date.now() + 20_000; ;) {
    const value = await look();
    if (value !== undefined) return value;
    if (Date.now() > deadline) throw new Error(`${what} did not happen`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

const tell = (...events: NewEvent[]): Promise<void> => withOrigin({ ...ORIGIN }, () => fixture.database.transaction((transaction) => appendEvents(transaction, events)));
const recorded = (resource: string): NewEvent => ({ type: 'audit.recorded', payload: { operation: 'create', resourceType: 'label', resource, description: 'd', result: true }, actor: 'user:3' });
const handled = (): Promise<void> => eventually('handling', async () => (
  (await fixture.database.query('SELECT 1 FROM outbox WHERE handled_at IS NULL')).length === 0 ? true : undefined)).then(() => undefined);
const lines = (): Promise<Record<string, unknown>[]> => fixture.database.query(
  'SELECT project_id, subject, username, operation, resource_type, resource, operation_result, address, request_id FROM audit_event ORDER BY op_time, resource');

async function set(settings: Readonly<Record<string, unknown>>): Promise<void> {
  for (const [key, value] of Object.entries(settings)) {
    await fixture.database.execute('INSERT INTO setting (key, value) VALUES ($1, $2::jsonb) ON CONFLICT (key) DO UPDATE SET value = excluded.value', [key, JSON.stringify(value)]);
  }
  messages.broadcasts.publish('settings-changed', {});
}

test('what was committed becomes lines, in the month’s partition', async () => {
  const repository = { project: 1, repository: 'alpha/app' };
  await tell(
    { type: 'artifact.pushed', payload: { ...repository, digest, tags: ['1'], mediaType: 'm', artifactType: '' }, actor: 'user:3' },
    { type: 'artifact.pulled', payload: { ...repository, digest, count: 3 }, actor: '', origin: { name: '', address: '192.0.2.9', requestId: '' } },
    { type: 'audit.recorded', payload: { operation: 'delete', resourceType: 'project', resource: 'zulu', description: 'd', result: false }, actor: 'robot:7' },
  );
  await handled();
  const expected = [
    { project_id: 1, subject: 'user:3', username: 'alice', operation: 'create', resource_type: 'artifact', resource: 'alpha/app:1', operation_result: true, address: '192.0.2.1', request_id: 'r1' },
    { project_id: 1, subject: '', username: 'anonymous', operation: 'pull', resource_type: 'artifact', resource: `alpha/app@${digest}`, operation_result: true, address: '192.0.2.9', request_id: '' },
    { project_id: null, subject: 'robot:7', username: 'alice', operation: 'delete', resource_type: 'project', resource: 'zulu', operation_result: false, address: '192.0.2.1', request_id: 'r1' },
  ];
  expect(await lines()).toEqual(expected);
  await messages.jobs.add('audit-partitions', {});
  const month = `audit_event_${new Date().toISOString().slice(0, 7).replace('-', '_')}`;
  await eventually('the partition', async () => {
    const [row] = await fixture.database.query<{ name: string }>('SELECT DISTINCT tableoid::regclass::text AS name FROM audit_event');
    return row?.name === month ? true : undefined;
  });
  expect(await lines()).toEqual(expected);
});

test('settings count from one event to the next', async () => {
  await fixture.database.execute('DELETE FROM audit_event');
  await set({ disabled_audit_log_event_types: 'create_label' });
  await eventually('the setting being known', async () => {
    await tell(recorded('off'));
    await handled();
    const before = (await lines()).length;
    await tell(recorded('off'));
    await handled();
    return (await lines()).length === before ? true : undefined;
  });
  await fixture.database.execute('DELETE FROM audit_event');
  await set({ disabled_audit_log_event_types: '', audit_log_forward_endpoint: `127.0.0.1:${(syslog.address() as AddressInfo).port}` });
  await eventually('forwarding', async () => {
    await tell(recorded('forwarded'));
    await handled();
    return received.includes('resource="forwarded"') ? true : undefined;
  });
  expect((await lines()).every((line) => line['resource'] === 'forwarded')).toBe(true);
  await set({ skip_audit_log_database: true });
  await eventually('the database being skipped', async () => {
    const before = (await lines()).length;
    await tell(recorded('only-forwarded'));
    await handled();
    return received.includes('resource="only-forwarded"') && (await lines()).length === before ? true : undefined;
  });
  expect(received.split('\n').slice(0, -1).every((line) => /^<110>1 \S+ \S+ haven - audit - action="create" operator="alice" /.test(line))).toBe(true);
});
