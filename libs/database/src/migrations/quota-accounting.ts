/**
 * What a project's storage costs, kept by the database itself: a project is charged for a blob when its first repository
 * links it and gets it back when its last one unlinks it, whichever statement does so, in the same transaction.
 *
 * A project without a limit only appends to quota_change, so pushes into it never wait for each other. One with a limit
 * is locked while a push adds to it: it is charged exactly or, with SQLSTATE HVQ01, not at all. What is used is
 * project.storage_used plus the project's changes that have not been folded into it yet. See docs/decisions/0010.
 */
export const quotaAccounting = [
  `ALTER TABLE project ADD COLUMN storage_used bigint NOT NULL DEFAULT 0, ADD COLUMN quota_updated_at timestamptz NOT NULL DEFAULT now()`,
  // Each blob that a project's repositories hold, with in how many of them.
  `CREATE TABLE project_blob (
    project_id integer NOT NULL REFERENCES project (id),
    digest text COLLATE "C" NOT NULL,
    size bigint NOT NULL,
    repositories integer NOT NULL,
    PRIMARY KEY (project_id, digest)
  )`,
  `CREATE TABLE quota_change (
    id bigserial PRIMARY KEY,
    project_id integer NOT NULL,
    bytes bigint NOT NULL
  )`,
  `CREATE INDEX quota_change_project ON quota_change (project_id)`,
  // Blobs that some repository gave up, or whose last artifact left the bin: what garbage collection looks at, and no more.
  `CREATE TABLE unlinked_blob (
    digest text COLLATE "C" PRIMARY KEY,
    unlinked_at timestamptz NOT NULL DEFAULT clock_timestamp()
  )`,
  `CREATE INDEX unlinked_blob_age ON unlinked_blob (unlinked_at)`,

  // Repositories in the bin hold nothing: what they held is linked again when they are restored.
  `DELETE FROM repository_blob rb USING repository r WHERE r.id = rb.repository_id AND r.deleted_at IS NOT NULL`,
  `INSERT INTO unlinked_blob (digest) SELECT digest FROM blob b WHERE NOT EXISTS (SELECT 1 FROM repository_blob rb WHERE rb.digest = b.digest)`,
  `INSERT INTO project_blob (project_id, digest, size, repositories)
   SELECT r.project_id, rb.digest, b.size, count(*) FROM repository_blob rb JOIN repository r ON r.id = rb.repository_id JOIN blob b ON b.digest = rb.digest
   GROUP BY r.project_id, rb.digest, b.size`,
  `UPDATE project p SET storage_used = held.bytes FROM (SELECT project_id, sum(size) AS bytes FROM project_blob GROUP BY project_id) held WHERE held.project_id = p.id`,

  `CREATE FUNCTION project_used(wanted integer) RETURNS bigint LANGUAGE sql STABLE AS $$
     SELECT p.storage_used + coalesce((SELECT sum(c.bytes) FROM quota_change c WHERE c.project_id = wanted), 0)::bigint FROM project p WHERE p.id = wanted
   $$`,
  `CREATE FUNCTION quota_is_enforced() RETURNS boolean LANGUAGE sql STABLE AS $$
     SELECT coalesce((SELECT value NOT IN ('false', '"false"') FROM setting WHERE key = 'quota_per_project_enable'), true)
   $$`,
  // Bytes that the project may still take; null where there is no limit.
  `CREATE FUNCTION project_room(wanted integer) RETURNS bigint LANGUAGE plpgsql STABLE AS $$
   DECLARE
     hard bigint;
   BEGIN
     SELECT storage_limit INTO hard FROM project WHERE id = wanted;
     IF hard IS NULL OR hard < 0 OR NOT quota_is_enforced() THEN RETURN NULL; END IF;
     RETURN hard - project_used(wanted);
   END $$`,

  `CREATE FUNCTION charge_project(charged integer, added bigint) RETURNS void LANGUAGE plpgsql AS $$
   DECLARE
     used bigint;
     hard bigint;
   BEGIN
     IF added = 0 THEN RETURN; END IF;
     SELECT storage_limit INTO hard FROM project WHERE id = charged;
     IF added < 0 OR hard < 0 THEN
       INSERT INTO quota_change (project_id, bytes) VALUES (charged, added);
       RETURN;
     END IF;
     -- The linking trigger holds this lock already, unless the limit is younger than its look at the project.
     PERFORM 1 FROM project WHERE id = charged FOR NO KEY UPDATE;
     SELECT storage_limit, project_used(id) INTO hard, used FROM project WHERE id = charged;
     IF hard >= 0 AND used + added > hard AND quota_is_enforced() THEN
       RAISE EXCEPTION 'the quota of project % is exceeded', charged
         USING ERRCODE = 'HVQ01', DETAIL = json_build_object('project', charged, 'used', used, 'added', added, 'hard', hard)::text;
     END IF;
     UPDATE project SET storage_used = storage_used + added WHERE id = charged;
   END $$`,

  // The project is locked before its blobs, always in this order, so that two pushes wait instead of deadlocking.
  // Whoever links holds the project's row FOR KEY SHARE already.
  `CREATE FUNCTION charge_linked_blobs() RETURNS trigger LANGUAGE plpgsql AS $$
   DECLARE
     owner record;
     added bigint;
   BEGIN
     FOR owner IN
       SELECT DISTINCT p.id, p.storage_limit FROM linked l JOIN repository r ON r.id = l.repository_id JOIN project p ON p.id = r.project_id ORDER BY p.id
     LOOP
       IF owner.storage_limit >= 0 THEN PERFORM 1 FROM project WHERE id = owner.id FOR NO KEY UPDATE; END IF;
       WITH counted AS (
         INSERT INTO project_blob (project_id, digest, size, repositories)
         SELECT owner.id, l.digest, b.size, count(*) FROM linked l JOIN repository r ON r.id = l.repository_id AND r.project_id = owner.id
         JOIN blob b ON b.digest = l.digest GROUP BY l.digest, b.size ORDER BY l.digest
         ON CONFLICT (project_id, digest) DO UPDATE SET repositories = project_blob.repositories + excluded.repositories
         RETURNING size, xmax = 0 AS fresh)
       SELECT coalesce(sum(size) FILTER (WHERE fresh), 0) INTO added FROM counted;
       PERFORM charge_project(owner.id, added);
     END LOOP;
     RETURN NULL;
   END $$`,

  `CREATE FUNCTION release_unlinked_blobs() RETURNS trigger LANGUAGE plpgsql AS $$
   DECLARE
     owner record;
     released bigint;
   BEGIN
     IF EXISTS (SELECT 1 FROM unlinked u LEFT JOIN repository r ON r.id = u.repository_id WHERE r.id IS NULL) THEN
       RAISE EXCEPTION 'a repository was removed while it still held blobs';
     END IF;
     FOR owner IN
       SELECT DISTINCT r.project_id AS id FROM unlinked u JOIN repository r ON r.id = u.repository_id ORDER BY 1
     LOOP
       PERFORM 1 FROM project WHERE id = owner.id FOR KEY SHARE;
       PERFORM 1 FROM project_blob WHERE project_id = owner.id AND digest IN (SELECT digest FROM unlinked) ORDER BY digest FOR UPDATE;
       UPDATE project_blob held SET repositories = held.repositories - gone.repositories
       FROM (SELECT u.digest, count(*)::int AS repositories FROM unlinked u JOIN repository r ON r.id = u.repository_id AND r.project_id = owner.id GROUP BY u.digest) gone
       WHERE held.project_id = owner.id AND held.digest = gone.digest;
       WITH freed AS (
         DELETE FROM project_blob WHERE project_id = owner.id AND repositories <= 0 AND digest IN (SELECT digest FROM unlinked) RETURNING size)
       SELECT coalesce(sum(size), 0) INTO released FROM freed;
       PERFORM charge_project(owner.id, -released);
     END LOOP;
     INSERT INTO unlinked_blob (digest) SELECT DISTINCT digest FROM unlinked ORDER BY digest
     ON CONFLICT (digest) DO UPDATE SET unlinked_at = clock_timestamp();
     RETURN NULL;
   END $$`,

  `CREATE TRIGGER repository_blob_linked AFTER INSERT ON repository_blob
     REFERENCING NEW TABLE AS linked FOR EACH STATEMENT EXECUTE FUNCTION charge_linked_blobs()`,
  `CREATE TRIGGER repository_blob_unlinked AFTER DELETE ON repository_blob
     REFERENCING OLD TABLE AS unlinked FOR EACH STATEMENT EXECUTE FUNCTION release_unlinked_blobs()`,
];
