import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { breakLookups } from '@haven/database';
import { ConfigurationService } from '../configuration/configuration.service.js';
import { hashGeneratedSecret } from '../identity/robot-secret.js';
import { TestBrowser } from '../testing/browser.js';
import { Pusher } from '../testing/push.js';
import { tableState } from '../testing/table-state.js';
import { startTestCore, type Answer, type Call, type TestCore } from '../testing/test-core.js';

const RULE = { tag_selectors: [{ kind: 'doublestar', decoration: 'matches', pattern: 'fixed*' }], scope_selectors: { repository: [{ kind: 'doublestar', decoration: 'repoMatches', pattern: '**' }] } };
const PROJECT = '/api/v2.0/projects/alpha';
const REPOSITORY = `${PROJECT}/repositories/app`;
const ROBOT = { as: 'robot$alpha+ci', password: 'Robot-secret-0123456789-abcdefgh' };
const ALICE = { as: 'alice' };
const ADMIN = { as: 'admin' };
const TABLES = ['project', 'member', 'repository', 'manifest', 'tag', 'tag_event', 'bin_entry', 'repository_blob', 'label', 'execution', 'schedule', 'retention_policy', 'webhook_policy', 'user_group', 'haven_user'];

let core: TestCore;
let digest: string;
let once: string;
let mend: (() => Promise<void>) | undefined;

beforeAll(async () => {
  core = await startTestCore();
  await core.addUser('alice');
  const id = await core.addProject('alpha', { members: { alice: 1 } });
  const pusher = new Pusher(core.database, id);
  ({ digest: once } = await pusher.image('alpha/app', 'once', ['moved']));
  ({ digest } = await pusher.image('alpha/app', 'now', ['fixed', 'free', 'moved']));
  await pusher.image('alpha/source', 'from elsewhere', ['fixed', 'free']);
  await new Pusher(core.database, await core.addProject('bravo', { members: { alice: 3 } })).image('bravo/elsewhere', 'new to alpha', ['1']);
  await core.database.execute('INSERT INTO immutability_rule (project_id, rule) VALUES ($1, $2)', [id, JSON.stringify(RULE)]);
  await core.database.execute('UPDATE project SET storage_limit = $1 WHERE id = $2', [1024 ** 2, id]);
  await core.database.execute(
    `WITH made AS (INSERT INTO robot (name, level, project_id, secret_hash, duration) VALUES ('ci', 'project', $1, $2, -1) RETURNING id)
     INSERT INTO robot_permission (robot_id, kind, project_id, resource, action) SELECT id, 'project', $1, 'repository', 'list' FROM made`, [id, hashGeneratedSecret(ROBOT.password)]);
});
afterAll(() => core.stop());
afterEach(async () => {
  await mend?.();
  mend = undefined;
  core.service.app.get(ConfigurationService, { strict: false }).forget();
});

type Door = readonly [method: string, path: () => string, call: Call | (() => Call)];

/** What each table decides, and who asks it. */
const DOORS: Readonly<Record<string, readonly Door[]>> = {
  immutability_rule: [
    ['DELETE', () => `${REPOSITORY}/artifacts/fixed/tags/fixed`, ALICE], ['DELETE', () => `${REPOSITORY}/artifacts/free/tags/free`, ALICE], ['DELETE', () => `${REPOSITORY}/artifacts/${digest}`, ALICE],
    ['DELETE', () => REPOSITORY, ADMIN], ['POST', () => `${REPOSITORY}/artifacts?from=alpha/source:fixed`, ALICE], ['POST', () => `${REPOSITORY}/artifacts?from=alpha/source:free`, ALICE],
    ['POST', () => `${REPOSITORY}/tags/moved/rollback`, () => ({ ...ALICE, json: { digest: once } })],
  ],
  // Whether the installation is read-only.
  setting: [
    ['PUT', () => PROJECT, { ...ALICE, json: {} }], ['DELETE', () => `${REPOSITORY}/artifacts/free/tags/free`, ALICE], ['POST', () => '/api/v2.0/labels', { ...ADMIN, json: { name: 'made', scope: 'g' } }],
    ['POST', () => '/api/v2.0/projects', { ...ALICE, json: { project_name: 'made' } }], ['POST', () => '/api/v2.0/system/gc/schedule', { ...ADMIN, json: { schedule: { type: 'Manual' } } }],
    ['PUT', () => '/api/v2.0/configurations', { ...ADMIN, json: { token_expiration: 7 } }],
  ],
  quota_change: [['POST', () => `${REPOSITORY.replace('app', 'copy')}/artifacts?from=bravo/elsewhere:1`, ALICE]],
  // Who holds which role.
  project_role: [['GET', () => PROJECT, ALICE], ['GET', () => `${REPOSITORY}/artifacts`, ALICE], ['PUT', () => PROJECT, { ...ALICE, json: {} }], ['DELETE', () => `${REPOSITORY}/artifacts/free/tags/free`, ALICE],
    ['GET', () => '/service/token?service=harbor-registry&scope=repository:alpha/app:pull', ALICE]],
  access_epoch: [['GET', () => '/service/token?service=harbor-registry&scope=repository:alpha/app:pull', ALICE]],
  robot_permission: [['GET', () => `${PROJECT}/repositories`, ROBOT]],
  // Whether somebody guesses.
  login_failure: [['GET', () => PROJECT, ALICE], ['GET', () => '/service/token?service=harbor-registry&scope=repository:alpha/app:pull', ALICE]],
};

describe('F-16: a rule or right that cannot be looked up is not taken for one that is not there, nor for one that is:', () => {
  test.each(Object.keys(DOORS).flatMap((table) => ['57014', '42501'].map((fault) => [table, fault])))('%s, with %s', async (table, fault) => {
    const before = await tableState(core.database, ...TABLES);
    mend = await breakLookups(core.database, table, fault);
    core.service.app.get(ConfigurationService, { strict: false }).forget();
    for (const [method, path, call] of DOORS[table] ?? []) {
      const { status, body }: Answer = await core.call(method, path(), typeof call === 'function' ? call() : call);
      expect([method, path(), status, body]).toEqual([method, path(), 500, { errors: [{ code: 'UNKNOWN', message: 'internal server error' }] }]);
    }
    await mend();
    mend = undefined;
    expect(await tableState(core.database, ...TABLES)).toBe(before);
  });

  test.each(['session', 'project_role'])('nor does a session open anything without %s', async (table) => {
    const browser = new TestBrowser(core);
    expect((await browser.logIn('alice')).status).toBe(200);
    expect((await browser.send('GET', PROJECT)).status).toBe(200);
    mend = await breakLookups(core.database, table);
    const { status, body } = await browser.send('GET', PROJECT);
    expect([status, body]).toEqual([500, { errors: [{ code: 'UNKNOWN', message: 'internal server error' }] }]);
  });

  test('afterwards each decides as before', async () => {
    expect((await core.call('DELETE', `${REPOSITORY}/artifacts/fixed/tags/fixed`, ALICE)).status).toBe(412);
    expect((await core.call('GET', `${PROJECT}/repositories`, ROBOT)).status).toBe(200);
    expect((await core.call('GET', PROJECT, ALICE)).status).toBe(200);
    expect((await core.call('DELETE', `${REPOSITORY}/artifacts/free/tags/free`, ALICE)).status).toBe(200);
  });
});
