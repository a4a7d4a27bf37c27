import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { webhookEvents } from '../testing/settings.js';
import { eventually, push, WebhookWorld, type Received, type Told } from './testing/webhook-world.js';

const EVENTS = webhookEvents();
const REPOSITORIES = 20;
const EACH = EVENTS / REPOSITORIES;
const AT_ONCE = 500;

let world: WebhookWorld;

beforeEach(async () => { world = await WebhookWorld.open(); });
afterEach(() => world.close());

test(`a receiver that was down during ${EVENTS} events gets all of them, in order for each repository, none twice with different ids`, async () => {
  let down = true;
  let failed = 0;
  const taken: Received[] = [];
  const url = await world.receiver((_request, response) => {
    if (down) failed += 1;
    else taken.push(world.received.at(-1) as Received);
    world.received.length = 0;
    response.writeHead(down ? 503 : 200).end();
  });
  await world.policy([{ address: url }], { events: ['PUSH_ARTIFACT'] });
  await world.start();
  for (let first = 0; first < EVENTS; first += AT_ONCE) {
    await world.tell(Array.from({ length: Math.min(AT_ONCE, EVENTS - first) }, (_, index) => push([`t${Math.floor((first + index) / REPOSITORIES)}`], `alpha/r${(first + index) % REPOSITORIES}`)));
  }
  await eventually('every event being planned', async () => (await world.count('waiting')) === EVENTS, 300_000);
  expect(failed).toBeGreaterThan(0);
  down = false;
  await eventually('every delivery', async () => (await world.count('waiting')) === 0, 600_000);
  expect(await world.count('delivered')).toBe(EVENTS);
  const tags = new Map<string, number[]>();
  const ids = new Map<string, Set<unknown>>();
  for (const { headers, body } of taken) {
    const { event_data: { resources, repository } } = JSON.parse(body) as Told;
    const tag = Number(resources[0]?.tag.slice(1));
    tags.set(repository.name, [...(tags.get(repository.name) ?? []), tag]);
    const event = `${repository.name}:${tag}`;
    ids.set(event, (ids.get(event) ?? new Set()).add(headers['webhook-id']));
  }
  expect([...tags.values()]).toEqual(Array.from({ length: REPOSITORIES }, () => Array.from({ length: EACH }, (_, index) => index)));
  expect([...ids.values()].filter(({ size }) => size !== 1)).toEqual([]);
}, 960_000);

test('a receiver that never answers keeps nobody else waiting, and gets what waited for it once it answers', async () => {
  let silent = true;
  const taken: string[] = [];
  const bad = await world.receiver((_request, response) => {
    if (silent) return;
    taken.push('bad');
    response.end();
  });
  const good = await world.receiver((_request, response) => { taken.push('good'); response.end(); });
  const badPolicy = await world.policy([{ address: bad }], { events: ['PUSH_ARTIFACT'] });
  await world.policy([{ address: good }], { events: ['PUSH_ARTIFACT'], project: 2 });
  await world.start();
  const { database } = world.fixture;
  await world.tell(Array.from({ length: 60 }, (_, index) => push(['1'], `alpha/r${index}`)));
  await eventually('the receiver being known as silent', async () => (await database.query('SELECT 1 FROM webhook_outage WHERE policy_id = $1 AND failures >= 3', [badPolicy])).length === 1, 30_000);
  const tried = world.received.length;
  expect(tried).toBeLessThan(30);
  const begun = Date.now();
  await world.tell(Array.from({ length: 10 }, (_, index) => push(['1'], `bravo/r${index}`)));
  await eventually('the other receiver having everything', () => taken.length === 10);
  expect(Date.now() - begun).toBeLessThan(15_000);
  silent = false;
  await eventually('everything being delivered', async () => (await world.count('delivered')) === 70, 90_000);
  expect(await database.query('SELECT 1 FROM webhook_outage')).toEqual([]);
}, 180_000);

test('what has waited for a day for a receiver that takes nothing is dead', async () => {
  const url = await world.receiver((_request, response) => { response.writeHead(502).end(); });
  const { database } = world.fixture;
  await world.policy([{ address: url }], { events: ['PUSH_ARTIFACT'] });
  await world.start();
  await world.tell([push(['1'], 'alpha/old'), push(['2'], 'alpha/old')]);
  await eventually('a failure', async () => (await world.count('waiting')) === 2 && (await database.query('SELECT 1 FROM webhook_outage')).length === 1);
  await database.execute(`UPDATE execution SET started_at = now() - interval '25 hours'`);
  await database.execute(`UPDATE webhook_outage SET since = now() - interval '25 hours'`);
  await eventually('both being dead', async () => (await world.count('dead')) === 2, 60_000);
  expect(await database.query('SELECT DISTINCT fault FROM webhook_delivery')).toEqual([{ fault: 'the receiver took nothing for a day' }]);
  await eventually('the end of their executions', async () => (await database.query(`SELECT 1 FROM execution WHERE status = 'Running'`)).length === 0);
}, 90_000);
