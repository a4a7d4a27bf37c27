import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What this installation sends requests to: other registries, and receivers of webhooks. */
export class Outbound1763700000003 implements MigrationInterface {
  readonly name = 'Outbound1763700000003';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of [...registries, ...webhooks]) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE IF EXISTS webhook_delivery, webhook_policy, registry CASCADE');
  }
}

const registries = [
  // access_secret: sealed with the context `registry:<id>`. What uses a registry refers to it with a foreign key.
  `CREATE TABLE registry (
    id serial PRIMARY KEY,
    name text COLLATE "C" NOT NULL UNIQUE,
    description text NOT NULL DEFAULT '',
    type text NOT NULL,
    url text NOT NULL,
    insecure boolean NOT NULL DEFAULT false,
    ca_certificate text NOT NULL DEFAULT '',
    credential_type text NOT NULL DEFAULT '',
    access_key text NOT NULL DEFAULT '',
    access_secret text,
    status text NOT NULL DEFAULT 'unhealthy' CHECK (status IN ('healthy', 'unhealthy')),
    checked_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
  )`,
];

const webhooks = [
  // targets: [{"type": "http" | "slack", "address": …, "skip_cert_verify": …, "payload_format": …, "auth_header": sealed,
  // "secret": sealed}]; sealed with the context `webhook-policy:<id>`.
  `CREATE TABLE webhook_policy (
    id serial PRIMARY KEY,
    project_id integer NOT NULL REFERENCES project (id) ON DELETE CASCADE,
    name text COLLATE "C" NOT NULL,
    description text NOT NULL DEFAULT '',
    targets jsonb NOT NULL,
    event_types text[] NOT NULL,
    enabled boolean NOT NULL DEFAULT true,
    creator text NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (project_id, name)
  )`,
  // One notification for one target. Those of a target about the same subject are delivered in the order of their ids;
  // the task does it, and is gone before the notification when history is cleaned up. payload: what is told, without
  // the form in which it is sent.
  `CREATE TABLE webhook_delivery (
    id bigserial PRIMARY KEY,
    policy_id integer NOT NULL REFERENCES webhook_policy (id) ON DELETE CASCADE,
    target integer NOT NULL,
    event_id uuid NOT NULL,
    part integer NOT NULL,
    event_type text NOT NULL,
    subject text COLLATE "C" NOT NULL,
    payload jsonb NOT NULL,
    execution_id bigint NOT NULL,
    task_id bigint NOT NULL,
    state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'delivered', 'dead')),
    fault text NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL DEFAULT now(),
    ended_at timestamptz,
    UNIQUE (policy_id, event_id, part, target)
  )`,
  `CREATE INDEX webhook_delivery_order ON webhook_delivery (policy_id, target, subject, id) WHERE state = 'waiting'`,
  `CREATE INDEX webhook_delivery_dead ON webhook_delivery (policy_id, id) WHERE state = 'dead'`,
  `CREATE INDEX webhook_delivery_latest ON webhook_delivery (policy_id, event_type, created_at DESC)`,
  `CREATE INDEX webhook_delivery_age ON webhook_delivery (ended_at) WHERE state <> 'waiting'`,
  `CREATE INDEX webhook_delivery_task ON webhook_delivery (task_id)`,
];
