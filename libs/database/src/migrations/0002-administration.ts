import type { MigrationInterface, QueryRunner } from 'typeorm';
import { auditTrail, withoutAuditTrail } from './audit-trail.js';
import { quotaAccounting } from './quota-accounting.js';
import { fillVersionKeys } from './tag-versions.js';

/** What administrators manage: groups, robots, labels, rules, quotas, schedules, the bin and the audit trail. */
export class Administration1763700000002 implements MigrationInterface {
  readonly name = 'Administration1763700000002';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of [...people, ...rules, ...labels, ...icons, ...work, ...bin, ...auditTrail, ...searching, ...quotaAccounting]) await runner.query(statement);
    await fillVersionKeys(runner);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TRIGGER IF EXISTS repository_blob_linked ON repository_blob');
    await runner.query('DROP TRIGGER IF EXISTS repository_blob_unlinked ON repository_blob');
    await runner.query('DROP FUNCTION IF EXISTS charge_linked_blobs, release_unlinked_blobs, charge_project, project_room, project_used, quota_is_enforced');
    await runner.query('ALTER TABLE tag_event ALTER COLUMN at SET DEFAULT now()');
    await runner.query('DROP INDEX IF EXISTS tag_event_time, tag_pushed, manifest_binned, manifest_binned_digest, repository_binned, repository_blob_age, blob_deleting');
    await runner.query(`DROP TABLE IF EXISTS project_blob, quota_change, unlinked_blob, garbage_progress, bin_manifest, bin_entry, queue_pause, schedule, task_log, task, execution,
      artifact_label, label, cve_allowlist, retention_policy, immutability_rule, robot_permission, robot, login_failure, session, user_group_member CASCADE`);
    await runner.query('DROP VIEW IF EXISTS project_role');
    await runner.query('DELETE FROM member WHERE user_id IS NULL');
    await runner.query('ALTER TABLE member DROP COLUMN group_id, ALTER COLUMN user_id SET NOT NULL');
    await runner.query('DROP TABLE IF EXISTS user_group');
    await runner.query('ALTER TABLE haven_user DROP COLUMN cli_secret, DROP COLUMN last_login_at');
    await runner.query('ALTER TABLE project DROP COLUMN storage_used, DROP COLUMN quota_updated_at');
    await runner.query('ALTER TABLE manifest DROP COLUMN icon');
    await runner.query('ALTER TABLE tag DROP COLUMN version_key');
    for (const statement of withoutAuditTrail) await runner.query(statement);
    await runner.query('DROP INDEX IF EXISTS project_name_search, repository_name_search, repository_newest');
  }
}

const people = [
  // cli_secret: sealed; what docker logs in with where the web login belongs to another system.
  `ALTER TABLE haven_user ADD COLUMN cli_secret text, ADD COLUMN last_login_at timestamptz`,
  // type: 1 LDAP, 2 HTTP, 3 OIDC (the numbers of the Harbor API).
  `CREATE TABLE user_group (
    id serial PRIMARY KEY,
    name text NOT NULL,
    type smallint NOT NULL CHECK (type BETWEEN 1 AND 3),
    ldap_group_dn text,
    -- The DN in the one form that equal DNs share, whatever their case and spacing.
    dn_key text COLLATE "C",
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CHECK ((type = 1) = (ldap_group_dn IS NOT NULL)),
    CHECK ((type = 1) = (dn_key IS NOT NULL))
  )`,
  `CREATE UNIQUE INDEX user_group_dn ON user_group (dn_key) WHERE type = 1`,
  `CREATE UNIQUE INDEX user_group_name ON user_group (type, name) WHERE type <> 1`,
  // Who is in a group, as its directory said when it was last asked.
  `CREATE TABLE user_group_member (
    group_id integer NOT NULL REFERENCES user_group (id) ON DELETE CASCADE,
    user_id integer NOT NULL REFERENCES haven_user (id) ON DELETE CASCADE,
    confirmed_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (group_id, user_id)
  )`,
  `CREATE INDEX user_group_member_user ON user_group_member (user_id)`,
  `ALTER TABLE member ALTER COLUMN user_id DROP NOT NULL,
    ADD COLUMN group_id integer REFERENCES user_group (id) ON DELETE CASCADE,
    ADD CONSTRAINT member_is_user_or_group CHECK (num_nonnulls(user_id, group_id) = 1),
    ADD CONSTRAINT member_group_once UNIQUE (project_id, group_id)`,
  `CREATE INDEX member_group ON member (group_id)`,
  // The roles of people in projects: their own, and those of their groups. Whoever asks for roles asks here.
  `CREATE VIEW project_role AS
     SELECT project_id, user_id, role FROM member WHERE user_id IS NOT NULL
     UNION ALL
     SELECT m.project_id, g.user_id, m.role FROM member m JOIN user_group_member g ON g.group_id = m.group_id`,
  // A browser's login. The cookie holds the id; only its SHA-256 is kept.
  `CREATE TABLE session (
    id_hash bytea PRIMARY KEY,
    user_id integer NOT NULL REFERENCES haven_user (id) ON DELETE CASCADE,
    csrf_secret bytea NOT NULL,
    address text NOT NULL DEFAULT '',
    user_agent text NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL DEFAULT now(),
    used_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL
  )`,
  `CREATE INDEX session_of_user ON session (user_id)`,
  `CREATE INDEX session_expiry ON session (expires_at)`,
  // Wrong passwords in a row, under the SHA-256 of what they are counted for. Unlogged: losing them in a crash costs a
  // guesser a few minutes less, writing them to the log would cost us work for every guess.
  `CREATE UNLOGGED TABLE login_failure (
    key bytea PRIMARY KEY,
    failures integer NOT NULL,
    failed_at timestamptz NOT NULL
  )`,
  `CREATE INDEX login_failure_age ON login_failure (failed_at)`,
  // duration: days, -1 for ever; expires_at is empty then. creator: 'user:3' or 'robot:7'.
  `CREATE TABLE robot (
    id serial PRIMARY KEY,
    name text COLLATE "C" NOT NULL,
    level text NOT NULL CHECK (level IN ('system', 'project')),
    project_id integer REFERENCES project (id) ON DELETE CASCADE,
    description text NOT NULL DEFAULT '',
    secret_hash text NOT NULL,
    disabled boolean NOT NULL DEFAULT false,
    visible boolean NOT NULL DEFAULT true,
    duration integer NOT NULL,
    expires_at timestamptz,
    creator text NOT NULL DEFAULT '',
    last_used_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CHECK ((level = 'project') = (project_id IS NOT NULL))
  )`,
  `CREATE UNIQUE INDEX robot_name ON robot (coalesce(project_id, 0), name)`,
  // kind system: project_id is empty; kind project: one project, or all of them when empty.
  `CREATE TABLE robot_permission (
    id bigserial PRIMARY KEY,
    robot_id integer NOT NULL REFERENCES robot (id) ON DELETE CASCADE,
    kind text NOT NULL CHECK (kind IN ('system', 'project')),
    project_id integer REFERENCES project (id) ON DELETE CASCADE,
    resource text NOT NULL,
    action text NOT NULL,
    CHECK (kind = 'project' OR project_id IS NULL)
  )`,
  `CREATE UNIQUE INDEX robot_permission_once ON robot_permission (robot_id, kind, coalesce(project_id, 0), resource, action)`,
  `CREATE INDEX robot_permission_project ON robot_permission (project_id)`,
];

const rules = [
  // rule: the selectors in the Harbor API's form; disabled is kept beside it because it is toggled alone.
  `CREATE TABLE immutability_rule (
    id serial PRIMARY KEY,
    project_id integer NOT NULL REFERENCES project (id) ON DELETE CASCADE,
    rule jsonb NOT NULL,
    disabled boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
  )`,
  `CREATE INDEX immutability_rule_project ON immutability_rule (project_id, id)`,
  `CREATE TABLE retention_policy (
    id serial PRIMARY KEY,
    project_id integer NOT NULL UNIQUE REFERENCES project (id) ON DELETE CASCADE,
    policy jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
  )`,
  // project_id 0 is the list of the whole installation. expires_at: seconds since 1970, as the API has it.
  `CREATE TABLE cve_allowlist (
    id serial PRIMARY KEY,
    project_id integer NOT NULL UNIQUE,
    expires_at bigint,
    items text[] NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
  )`,
];

const labels = [
  `CREATE TABLE label (
    id serial PRIMARY KEY,
    name text NOT NULL,
    description text NOT NULL DEFAULT '',
    color text NOT NULL DEFAULT '',
    scope text NOT NULL CHECK (scope IN ('g', 'p')),
    project_id integer REFERENCES project (id) ON DELETE CASCADE,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CHECK ((scope = 'p') = (project_id IS NOT NULL))
  )`,
  `CREATE UNIQUE INDEX label_name ON label (coalesce(project_id, 0), name)`,
  `CREATE TABLE artifact_label (
    manifest_id bigint NOT NULL REFERENCES manifest (id) ON DELETE CASCADE,
    label_id integer NOT NULL REFERENCES label (id) ON DELETE CASCADE,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (manifest_id, label_id)
  )`,
  `CREATE INDEX artifact_label_label ON artifact_label (label_id)`,
];

const icons = [
  // The layer that holds an artifact's own icon.
  `ALTER TABLE manifest ADD COLUMN icon text COLLATE "C"`,
  `CREATE INDEX manifest_icon ON manifest (icon) WHERE icon IS NOT NULL AND deleted_at IS NULL`,
];

const work = [
  // Status and trigger are the words of the Harbor API. started_by: a subject, empty for a schedule.
  `CREATE TABLE execution (
    id bigserial PRIMARY KEY,
    vendor_type text NOT NULL,
    vendor_id bigint NOT NULL DEFAULT 0,
    status text NOT NULL DEFAULT 'Running',
    status_message text NOT NULL DEFAULT '',
    trigger text NOT NULL CHECK (trigger IN ('MANUAL', 'SCHEDULE', 'EVENT')),
    extra_attrs jsonb NOT NULL DEFAULT '{}',
    started_by text NOT NULL DEFAULT '',
    stop_requested_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    started_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    ended_at timestamptz
  )`,
  `CREATE INDEX execution_vendor ON execution (vendor_type, vendor_id, started_at DESC, id DESC)`,
  `CREATE INDEX execution_unfinished ON execution (id) WHERE ended_at IS NULL`,
  // attempts: counts claims and fences off workers that lost the task; failures: what counts against its tries; due_at: not
  // to be begun before; queued_at: when the queue was last told of it; log_bytes: of the log, which is bounded.
  `CREATE TABLE task (
    id bigserial PRIMARY KEY,
    execution_id bigint NOT NULL REFERENCES execution (id) ON DELETE CASCADE,
    job_id uuid NOT NULL UNIQUE DEFAULT gen_random_uuid(),
    vendor_type text NOT NULL,
    status text NOT NULL DEFAULT 'Pending',
    status_revision bigint NOT NULL DEFAULT 0,
    status_message text NOT NULL DEFAULT '',
    attempts integer NOT NULL DEFAULT 0,
    failures integer NOT NULL DEFAULT 0,
    extra_attrs jsonb NOT NULL DEFAULT '{}',
    log_bytes integer NOT NULL DEFAULT 0,
    due_at timestamptz NOT NULL DEFAULT now(),
    queued_at timestamptz,
    heartbeat_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    started_at timestamptz,
    updated_at timestamptz NOT NULL DEFAULT now(),
    ended_at timestamptz
  )`,
  `CREATE INDEX task_execution ON task (execution_id, id)`,
  `CREATE INDEX task_unfinished ON task (vendor_type, id) WHERE ended_at IS NULL`,
  `CREATE TABLE task_log (
    id bigserial PRIMARY KEY,
    task_id bigint NOT NULL REFERENCES task (id) ON DELETE CASCADE,
    text text NOT NULL
  )`,
  `CREATE INDEX task_log_task ON task_log (task_id, id)`,
  // cron: six fields, the first one 0; UTC.
  `CREATE TABLE schedule (
    id bigserial PRIMARY KEY,
    vendor_type text NOT NULL,
    vendor_id bigint NOT NULL DEFAULT 0,
    cron_type text NOT NULL DEFAULT 'Custom',
    cron text NOT NULL,
    parameters jsonb NOT NULL DEFAULT '{}',
    next_due_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (vendor_type, vendor_id)
  )`,
  `CREATE INDEX schedule_due ON schedule (next_due_at)`,
  `CREATE TABLE queue_pause (job_type text PRIMARY KEY, paused_at timestamptz NOT NULL DEFAULT now())`,
];

const bin = [
  // One entry per deletion that somebody asked for. tags: what the deletion took off,
  // [{"name": …, "digest": …, "pushedAt": …, "pulledAt": …}].
  `CREATE TABLE bin_entry (
    id bigserial PRIMARY KEY,
    kind text NOT NULL CHECK (kind IN ('tag', 'artifact', 'repository')),
    project_id integer NOT NULL REFERENCES project (id) ON DELETE CASCADE,
    repository_id bigint NOT NULL REFERENCES repository (id) ON DELETE CASCADE,
    repository text COLLATE "C" NOT NULL,
    tag text COLLATE "C",
    digest text COLLATE "C",
    tags jsonb NOT NULL DEFAULT '[]',
    deleted_by text NOT NULL,
    deleted_at timestamptz NOT NULL DEFAULT now()
  )`,
  `CREATE INDEX bin_entry_project ON bin_entry (project_id, deleted_at DESC, id DESC)`,
  `CREATE INDEX bin_entry_repository ON bin_entry (repository_id)`,
  `CREATE INDEX bin_entry_age ON bin_entry (deleted_at)`,
  // The artifacts that went with it, or that a deleted tag named: garbage collection spares them until the entry goes.
  `CREATE TABLE bin_manifest (
    entry_id bigint NOT NULL REFERENCES bin_entry (id) ON DELETE CASCADE,
    manifest_id bigint NOT NULL REFERENCES manifest (id) ON DELETE CASCADE,
    PRIMARY KEY (entry_id, manifest_id)
  )`,
  `CREATE INDEX bin_manifest_manifest ON bin_manifest (manifest_id)`,
  `CREATE INDEX manifest_binned ON manifest (deleted_at, id) WHERE deleted_at IS NOT NULL`,
  `CREATE INDEX manifest_binned_digest ON manifest (digest) WHERE deleted_at IS NOT NULL`,
  `CREATE INDEX repository_binned ON repository (deleted_at, id) WHERE deleted_at IS NOT NULL`,
  // Garbage collection looks at each link once, when it is old enough: this is how far it got.
  `CREATE INDEX repository_blob_age ON repository_blob (created_at)`,
  `CREATE INDEX blob_deleting ON blob (digest) WHERE state = 'deleting'`,
  `CREATE TABLE garbage_progress (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    links_checked_until timestamptz NOT NULL DEFAULT '-infinity'
  )`,
  `INSERT INTO garbage_progress DEFAULT VALUES`,
  // Read while the tag is locked, so that the times of a tag's events have their order.
  `ALTER TABLE tag_event ALTER COLUMN at SET DEFAULT clock_timestamp()`,
  `CREATE INDEX tag_event_time ON tag_event (repository_id, at DESC, id DESC)`,
  // What sorts versions as people read them: "1.10" after "1.9", "2.0-rc1" before "2.0".
  `ALTER TABLE tag ADD COLUMN version_key text COLLATE "C" NOT NULL DEFAULT ''`,
  // With the id, so that a deep page is found in the index alone.
  `CREATE INDEX tag_version ON tag (repository_id, version_key, name) INCLUDE (id)`,
  `CREATE INDEX tag_pushed ON tag (repository_id, pushed_at DESC, id DESC)`,
];

const searching = [
  `CREATE EXTENSION IF NOT EXISTS pg_trgm`,
  `CREATE INDEX project_name_search ON project USING gin (name gin_trgm_ops) WHERE deleted_at IS NULL`,
  `CREATE INDEX repository_name_search ON repository USING gin (name gin_trgm_ops) WHERE deleted_at IS NULL`,
  // The order of the list of all repositories.
  `CREATE INDEX repository_newest ON repository (created_at DESC, id DESC) INCLUDE (project_id) WHERE deleted_at IS NULL`,
];
