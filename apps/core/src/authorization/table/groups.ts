import { same, type Place, type Rows } from './row.js';

const ONE = '/api/v2.0/usergroups/:group_id';

export const groups: Rows = {
  'GET /api/v2.0/usergroups': same('401 a, 403 nlgdmp+-, 200 sy'),
  'POST /api/v2.0/usergroups': same('401 a, 403 nlgdmp+-, 422 sy'),
  'GET /api/v2.0/usergroups/search': same('401 a, 200 nlgdmps+-y', { query: 'groupname=o' }),
  [`GET ${ONE}`]: same('401 a, 403 nlgdmp+-, 200 sy', { path: group }),
  [`PUT ${ONE}`]: same('401 a, 403 nlgdmp+-, 200 sy', { path: group, json: { group_name: 'kept' } }),
  [`DELETE ${ONE}`]: same('401 a, 403 nlgdmp+-, 200 sy', { path: group }),
};

/** The group "kept", made again when the last caller could delete it. */
async function group({ database }: Place): Promise<Readonly<Record<string, string>>> {
  await database.execute(`INSERT INTO user_group (name, type) VALUES ('kept', 3) ON CONFLICT DO NOTHING`);
  const [row] = await database.query<{ id: number }>(`SELECT id FROM user_group WHERE name = 'kept'`);
  return { group_id: String(row?.id) };
}
