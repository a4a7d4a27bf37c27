/** The Redis that the test run started (tools/test-services). */
export function testRedisUrl(): string {
  const url = process.env['HAVEN_TEST_REDIS_URL'];
  if (url === undefined) throw new Error('this test needs Redis: run it through `npm test` or `npm run test:unit`');
  return url;
}
