import { each, same, type Place, type Rows } from './row.js';

const scope = { query: ({ projectId }: Place) => `scope=p&project_id=${projectId}` };

export const labels: Rows = {
  'GET /api/v2.0/labels': each('200 anlgdmps+-y', '401 a, 403 nl-, 200 gdmps+y', scope),
  'POST /api/v2.0/labels': same('401 a, 403 nlgd-, 409 mps+y', { path: label, json: ({ projectId }) => ({ name: 'kept', scope: 'p', project_id: projectId }) }),
  'GET /api/v2.0/labels/:label_id': each('200 anlgdmps+-y', '401 a, 403 nl-, 200 gdmps+y', { path: label }),
  'PUT /api/v2.0/labels/:label_id': same('401 a, 403 nlgd-, 200 mps+y', { path: label, json: { name: 'kept', description: 'the same' } }),
  'DELETE /api/v2.0/labels/:label_id': same('401 a, 403 nlgd-, 200 mps+y', { path: label }),
};

/** The label "kept" of the project, made again when the last caller could delete it. */
async function label({ database, projectId }: Place): Promise<Readonly<Record<string, string>>> {
  await database.execute(`INSERT INTO label (name, scope, project_id) SELECT 'kept', 'p', $1 WHERE NOT EXISTS (SELECT FROM label WHERE project_id = $1 AND name = 'kept')`, [projectId]);
  const [row] = await database.query<{ id: string }>(`SELECT id FROM label WHERE project_id = $1 AND name = 'kept'`, [projectId]);
  return { label_id: String(row?.id) };
}
