import type { MigrationInterface, QueryRunner } from 'typeorm';

/** How far the notifications about an event are planned, where that takes more than one transaction. */
export class WebhookPlans1763700000015 implements MigrationInterface {
  readonly name = 'WebhookPlans1763700000015';

  async up(runner: QueryRunner): Promise<void> {
    // Everything up to (part, policy_id, target) has its row in webhook_delivery; the row goes with the last of them.
    // artifacts: those of a deleted repository that are told of, [{"digest": …, "tags": […]}]; written down, because a part
    // is an artifact's place among them, and the bin may lose some in between.
    await runner.query(`CREATE TABLE webhook_plan (
      event_id uuid PRIMARY KEY,
      part integer NOT NULL,
      policy_id integer NOT NULL,
      target integer NOT NULL,
      artifacts jsonb,
      updated_at timestamptz NOT NULL DEFAULT now()
    )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE IF EXISTS webhook_plan');
  }
}
