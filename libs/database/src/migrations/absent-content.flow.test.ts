import { expect, test } from '@jest/globals';
import { createTestDatabase } from '../testing/test-database.js';
import { AbsentContent1763700000016 } from './0016-absent-content.js';

test('what deleted manifests of projects with sparse ones name and nobody holds any more is taken for what never was there', async () => {
  const fixture = await createTestDatabase();
  const { database } = fixture;
  const runner = database.dataSource.createQueryRunner();
  try {
    await new AbsentContent1763700000016().down(runner);
    for (const statement of [
      `INSERT INTO haven_user (id, external_id, username) VALUES (1, 'tester', 'tester')`,
      `INSERT INTO project (id, name, owner_id, metadata) VALUES (1, 'sparse', 1, '{"allow_sparse_manifests": "true"}'), (2, 'whole', 1, '{}')`,
      `INSERT INTO repository (id, project_id, name) VALUES (1, 1, 'sparse/a'), (2, 2, 'whole/a')`,
      `INSERT INTO blob (digest, size) VALUES ('sha256:held', 1)`,
      `INSERT INTO repository_blob (repository_id, digest) VALUES (1, 'sha256:held'), (2, 'sha256:held')`,
      `INSERT INTO manifest (id, repository_id, digest, media_type, kind, size, total_size, deleted_at)
       VALUES (1, 1, 'sha256:1', 'x/y', 'image', 1, 1, now()), (2, 1, 'sha256:2', 'x/y', 'image', 1, 1, NULL), (3, 2, 'sha256:3', 'x/y', 'image', 1, 1, now())`,
      `INSERT INTO manifest_blob (manifest_id, repository_id, digest) SELECT m.id, m.repository_id, d FROM manifest m, unnest(ARRAY['sha256:held', 'sha256:foreign']) AS d`,
    ]) await runner.query(statement);
    await new AbsentContent1763700000016().up(runner);
    expect(await runner.query('SELECT manifest_id::int AS manifest, digest FROM manifest_blob WHERE absent')).toEqual([{ manifest: 1, digest: 'sha256:foreign' }]);
  } finally {
    await runner.release();
    await fixture.drop();
  }
});
