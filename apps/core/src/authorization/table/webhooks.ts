import { same, type Place, type Rows } from './row.js';

const WEBHOOK = '/api/v2.0/projects/:project_name_or_id/webhook';
const ONE = `${WEBHOOK}/policies/:webhook_policy_id`;
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
  [`GET ${ONE}/dead-letters`]: same('401 a, 403 nlgd-, 200 mps+y', { path: policy }),
  [`POST ${ONE}/dead-letters/replay`]: same('401 a, 403 nlgdm-, 200 ps+y', { path: policy, json: {} }),
  [`GET ${WEBHOOK}/lasttrigger`]: same('401 a, 403 nlgd-, 200 mps+y'),
  [`GET ${WEBHOOK}/jobs`]: same('401 a, 403 nlgd-, 404 mps+y', { query: 'policy_id=999999' }),
  [`GET ${WEBHOOK}/events`]: same('401 a, 403 nlgd-, 200 mps+y'),
};

/** A policy of the project, made again when the last caller could delete it. */
async function policy({ database, projectId }: Place): Promise<Readonly<Record<string, string>>> {
  await database.execute(
    `INSERT INTO webhook_policy (project_id, name, targets, event_types) VALUES ($1, 'kept', $2, '{PUSH_ARTIFACT}') ON CONFLICT (project_id, name) DO NOTHING`,
    [projectId, JSON.stringify([{ type: 'http', address: 'https://receiver.example/', skip_cert_verify: false, payload_format: 'Default' }])],
  );
  const [row] = await database.query<{ id: number }>(`SELECT id FROM webhook_policy WHERE project_id = $1 AND name = 'kept'`, [projectId]);
  return { webhook_policy_id: String(row?.id) };
}

/** A notification of the policy. */
async function run(place: Place): Promise<Readonly<Record<string, string>>> {
  const { webhook_policy_id: id = '' } = await policy(place);
  const [execution] = await place.database.query<{ id: string }>(`INSERT INTO execution (vendor_type, vendor_id, trigger) VALUES ('WEBHOOK', $1, 'EVENT') RETURNING id`, [id]);
  const [task] = await place.database.query<{ id: string }>(`INSERT INTO task (execution_id, vendor_type) VALUES ($1, 'WEBHOOK') RETURNING id`, [execution?.id]);
  return { webhook_policy_id: id, execution_id: String(execution?.id), task_id: String(task?.id) };
}
