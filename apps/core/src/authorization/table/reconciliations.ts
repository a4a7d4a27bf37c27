import { same, type Place, type Rows } from './row.js';

const ALL = '/api/v2.0/system/reconciliations';

/** Haven's own. Whoever may collect garbage may do this, too. */
export const reconciliations: Rows = {
  [`GET ${ALL}`]: same('401 a, 403 nlgdmp+-, 200 sy'),
  [`POST ${ALL}`]: same('401 a, 403 nlgdmp+-, 201 sy', { json: { reclaim: false } }),
  [`GET ${ALL}/schedule`]: same('401 a, 403 nlgdmp+-, 200 sy', { path: schedule }),
  [`PUT ${ALL}/schedule`]: same('401 a, 403 nlgdmp+-, 200 sy', { json: { cron: '0 0 3 * * 0' } }),
  [`DELETE ${ALL}/schedule`]: same('401 a, 403 nlgdmp+-, 200 sy', { path: schedule }),
  [`GET ${ALL}/:reconciliation_id`]: same('401 a, 403 nlgdmp+-, 200 sy', { path: run }),
  [`PUT ${ALL}/:reconciliation_id`]: same('401 a, 403 nlgdmp+-, 200 sy', { path: run }),
  [`GET ${ALL}/:reconciliation_id/findings`]: same('401 a, 403 nlgdmp+-, 200 sy', { path: run }),
  [`GET ${ALL}/:reconciliation_id/log`]: same('401 a, 403 nlgdmp+-, 200 sy', { path: run }),
};

/** The schedule, made again when the last caller could delete it. */
async function schedule({ database }: Place): Promise<Readonly<Record<string, string>>> {
  await database.execute(
    `INSERT INTO schedule (vendor_type, cron, next_due_at, parameters) VALUES ('STORAGE_RECONCILIATION', '0 0 3 * * *', '2100-01-01', '{"reclaim": false, "rehash": false, "grace_seconds": 7200}')
     ON CONFLICT (vendor_type, vendor_id) DO NOTHING`);
  return {};
}

/** A comparison, with its task. */
async function run({ database }: Place): Promise<Readonly<Record<string, string>>> {
  const [execution] = await database.query<{ id: string }>(
    `INSERT INTO execution (vendor_type, trigger, extra_attrs) VALUES ('STORAGE_RECONCILIATION', 'MANUAL', '{"reclaim": false, "rehash": false, "grace_seconds": 7200}') RETURNING id`);
  await database.execute(`INSERT INTO task (execution_id, vendor_type) VALUES ($1, 'STORAGE_RECONCILIATION')`, [execution?.id]);
  return { reconciliation_id: String(execution?.id) };
}
