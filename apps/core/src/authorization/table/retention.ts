import { same, type Place, type Rows } from './row.js';

const ONE = '/api/v2.0/retentions/:id';
const RULES = '/api/v2.0/projects/:project_name_or_id/immutabletagrules';
const SELECTORS = {
  tag_selectors: [{ kind: 'doublestar', decoration: 'matches', pattern: 'v*' }],
  scope_selectors: { repository: [{ kind: 'doublestar', decoration: 'repoMatches', pattern: '**' }] },
};

export const retention: Rows = {
  'GET /api/v2.0/retentions/metadatas': same('401 a, 200 nlgdmps+-y'),
  'POST /api/v2.0/retentions': same('401 a, 403 nlg-, 400 dmps+y', { path: policy, json: policyOf }),
  [`GET ${ONE}`]: same('401 a, 403 nlg-, 200 dmps+y', { path: policy }),
  [`PUT ${ONE}`]: same('401 a, 403 nlg-, 200 dmps+y', { path: policy, json: policyOf }),
  [`DELETE ${ONE}`]: same('401 a, 403 nlg-, 200 dmps+y', { path: policy }),
  [`POST ${ONE}/executions`]: same('401 a, 403 nlg-, 201 dmps+y', { path: policy, json: { dry_run: true } }),
  [`GET ${ONE}/executions`]: same('401 a, 403 nlg-, 200 dmps+y', { path: policy }),
  [`PATCH ${ONE}/executions/:eid`]: same('401 a, 403 nlg-, 200 dmps+y', { path: run, json: { action: 'stop' } }),
  [`GET ${ONE}/executions/:eid/tasks`]: same('401 a, 403 nlg-, 200 dmps+y', { path: run }),
  [`GET ${ONE}/executions/:eid/tasks/:tid`]: same('401 a, 403 nlg-, 200 dmps+y', { path: run }),

  [`GET ${RULES}`]: same('401 a, 403 nlgd-, 200 mps+y'),
  [`POST ${RULES}`]: same('401 a, 403 nlgd-, 422 mps+y'),
  [`PUT ${RULES}/:immutable_rule_id`]: same('401 a, 403 nlgd-, 200 mps+y', { path: rule, json: { disabled: true, ...SELECTORS } }),
  [`DELETE ${RULES}/:immutable_rule_id`]: same('401 a, 403 nlgd-, 200 mps+y', { path: rule }),

  'GET /api/v2.0/schedules': same('401 a, 403 nlgdmp+-, 200 sy'),
  'GET /api/v2.0/schedules/:job_type/paused': same('401 a, 200 nlgdmps+-y', { path: { job_type: 'all' } }),
};

function policyOf({ projectId }: Place): object {
  return { algorithm: 'or', rules: [], trigger: { kind: 'Schedule', settings: { cron: '' } }, scope: { level: 'project', ref: projectId } };
}

/** The project's policy, made again when the last caller could delete it. */
async function policy({ database, projectId }: Place): Promise<Readonly<Record<string, string>>> {
  const stored = { algorithm: 'or', rules: [], trigger: { kind: 'Schedule', settings: { cron: '' } } };
  await database.execute('INSERT INTO retention_policy (project_id, policy) VALUES ($1, $2) ON CONFLICT (project_id) DO NOTHING', [projectId, JSON.stringify(stored)]);
  const [row] = await database.query<{ id: number }>('SELECT id FROM retention_policy WHERE project_id = $1', [projectId]);
  return { id: String(row?.id) };
}

/** A run of the project's policy, with a task. */
async function run(place: Place): Promise<Readonly<Record<string, string>>> {
  const { id = '' } = await policy(place);
  const [execution] = await place.database.query<{ id: string }>(`INSERT INTO execution (vendor_type, vendor_id, trigger) VALUES ('RETENTION', $1, 'MANUAL') RETURNING id`, [id]);
  const [task] = await place.database.query<{ id: string }>(`INSERT INTO task (execution_id, vendor_type, extra_attrs) VALUES ($1, 'RETENTION', '{"repository": "app"}') RETURNING id`, [execution?.id]);
  return { id, eid: String(execution?.id), tid: String(task?.id) };
}

/** A rule of the project that protects nothing, made again when the last caller could delete it. */
async function rule({ database, projectId }: Place): Promise<Readonly<Record<string, string>>> {
  await database.execute('INSERT INTO immutability_rule (project_id, disabled, rule) SELECT $1, true, $2 WHERE NOT EXISTS (SELECT FROM immutability_rule WHERE project_id = $1)', [projectId, JSON.stringify(SELECTORS)]);
  const [row] = await database.query<{ id: number }>('SELECT id FROM immutability_rule WHERE project_id = $1 LIMIT 1', [projectId]);
  return { immutable_rule_id: String(row?.id) };
}
