import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What a comparison of storage with the catalog found. */
export class StorageFindings1763700000004 implements MigrationInterface {
  readonly name = 'StorageFindings1763700000004';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of findings) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE IF EXISTS storage_finding');
  }
}

const findings = [
  // name: a digest, an upload's id in storage, or both for a commit that never ended. confirmed: looked at twice; what is not
  // is shown to nobody. outcome: what was done about it.
  `CREATE TABLE storage_finding (
    execution_id bigint NOT NULL REFERENCES execution (id) ON DELETE CASCADE,
    kind text NOT NULL CHECK (kind IN ('orphan', 'missing', 'wrong-size', 'corrupted', 'stale-upload', 'stale-commit')),
    name text COLLATE "C" NOT NULL,
    size bigint,
    details jsonb NOT NULL DEFAULT '{}',
    confirmed boolean NOT NULL DEFAULT false,
    outcome text NOT NULL DEFAULT '' CHECK (outcome IN ('', 'handed-over', 'removed', 'kept')),
    PRIMARY KEY (execution_id, kind, name)
  )`,
  `CREATE INDEX storage_finding_waiting ON storage_finding (execution_id, kind, name) WHERE NOT confirmed`,
];
