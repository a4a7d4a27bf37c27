import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What a deleted manifest names and its repository did not hold: no restore may bring it there. */
export class AbsentContent1763700000016 implements MigrationInterface {
  readonly name = 'AbsentContent1763700000016';

  async up(runner: QueryRunner): Promise<void> {
    // Written when the manifest is deleted, and without meaning while it lives.
    await runner.query('ALTER TABLE manifest_blob ADD COLUMN absent boolean NOT NULL DEFAULT false');
    // Nobody can tell any more what a project that allows sparse manifests held of those that are deleted already.
    await runner.query(`UPDATE manifest_blob mb SET absent = true FROM manifest m JOIN repository r ON r.id = m.repository_id JOIN project p ON p.id = r.project_id
      WHERE m.id = mb.manifest_id AND m.deleted_at IS NOT NULL AND p.metadata->>'allow_sparse_manifests' = 'true'
        AND NOT EXISTS (SELECT 1 FROM repository_blob rb WHERE rb.repository_id = r.id AND rb.digest = mb.digest)`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE manifest_blob DROP COLUMN IF EXISTS absent');
  }
}
