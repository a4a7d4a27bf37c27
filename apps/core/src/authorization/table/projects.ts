import { each, same, type Place, type Rows } from './row.js';

const ONE = '/api/v2.0/projects/:project_name_or_id';
const guestsMembership = { path: memberOf('gina') };

export const projects: Rows = {
  'GET /api/v2.0/projects': same('200 anlgdmps+-y'),
  'HEAD /api/v2.0/projects': same('401 a, 200 nlgdmps+-y', { query: ({ project }) => `project_name=${project}` }),
  'POST /api/v2.0/projects': same('401 a, 403 +-, 409 nlgdmpsy', { json: ({ project }) => ({ project_name: project }) }),
  [`GET ${ONE}`]: each('200 anlgdmps+-y', '401 a, 403 n-, 200 lgdmps+y'),
  [`PUT ${ONE}`]: same('401 a, 403 nlgdm-, 422 ps+y'),
  [`DELETE ${ONE}`]: same('401 a, 403 nlgdm-, 412 ps+y'),
  [`GET ${ONE}/_deletable`]: same('401 a, 403 nlgdm-, 200 ps+y'),
  [`GET ${ONE}/summary`]: each('200 anlgdmps+-y', '401 a, 403 n-, 200 lgdmps+y'),

  [`GET ${ONE}/metadatas`]: same('401 a, 403 nlgdmp-, 200 s+y'),
  [`POST ${ONE}/metadatas`]: same('401 a, 403 nlgdm-, 422 ps+y'),
  [`GET ${ONE}/metadatas/:meta_name`]: same('401 a, 403 nlgd-, 200 mps+y', { path: { meta_name: 'public' } }),
  [`PUT ${ONE}/metadatas/:meta_name`]: same('401 a, 403 nlgdm-, 422 ps+y'),
  [`DELETE ${ONE}/metadatas/:meta_name`]: same('401 a, 403 nlgdm-, 404 ps+y', { path: { meta_name: 'severity' } }),

  [`GET ${ONE}/members`]: same('401 a, 403 nl-, 200 gdmps+y'),
  [`POST ${ONE}/members`]: same('401 a, 403 nlgdm+-, 422 psy'),
  [`GET ${ONE}/members/:mid`]: same('401 a, 403 nl-, 200 gdmps+y', guestsMembership),
  [`PUT ${ONE}/members/:mid`]: same('401 a, 403 nlgdm-, 422 ps+y', guestsMembership),
  [`DELETE ${ONE}/members/:mid`]: same('401 a, 403 nlgdm-, 404 ps+y'),
};

function memberOf(username: string): (place: Place) => Promise<Readonly<Record<string, string>>> {
  return async ({ database, projectId }) => {
    const [row] = await database.query<{ id: number }>('SELECT m.id FROM member m JOIN haven_user u ON u.id = m.user_id WHERE m.project_id = $1 AND u.username = $2', [projectId, username]);
    return { mid: String(row?.id ?? 0) };
  };
}
