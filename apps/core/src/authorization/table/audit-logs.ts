import { same, type Rows } from './row.js';

const EVERYBODY_KNOWN = '401 a, 200 nlgdmps+-y';
const ADMINISTRATORS = '401 a, 403 nlgdm-, 200 ps+y';

export const auditLogs: Rows = {
  'GET /api/v2.0/audit-logs': same(EVERYBODY_KNOWN),
  'GET /api/v2.0/auditlog-exts': same(EVERYBODY_KNOWN),
  'GET /api/v2.0/auditlog-exts/events': same('401 a, 403 nlgdmp+-, 200 sy'),
  'GET /api/v2.0/projects/:project_name/logs': same(ADMINISTRATORS),
  'GET /api/v2.0/projects/:project_name/auditlog-exts': same(ADMINISTRATORS),
};
