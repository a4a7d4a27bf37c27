import { same, type Rows } from './row.js';

/** Forms without the token of the sign-in page are refused, whoever sends them: see session/browser.service.ts. */
export const sessions: Rows = {
  'GET /c/login': same('200 anlgdmps+-y'),
  'POST /c/login': same('403 anlgdmps+-y'),
  'GET /c/log_out': same('200 anlgdmps+-y'),
  'POST /c/userExists': same('403 anlgdmps+-y'),
  // Nobody logs in through OpenID Connect here: auth_mode is db_auth.
  'GET /c/oidc/login': same('412 anlgdmps+-y'),
  'GET /c/oidc/callback': same('412 anlgdmps+-y'),
  'POST /c/oidc/onboard': same('403 anlgdmps+-y'),
  'GET /c/oidc/logout': same('412 anlgdmps+-y'),
  'GET /api/v2.0/users/current/sessions': same('401 a, 200 nlgdmps, 412 +-y'),
  'DELETE /api/v2.0/users/current/sessions': same('401 a, 200 nlgdmps, 412 +-y'),
  'DELETE /api/v2.0/users/current/sessions/:session_id': same('401 a, 404 nlgdmps, 412 +-y', { path: { session_id: '0'.repeat(32) } }),
};
