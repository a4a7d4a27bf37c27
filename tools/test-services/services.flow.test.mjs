import { expect, test } from '@jest/globals';
import pg from 'pg';

test('flow tests get a Postgres whose user may create databases and roles', async () => {
  const client = new pg.Client({ connectionString: process.env.HAVEN_TEST_POSTGRES_URL });
  await client.connect();
  try {
    const { rows } = await client.query('SELECT rolsuper, current_setting(\'fsync\') AS fsync FROM pg_roles WHERE rolname = current_user');
    expect(rows).toEqual([{ rolsuper: true, fsync: 'on' }]);
  } finally {
    await client.end();
  }
});
