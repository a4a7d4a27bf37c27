/** The Redis that flow tests share. */
export function testRedisUrl(): string {
  const url = process.env['HAVEN_TEST_REDIS_URL'];
  if (url === undefined || url === '') throw new Error('HAVEN_TEST_REDIS_URL is not set: run flow tests through `npm test` or jest.config.mjs, which start a Redis');
  return url;
}
