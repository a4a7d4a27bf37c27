import { createHmac, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders, type RequestListener, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { sealSecret } from '@haven/access';
import { appendEvents, createTestDatabase, type TestDatabase } from '@haven/database';
import { FakeLogger, Metrics, readSettings, startService, type RunningService } from '@haven/runtime';
import { JobServiceModule } from '../job-service.module.js';
import { settingsSchema } from '../settings.js';
import { testRedisUrl } from '../testing/settings.js';

interface Received {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

const KEY = randomBytes(32);
const MARKER = 'marker-Secret-4711';

let fixture: TestDatabase;
let folder: string;
let service: RunningService | undefined;
let servers: Server[];
let sockets: Socket[];
let received: Received[];

beforeEach(async () => {
  fixture = await createTestDatabase();
  folder = mkdtempSync(join(tmpdir(), 'haven-webhook-'));
  [service, servers, sockets, received] = [undefined, [], [], []];
  await fixture.database.execute(`INSERT INTO haven_user (id, external_id, username) VALUES (1, 'tester', 'tester')`);
  await fixture.database.execute(`INSERT INTO project (id, name, public, owner_id) VALUES (1, 'alpha', false, 1), (2, 'bravo', true, 1)`);
});
afterEach(async () => {
  await service?.stop();
  for (const socket of sockets) socket.destroy();
  for (const server of servers) await new Promise((resolve) => { server.close(resolve); });
  await fixture.drop();
  rmSync(folder, { recursive: true });
});

async function start(env: Record<string, string> = {}): Promise<void> {
  const settings = readSettings(settingsSchema, {
    HAVEN_PRIVATE_LISTEN: '127.0.0.1:0', HAVEN_REDIS_URL: testRedisUrl(), HAVEN_DATABASE_URL: fixture.url, HAVEN_STORAGE: pathToFileURL(folder).href,
    HAVEN_SECRET_KEY: KEY.toString('hex'), HAVEN_OUTBOUND_ALLOW: '127.0.0.1', HAVEN_EXTERNAL_URL: 'https://haven.example:8443', ...env,
  });
  service = await startService({ service: 'job-service', settings, module: JobServiceModule.with(settings), parts: { logger: new FakeLogger(), metrics: new Metrics() } });
}

async function receiver(answer: RequestListener = (_request, response) => { response.end(); }): Promise<string> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => { chunks.push(chunk); });
    request.on('end', () => {
      received.push({ headers: request.headers, body: Buffer.concat(chunks).toString() });
      answer(request, response);
    });
  });
  server.on('connection', (socket) => { sockets.push(socket); });
  servers.push(server);
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`;
}

async function policy(targets: readonly object[], events = ['PUSH_ARTIFACT', 'PULL_ARTIFACT', 'DELETE_ARTIFACT'], project = 1): Promise<number> {
  const [row] = await fixture.database.query<{ id: number }>(
    `INSERT INTO webhook_policy (project_id, name, targets, event_types) VALUES ($1, $2, $3, $4) RETURNING id`,
    [project, randomBytes(6).toString('hex'), JSON.stringify(targets.map((target) => ({ type: 'http', skip_cert_verify: false, payload_format: 'Default', ...target }))), events],
  );
  return row?.id ?? 0;
}

const origin = { name: 'alice "}<!channel>\\', address: '127.0.0.1', requestId: 'request-1' };

function tell(events: readonly { readonly type: string; readonly repository?: string; readonly more: object }[]): Promise<void> {
  return fixture.database.transaction((transaction) => appendEvents(transaction, events.map(({ type, repository = 'alpha/team/app', more }) => (
    { type, payload: { project: repository.startsWith('alpha/') ? 1 : 2, repository, ...more }, actor: 'user:1', origin }
  ))));
}

const push = (tags: readonly string[], repository?: string) => ({ type: 'artifact.pushed', ...(repository === undefined ? {} : { repository }), more: { digest: 'sha256:0', tags, mediaType: 'x/y', artifactType: '' } });

async function eventually(what: string, condition: () => boolean | Promise<boolean>, ms = 20_000): Promise<void> {
  for (const deadline = Date.now() + ms; !(await condition());) {
    if (Date.now() > deadline) throw new Error(`${what} did not happen`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function count(state: string): Promise<number> {
  return (await fixture.database.query<{ count: number }>('SELECT count(*)::int AS count FROM webhook_delivery WHERE state = $1', [state]))[0]?.count ?? 0;
}

test('a push is told once for each tag, in the form of the Harbor API, with the raw Authorization header', async () => {
  const url = await receiver();
  const id = await policy([]);
  const sealed = (text: string): string => sealSecret(KEY, text, `webhook-policy:${id}`);
  await fixture.database.execute('UPDATE webhook_policy SET targets = $1', [JSON.stringify([
    { type: 'http', address: url, skip_cert_verify: false, payload_format: 'Default', auth_header: sealed(MARKER), secret: sealed('s3cret') },
  ])]);
  await policy([{ address: url }], ['PUSH_ARTIFACT'], 2);
  await start();
  await tell([push(['1', 'latest']), push([]), { type: 'artifact.deleted', more: { digest: 'sha256:0' } }]);
  await eventually('four deliveries', async () => (await count('delivered')) === 4);
  const bodies = received.map(({ body }) => JSON.parse(body) as { type: string; occur_at: number; operator: string; event_data: { resources: object[]; repository: object } });
  const resource = (tag: string, end: string): object => ({ digest: 'sha256:0', tag, resource_url: `haven.example:8443/alpha/team/app${end}` });
  expect(bodies.map(({ type, event_data: { resources } }) => [type, resources])).toEqual([
    ['PUSH_ARTIFACT', [resource('1', ':1')]], ['PUSH_ARTIFACT', [resource('latest', ':latest')]],
    ['PUSH_ARTIFACT', [resource('sha256:0', '@sha256:0')]], ['DELETE_ARTIFACT', [resource('sha256:0', '@sha256:0')]],
  ]);
  expect(bodies[0]?.event_data.repository).toEqual({ name: 'team/app', namespace: 'alpha', repo_full_name: 'alpha/team/app', repo_type: 'private' });
  expect([bodies[0]?.operator, Number.isInteger(bodies[0]?.occur_at)]).toEqual([origin.name, true]);
  expect(new Set(received.map(({ headers }) => headers['webhook-id'])).size).toBe(4);
  for (const { headers, body } of received) {
    expect([headers.authorization, headers['content-type']]).toEqual([MARKER, 'application/json']);
    const signed = createHmac('sha256', 's3cret').update(`${String(headers['webhook-id'])}.${String(headers['webhook-timestamp'])}.${body}`).digest('base64');
    expect(headers['webhook-signature']).toBe(`v1,${signed}`);
  }
  const stored = JSON.stringify(await fixture.database.query('SELECT e.extra_attrs, t.extra_attrs AS task, l.text FROM execution e JOIN task t ON t.execution_id = e.id LEFT JOIN task_log l ON l.task_id = t.id'));
  for (const secret of [MARKER, 's3cret', '/hook']) expect(stored).not.toContain(secret); // K-03
});

test('CloudEvents and Slack targets get their own forms, with one id for all; G-11: nothing breaks out of them', async () => {
  const url = await receiver();
  const id = await policy([{ address: url, payload_format: 'CloudEvents' }, { type: 'slack', address: url, payload_format: '' }]);
  await start();
  await tell([push(['1'])]);
  await eventually('two deliveries', async () => (await count('delivered')) === 2);
  const cloud = received.find(({ headers }) => headers['content-type'] === 'application/cloudevents+json');
  expect(JSON.parse(cloud?.body ?? '')).toMatchObject({
    specversion: '1.0', id: cloud?.headers['webhook-id'], source: `/projects/1/webhook/policies/${id}`, type: 'harbor.artifact.pushed', datacontenttype: 'application/json', requestid: 'request-1', operator: origin.name,
    data: { resources: [{ tag: '1' }] },
  });
  const slack = received.find(({ headers }) => headers['content-type'] === 'application/json');
  expect((JSON.parse(slack?.body ?? '') as { blocks: object[] }).blocks).toHaveLength(5);
  expect(slack?.body).not.toContain('<!channel>');
  expect(slack?.headers['webhook-id']).toBe(cloud?.headers['webhook-id']);
});

test('nothing is told while notification_enable is off, by policies that are off, or of other events', async () => {
  const url = await receiver();
  await policy([{ address: url }], ['PULL_ARTIFACT']);
  const off = await policy([{ address: url }]);
  await fixture.database.execute('UPDATE webhook_policy SET enabled = false WHERE id = $1', [off]);
  await policy([{ address: url }], ['PUSH_ARTIFACT'], 2);
  await fixture.database.execute(`INSERT INTO setting (key, value) VALUES ('notification_enable', 'false')`);
  await start();
  const handled = async (): Promise<boolean> => (await fixture.database.query('SELECT 1 FROM outbox WHERE handled_at IS NULL')).length === 0;
  await tell([push(['1']), push(['2'], 'bravo/app')]);
  await eventually('the events being handled', handled);
  expect([await count('waiting'), await count('delivered'), received.length]).toEqual([0, 0, 0]);
});

test('a receiver that was down during 500 events gets all of them, in order for each repository, none twice with different ids', async () => {
  let down = true;
  let failed = 0;
  const taken: Received[] = [];
  const url = await receiver((_request, response) => {
    if (down) failed += 1;
    else taken.push(received.at(-1) as Received);
    response.writeHead(down ? 503 : 200).end();
  });
  await policy([{ address: url }], ['PUSH_ARTIFACT']);
  await start();
  for (let batch = 0; batch < 10; batch++) await tell(Array.from({ length: 50 }, (_, index) => push([`t${batch * 5 + Math.floor(index / 10)}`], `alpha/r${index % 10}`)));
  await eventually('every event being planned', async () => (await count('waiting')) === 500, 60_000);
  expect(failed).toBeGreaterThan(0);
  down = false;
  await eventually('every delivery', async () => (await count('delivered')) === 500, 100_000);
  const tags = new Map<string, number[]>();
  for (const { body } of taken) {
    const { event_data: { resources, repository } } = JSON.parse(body) as { event_data: { resources: { tag: string }[]; repository: { name: string } } };
    tags.set(repository.name, [...(tags.get(repository.name) ?? []), Number(resources[0]?.tag.slice(1))]);
  }
  expect([...tags.values()]).toEqual(Array.from({ length: 10 }, () => Array.from({ length: 50 }, (_, index) => index)));
  expect(new Set(taken.map(({ headers }) => headers['webhook-id'])).size).toBe(500);
}, 180_000);

test('receivers that redirect inside, answer without an end or never answer, and private addresses harm nothing; others are served meanwhile', async () => {
  const inside = await receiver();
  const redirecting = await receiver((_request, response) => { response.writeHead(307, { Location: inside }).end(); });
  const endless = await receiver((_request, response) => {
    const timer = setInterval(() => { response.write(Buffer.alloc(65_536)); }, 1);
    response.once('close', () => { clearInterval(timer); });
  });
  const silent = await receiver(() => undefined);
  const good = await receiver();
  await policy([redirecting, silent, 'http://169.254.169.254/latest', inside.replace('127.0.0.1', '127.0.0.2'), endless, good].map((address) => ({ address })));
  const before = process.memoryUsage().rss;
  await start();
  await tell([push(['1'])]);
  await eventually('the endless and the good one being done', async () => (await count('delivered')) === 2);
  await eventually('the others having failed once', async () => (await fixture.database.query('SELECT 1 FROM task WHERE failures > 0')).length === 4, 30_000);
  expect(received.filter(({ headers }) => `http://${headers.host ?? ''}/hook` === inside)).toHaveLength(0);
  expect(process.memoryUsage().rss - before).toBeLessThan(200 * 1024 * 1024);
  const messages = await fixture.database.query<{ status_message: string }>('SELECT status_message FROM task WHERE failures > 0 ORDER BY id');
  expect(messages.map((row) => row.status_message)).toEqual([
    'the receiver answered with status 307', 'the host did not answer in time', expect.stringContaining('HAVEN_OUTBOUND_ALLOW'), expect.stringContaining('HAVEN_OUTBOUND_ALLOW'),
  ]);
}, 90_000);

test('a delivery that failed too often is dead, and those behind it go on', async () => {
  let answers = 0;
  const url = await receiver((_request, response) => { response.writeHead(answers++ === 0 ? 500 : 200).end(); });
  await policy([{ address: url }], ['PUSH_ARTIFACT']);
  await tell([push(['1']), push(['2'])]);
  await fixture.database.execute(`CREATE FUNCTION tired() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.failures = 11; RETURN NEW; END $$`);
  await fixture.database.execute(`CREATE TRIGGER tired BEFORE INSERT ON task FOR EACH ROW EXECUTE FUNCTION tired()`);
  await start();
  await eventually('one dead and one delivered', async () => (await count('dead')) === 1 && (await count('delivered')) === 1);
  expect(await fixture.database.query(`SELECT fault FROM webhook_delivery WHERE state = 'dead'`)).toEqual([{ fault: 'the receiver answered with status 500' }]);
});

test('a delivery whose task was stopped is dead, and those behind it go on', async () => {
  let answers = 0;
  const url = await receiver((_request, response) => { if (answers++ > 0) response.end(); });
  await policy([{ address: url }], ['PUSH_ARTIFACT']);
  await tell([push(['1']), push(['2'])]);
  await start();
  await eventually('the first being sent', () => received.length === 1);
  await fixture.database.execute(`UPDATE task SET status = 'Stopped', attempts = 99, ended_at = now() - interval '1 minute' WHERE id = (SELECT min(task_id) FROM webhook_delivery)`);
  await eventually('one dead and one delivered', async () => (await count('dead')) === 1 && (await count('delivered')) === 1, 40_000);
  expect(await fixture.database.query(`SELECT fault FROM webhook_delivery WHERE state = 'dead'`)).toEqual([{ fault: 'the delivery was stopped, or its workers were lost' }]);
}, 60_000);
