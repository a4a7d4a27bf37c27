import type { RequestListener } from 'node:http';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { eventually, push, WebhookWorld } from './testing/webhook-world.js';

const TARGETS = 10;
const REPOSITORIES = 10;

let world: WebhookWorld;
beforeEach(async () => { world = await WebhookWorld.open(); });
afterEach(() => world.close());

async function count(state: string, project: number): Promise<number> {
  const [row] = await world.fixture.database.query<{ count: number }>(
    'SELECT count(*)::int AS count FROM webhook_delivery d JOIN webhook_policy p ON p.id = d.policy_id WHERE d.state = $1 AND p.project_id = $2', [state, project]);
  return row?.count ?? 0;
}

test('M-22: a project whose receivers take their time, though they take everything, keeps no other project waiting', async () => {
  const slow: RequestListener = (_request, response) => { setTimeout(() => { response.end(); }, 2000); };
  const addresses = await Promise.all(Array.from({ length: TARGETS }, () => world.receiver(slow)));
  for (const half of [addresses.slice(0, TARGETS / 2), addresses.slice(TARGETS / 2)]) await world.policy(half.map((address) => ({ address })));
  await world.policy([{ address: await world.receiver() }], { project: 2 });
  await world.tell(Array.from({ length: REPOSITORIES }, (_, index) => push(['1'], `alpha/app-${index}`)));
  await world.start();
  await eventually('the slow ones having much to take', async () => (await count('waiting', 1)) > 60, 30_000);
  const begun = performance.now();
  await world.tell([push(['1'], 'bravo/app')]);
  await eventually('the other one being told', async () => (await count('delivered', 2)) === 1);
  expect(performance.now() - begun).toBeLessThan(10_000);
  expect(await count('waiting', 1)).toBeGreaterThan(10);
}, 90_000);
