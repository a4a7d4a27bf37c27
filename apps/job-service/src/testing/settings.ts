/** How much of its full size the comparison of storage with the catalog is tried in: 1 for 10,000 orphans. */
export function reconcilerScale(): number {
  return Number(process.env['HAVEN_TEST_RECONCILER_SCALE'] ?? 0.04);
}

/** The Redis that the test run started (tools/test-services), in a database of this project's own. */
export function testRedisUrl(): string {
  const url = process.env['HAVEN_TEST_REDIS_URL'];
  if (url === undefined) throw new Error('this test needs Redis: run it through `npm test` or `npm run test:unit`');
  return new URL('/10', url).href;
}
