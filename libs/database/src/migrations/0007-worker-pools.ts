import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Which processes do tasks, and which task each of them does. */
export class WorkerPools1763700000007 implements MigrationInterface {
  readonly name = 'WorkerPools1763700000007';

  async up(runner: QueryRunner): Promise<void> {
    // A process that ends without saying so stays until it has been silent for long.
    await runner.query(`CREATE TABLE worker_pool (
      id uuid PRIMARY KEY,
      host text NOT NULL,
      pid integer NOT NULL,
      concurrency integer NOT NULL,
      started_at timestamptz NOT NULL DEFAULT now(),
      heartbeat_at timestamptz NOT NULL DEFAULT now()
    )`);
    // pool_id: of the process that began it last, which may be gone.
    await runner.query('ALTER TABLE task ADD COLUMN pool_id uuid');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE task DROP COLUMN pool_id');
    await runner.query('DROP TABLE IF EXISTS worker_pool');
  }
}
