/** The Redis that the test run started (tools/test-services), in a database of the test's own. */
export function testRedisUrl(database: number): string {
  const url = process.env['HAVEN_TEST_REDIS_URL'];
  if (url === undefined) throw new Error('this test needs Redis: run it through `npm test` or `npm run test:unit`');
  return new URL(`/${database}`, url).href;
}

/** What a child process needs from this one's environment. */
export function inheritedEnvironment(): Record<string, string | undefined> {
  return { PATH: process.env['PATH'], TZ: process.env['TZ'] };
}
