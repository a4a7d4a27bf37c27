import { same, type Place, type Rows } from './row.js';

const GC = '/api/v2.0/system/gc';
const PURGE = '/api/v2.0/system/purgeaudit';
const NOTHING = { schedule: { type: 'None' } };

export const maintenance: Rows = {
  [`GET ${GC}`]: same('401 a, 403 nlgdmp+-, 200 sy'),
  [`GET ${GC}/schedule`]: same('401 a, 403 nlgdmp+-, 200 sy'),
  [`POST ${GC}/schedule`]: same('401 a, 403 nlgdmp+-, 201 sy', { json: NOTHING }),
  [`PUT ${GC}/schedule`]: same('401 a, 403 nlgdmp+-, 200 sy', { json: NOTHING }),
  [`GET ${GC}/:gc_id`]: same('401 a, 403 nlgdmp+-, 200 sy', { path: run('GARBAGE_COLLECTION', 'gc_id') }),
  [`PUT ${GC}/:gc_id`]: same('401 a, 403 nlgdmp+-, 200 sy', { path: run('GARBAGE_COLLECTION', 'gc_id') }),
  [`GET ${GC}/:gc_id/log`]: same('401 a, 403 nlgdmp+-, 200 sy', { path: run('GARBAGE_COLLECTION', 'gc_id') }),

  [`GET ${PURGE}`]: same('401 a, 403 nlgdmp+-, 200 sy'),
  [`GET ${PURGE}/schedule`]: same('401 a, 403 nlgdmp+-, 200 sy'),
  [`POST ${PURGE}/schedule`]: same('401 a, 403 nlgdmp+-, 201 sy', { json: NOTHING }),
  [`PUT ${PURGE}/schedule`]: same('401 a, 403 nlgdmp+-, 200 sy', { json: NOTHING }),
  [`GET ${PURGE}/:purge_id`]: same('401 a, 403 nlgdmp+-, 200 sy', { path: run('PURGE_AUDIT_LOG', 'purge_id') }),
  [`PUT ${PURGE}/:purge_id`]: same('401 a, 403 nlgdmp+-, 200 sy', { path: run('PURGE_AUDIT_LOG', 'purge_id') }),
  [`GET ${PURGE}/:purge_id/log`]: same('401 a, 403 nlgdmp+-, 200 sy', { path: run('PURGE_AUDIT_LOG', 'purge_id') }),

  'GET /api/v2.0/system/scanAll/schedule': same('401 a, 403 nlgdmp+-, 412 sy'),
  'POST /api/v2.0/system/scanAll/schedule': same('401 a, 403 nlgdmp+-, 412 sy', { json: NOTHING }),
  'PUT /api/v2.0/system/scanAll/schedule': same('401 a, 403 nlgdmp+-, 412 sy', { json: NOTHING }),
  'POST /api/v2.0/system/scanAll/stop': same('401 a, 403 nlgdmp+-, 400 sy'),
  'GET /api/v2.0/scans/all/metrics': same('401 a, 403 nlgdmp+-, 412 sy'),
  'GET /api/v2.0/scans/schedule/metrics': same('401 a, 403 nlgdmp+-, 412 sy'),

  // Refused for want of a header by then; exports that are nobody's.
  'POST /api/v2.0/export/cve': same('401 a, 403 nlg-, 400 dmps+y', { json: ({ projectId }) => ({ projects: [projectId] }) }),
  'GET /api/v2.0/export/cve/executions': same('401 a, 200 nlgdmps+-y'),
  'GET /api/v2.0/export/cve/execution/:execution_id': same('401 a, 404 nlgdmps+-y', { path: run('SCAN_DATA_EXPORT', 'execution_id') }),
  'GET /api/v2.0/export/cve/download/:execution_id': same('401 a, 404 nlgdmps+-y', { path: run('SCAN_DATA_EXPORT', 'execution_id') }),

  'GET /api/v2.0/jobservice/pools': same('401 a, 403 nlgdmp+-, 200 sy'),
  'GET /api/v2.0/jobservice/pools/:pool_id/workers': same('401 a, 403 nlgdmp+-, 200 sy', { path: { pool_id: 'all' } }),
  'PUT /api/v2.0/jobservice/jobs/:job_id': same('401 a, 403 nlgdmp+-, 200 sy', { path: { job_id: 'all' } }),
  'GET /api/v2.0/jobservice/jobs/:job_id/log': same('401 a, 403 nlgdmp+-, 404 sy', { path: { job_id: '00000000-0000-4000-8000-000000000000' } }),
  'GET /api/v2.0/jobservice/queues': same('401 a, 403 nlgdmp+-, 200 sy'),
  'PUT /api/v2.0/jobservice/queues/:job_type': same('401 a, 403 nlgdmp+-, 200 sy', { path: { job_type: 'all' }, json: { action: 'resume' } }),
};

/** A run with its task. */
function run(type: string, parameter: string): (place: Place) => Promise<Readonly<Record<string, string>>> {
  return async ({ database }) => {
    const [execution] = await database.query<{ id: string }>(`INSERT INTO execution (vendor_type, trigger) VALUES ($1, 'MANUAL') RETURNING id`, [type]);
    await database.execute('INSERT INTO task (execution_id, vendor_type) VALUES ($1, $2)', [execution?.id, type]);
    return { [parameter]: String(execution?.id) };
  };
}
