import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Webhooks of the whole installation, receivers that are down, and what was told about quotas. */
export class Webhooks1763700000009 implements MigrationInterface {
  readonly name = 'Webhooks1763700000009';

  async up(runner: QueryRunner): Promise<void> {
    // Without a project_id, a policy is one of the installation: of the projects whose names match one of `projects`, and
    // of all while that is empty.
    await runner.query(`ALTER TABLE webhook_policy ALTER COLUMN project_id DROP NOT NULL, ADD COLUMN projects text[] NOT NULL DEFAULT '{}'`);
    await runner.query('CREATE UNIQUE INDEX webhook_policy_system_name ON webhook_policy (name) WHERE project_id IS NULL');
    // How often it was tried before its task, which is forgotten earlier.
    await runner.query('ALTER TABLE webhook_delivery ADD COLUMN attempts integer NOT NULL DEFAULT 0');
    await runner.query('CREATE INDEX webhook_delivery_event ON webhook_delivery (event_id)');
    await runner.query('CREATE INDEX webhook_delivery_policy ON webhook_delivery (policy_id, id)');
    // A receiver that takes nothing just now: what is for it waits until next_at, but for the one that is tried then.
    await runner.query(`CREATE TABLE webhook_outage (
      policy_id integer NOT NULL REFERENCES webhook_policy (id) ON DELETE CASCADE,
      target integer NOT NULL,
      failures integer NOT NULL DEFAULT 1,
      since timestamptz NOT NULL DEFAULT now(),
      next_at timestamptz NOT NULL,
      PRIMARY KEY (policy_id, target)
    )`);
    // So that nobody is told of the same again and again: whether the project is past the warning, and the latest refusal
    // that was told of.
    await runner.query(`CREATE TABLE quota_notice (
      project_id integer PRIMARY KEY REFERENCES project (id) ON DELETE CASCADE,
      warned boolean NOT NULL DEFAULT false,
      exceeded_at timestamptz,
      exceeded_used bigint,
      exceeded_hard bigint
    )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE IF EXISTS quota_notice, webhook_outage');
    await runner.query('DROP INDEX webhook_delivery_policy');
    await runner.query('DROP INDEX webhook_delivery_event');
    await runner.query('ALTER TABLE webhook_delivery DROP COLUMN attempts');
    await runner.query('DELETE FROM webhook_policy WHERE project_id IS NULL');
    await runner.query('DROP INDEX webhook_policy_system_name');
    await runner.query('ALTER TABLE webhook_policy DROP COLUMN projects, ALTER COLUMN project_id SET NOT NULL');
  }
}
