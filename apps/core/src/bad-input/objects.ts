import type { Database } from '@haven/database';
import type { Place } from '../authorization/table/row.js';

/** The parts of a path by name; `id` means another thing in each area. */
export type PathValues = Readonly<Record<string, string>>;

/** Nothing of it changes: that is what the tests are about. */
const found = new WeakMap<Place, Promise<PathValues>>();

/** One of everything in a project that a path can name. */
export async function makeObjects(place: Place, path: string): Promise<PathValues> {
  const { database, project, projectId, bystander } = place;
  const known = await (found.get(place) ?? objectsOf(database, projectId));
  found.set(place, Promise.resolve(known));
  return {
    project_name_or_id: project, project_name: project, repository_name: 'app', reference: '1', tag_name: '1', tag: '1', user_id: String(bystander), meta_name: 'public',
    addition: 'build_history', pool_id: 'all', job_id: 'all', job_type: 'all', ...known, ...(path.startsWith('/api/v2.0/quotas') ? { id: String(projectId) } : { id: known['policy_id'] ?? '' }),
    ...(path.startsWith('/api/v2.0/system/webhook') ? ofInstallation(known) : {}),
  };
}

/** Webhook policies of the installation, and what became of them, have the same names in paths as those of projects. */
function ofInstallation(known: PathValues): PathValues {
  return Object.fromEntries(['webhook_policy_id', 'execution_id', 'task_id'].map((name) => [name, known[`system_${name}`] ?? '']));
}

const SELECTORS = [{ kind: 'doublestar', decoration: 'matches', pattern: 'v*' }];

/** Bodies that do, where the schema alone does not say what would. */
export const USUAL_BODIES: Readonly<Record<string, object>> = {
  'PUT /api/v2.0/projects/{project_name_or_id}/immutabletagrules/{immutable_rule_id}': {
    action: 'immutable', template: 'immutable_template', tag_selectors: SELECTORS, scope_selectors: { repository: [{ kind: 'doublestar', decoration: 'repoMatches', pattern: '**' }] },
  },
  'PATCH /api/v2.0/retentions/{id}/executions/{eid}': { action: 'stop' },
  'POST /api/v2.0/system/gc/schedule': { schedule: { type: 'None' } },
  'PUT /api/v2.0/system/gc/schedule': { schedule: { type: 'None' } },
  'POST /api/v2.0/system/purgeaudit/schedule': { schedule: { type: 'None' } },
  'PUT /api/v2.0/system/purgeaudit/schedule': { schedule: { type: 'None' } },
  'PUT /api/v2.0/system/reconciliations/schedule': { cron: '0 0 3 * * 0' },
};

/** What a list needs beside its required parameters to answer at all. */
export function usualQuery(path: string, { projectId }: Place): string {
  if (path.endsWith('/webhook/jobs')) return `policy_id=${projectId}`;
  return path === '/api/v2.0/labels' ? `scope=p&project_id=${projectId}` : '';
}

async function objectsOf(database: Database, projectId: number): Promise<PathValues> {
  const [row = {}] = await database.query<Record<string, string>>(
    `SELECT (SELECT id FROM member WHERE project_id = $1 ORDER BY id LIMIT 1)::text AS mid, (SELECT id FROM label WHERE project_id = $1)::text AS label_id,
       (SELECT id FROM immutability_rule WHERE project_id = $1)::text AS immutable_rule_id, (SELECT id FROM robot WHERE project_id = $1 AND name = 'useless')::text AS robot_id,
       r.id::text AS policy_id, (SELECT e.id FROM execution e WHERE e.vendor_type = 'RETENTION' AND e.vendor_id = r.id)::text AS eid,
       (SELECT t.id FROM task t JOIN execution e ON e.id = t.execution_id WHERE e.vendor_type = 'RETENTION' AND e.vendor_id = r.id)::text AS tid, (SELECT min(id) FROM execution WHERE vendor_type = 'STORAGE_RECONCILIATION')::text AS reconciliation_id, (SELECT min(id) FROM user_group)::text AS group_id,
       (SELECT id FROM bin_entry WHERE project_id = $1)::text AS entry_id, (SELECT id FROM webhook_policy WHERE project_id = $1)::text AS webhook_policy_id,
       (SELECT e.id FROM execution e WHERE e.vendor_type = 'WEBHOOK' AND e.vendor_id = $1)::text AS execution_id,
       (SELECT t.id FROM task t JOIN execution e ON e.id = t.execution_id WHERE e.vendor_type = 'WEBHOOK' AND e.vendor_id = $1)::text AS task_id,
       (SELECT min(id) FROM webhook_policy WHERE project_id IS NULL)::text AS system_webhook_policy_id,
       (SELECT e.id FROM execution e WHERE e.vendor_type = 'WEBHOOK' AND e.vendor_id = (SELECT min(id) FROM webhook_policy WHERE project_id IS NULL))::text AS system_execution_id,
       (SELECT t.id FROM task t JOIN execution e ON e.id = t.execution_id WHERE e.vendor_type = 'WEBHOOK' AND e.vendor_id = (SELECT min(id) FROM webhook_policy WHERE project_id IS NULL))::text AS system_task_id,
       (SELECT max(id) FROM execution WHERE vendor_type = 'GARBAGE_COLLECTION')::text AS gc_id, (SELECT max(id) FROM execution WHERE vendor_type = 'PURGE_AUDIT_LOG')::text AS purge_id
     FROM retention_policy r WHERE r.project_id = $1`,
    [projectId],
  );
  return row;
}

/** The rows behind makeObjects, with words in every text that a list can be searched for. */
export async function insertObjects({ database, projectId, project }: Place): Promise<void> {
  const statements = [
    `INSERT INTO label (name, scope, project_id) VALUES ('kept', 'p', $1)`,
    `INSERT INTO immutability_rule (project_id, rule) VALUES ($1, '{"action":"immutable","template":"immutable_template","tag_selectors":[{"kind":"doublestar","decoration":"matches","pattern":"v*"}],"scope_selectors":{"repository":[{"kind":"doublestar","decoration":"repoMatches","pattern":"**"}]}}')`,
    `INSERT INTO retention_policy (project_id, policy) VALUES ($1, '{"algorithm":"or","rules":[],"trigger":{"kind":"Schedule","settings":{"cron":""}},"scope":{"level":"project","ref":1}}')`,
    `WITH e AS (INSERT INTO execution (vendor_type, vendor_id, trigger, status, ended_at) SELECT 'RETENTION', id, 'MANUAL', 'Success', now() FROM retention_policy WHERE project_id = $1 RETURNING id)
     INSERT INTO task (execution_id, vendor_type, status, ended_at) SELECT id, 'RETENTION', 'Success', now() FROM e`,
    `WITH e AS (INSERT INTO execution (vendor_type, vendor_id, trigger, status, ended_at, extra_attrs) SELECT 'STORAGE_RECONCILIATION', 0, 'MANUAL', 'Success', now(), '{"reclaim": false, "rehash": false, "grace_seconds": 7200}' WHERE $1::int > 0 RETURNING id)
     INSERT INTO task (execution_id, vendor_type, status, ended_at) SELECT id, 'STORAGE_RECONCILIATION', 'Success', now() FROM e`,
    `INSERT INTO execution (vendor_type, trigger, status, ended_at) SELECT kind, 'MANUAL', 'Success', now() FROM unnest(ARRAY['GARBAGE_COLLECTION', 'PURGE_AUDIT_LOG']) AS kind WHERE $1 > 0`,
    `INSERT INTO webhook_policy (id, project_id, name, targets, event_types, creator) VALUES ($1, $1, 'kept', '[{"type":"http","address":"https://hooks.example.com"}]', '{PUSH_ARTIFACT}', 'user:1')`,
    `SELECT setval('webhook_policy_id_seq', 1000 + $1::bigint)`,
    `WITH e AS (INSERT INTO execution (vendor_type, vendor_id, trigger, status, ended_at) VALUES ('WEBHOOK', $1, 'EVENT', 'Success', now()) RETURNING id)
     INSERT INTO task (execution_id, vendor_type, status, ended_at) SELECT id, 'WEBHOOK', 'Success', now() FROM e`,
    `WITH p AS (
       INSERT INTO webhook_policy (name, targets, event_types, creator) VALUES ('kept of ' || $1::int, '[{"type":"http","address":"https://hooks.example.com"}]', '{PUSH_ARTIFACT}', 'user:1') RETURNING id),
     e AS (INSERT INTO execution (vendor_type, vendor_id, trigger, status, ended_at) SELECT 'WEBHOOK', id, 'EVENT', 'Success', now() FROM p RETURNING id)
     INSERT INTO task (execution_id, vendor_type, status, ended_at) SELECT id, 'WEBHOOK', 'Success', now() FROM e`,
    `INSERT INTO bin_entry (kind, project_id, repository_id, repository, tag, deleted_by) SELECT 'tag', project_id, id, name, 'gone', 'user:1' FROM repository WHERE project_id = $1`,
  ];
  for (const sql of statements) await database.execute(sql, [projectId]);
  await database.execute('INSERT INTO user_group (name, type) VALUES ($1, 2)', [`people of ${project}`]);
}
