/** The audit trail: a line for everything that was done, in partitions by month, and how many lines each project has. */
export const auditTrail = [
  // Who caused an event, from where: {"name", "address", "requestId"}.
  `ALTER TABLE outbox ADD COLUMN origin jsonb NOT NULL DEFAULT '{}'`,
  // Its primary key is also the order of every list.
  `CREATE TABLE audit_event (
    id bigserial,
    event_id uuid NOT NULL,
    op_time timestamptz NOT NULL,
    project_id integer,
    subject text NOT NULL DEFAULT '',
    username text NOT NULL DEFAULT '',
    resource_type text NOT NULL,
    resource text NOT NULL,
    operation text NOT NULL,
    operation_description text NOT NULL DEFAULT '',
    operation_result boolean NOT NULL DEFAULT true,
    address text NOT NULL DEFAULT '',
    request_id text NOT NULL DEFAULT '',
    PRIMARY KEY (op_time, id),
    UNIQUE (op_time, event_id)
  ) PARTITION BY RANGE (op_time)`,
  // Lines of months whose partition is not made yet; the job service makes partitions ahead of time.
  `CREATE TABLE audit_event_default PARTITION OF audit_event DEFAULT`,
  `CREATE INDEX audit_event_project ON audit_event (project_id, op_time DESC, id DESC)`,
  `CREATE INDEX audit_event_username ON audit_event (username, op_time DESC, id DESC)`,
  // project_id 0: lines that belong to no project. Kept, so that nobody counts millions of lines for one page of them.
  `CREATE TABLE audit_count (project_id integer PRIMARY KEY, events bigint NOT NULL) WITH (fillfactor = 50)`,
  `CREATE FUNCTION count_added_audit() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
     INSERT INTO audit_count AS known (project_id, events)
       SELECT coalesce(project_id, 0), count(*) FROM added GROUP BY 1 ORDER BY 1
       ON CONFLICT (project_id) DO UPDATE SET events = known.events + excluded.events;
     RETURN NULL;
   END $$`,
  `CREATE FUNCTION count_removed_audit() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
     INSERT INTO audit_count AS known (project_id, events)
       SELECT coalesce(project_id, 0), -count(*) FROM removed GROUP BY 1 ORDER BY 1
       ON CONFLICT (project_id) DO UPDATE SET events = known.events + excluded.events;
     RETURN NULL;
   END $$`,
  // Only for statements on the whole table: lines that move from one partition to another stay counted.
  `CREATE TRIGGER audit_event_added AFTER INSERT ON audit_event
   REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION count_added_audit()`,
  `CREATE TRIGGER audit_event_removed AFTER DELETE ON audit_event
   REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION count_removed_audit()`,
];

export const withoutAuditTrail = [
  'DROP TABLE IF EXISTS audit_event, audit_count CASCADE',
  'DROP FUNCTION IF EXISTS count_added_audit, count_removed_audit',
  'ALTER TABLE outbox DROP COLUMN origin',
];
