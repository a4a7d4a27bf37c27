import { each, same, type Rows } from './row.js';

const REPOSITORIES = '/api/v2.0/projects/:project_name/repositories';
const ARTIFACTS = `${REPOSITORIES}/:repository_name/artifacts`;
const there = { path: { reference: '1' } };
const oneTag = { path: { tag_name: '1' } };
const missingRepository = { path: { repository_name: 'missing' } };

export const artifacts: Rows = {
  'GET /api/v2.0/repositories': same('200 anlgdmps+-y'),
  [`GET ${REPOSITORIES}`]: each('200 anlgdmps+-y', '401 a, 403 n-, 200 lgdmps+y'),
  [`GET ${REPOSITORIES}/:repository_name`]: same('401 a, 403 n-, 200 lgdmps+y'),
  [`PUT ${REPOSITORIES}/:repository_name`]: same('401 a, 403 nlg-, 422 dmps+y'),
  [`DELETE ${REPOSITORIES}/:repository_name`]: same('401 a, 403 nlgd-, 404 mps+y', missingRepository),

  [`GET ${ARTIFACTS}`]: each('200 anlgdmps+-y', '401 a, 403 n-, 200 lgdmps+y'),
  [`POST ${ARTIFACTS}`]: same('401 a, 403 nlg-, 404 dmps+y', { query: ({ project }) => `from=${project}/missing:1` }),
  [`GET ${ARTIFACTS}/:reference`]: each('200 anlgdmps+-y', '401 a, 403 n-, 200 lgdmps+y', there),
  [`DELETE ${ARTIFACTS}/:reference`]: same('401 a, 403 nlgd-, 404 mps+y'),
  [`GET ${ARTIFACTS}/:reference/tags`]: each('200 anlgdmps+-y', '401 a, 403 n-, 200 lgdmps+y', there),
  [`POST ${ARTIFACTS}/:reference/tags`]: same('401 a, 403 nlg-, 422 dmps+y', there),
  [`DELETE ${ARTIFACTS}/:reference/tags/:tag_name`]: same('401 a, 403 nlgd-, 404 mps+y'),
  [`POST ${ARTIFACTS}/:reference/labels`]: same('401 a, 403 nlg-, 422 dmps+y', there),
  [`DELETE ${ARTIFACTS}/:reference/labels/:label_id`]: same('401 a, 403 nlg-, 404 dmps+y', { path: { reference: '1', label_id: '2147483647' } }),
  [`GET ${ARTIFACTS}/:reference/additions/vulnerabilities`]: each('404 anlgdmps+-y', '401 a, 403 n-, 404 lgdmps+y', there),
  [`GET ${ARTIFACTS}/:reference/additions/:addition`]: each('404 anlgdmps+-y', '401 a, 403 n-, 404 lgdmps+y'),
  [`GET ${ARTIFACTS}/:reference/accessories`]: each('200 anlgdmps+-y', '401 a, 403 n-, 200 lgdmps+y', there),

  [`GET ${REPOSITORIES}/:repository_name/tags`]: each('200 anlgdmps+-y', '401 a, 403 n-, 200 lgdmps+y'),
  [`GET ${REPOSITORIES}/:repository_name/history`]: each('200 anlgdmps+-y', '401 a, 403 n-, 200 lgdmps+y'),
  [`GET ${REPOSITORIES}/:repository_name/tags/:tag_name/history`]: each('200 anlgdmps+-y', '401 a, 403 n-, 200 lgdmps+y', oneTag),
  [`GET ${REPOSITORIES}/:repository_name/tags/:tag_name/at`]: each('200 anlgdmps+-y', '401 a, 403 n-, 200 lgdmps+y', { ...oneTag, query: 'time=2999-01-01T00:00:00Z' }),
  [`POST ${REPOSITORIES}/:repository_name/tags/:tag_name/rollback`]: same('401 a, 403 nlgd-, 404 mps+y', { ...oneTag, json: { digest: `sha256:${'0'.repeat(64)}` } }),
  'GET /api/v2.0/projects/:project_name_or_id/bin': same('401 a, 403 nlgd-, 200 mps+y'),
  'POST /api/v2.0/projects/:project_name_or_id/bin/:entry_id/restore': same('401 a, 403 nlgd-, 404 mps+y', { path: { entry_id: '999999999999999' } }),

  'GET /api/v2.0/projects/:project_name_or_id/artifacts': each('200 anlgdmps+-y', '401 a, 403 n-, 200 lgdmps+y'),
  'GET /api/v2.0/icons/:digest': same('404 anlgdmps+-y', { path: { digest: `sha256:${'0'.repeat(64)}` } }),
};
