import { same, type Place, type Rows } from './row.js';

const WEBHOOK = '/api/v2.0/projects/:project_name_or_id/webhook';
const ONE = `${WEBHOOK}/policies/:webhook_policy_id`;
const SYSTEM = '/api/v2.0/system/webhook';
const SYSTEM_ONE = `${SYSTEM}/policies/:webhook_policy_id`;
/** What belongs to no project is for administrators alone. */
const ADMINISTRATORS = '401 a, 403 nlgdmp+-y';
const BODY = { name: 'kept', targets: [{ type: 'http', address: 'https://receiver.example/' }], event_types: ['PUSH_ARTIFACT'] };

export const webhooks: Rows = {
  [`GET ${WEBHOOK}/policies`]: same('401 a, 403 nlgd-, 200 mps+y'),
  [`POST ${WEBHOOK}/policies`]: same('401 a, 403 nlgdm-, 409 ps+y', { path: policy, json: BODY }),
  [`GET ${ONE}`]: same('401 a, 403 nlgd-, 200 mps+y', { path: policy }),
  [`PUT ${ONE}`]: same('401 a, 403 nlgdm-, 200 ps+y', { path: policy, json: BODY }),
  [`DELETE ${ONE}`]: same('401 a, 403 nlgdm-, 200 ps+y', { path: policy }),
  [`GET ${ONE}/executions`]: same('401 a, 403 nlgd-, 200 mps+y', { path: policy }),
  [`GET ${ONE}/executions/:execution_id/tasks`]: same('401 a, 403 nlgd-, 200 mps+y', { path: run }),
  [`GET ${ONE}/executions/:execution_id/tasks/:task_id/log`]: same('401 a, 403 nlgd-, 200 mps+y', { path: run }),
  [`GET ${ONE}/deliveries`]: same('401 a, 403 nlgd-, 200 mps+y', { path: policy }),
  [`GET ${ONE}/dead-letters`]: same('401 a, 403 nlgd-, 200 mps+y', { path: policy }),
  [`POST ${ONE}/dead-letters/replay`]: same('401 a, 403 nlgdm-, 200 ps+y', { path: policy, json: {} }),
  [`GET ${WEBHOOK}/lasttrigger`]: same('401 a, 403 nlgd-, 200 mps+y'),
  [`GET ${WEBHOOK}/jobs`]: same('401 a, 403 nlgd-, 404 mps+y', { query: 'policy_id=999999' }),
  [`GET ${WEBHOOK}/events`]: same('401 a, 403 nlgd-, 200 mps+y'),
  [`GET ${SYSTEM}/policies`]: same(`${ADMINISTRATORS}, 200 s`),
  [`POST ${SYSTEM}/policies`]: same(`${ADMINISTRATORS}, 409 s`, { path: systemPolicy, json: BODY }),
  [`GET ${SYSTEM_ONE}`]: same(`${ADMINISTRATORS}, 200 s`, { path: systemPolicy }),
  [`PUT ${SYSTEM_ONE}`]: same(`${ADMINISTRATORS}, 200 s`, { path: systemPolicy, json: BODY }),
  [`DELETE ${SYSTEM_ONE}`]: same(`${ADMINISTRATORS}, 200 s`, { path: systemPolicy }),
  [`GET ${SYSTEM_ONE}/executions`]: same(`${ADMINISTRATORS}, 200 s`, { path: systemPolicy }),
  [`GET ${SYSTEM_ONE}/executions/:execution_id/tasks`]: same(`${ADMINISTRATORS}, 200 s`, { path: systemRun }),
  [`GET ${SYSTEM_ONE}/executions/:execution_id/tasks/:task_id/log`]: same(`${ADMINISTRATORS}, 200 s`, { path: systemRun }),
  [`GET ${SYSTEM_ONE}/deliveries`]: same(`${ADMINISTRATORS}, 200 s`, { path: systemPolicy }),
  [`GET ${SYSTEM_ONE}/dead-letters`]: same(`${ADMINISTRATORS}, 200 s`, { path: systemPolicy }),
  [`POST ${SYSTEM_ONE}/dead-letters/replay`]: same(`${ADMINISTRATORS}, 200 s`, { path: systemPolicy, json: {} }),
  [`GET ${SYSTEM}/deliveries`]: same(`${ADMINISTRATORS}, 200 s`),
  [`GET ${SYSTEM}/events`]: same(`${ADMINISTRATORS}, 200 s`),
  'GET /api/v2.0/system/events': same(`${ADMINISTRATORS}, 200 s`),
};

type Parts = Readonly<Record<string, string>>;

function policy({ database, projectId }: Place): Promise<Parts> {
  return policyOf(database, projectId);
}

function systemPolicy({ database }: Place): Promise<Parts> {
  return policyOf(database, null);
}

async function run(place: Place): Promise<Parts> {
  return runOf(place, await policy(place));
}

async function systemRun(place: Place): Promise<Parts> {
  return runOf(place, await systemPolicy(place));
}

/** A policy of the project, or of the installation, made again when the last caller could delete it. */
async function policyOf(database: Place['database'], projectId: number | null): Promise<Parts> {
  await database.execute(
    `INSERT INTO webhook_policy (project_id, name, targets, event_types) VALUES ($1, 'kept', $2, '{PUSH_ARTIFACT}') ON CONFLICT DO NOTHING`,
    [projectId, JSON.stringify([{ type: 'http', address: 'https://receiver.example/', skip_cert_verify: false, payload_format: 'Default' }])],
  );
  const [row] = await database.query<{ id: number }>(`SELECT id FROM webhook_policy WHERE project_id IS NOT DISTINCT FROM $1::int AND name = 'kept'`, [projectId]);
  return { webhook_policy_id: String(row?.id) };
}

/** A notification of the policy. */
async function runOf(place: Place, { webhook_policy_id: id = '' }: Parts): Promise<Parts> {
  const [execution] = await place.database.query<{ id: string }>(`INSERT INTO execution (vendor_type, vendor_id, trigger) VALUES ('WEBHOOK', $1, 'EVENT') RETURNING id`, [id]);
  const [task] = await place.database.query<{ id: string }>(`INSERT INTO task (execution_id, vendor_type) VALUES ($1, 'WEBHOOK') RETURNING id`, [execution?.id]);
  return { webhook_policy_id: id, execution_id: String(execution?.id), task_id: String(task?.id) };
}
