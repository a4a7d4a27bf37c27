import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What a deleted manifest names and its repository did not hold: no restore may bring it there. */
export class AbsentContent1763700000016 implements MigrationInterface {
  readonly name = 'AbsentContent1763700000016';

  async up(runner: QueryRunner): Promise<void> {
    // Written when the manifest is deleted, and without meaning while it lives.
    await runner.query('ALTER TABLE manifest_blob ADD COLUMN absent boolean NOT NULL DEFAULT false');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE manifest_blob DROP COLUMN IF EXISTS absent');
  }
}
