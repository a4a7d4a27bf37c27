import { IMAGE_ATTRIBUTES, IMAGE_CONFIG, IMAGE_SIZE, OCI_MANIFEST, digestSql } from './installation.mjs';

const OCI_INDEX = 'application/vnd.oci.image.index.v1+json';
const CHART_CONFIG = 'application/vnd.cncf.helm.config.v1+json';
const SIGNATURE = 'application/vnd.dev.cosign.artifact.sig.v1+json';
const CHART_ATTRIBUTES = JSON.stringify({ apiVersion: 'v2', name: 'app', version: '1.4.2', appVersion: '1.4.2', description: 'An app and all that it needs', type: 'application' });
const ANNOTATIONS = JSON.stringify({ 'org.opencontainers.image.created': '2026-03-01T10:00:00Z', 'org.opencontainers.image.revision': '0f1e2d3c4b5a69788796a5b4c3d2e1f001122334', 'org.opencontainers.image.source': 'https://git.example.test/platform/monorepo', 'org.opencontainers.image.licenses': 'Apache-2.0' });
const RULES = ['v*', '**-release', 'prod-*'].map((pattern) => ({
  priority: 0, disabled: false, action: 'immutable', template: 'immutable_template', params: {},
  tag_selectors: [{ kind: 'doublestar', decoration: 'matches', pattern }], scope_selectors: { repository: [{ kind: 'doublestar', decoration: 'repoMatches', pattern: '**' }] },
}));
const PROJECT_LABELS = 20;

/**
 * One repository in which a build server has worked for years. Listed: images and charts, every twentieth an index of
 * three platforms, every twentieth without a tag. Not listed: the indexes' children, and a signature of every fifth.
 * Resolves to the ids of two labels that many artifacts share.
 */
export async function addLargeRepository(client, { project, repository, artifacts, tags, versionKey }) {
  const inserted = await client.query(`INSERT INTO repository (project_id, name, description) SELECT id, name || '/' || $2, 'Everything of the platform' FROM project WHERE name = $1 RETURNING id, project_id`, [project, repository]);
  const { id, project_id: projectId } = inserted.rows[0];
  await addArtifacts(client, id, artifacts);
  await addChildren(client, id);
  await addSignatures(client, id);
  await addTags(client, id, tags, versionKey);
  for (const rule of RULES) await client.query('INSERT INTO immutability_rule (project_id, rule) VALUES ($1, $2)', [projectId, JSON.stringify(rule)]);
  return addLabels(client, id, projectId);
}

async function addArtifacts(client, repository, count) {
  await client.query(`INSERT INTO manifest (repository_id, digest, media_type, kind, artifact_type, config_media_type, type, size, total_size, annotations, extra_attrs, pushed_at, pushed_by)
    SELECT $1, ${digestSql(`'artifact ' || n`)}, CASE n % 20 WHEN 0 THEN '${OCI_INDEX}' ELSE '${OCI_MANIFEST}' END, CASE n % 20 WHEN 0 THEN 'index' ELSE 'image' END,
      CASE n % 20 WHEN 0 THEN '' WHEN 1 THEN '${CHART_CONFIG}' ELSE '${IMAGE_CONFIG}' END, CASE n % 20 WHEN 0 THEN '' WHEN 1 THEN '${CHART_CONFIG}' ELSE '${IMAGE_CONFIG}' END,
      CASE n % 20 WHEN 1 THEN 'CHART' ELSE 'IMAGE' END, 700 + n % 90, ${IMAGE_SIZE} + (n * 7919) % 10007, $3::jsonb, CASE n % 20 WHEN 0 THEN '{}' WHEN 1 THEN $5::jsonb ELSE $4::jsonb END,
      now() - n * interval '90 minutes', 'user:1' FROM generate_series(1, $2::int) AS n`, [repository, count, ANNOTATIONS, IMAGE_ATTRIBUTES, CHART_ATTRIBUTES]);
}

async function addChildren(client, repository) {
  const child = digestSql(`p.digest || k`);
  await client.query(`INSERT INTO manifest (repository_id, digest, media_type, kind, artifact_type, config_media_type, type, size, total_size, extra_attrs, pushed_at, pushed_by)
    SELECT $1, ${child}, '${OCI_MANIFEST}', 'image', '${IMAGE_CONFIG}', '${IMAGE_CONFIG}', 'IMAGE', 650, ${IMAGE_SIZE}, $2::jsonb, p.pushed_at, 'user:1'
    FROM manifest p, generate_series(0, 2) AS k WHERE p.repository_id = $1 AND p.kind = 'index'`, [repository, IMAGE_ATTRIBUTES]);
  await client.query(`INSERT INTO manifest_reference (parent_id, position, repository_id, child_digest, media_type, size, platform)
    SELECT p.id, k, $1, ${child}, '${OCI_MANIFEST}', 650, jsonb_build_object('os', 'linux', 'architecture', (ARRAY['amd64', 'arm64', 's390x'])[k + 1])
    FROM manifest p, generate_series(0, 2) AS k WHERE p.repository_id = $1 AND p.kind = 'index'`, [repository]);
}

async function addSignatures(client, repository) {
  await client.query(`WITH signed AS (SELECT digest, pushed_at FROM manifest WHERE repository_id = $1 AND size % 5 = 0 AND size >= 700),
    signature AS (
      INSERT INTO manifest (repository_id, digest, media_type, kind, artifact_type, config_media_type, type, size, total_size, subject_digest, pushed_at, pushed_by)
      SELECT $1, ${digestSql(`'signature of ' || s.digest`)}, '${OCI_MANIFEST}', 'image', '${SIGNATURE}', '${SIGNATURE}', 'UNKNOWN', 600, 3600, s.digest, s.pushed_at, 'user:1' FROM signed s RETURNING id, subject_digest)
    INSERT INTO accessory (manifest_id, repository_id, subject_digest, type) SELECT id, $1, subject_digest, 'signature.cosign' FROM signature`, [repository]);
}

/** Versions, dates and builds; ten or eleven of them for every tagged artifact. */
async function addTags(client, repository, count, versionKey) {
  const names = Array.from({ length: count }, (_, number) => tagName(number));
  await client.query(`WITH tagged AS (SELECT id, digest, pushed_at, row_number() OVER (ORDER BY id) - 1 AS n FROM manifest WHERE repository_id = $1 AND size >= 700 AND id % 20 <> 7)
    INSERT INTO tag (repository_id, name, manifest_id, version_key, pushed_at, pulled_at)
    SELECT $1, t.name, m.id, t.key, m.pushed_at + t.n * interval '10 ms', CASE WHEN t.n % 3 = 0 THEN now() - (t.n * 7919) % 100003 * interval '1 second' END
    FROM unnest($2::text[], $3::text[]) WITH ORDINALITY AS t (name, key, n) JOIN tagged m ON m.n = t.n % (SELECT count(*) FROM tagged)`, [repository, names, names.map(versionKey)]);
  await client.query(`INSERT INTO tag_event (repository_id, tag, kind, to_digest, actor, at) SELECT t.repository_id, t.name, 'create', m.digest, 'user:1', t.pushed_at FROM tag t JOIN manifest m ON m.id = t.manifest_id WHERE t.repository_id = $1 ORDER BY t.pushed_at`, [repository]);
}

function tagName(number) {
  const version = `${Math.floor(number / 10_000)}.${Math.floor(number / 100) % 100}.${number % 100}`;
  return [`v${version}`, version, `${version}-rc1`, `${version}-alpine`, `build-${number}`, `prod-${number}`, `sha-${(number * 7919).toString(16).padStart(8, '0')}`, `nightly-${number}`][number % 8];
}

async function addLabels(client, repository, projectId) {
  await client.query(`INSERT INTO label (name, scope, project_id, color) SELECT 'label-' || n, 'p', $1, '#0065AB' FROM generate_series(1, $2::int) AS n`, [projectId, PROJECT_LABELS]);
  const { rows } = await client.query('SELECT id FROM label WHERE project_id = $1 ORDER BY id', [projectId]);
  // Two of three artifacts have the first, half the second, and a few one of the others.
  await client.query(`INSERT INTO artifact_label (manifest_id, label_id)
    SELECT m.id, ($2::int[])[1] FROM manifest m WHERE m.repository_id = $1 AND m.id % 3 > 0
    UNION ALL SELECT m.id, ($2::int[])[2] FROM manifest m WHERE m.repository_id = $1 AND m.id % 2 = 0
    UNION ALL SELECT m.id, ($2::int[])[3 + m.id % ${PROJECT_LABELS - 2}] FROM manifest m WHERE m.repository_id = $1 AND m.id % 5 = 0`, [repository, rows.map(({ id }) => id)]);
  return rows.slice(0, 2).map(({ id }) => id);
}
