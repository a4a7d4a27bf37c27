import { same, type Rows } from './row.js';

export const system: Rows = {
  'GET /service/token': same('200 anlgdmps+-y', { query: 'service=harbor-registry&scope=repository:library/app:pull' }),
  'POST /service/token': same('415 anlgdmps+-y'),
  'GET /api/version': same('200 anlgdmps+-y'),
  'GET /devcenter-api-2.0': same('200 anlgdmps+-y'),
  'GET /api/v2.0/openapi.json': same('200 anlgdmps+-y'),
  'GET /api/v2.0/openapi.yaml': same('200 anlgdmps+-y'),
  'GET /api/v2.0/explorer': same('200 anlgdmps+-y'),
  'GET /api/v2.0/explorer/:file_name': same('404 anlgdmps+-y'),
  'GET /api/v2.0/ping': same('200 anlgdmps+-y'),
  'GET /api/v2.0/health': same('200 anlgdmps+-y'),
  'GET /api/v2.0/systeminfo': same('200 anlgdmps+-y'),
  'GET /api/v2.0/configurations': same('401 a, 403 nlgdmp+-y, 200 s'),
  'PUT /api/v2.0/configurations': same('401 a, 403 nlgdmp+-y, 422 s'),
  'GET /api/v2.0/system/CVEAllowlist': same('401 a, 200 nlgdmps+-y'),
  'PUT /api/v2.0/system/CVEAllowlist': same('401 a, 403 nlgdmp+-y, 422 s'),
};
