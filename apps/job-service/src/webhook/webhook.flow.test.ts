import { createHmac } from 'node:crypto';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { sealSecret } from '@haven/access';
import { ORIGIN, eventually, push, WebhookWorld } from './testing/webhook-world.js';

const MARKER = 'marker-Secret-4711';

let world: WebhookWorld;

beforeEach(async () => { world = await WebhookWorld.open(); });
afterEach(() => world.close());

test('a push is told once for each tag, in the form of the Harbor API, with the raw Authorization header; K-03: secrets stay out of logs and rows', async () => {
  const url = await world.receiver();
  const { database } = world.fixture;
  const id = await world.policy([]);
  const sealed = (text: string): string => sealSecret(world.key, text, `webhook-policy:${id}`);
  await database.execute('UPDATE webhook_policy SET targets = $1', [JSON.stringify([
    { type: 'http', address: url, skip_cert_verify: false, payload_format: 'Default', auth_header: sealed(MARKER), secret: sealed('s3cret') },
  ])]);
  await database.execute(`INSERT INTO repository (project_id, name, created_at) VALUES (1, 'alpha/team/app', '2026-01-02T03:04:05Z')`);
  await world.policy([{ address: url }], { events: ['PUSH_ARTIFACT'], project: 2 });
  await world.start();
  await world.tell([push(['1', 'latest']), push([]), { type: 'artifact.pulled', more: { digest: 'sha256:0', tag: '1' } }]);
  await eventually('four deliveries', async () => (await world.count('delivered')) === 4);
  const bodies = world.told();
  const resource = (tag: string, end: string): object => ({ digest: 'sha256:0', tag, resource_url: `haven.example:8443/alpha/team/app${end}` });
  expect(bodies.map(({ type, event_data: { resources } }) => [type, resources])).toEqual([
    ['PUSH_ARTIFACT', [resource('1', ':1')]], ['PUSH_ARTIFACT', [resource('latest', ':latest')]], ['PUSH_ARTIFACT', [resource('sha256:0', '@sha256:0')]], ['PULL_ARTIFACT', [resource('1', ':1')]],
  ]);
  expect(Object.keys(bodies[0] ?? {})).toEqual(['type', 'occur_at', 'operator', 'event_data']);
  expect(bodies[0]?.event_data.repository).toEqual({ date_created: Date.parse('2026-01-02T03:04:05Z') / 1000, name: 'team/app', namespace: 'alpha', repo_full_name: 'alpha/team/app', repo_type: 'private' });
  expect([bodies[0]?.operator, Number.isInteger(bodies[0]?.occur_at)]).toEqual([ORIGIN.name, true]);
  expect(new Set(world.received.map(({ headers }) => headers['webhook-id'])).size).toBe(4);
  for (const { headers, body } of world.received) {
    expect([headers.authorization, headers['content-type']]).toEqual([MARKER, 'application/json']);
    const signed = createHmac('sha256', 's3cret').update(`${String(headers['webhook-id'])}.${String(headers['webhook-timestamp'])}.${body}`).digest('base64');
    expect(headers['webhook-signature']).toBe(`v1,${signed}`);
  }
  const stored = JSON.stringify(await database.query('SELECT e.extra_attrs, t.extra_attrs AS task, l.text FROM execution e JOIN task t ON t.execution_id = e.id LEFT JOIN task_log l ON l.task_id = t.id'));
  for (const secret of [MARKER, 's3cret', '/hook']) expect(stored).not.toContain(secret);
  const metrics = await world.metrics.text();
  for (const line of ['haven_webhook_deliveries_total{state="delivered"} 4', 'haven_outbox_relayed_total 3', 'haven_outbox_lag_seconds ', 'haven_webhook_lag_seconds ']) expect(metrics).toContain(line);
});

test('CloudEvents and Slack targets get their own forms, with one id for all; G-11: nothing breaks out of them', async () => {
  const url = await world.receiver();
  const id = await world.policy([{ address: url, payload_format: 'CloudEvents' }, { type: 'slack', address: url, payload_format: '' }]);
  await world.start();
  await world.tell([push(['1'])]);
  await eventually('two deliveries', async () => (await world.count('delivered')) === 2);
  const cloud = world.received.find(({ headers }) => headers['content-type'] === 'application/cloudevents+json');
  const event = JSON.parse(cloud?.body ?? '') as { readonly time: string };
  expect(Object.keys(event).sort()).toEqual(['data', 'datacontenttype', 'id', 'operator', 'requestid', 'source', 'specversion', 'time', 'type']);
  expect(event).toMatchObject({
    specversion: '1.0', id: cloud?.headers['webhook-id'], source: `/projects/1/webhook/policies/${id}`, type: 'harbor.artifact.pushed', datacontenttype: 'application/json', requestid: 'request-1', operator: ORIGIN.name,
    data: { resources: [{ tag: '1' }], repository: { repo_full_name: 'alpha/team/app' } },
  });
  expect(new Date(event.time).toISOString()).toBe(event.time);
  const slack = world.received.find(({ headers }) => headers['content-type'] === 'application/json');
  expect((JSON.parse(slack?.body ?? '') as { blocks: { type: string }[] }).blocks.map(({ type }) => type)).toEqual(['header', 'section', 'section', 'section', 'section']);
  expect(slack?.body).not.toContain('<!channel>');
  expect(slack?.headers['webhook-id']).toBe(cloud?.headers['webhook-id']);
});

test('nothing is told while notification_enable is off, by policies that are off, or of other events', async () => {
  const url = await world.receiver();
  const { database } = world.fixture;
  await world.policy([{ address: url }], { events: ['PULL_ARTIFACT'] });
  const off = await world.policy([{ address: url }]);
  await database.execute('UPDATE webhook_policy SET enabled = false WHERE id = $1', [off]);
  await world.policy([{ address: url }], { events: ['PUSH_ARTIFACT'], project: 2 });
  await database.execute(`INSERT INTO setting (key, value) VALUES ('notification_enable', 'false')`);
  await world.start();
  await world.tell([push(['1']), push(['2'], 'bravo/app')]);
  await eventually('the events being handled', () => world.handled());
  expect([await world.count('waiting'), await world.count('delivered'), world.received.length]).toEqual([0, 0, 0]);
});

test('a delivery that failed too often is dead, and those behind it go on', async () => {
  let answers = 0;
  const url = await world.receiver((_request, response) => { response.writeHead(answers++ === 0 ? 500 : 200).end(); });
  const { database } = world.fixture;
  await world.policy([{ address: url }], { events: ['PUSH_ARTIFACT'] });
  await world.tell([push(['1']), push(['2'])]);
  await database.execute(`CREATE FUNCTION tired() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.failures = 23; RETURN NEW; END $$`);
  await database.execute(`CREATE TRIGGER tired BEFORE INSERT ON task FOR EACH ROW EXECUTE FUNCTION tired()`);
  await world.start();
  await eventually('one dead and one delivered', async () => (await world.count('dead')) === 1 && (await world.count('delivered')) === 1);
  expect(await database.query(`SELECT fault, attempts FROM webhook_delivery WHERE state = 'dead'`)).toEqual([{ fault: 'the receiver answered with status 500', attempts: 1 }]);
});

test('a delivery whose task was stopped is dead, and those behind it go on', async () => {
  let answers = 0;
  const url = await world.receiver((_request, response) => { if (answers++ > 0) response.end(); });
  const { database } = world.fixture;
  await world.policy([{ address: url }], { events: ['PUSH_ARTIFACT'] });
  await world.tell([push(['1']), push(['2'])]);
  await world.start();
  await eventually('the first being sent', () => world.received.length === 1);
  await database.execute(`UPDATE task SET status = 'Stopped', attempts = 99, ended_at = now() - interval '1 minute' WHERE id = (SELECT min(task_id) FROM webhook_delivery)`);
  await eventually('one dead and one delivered', async () => (await world.count('dead')) === 1 && (await world.count('delivered')) === 1, 40_000);
  expect(await database.query(`SELECT fault FROM webhook_delivery WHERE state = 'dead'`)).toEqual([{ fault: 'the delivery was stopped, or its workers were lost' }]);
}, 60_000);
