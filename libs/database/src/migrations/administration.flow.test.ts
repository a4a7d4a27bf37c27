import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { createTestDatabase, type TestDatabase } from '../testing/test-database.js';

let fixture: TestDatabase;
beforeEach(async () => { fixture = await createTestDatabase({ migrated: false }); });
afterEach(() => fixture.drop());

/** The schema before administration came, with this in it. */
async function begin(statements: readonly string[]): Promise<void> {
  const { dataSource } = fixture.database;
  await fixture.database.ping();
  const [initial] = dataSource.migrations;
  const runner = dataSource.createQueryRunner();
  await initial?.up(runner);
  await runner.query('CREATE TABLE schema_migration (id serial PRIMARY KEY, timestamp bigint NOT NULL, name varchar NOT NULL)');
  await runner.query('INSERT INTO schema_migration (timestamp, name) VALUES (1763700000001, $1)', [initial?.name]);
  for (const statement of statements) await runner.query(statement);
  await runner.release();
}

const held = [
  `INSERT INTO haven_user (id, external_id, username) VALUES (1, 'tester', 'tester')`,
  `INSERT INTO project (id, name, owner_id) VALUES (1, 'alpha', 1), (2, 'bravo', 1)`,
  `INSERT INTO repository (id, project_id, name, deleted_at) VALUES (1, 1, 'alpha/a', NULL), (2, 1, 'alpha/b', NULL), (3, 2, 'bravo/a', now())`,
  `INSERT INTO blob (digest, size) VALUES ('sha256:1', 100), ('sha256:2', 30), ('sha256:3', 7)`,
  `INSERT INTO repository_blob (repository_id, digest) VALUES (1, 'sha256:1'), (2, 'sha256:1'), (2, 'sha256:2'), (3, 'sha256:3')`,
  `INSERT INTO manifest (id, repository_id, digest, media_type, kind, size, total_size) VALUES (1, 1, 'sha256:1', 'x/y', 'image', 100, 100)`,
  `INSERT INTO tag (repository_id, name, manifest_id) SELECT 1, 'v1.' || minor, 1 FROM generate_series(1, 6000) AS minor`,
];

test('what is there is charged, tags get their places in the order of versions, and garbage is noted', async () => {
  await begin(held);
  await fixture.database.migrate();
  expect(await fixture.database.query('SELECT id, project_used(id) AS used FROM project ORDER BY id')).toEqual([{ id: 1, used: '130' }, { id: 2, used: '0' }]);
  expect(await fixture.database.query('SELECT digest, repositories FROM project_blob ORDER BY digest')).toEqual([{ digest: 'sha256:1', repositories: 2 }, { digest: 'sha256:2', repositories: 1 }]);
  expect(await fixture.database.query('SELECT digest FROM unlinked_blob')).toEqual([{ digest: 'sha256:3' }]);
  expect(await fixture.database.query('SELECT name FROM tag ORDER BY version_key LIMIT 3 OFFSET 8')).toEqual([{ name: 'v1.9' }, { name: 'v1.10' }, { name: 'v1.11' }]);
  await fixture.database.execute(`DELETE FROM repository_blob WHERE digest = 'sha256:1'`);
  expect(await fixture.database.query('SELECT project_used(1) AS used')).toEqual([{ used: '30' }]);
  await expect(fixture.database.execute('DELETE FROM repository WHERE id = 2')).rejects.toThrow('still held blobs');
});

test('it can be taken back and made again', async () => {
  await begin(held);
  await fixture.database.migrate();
  for (const _later of fixture.database.dataSource.migrations.slice(1)) await fixture.database.dataSource.undoLastMigration({ transaction: 'each' });
  expect(await fixture.database.schemaIsCurrent()).toBe(false);
  await fixture.database.migrate();
  expect(await fixture.database.query('SELECT project_used(1) AS used')).toEqual([{ used: '130' }]);
});
