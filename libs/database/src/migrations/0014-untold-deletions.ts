import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What retention deleted and nobody has been told of yet. */
export class UntoldDeletions1763700000014 implements MigrationInterface {
  readonly name = 'UntoldDeletions1763700000014';

  async up(runner: QueryRunner): Promise<void> {
    // Written together with the deletion, and removed together with the event that tells of it: a run that is killed
    // between its steps tells of everything, once.
    await runner.query(`CREATE TABLE untold_deletion (
      id bigserial PRIMARY KEY,
      task_id bigint NOT NULL REFERENCES task (id) ON DELETE CASCADE,
      digest text NOT NULL,
      kind text NOT NULL,
      tags text[] NOT NULL DEFAULT '{}'
    )`);
    await runner.query('CREATE INDEX untold_deletion_task ON untold_deletion (task_id, id)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE IF EXISTS untold_deletion');
  }
}
