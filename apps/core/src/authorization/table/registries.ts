import { same, type Place, type Rows } from './row.js';

const ONE = '/api/v2.0/registries/:id';

export const registries: Rows = {
  'GET /api/v2.0/registries': same('401 a, 403 nlgdmp+-, 200 sy'),
  'POST /api/v2.0/registries': same('401 a, 403 nlgdmp+-, 400 sy', { json: { name: 'r', type: 'harbor', url: 'file:///etc/passwd' } }),
  'POST /api/v2.0/registries/ping': same('401 a, 403 nlgdmp+-, 400 sy', { json: { type: 'harbor', url: 'http://127.0.0.1:1' } }),
  [`GET ${ONE}`]: same('401 a, 403 nlgdmp+-, 200 sy', { path: registry }),
  [`PUT ${ONE}`]: same('401 a, 403 nlgdmp+-, 400 sy', { path: registry, json: { name: 'changed' } }),
  [`DELETE ${ONE}`]: same('401 a, 403 nlgdmp+-, 200 sy', { path: registry }),
  [`GET ${ONE}/info`]: same('401 a, 403 nlgdmp+-, 200 sy', { path: registry }),
  'GET /api/v2.0/replication/adapters': same('401 a, 403 nlgdmp+-, 200 sy'),
  'GET /api/v2.0/replication/adapterinfos': same('401 a, 403 nlgdmp+-, 200 sy'),
};

/** A registry that cannot be reached, made again when the last caller could delete it. */
async function registry({ database }: Place): Promise<Readonly<Record<string, string>>> {
  await database.execute(`INSERT INTO registry (name, type, url) VALUES ('known', 'harbor', 'http://127.0.0.1:1') ON CONFLICT (name) DO NOTHING`);
  const [row] = await database.query<{ id: number }>(`SELECT id FROM registry WHERE name = 'known'`);
  return { id: String(row?.id) };
}
