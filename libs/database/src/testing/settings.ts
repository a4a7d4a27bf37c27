/** The server that the test set-up started, with the rights to make databases. */
export function testPostgresUrl(): string {
  const url = process.env['HAVEN_TEST_POSTGRES_URL'];
  if (url === undefined || url === '') throw new Error('HAVEN_TEST_POSTGRES_URL is not set: run flow tests through `npm test` or jest.config.mjs, which start a Postgres');
  return url;
}
