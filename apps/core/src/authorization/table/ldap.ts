import { same, type Rows } from './row.js';

/** Nobody has set up a directory here, so looking something up in it is 400. */
export const ldap: Rows = {
  'POST /api/v2.0/ldap/ping': same('401 a, 403 nlgdmp+-y, 200 s', { json: {} }),
  'GET /api/v2.0/ldap/users/search': same('401 a, 403 nlgdmp+-, 400 sy'),
  'POST /api/v2.0/ldap/users/import': same('401 a, 403 nlgdmp+-, 200 sy', { json: { ldap_uid_list: [] } }),
  'GET /api/v2.0/ldap/groups/search': same('401 a, 403 nlgdmp+-, 400 sy'),
};
