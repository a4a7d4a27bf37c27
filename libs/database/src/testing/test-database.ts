import { randomBytes } from 'node:crypto';
import { createDatabase, type Database } from '../database.js';
import { testPostgresUrl } from './settings.js';

/** A database of a test's own, on the server of the test set-up. */
export interface TestDatabase {
  readonly url: string;
  readonly database: Database;
  /** Closes it and removes it from the server. */
  drop(): Promise<void>;
}

/** Makes an empty database, with the current schema unless `migrated` is false. */
export async function createTestDatabase({ migrated = true } = {}): Promise<TestDatabase> {
  const name = `test_${randomBytes(6).toString('hex')}`;
  const url = new URL(testPostgresUrl());
  url.pathname = `/${name}`;
  await onServer(`CREATE DATABASE ${name}`);
  const database = createDatabase({ url: url.href, poolSize: 10 });
  if (migrated) await database.migrate();
  return {
    url: url.href,
    database,
    drop: async () => {
      await database.close();
      await onServer(`DROP DATABASE ${name} WITH (FORCE)`);
    },
  };
}

async function onServer(sql: string): Promise<void> {
  const server = createDatabase({ url: testPostgresUrl(), poolSize: 1 });
  try {
    await server.execute(sql);
  } finally {
    await server.close();
  }
}
