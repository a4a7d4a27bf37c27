import { same, type Place, type Rows } from './row.js';

const OLDER = '/api/v2.0/projects/:project_name_or_id/robots';

export const robots: Rows = {
  'GET /api/v2.0/robots': same('401 a, 403 nlgdmp+-, 200 sy'),
  'POST /api/v2.0/robots': same('401 a, 403 nlgdm+-, 409 psy', { path: robot, json: ({ project }) => ({
    name: 'kept', level: 'project', duration: -1, permissions: [{ kind: 'project', namespace: project, access: [{ resource: 'label', action: 'list' }] }],
  }) }),
  'GET /api/v2.0/robots/:robot_id': same('401 a, 403 nl-, 200 gdmps+y', { path: robot }),
  'PUT /api/v2.0/robots/:robot_id': same('401 a, 403 nlgdm+-y, 200 ps', { path: robot, json: { description: 'the same' } }),
  'PATCH /api/v2.0/robots/:robot_id': same('401 a, 403 nlgdm+-y, 200 ps', { path: robot, json: {} }),
  'DELETE /api/v2.0/robots/:robot_id': same('401 a, 403 nlgdm-, 200 ps+y', { path: robot }),

  [`GET ${OLDER}`]: same('401 a, 403 nl-, 200 gdmps+y'),
  [`POST ${OLDER}`]: same('401 a, 403 nlgdm+-, 422 psy'),
  [`GET ${OLDER}/:robot_id`]: same('401 a, 403 nl-, 200 gdmps+y', { path: robot }),
  [`PUT ${OLDER}/:robot_id`]: same('401 a, 403 nlgdm+-y, 200 ps', { path: robot, json: { description: 'the same' } }),
  [`DELETE ${OLDER}/:robot_id`]: same('401 a, 403 nlgdm-, 200 ps+y', { path: robot }),
};

/** The robot "kept" of the project, made again when the last caller could delete it. */
async function robot({ database, projectId }: Place): Promise<Readonly<Record<string, string>>> {
  await database.execute(
    `INSERT INTO robot (name, level, project_id, secret_hash, duration) SELECT 'kept', 'project', $1, '', -1 WHERE NOT EXISTS (SELECT FROM robot WHERE project_id = $1 AND name = 'kept')`,
    [projectId],
  );
  const [row] = await database.query<{ id: number }>(`SELECT id FROM robot WHERE project_id = $1 AND name = 'kept'`, [projectId]);
  return { robot_id: String(row?.id) };
}
