import type { Database } from '@haven/database';
import { hashGeneratedSecret } from '../identity/robot-secret.js';
import { Pusher } from './push.js';
import type { TestCore } from './test-core.js';

/** How many of everything there are, at least. */
export const MANY = 50;
/** Administers the project `alpha`, and every other one. */
export const SOMEBODY = 'user-0';
const RULE = { tag_selectors: [{ kind: 'doublestar', decoration: 'matches', pattern: 'v*' }], scope_selectors: { repository: [{ kind: 'doublestar', decoration: 'repoMatches', pattern: '**' }] } };
const SIGNATURE = { artifactType: 'application/vnd.dev.cosign.artifact.sig.v1+json' };

/** Ids of what was made. */
export interface Abundance {
  readonly project: number;
  readonly policy: number;
  readonly execution: number;
  /** A policy of webhooks, and the latest of its notifications, in which there are many tasks. */
  readonly webhook: number;
  readonly notification: number;
  /** The same of the whole installation. */
  readonly systemWebhook: number;
  readonly systemNotification: number;
  readonly reconciliation: number;
}

/**
 * Fifty of everything that lists show, in the project `alpha` and around it: repository `app` with indexes, children,
 * signatures, tags and labels; `many`, whose artifact `tag-0` has fifty tags and accessories; and the bin.
 */
export async function makeAbundance(core: TestCore): Promise<Abundance> {
  const members: Record<string, number> = {};
  for (let index = 0; index < MANY; index += 1) {
    await core.addUser(`user-${index}`);
    members[`user-${index}`] = index === 0 ? 1 : 3;
  }
  const project = await core.addProject('alpha', { members });
  for (let index = 0; index < MANY; index += 1) await core.addProject(`project-${index}`, { members: { [SOMEBODY]: 1 } });
  await pushEverything(core, project);
  await fillBin(core);
  await addPeople(core.database, project);
  await addRecords(core.database, project);
  return { project, ...(await addRuns(core.database, project)), ...(await addOutbound(core.database, project)) };
}

async function pushEverything({ database }: TestCore, project: number): Promise<void> {
  const pusher = new Pusher(database, project);
  for (let index = 0; index < MANY; index += 1) {
    await pusher.image(`alpha/repository-${index}`, `content ${index}`, ['1']);
    const child = await pusher.image('alpha/app', `child ${index}`, [`child-${index}`]);
    const entry = await pusher.index('alpha/app', [child], [`v${index}`, `also-${index}`]);
    await pusher.image('alpha/app', `signature ${index}`, [], { subject: entry, ...SIGNATURE });
  }
  const names = Array.from({ length: MANY }, (_, index) => `tag-${index}`);
  const subject = await pusher.image('alpha/many', 'many', [...names, ...names.map((name) => `doomed-${name}`)]);
  for (let index = 0; index < MANY; index += 1) await pusher.image('alpha/many', `signature ${index}`, [], { subject, ...SIGNATURE });
  await database.execute(`INSERT INTO label (name, scope, project_id) SELECT 'label-' || n, 'p', $1 FROM generate_series(1, $2::int) AS n`, [project, MANY]);
  await database.execute('INSERT INTO artifact_label (manifest_id, label_id) SELECT m.id, l.id FROM manifest m, (SELECT id FROM label LIMIT 3) l');
  await database.execute(`INSERT INTO tag_event (repository_id, tag, kind, to_digest, actor) SELECT r.id, 'tag-0', 'move', 'sha256:' || n, 'user:' || n FROM repository r, generate_series(1, $1::int) AS n WHERE r.name = 'alpha/many'`, [MANY]);
}

async function fillBin(core: TestCore): Promise<void> {
  for (let index = 0; index < MANY; index += 1) {
    const { status } = await core.call('DELETE', `/api/v2.0/projects/alpha/repositories/many/artifacts/tag-0/tags/doomed-tag-${index}`, { as: 'admin' });
    if (status !== 200) throw new Error(`deleting a tag answered ${status}`);
  }
}

async function addPeople(database: Database, project: number): Promise<void> {
  await database.execute(`INSERT INTO user_group (name, type) SELECT 'group-' || n, 3 FROM generate_series(1, $1::int) AS n`, [MANY]);
  await database.execute('INSERT INTO member (project_id, group_id, role) SELECT $1, id, 3 FROM user_group', [project]);
  const secret = hashGeneratedSecret('Robot-secret-0123456789-abcdefgh');
  await database.execute(`INSERT INTO robot (name, level, project_id, secret_hash, duration) SELECT level || n, level, CASE level WHEN 'project' THEN $2::int END, $1, -1 FROM generate_series(1, $3::int) AS n, unnest(ARRAY['system', 'project']) AS level`, [secret, project, MANY]);
  await database.execute(`INSERT INTO robot_permission (robot_id, kind, project_id, resource, action) SELECT r.id, 'project', $1, 'repository', action FROM robot r, unnest(ARRAY['pull', 'push']) AS action`, [project]);
  await database.execute(
    `INSERT INTO session (id_hash, user_id, csrf_secret, expires_at) SELECT decode(md5(u.username || n), 'hex'), u.id, '\\x00', now() + interval '1 day'
     FROM haven_user u, generate_series(1, $1::int) AS n WHERE u.username = 'user-1' OR (u.username = 'user-2' AND n = 1)`,
    [MANY],
  );
}

async function addRecords(database: Database, project: number): Promise<void> {
  await database.execute('INSERT INTO immutability_rule (project_id, rule) SELECT $1, $2::jsonb FROM generate_series(1, $3::int)', [project, JSON.stringify(RULE), MANY]);
  await database.execute(
    `INSERT INTO audit_event (event_id, op_time, project_id, subject, username, resource_type, resource, operation)
     SELECT gen_random_uuid(), now(), $1, 'user:' || n, 'user-' || n, 'artifact', 'alpha/app:' || n, 'create' FROM generate_series(1, $2::int) AS n`,
    [project, MANY],
  );
  await database.execute(`INSERT INTO schedule (vendor_type, vendor_id, cron, next_due_at) SELECT 'RETENTION', n, '0 0 0 * * *', now() + interval '1 year' FROM generate_series(1, $1::int) AS n`, [MANY]);
}

/** Runs of the project's retention policy, the last one with many tasks. */
async function addRuns(database: Database, project: number): Promise<Omit<Abundance, 'project' | keyof Outbound>> {
  const stored = JSON.stringify({ algorithm: 'or', rules: [], trigger: { kind: 'Schedule', settings: { cron: '' } } });
  const [policy] = await database.query<{ id: number }>('INSERT INTO retention_policy (project_id, policy) VALUES ($1, $2) RETURNING id', [project, stored]);
  const runs = await database.query<{ id: string }>(`INSERT INTO execution (vendor_type, vendor_id, trigger, status, ended_at) SELECT 'RETENTION', $1, 'MANUAL', 'Success', now() FROM generate_series(1, $2::int) RETURNING id`, [policy?.id, MANY]);
  const execution = Number(runs.at(-1)?.id);
  await database.execute(`INSERT INTO task (execution_id, vendor_type, status, extra_attrs, ended_at) SELECT e.id, 'RETENTION', 'Success', '{"repository": "app", "total": 3, "retained": 2}', now() FROM execution e, generate_series(1, $2::int) AS n WHERE n = 1 OR e.id = $1`, [execution, MANY]);
  return { policy: policy?.id ?? 0, execution, reconciliation: await addReconciliations(database) };
}

/** Resolves to the latest. */
async function addReconciliations(database: Database): Promise<number> {
  const runs = await database.query<{ id: string }>(
    `INSERT INTO execution (vendor_type, trigger, status, ended_at, extra_attrs)
     SELECT 'STORAGE_RECONCILIATION', 'MANUAL', 'Success', now(), '{"reclaim": false, "rehash": false, "grace_seconds": 7200}' FROM generate_series(1, $1::int) RETURNING id`, [MANY]);
  const id = Number(runs.at(-1)?.id);
  await database.execute(`INSERT INTO task (execution_id, vendor_type, status, ended_at) SELECT id, 'STORAGE_RECONCILIATION', 'Success', now() FROM execution WHERE vendor_type = 'STORAGE_RECONCILIATION'`);
  await database.execute(`INSERT INTO storage_finding (execution_id, kind, name, confirmed) SELECT $1, 'orphan', 'sha256:' || n, true FROM generate_series(1, $2::int) AS n`, [id, MANY]);
  return id;
}

type Outbound = Pick<Abundance, 'webhook' | 'notification' | 'systemWebhook' | 'systemNotification'>;

/** Other registries, runs of what keeps the platform tidy, and webhooks: fifty policies in `alpha`, one in `project-0`, fifty of the installation. */
async function addOutbound(database: Database, project: number): Promise<Outbound> {
  await database.execute(`INSERT INTO registry (name, type, url) SELECT 'registry-' || n, 'harbor', 'https://registry-' || n || '.example' FROM generate_series(1, $1::int) AS n`, [MANY]);
  await database.execute(`INSERT INTO execution (vendor_type, trigger, status, ended_at) SELECT type, 'MANUAL', 'Success', now() FROM generate_series(1, $1::int), unnest(ARRAY['GARBAGE_COLLECTION', 'PURGE_AUDIT_LOG']) AS type`, [MANY]);
  const targets = JSON.stringify([{ type: 'http', address: 'https://receiver.example/', skip_cert_verify: false, payload_format: 'Default' }]);
  await database.execute(
    `INSERT INTO webhook_policy (project_id, name, targets, event_types)
     SELECT $1, 'policy-' || n, $3::jsonb, ARRAY['PUSH_ARTIFACT'] FROM generate_series(1, $2::int) AS n UNION ALL SELECT id, 'policy', $3::jsonb, ARRAY['PUSH_ARTIFACT'] FROM project WHERE name = 'project-0'
     UNION ALL SELECT NULL, 'policy-' || n, $3::jsonb, ARRAY['PUSH_ARTIFACT'] FROM generate_series(1, $2::int) AS n`,
    [project, MANY, targets],
  );
  await database.execute(`INSERT INTO outbox (type, payload) SELECT 'repository.created', '{"project": 1, "repository": "alpha/app"}' FROM generate_series(1, $1::int)`, [MANY]);
  const [own, ownNotification] = await addNotifications(database, project);
  const [ofAll, notificationOfAll] = await addNotifications(database, null);
  return { webhook: own, notification: ownNotification, systemWebhook: ofAll, systemNotification: notificationOfAll };
}

/** Many of the first policy, one of each other; resolves to that policy and to the latest of them, in which there are many tasks. */
async function addNotifications(database: Database, project: number | null): Promise<readonly [number, number]> {
  const [policy] = await database.query<{ id: number }>('SELECT id FROM webhook_policy WHERE project_id IS NOT DISTINCT FROM $1::int ORDER BY id LIMIT 1', [project]);
  const attributes = JSON.stringify({ event_type: 'PUSH_ARTIFACT', payload: '{}' });
  const runs = await database.query<{ id: string }>(`INSERT INTO execution (vendor_type, vendor_id, trigger, status, ended_at, extra_attrs) SELECT 'WEBHOOK', $1, 'EVENT', 'Error', now(), $3::jsonb FROM generate_series(1, $2::int) RETURNING id`, [policy?.id, MANY, attributes]);
  const notification = Number(runs.at(-1)?.id);
  await database.execute(`INSERT INTO task (execution_id, vendor_type, status, ended_at) SELECT $1, 'WEBHOOK', 'Error', now() FROM generate_series(1, $2::int)`, [notification, MANY]);
  await database.execute(
    `INSERT INTO webhook_delivery (policy_id, target, event_id, part, event_type, subject, payload, execution_id, task_id, state, ended_at)
     SELECT p.id, 0, gen_random_uuid(), n, 'PUSH_ARTIFACT', 'alpha/app', '{}', $2, 0, 'dead', now() FROM webhook_policy p, generate_series(1, $3::int) AS n WHERE p.project_id IS NOT DISTINCT FROM $4::int AND (n = 1 OR p.id = $1)`,
    [policy?.id, notification, MANY, project],
  );
  return [policy?.id ?? 0, notification];
}
