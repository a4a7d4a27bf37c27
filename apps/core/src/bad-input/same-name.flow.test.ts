import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { PULL } from '../testing/robots.js';
import { startUpstream, type Upstream } from '../testing/upstream.js';
import { startReplica, startTestCore, type TestCore } from '../testing/test-core.js';

const AT_ONCE = 50;
const SELECTORS = { tag_selectors: [{ kind: 'doublestar', decoration: 'matches', pattern: '**' }], scope_selectors: { repository: [{ kind: 'doublestar', decoration: 'repoMatches', pattern: '**' }] } };

let core: TestCore;
let replica: TestCore;
let upstream: Upstream;
let alpha: number;
let eve: number;

beforeAll(async () => {
  upstream = await startUpstream();
  const environment = { HAVEN_OUTBOUND_ALLOW: '127.0.0.1' };
  core = await startTestCore({ environment });
  replica = await startReplica(core, environment);
  eve = await core.addUser('eve');
  alpha = await core.addProject('alpha');
});
afterAll(async () => {
  await replica.stop();
  await core.stop();
  await upstream.stop();
});

interface Wanted {
  readonly path: string;
  readonly json: () => object;
  /** How many there are afterwards. */
  readonly count: () => readonly [sql: string, parameters?: readonly unknown[]];
  readonly refused?: number;
}

const ROWS: Readonly<Record<string, Wanted>> = {
  project: { path: '/projects', json: () => ({ project_name: 'twin' }), count: () => [`SELECT 1 FROM project WHERE name = 'twin'`] },
  user: { path: '/users', json: () => ({ username: 'twin', email: 'twin@example.org', realname: 'T', password: 'Good-enough-1' }), count: () => [`SELECT 1 FROM haven_user WHERE username = 'twin'`] },
  'robot of a project': { path: '/robots', json: () => ({ name: 'twin', level: 'project', duration: 1, permissions: [{ kind: 'project', namespace: 'alpha', access: [PULL] }] }), count: () => [`SELECT 1 FROM robot WHERE name = 'twin' AND project_id = $1`, [alpha]] },
  'robot of the system': { path: '/robots', json: () => ({ name: 'twin', level: 'system', duration: 1, permissions: [{ kind: 'project', namespace: '*', access: [PULL] }] }), count: () => [`SELECT 1 FROM robot WHERE name = 'twin' AND coalesce(project_id, 0) = 0`] },
  'label of the installation': { path: '/labels', json: () => ({ name: 'twin', color: '#ffffff', scope: 'g' }), count: () => [`SELECT 1 FROM label WHERE name = 'twin' AND project_id IS NULL`] },
  'label of a project': { path: '/labels', json: () => ({ name: 'twin', color: '#ffffff', scope: 'p', project_id: alpha }), count: () => [`SELECT 1 FROM label WHERE name = 'twin' AND project_id = $1`, [alpha]] },
  'webhook policy': { path: '/projects/alpha/webhook/policies', json: () => ({ name: 'twin', targets: [{ type: 'http', address: 'https://receiver.example/' }], event_types: ['PUSH_ARTIFACT'] }), count: () => [`SELECT 1 FROM webhook_policy WHERE name = 'twin'`] },
  registry: { path: '/registries', json: () => ({ name: 'twin', type: 'harbor', url: upstream.url }), count: () => [`SELECT 1 FROM registry WHERE name = 'twin'`] },
  member: { path: '/projects/alpha/members', json: () => ({ role_id: 2, member_user: { username: 'eve' } }), count: () => ['SELECT 1 FROM member WHERE project_id = $1 AND user_id = $2', [alpha, eve]] },
  'immutable tag rule': { path: '/projects/alpha/immutabletagrules', json: () => ({ action: 'immutable', template: 'immutable_template', ...SELECTORS }), count: () => ['SELECT 1 FROM immutability_rule WHERE project_id = $1', [alpha]] },
  'retention policy': {
    path: '/retentions', json: () => ({ algorithm: 'or', rules: [{ action: 'retain', template: 'always', params: {}, ...SELECTORS }], trigger: { kind: 'Schedule', settings: { cron: '' } }, scope: { level: 'project', ref: alpha } }),
    count: () => ['SELECT 1 FROM retention_policy WHERE project_id = $1', [alpha]], refused: 400,
  },
};

describe(`N-07: the same thing, made ${AT_ONCE} times at once on two replicas, is made once:`, () => {
  test.each(Object.entries(ROWS))('%s', async (_name, { path, json, count, refused = 409 }) => {
    const answers = await Promise.all(Array.from({ length: AT_ONCE }, (_, index) => (index % 2 === 0 ? core : replica).call('POST', `/api/v2.0${path}`, { as: 'admin', json: json() })));
    const statuses = answers.map(({ status }) => status).toSorted();
    expect(statuses).toEqual([201, ...Array<number>(AT_ONCE - 1).fill(refused)]);
    expect(await core.database.query(...count())).toHaveLength(1);
  });

  test('and the project has one quota', async () => {
    const { body } = await core.call('GET', '/api/v2.0/quotas?page_size=100', { as: 'admin' });
    expect((body as { ref: { name: string } }[]).filter(({ ref }) => ref.name === 'twin')).toHaveLength(1);
  });
});
