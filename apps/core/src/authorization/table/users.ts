import { same, type Place, type Rows } from './row.js';

const theBystander = { path: ({ bystander }: Place) => Promise.resolve({ user_id: String(bystander) }) };

export const users: Rows = {
  'GET /api/v2.0/users': same('401 a, 403 nlgdmp+-, 200 sy'),
  'POST /api/v2.0/users': same('401 a, 403 nlgdmp+-, 422 sy'),
  'GET /api/v2.0/users/search': same('401 a, 200 nlgdmps+-y', { query: 'username=o' }),
  'GET /api/v2.0/users/current': same('401 a, 200 nlgdmps, 412 +-y'),
  'GET /api/v2.0/users/current/permissions': same('401 a, 200 nlgdmps+-y'),
  'GET /api/v2.0/permissions': same('401 a, 403 nlgdm+-y, 200 ps'),
  'GET /api/v2.0/users/:user_id': same('401 a, 403 nlgdmp+-, 200 sy', theBystander),
  'PUT /api/v2.0/users/:user_id': same('401 a, 403 nlgdmp+-, 422 sy', theBystander),
  'DELETE /api/v2.0/users/:user_id': same('401 a, 403 nlgdmp+-, 404 sy'),
  'PUT /api/v2.0/users/:user_id/sysadmin': same('401 a, 403 nlgdmp+-, 422 sy', theBystander),
  'PUT /api/v2.0/users/:user_id/cli_secret': same('401 a, 403 nlgdmp+-, 412 sy', { ...theBystander, json: { secret: 'Good-enough-1' } }),
  'PUT /api/v2.0/users/:user_id/password': same('401 a, 403 nlgdmp+-, 422 sy', theBystander),
};
