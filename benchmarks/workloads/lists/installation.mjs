import { randomBytes } from 'node:crypto';

const TEAMS = ['billing', 'data', 'frontend', 'games', 'identity', 'mobile', 'payments', 'platform', 'search', 'warehouse'];
const SERVICES = ['api', 'web', 'worker', 'cron', 'proxy', 'cache', 'mailer', 'charts/app', 'tools/importer', 'gateway', 'ui', 'batch', 'events', 'reports', 'auth', 'media', 'sync', 'graph', 'queue', 'agent'];
const TAGS = ['1.8', '1.9', '1.10'];
export const OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
export const IMAGE_CONFIG = 'application/vnd.oci.image.config.v1+json';

const CONFIG_SIZE = 3000;
const BASE_SIZE = 30_000_000;
/** Bytes of an image with the layer that all share. */
export const IMAGE_SIZE = 50_000_000;

/** SQL for a digest that only this text has. */
export const digestSql = (text) => `('sha256:' || md5(${text}) || md5('again ' || ${text}))`;

/** What core shows of an image: its platform and the config it starts with. */
export const IMAGE_ATTRIBUTES = JSON.stringify({
  architecture: 'amd64', os: 'linux', author: 'build', created: '2026-03-01T10:00:00Z',
  config: { Cmd: ['node', 'main.js'], Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', 'NODE_VERSION=24.1.0'], ExposedPorts: { '8080/tcp': {} }, WorkingDir: '/srv', User: '1000', Labels: { maintainer: 'platform team', stage: 'release' } },
});

/** Projects of ten teams, every fifth public, every tenth with a limit, and the one that holds the large repository. */
export async function addProjects(client, count, large) {
  const metadata = `'{"auto_scan": "true", "severity": "high"}'::jsonb`;
  await client.query(`INSERT INTO project (name, public, owner_id, metadata, storage_limit, created_at)
    SELECT ($1::text[])[1 + n % ${TEAMS.length}] || '-' || lpad(n::text, 5, '0'), n / 10 % 5 = 0, o.id, ${metadata}, CASE WHEN n % 10 = 0 THEN 1099511627776 ELSE -1 END, now() - n * interval '1 hour'
    FROM haven_user o, generate_series(1, $2::int) AS n WHERE o.username = 'admin'`, [TEAMS, count - 1]);
  await client.query(`INSERT INTO project (name, public, owner_id, metadata) SELECT $1, true, id, ${metadata} FROM haven_user WHERE username = 'admin'`, [large]);
}

/** People who never log in, five in each project; `member` in two of these and in the large one, as its administrator. */
export async function addMembers(client, count, member, large) {
  await client.query(`INSERT INTO haven_user (external_id, username, email) SELECT name, name, name || '@bench.test' FROM (SELECT 'lists-user-' || n AS name FROM generate_series(1, $1::int) AS n) named`, [count]);
  await client.query(`INSERT INTO member (project_id, user_id, role)
    SELECT p.id, u.id, 1 + (p.id + k) % 5 FROM (SELECT id, row_number() OVER (ORDER BY id) AS n FROM project) p CROSS JOIN generate_series(1, 5) AS k
    JOIN (SELECT id, row_number() OVER (ORDER BY id) AS n FROM haven_user WHERE username LIKE 'lists-user-%') u ON u.n = 1 + (p.n * 5 + k) % $1::int`, [count]);
  const joined = await client.query(`INSERT INTO member (project_id, user_id, role)
    SELECT p.id, u.id, 1 FROM haven_user u, (SELECT id FROM project WHERE name = $2 UNION ALL (SELECT id FROM project WHERE NOT public AND name LIKE 'payments-%' ORDER BY id LIMIT 2)) p WHERE u.username = $1`, [member, large]);
  if (joined.rowCount !== 3) throw new Error(`${member} joined ${joined.rowCount} projects instead of 3`);
}

/** Repositories: a third of them in a hundred busy projects, each with one to three tagged images. */
export async function addRepositories(client, count, versionKey) {
  await client.query(`CREATE TEMPORARY TABLE team_project ON COMMIT DROP AS SELECT id, name, row_number() OVER (ORDER BY id) - 1 AS place FROM project WHERE name ~ '^(${TEAMS.join('|')})-'`);
  await client.query(`INSERT INTO repository (project_id, name, description, pull_count, created_at)
    SELECT p.id, p.name || '/' || ($1::text[])[1 + n % ${SERVICES.length}] || '-' || n, CASE WHEN n % 4 = 0 THEN 'What it is for and whom to ask.' ELSE '' END, n % 1000, now() - n * interval '7 minutes'
    FROM generate_series(1, $2::int) AS n JOIN team_project p ON p.place = CASE WHEN n % 3 = 0 THEN n / 3 % 100 ELSE (n::bigint * 7919) % (SELECT count(*) FROM team_project) END`, [SERVICES, count]);
  await client.query(`INSERT INTO manifest (repository_id, digest, media_type, kind, artifact_type, config_media_type, type, size, total_size, extra_attrs, pushed_at, pushed_by)
    SELECT r.id, ${digestSql(`r.name || k`)}, '${OCI_MANIFEST}', 'image', '${IMAGE_CONFIG}', '${IMAGE_CONFIG}', 'IMAGE', 700, ${IMAGE_SIZE}, $1::jsonb, r.created_at + k * interval '1 day', 'user:1'
    FROM repository r JOIN team_project p ON p.id = r.project_id, generate_series(1, 1 + r.id % 3) AS k`, [IMAGE_ATTRIBUTES]);
  await client.query(`INSERT INTO tag (repository_id, name, manifest_id, version_key, pushed_at)
    SELECT m.repository_id, ($1::text[])[m.n], m.id, ($2::text[])[m.n], m.pushed_at
    FROM (SELECT m.*, row_number() OVER (PARTITION BY m.repository_id ORDER BY m.id) AS n FROM manifest m JOIN repository r ON r.id = m.repository_id JOIN team_project p ON p.id = r.project_id) m`, [TAGS, TAGS.map(versionKey)]);
}

/** For every manifest its own bytes, a config and a layer of its own, and a base layer that all share; with what projects are charged for it. */
export async function addBlobLinks(client) {
  const added = 'FROM manifest m WHERE NOT EXISTS (SELECT 1 FROM repository_blob rb WHERE rb.repository_id = m.repository_id)';
  const whole = `m.total_size > ${BASE_SIZE}`;
  await client.query(`CREATE TEMPORARY TABLE held ON COMMIT DROP AS
    SELECT m.id, m.repository_id, 'itself' AS part, m.digest, m.size ${added}
    UNION ALL SELECT m.id, m.repository_id, 'config', ${digestSql(`m.digest || 'config'`)}, ${CONFIG_SIZE} ${added} AND m.kind = 'image'
    UNION ALL SELECT m.id, m.repository_id, 'layer', ${digestSql(`m.digest || 'layer'`)}, m.total_size - m.size - ${CONFIG_SIZE} - ${BASE_SIZE} ${added} AND m.kind = 'image' AND ${whole}
    UNION ALL SELECT m.id, m.repository_id, 'base', ${digestSql(`'the base layer'`)}, ${BASE_SIZE} ${added} AND m.kind = 'image' AND ${whole}`);
  await client.query('INSERT INTO blob (digest, size) SELECT DISTINCT digest, size FROM held');
  await client.query('INSERT INTO repository_blob (repository_id, digest) SELECT DISTINCT repository_id, digest FROM held');
  await client.query(`INSERT INTO manifest_blob (manifest_id, digest, repository_id) SELECT id, digest, repository_id FROM held WHERE part <> 'itself'`);
  await client.query(`INSERT INTO project_blob (project_id, digest, size, repositories)
    SELECT r.project_id, h.digest, h.size, count(DISTINCT h.repository_id) FROM held h JOIN repository r ON r.id = h.repository_id GROUP BY 1, 2, 3`);
  await client.query(`UPDATE project p SET storage_used = charged.bytes FROM (SELECT project_id, sum(size) AS bytes FROM project_blob GROUP BY 1) charged
    WHERE charged.project_id = p.id AND p.id IN (SELECT r.project_id FROM held h JOIN repository r ON r.id = h.repository_id)`);
  // Some of it is not summed up yet, as at any moment of a busy day.
  await client.query(`WITH late AS (UPDATE project SET storage_used = storage_used - 20000000 WHERE storage_used > 20000000 AND id % 10 = 3 RETURNING id)
    INSERT INTO quota_change (project_id, bytes) SELECT id, 2000000 FROM late, generate_series(1, 10)`);
}

/** What people did in the last months: nine lines of ten in projects. */
export async function addAuditLines(client, count, large) {
  await client.query(`INSERT INTO audit_event (event_id, op_time, project_id, subject, username, resource_type, resource, operation, operation_description, address, request_id)
    SELECT gen_random_uuid(), now() - n * interval '15 seconds', CASE WHEN n % 10 = 0 THEN NULL WHEN n % 10 = 1 THEN $2::int ELSE (n::bigint * 7919) % 10000 + 1 END, 'user:' || n % 2000, 'lists-user-' || n % 2000,
      CASE WHEN n % 10 = 0 THEN 'user_login_logout' ELSE 'artifact' END, 'payments-00042/api-' || n, CASE WHEN n % 10 = 0 THEN 'login' WHEN n % 3 = 0 THEN 'pull' ELSE 'create' END,
      'push artifact payments-00042/api-' || n, '192.0.2.' || n % 256, $3 || n FROM generate_series(1, $1::int) AS n`,
  [count, (await client.query('SELECT id FROM project WHERE name = $1 AND deleted_at IS NULL', [large])).rows[0].id, randomBytes(4).toString('hex')]);
}
