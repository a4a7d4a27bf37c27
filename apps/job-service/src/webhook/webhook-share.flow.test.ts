import type { RequestListener } from 'node:http';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { eventually, push, WebhookWorld } from './testing/webhook-world.js';

const TARGETS = 10;
const REPOSITORIES = 32;
const SLOW = TARGETS * REPOSITORIES;

let world: WebhookWorld;
beforeEach(async () => { world = await WebhookWorld.open(); });
afterEach(() => world.close());

async function count(project: number, states: readonly string[]): Promise<number> {
  const [row] = await world.fixture.database.query<{ count: number }>(
    'SELECT count(*)::int AS count FROM webhook_delivery d JOIN webhook_policy p ON p.id = d.policy_id WHERE p.project_id = $1 AND d.state = ANY($2)', [project, states]);
  return row?.count ?? 0;
}

test('M-22: a project whose receivers take their time, though they take everything, keeps no other project waiting', async () => {
  const slow: RequestListener = (_request, response) => { setTimeout(() => { response.end(); }, 2000); };
  const addresses = await Promise.all(Array.from({ length: TARGETS }, () => world.receiver(slow)));
  for (const half of [addresses.slice(0, TARGETS / 2), addresses.slice(TARGETS / 2)]) await world.policy(half.map((address) => ({ address })));
  await world.policy([{ address: await world.receiver() }], { project: 2 });
  await world.tell(Array.from({ length: REPOSITORIES }, (_, index) => push(['1'], `alpha/app-${index}`)));
  await world.start();
  await eventually('the slow ones having much to take', async () => (await count(1, ['waiting', 'delivered'])) === SLOW, 60_000);
  await world.tell([push(['1'], 'bravo/app')]);
  await eventually('the other one being told', async () => (await count(2, ['delivered'])) === 1, 60_000);
  // How many a machine does meanwhile depends on how busy it is; without a share of the workers the other one comes last.
  expect(await count(1, ['delivered'])).toBeLessThan(SLOW / 4);
}, 150_000);
