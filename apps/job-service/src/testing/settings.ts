/** How many events happen while a receiver of webhooks is down; the full size is 10,000, which takes some minutes beside other tests. */
export function webhookEvents(): number {
  return Number(process.env['HAVEN_TEST_WEBHOOK_EVENTS'] ?? 2000);
}

/** How much of its full size the comparison of storage with the catalog is tried in: 1 for 10,000 orphans. */
export function reconcilerScale(): number {
  return Number(process.env['HAVEN_TEST_RECONCILER_SCALE'] ?? 0.04);
}

/**
 * The Redis that the test run started (tools/test-services), in a database of this project's own, and of this process: whole
 * job services run in several suites at once, and would do each other's work.
 */
export function testRedisUrl(): string {
  const url = process.env['HAVEN_TEST_REDIS_URL'];
  if (url === undefined) throw new Error('this test needs Redis: run it through `npm test` or `npm run test:unit`');
  return new URL(Number(process.env['JEST_WORKER_ID'] ?? 1) % 2 === 1 ? '/10' : '/14', url).href;
}
