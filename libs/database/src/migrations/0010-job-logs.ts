import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Logs of tasks go some time after their end, before the tasks themselves. */
export class JobLogs1763700000010 implements MigrationInterface {
  readonly name = 'JobLogs1763700000010';

  async up(runner: QueryRunner): Promise<void> {
    // Tells a log that is gone from one in which nothing was written.
    await runner.query('ALTER TABLE task ADD COLUMN log_removed boolean NOT NULL DEFAULT false');
    await runner.query('CREATE INDEX task_log_age ON task (ended_at) WHERE log_bytes > 0');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP INDEX IF EXISTS task_log_age');
    await runner.query('ALTER TABLE task DROP COLUMN log_removed');
  }
}
