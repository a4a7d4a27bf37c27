import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { ConfigurationService } from '../configuration/configuration.service.js';
import { RouteTable } from '../http/route-table.service.js';
import { sealPerson } from '../oidc/pending-person.js';
import { TestBrowser } from '../testing/browser.js';
import { Pusher } from '../testing/push.js';
import { startTestCore, type Answer, type TestCore } from '../testing/test-core.js';
import { startUpstream, type Upstream } from '../testing/upstream.js';

const API = '/api/v2.0';
const PROJECTS = `${API}/projects`;
const REPOSITORY = `${PROJECTS}/:project_name/repositories/:repository_name`;
const SELECTORS = { tag_selectors: [{ kind: 'doublestar', decoration: 'matches', pattern: 'v*' }], scope_selectors: { repository: [{ kind: 'doublestar', decoration: 'repoMatches', pattern: '**' }] } };
const IMMUTABLE = { action: 'immutable', template: 'immutable_template', ...SELECTORS };
const RETENTION_RULE = { disabled: false, action: 'retain', template: 'latestPushedK', params: { latestPushedK: 2 }, ...SELECTORS };
const PURGE = { audit_retention_hour: 24, include_event_types: 'other' };
const WEBHOOKS = `${PROJECTS}/:project_name_or_id/webhook/policies`;
const SYSTEM_WEBHOOKS = `${API}/system/webhook/policies`;
const WEBHOOK = { name: 'hook', targets: [{ type: 'http', address: 'https://receiver.example/' }], event_types: ['PUSH_ARTIFACT'] };
const PULL = { resource: 'repository', action: 'pull' };

let core: TestCore;
let projectId: number;
let bystander: number;
let browser: TestBrowser;
let digest: string;
let upstream: Upstream;

beforeAll(async () => {
  upstream = await startUpstream();
  core = await startTestCore({ environment: { HAVEN_OUTBOUND_ALLOW: '127.0.0.1' } });
  bystander = await core.addUser('otto');
  await core.addUser('alice');
  projectId = await core.addProject('alpha', { members: { alice: 1 } });
  digest = (await new Pusher(core.database, projectId).image('alpha/app', 'content', ['1', '2'])).digest;
  await new Pusher(core.database, projectId).image('alpha/other', 'other', ['1']);
  browser = new TestBrowser(core);
  for (let time = 0; time < 3; time++) await new TestBrowser(core).logIn('alice');
  await browser.logIn('alice');
});
afterAll(async () => {
  await core.stop();
  await upstream.stop();
});

const ids = new Map<string, string>();
const known = (name: string): string => ids.get(name) ?? `no-${name}`;

function as(name: string) {
  return (method: string, path: string, json?: unknown): Promise<Answer> => core.call(method, path, { as: name, ...(json === undefined ? {} : { json }) });
}

const admin = as('admin');

/** Remembers the id that the Location of the answer ends with. */
async function remember(name: string, answering: Promise<Answer>): Promise<Answer> {
  const answer = await answering;
  ids.set(name, /\/([^/]+)$/.exec(answer.headers.get('location') ?? '')?.[1] ?? '');
  return answer;
}

async function newestBinEntry(): Promise<string> {
  const [entry] = (await admin('GET', `${PROJECTS}/alpha/bin`)).body as { id: number }[];
  return String(entry?.id);
}

async function setCliSecret(): Promise<Answer> {
  await core.database.execute(`UPDATE haven_user SET source = 'oidc' WHERE id = $1`, [bystander]);
  await core.database.execute(`INSERT INTO setting (key, value) VALUES ('auth_mode', '"oidc_auth"')`);
  core.service.app.get(ConfigurationService, { strict: false }).forget();
  return admin('PUT', `${API}/users/${bystander}/cli_secret`, { secret: 'Command-line-12345' });
}

/** Somebody whom the OpenID provider vouches for chooses a name. */
async function chooseName(): Promise<Answer> {
  const person = { issuer: 'https://provider.test', subject: 'subject', suggestedName: '', realname: '', email: '', groups: [], returnTo: '/' };
  await core.database.execute(
    `INSERT INTO oidc_onboarding (id_hash, person, expires_at) VALUES (sha256('chooser'), $1, now() + interval '1 minute')`,
    [sealPerson(Buffer.from(core.secretKey, 'hex'), person)],
  );
  const visitor = new TestBrowser(core);
  await visitor.send('GET', '/c/login');
  visitor.cookies.set('haven_oidc_onboarding', 'chooser');
  return visitor.send('POST', '/c/oidc/onboard', { json: { username: 'chosen' } });
}

const retention = (): object => ({ algorithm: 'or', rules: [RETENTION_RULE], trigger: { kind: 'Schedule', settings: { cron: '' } }, scope: { level: 'project', ref: projectId } });
const robot = (level: string): object => ({ name: `${level}-robot`, level, duration: 30, permissions: [{ kind: 'project', namespace: 'alpha', access: [PULL] }] });
const ALPHA = `${PROJECTS}/alpha`;
const APP = `${ALPHA}/repositories/app`;

/** Every route that changes something, called so that it works; in an order in which each finds what it needs. */
const STEPS: readonly (readonly [route: string, call: () => Promise<Answer>])[] = [
  [`PUT ${API}/configurations`, () => admin('PUT', `${API}/configurations`, { robot_token_duration: 31 })],
  [`POST ${API}/users`, () => remember('user', admin('POST', `${API}/users`, { username: 'newcomer', email: 'n@example.test', realname: 'N', password: 'Newcomer-12345' }))],
  [`PUT ${API}/users/:user_id`, () => admin('PUT', `${API}/users/${known('user')}`, { realname: 'New' })],
  [`PUT ${API}/users/:user_id/sysadmin`, () => admin('PUT', `${API}/users/${known('user')}/sysadmin`, { sysadmin_flag: true })],
  [`PUT ${API}/users/:user_id/password`, () => admin('PUT', `${API}/users/${known('user')}/password`, { new_password: 'Newcomer-54321' })],
  [`DELETE ${API}/users/:user_id`, () => admin('DELETE', `${API}/users/${known('user')}`)],
  [`DELETE ${API}/users/current/sessions/:session_id`, async () => {
    const sessions = (await browser.send('GET', `${API}/users/current/sessions`)).body as { id: string; current: boolean }[];
    return browser.send('DELETE', `${API}/users/current/sessions/${sessions.find(({ current }) => !current)?.id}`);
  }],
  [`DELETE ${API}/users/current/sessions`, () => browser.send('DELETE', `${API}/users/current/sessions`)],
  [`DELETE ${API}/users/current/sessions`, () => browser.send('DELETE', `${API}/users/current/sessions`)],
  [`POST ${PROJECTS}`, () => admin('POST', PROJECTS, { project_name: 'beta' })],
  [`PUT ${PROJECTS}/:project_name_or_id`, () => admin('PUT', `${PROJECTS}/beta`, { metadata: { public: 'true' } })],
  [`POST ${PROJECTS}/:project_name_or_id/metadatas`, () => admin('POST', `${PROJECTS}/beta/metadatas`, { severity: 'high' })],
  [`PUT ${PROJECTS}/:project_name_or_id/metadatas/:meta_name`, () => admin('PUT', `${PROJECTS}/beta/metadatas/severity`, { severity: 'low' })],
  [`DELETE ${PROJECTS}/:project_name_or_id/metadatas/:meta_name`, () => admin('DELETE', `${PROJECTS}/beta/metadatas/severity`)],
  [`DELETE ${PROJECTS}/:project_name_or_id`, () => admin('DELETE', `${PROJECTS}/beta`)],
  [`PUT ${API}/system/CVEAllowlist`, () => admin('PUT', `${API}/system/CVEAllowlist`, { items: [{ cve_id: 'CVE-2026-1' }] })],
  [`PUT ${API}/quotas/:id`, () => admin('PUT', `${API}/quotas/${projectId}`, { hard: { storage: 1_000_000 } })],
  [`POST ${PROJECTS}/:project_name_or_id/members`, () => remember('member', admin('POST', `${ALPHA}/members`, { role_id: 3, member_user: { user_id: bystander } }))],
  [`PUT ${PROJECTS}/:project_name_or_id/members/:mid`, () => admin('PUT', `${ALPHA}/members/${known('member')}`, { role_id: 2 })],
  [`DELETE ${PROJECTS}/:project_name_or_id/members/:mid`, () => admin('DELETE', `${ALPHA}/members/${known('member')}`)],
  [`POST ${API}/labels`, () => remember('label', admin('POST', `${API}/labels`, { name: 'stable', scope: 'g' }))],
  [`PUT ${API}/labels/:label_id`, () => admin('PUT', `${API}/labels/${known('label')}`, { name: 'stabler', scope: 'g' })],
  [`POST ${REPOSITORY}/artifacts/:reference/labels`, () => admin('POST', `${APP}/artifacts/1/labels`, { id: Number(known('label')) })],
  [`DELETE ${REPOSITORY}/artifacts/:reference/labels/:label_id`, () => admin('DELETE', `${APP}/artifacts/1/labels/${known('label')}`)],
  [`DELETE ${API}/labels/:label_id`, () => admin('DELETE', `${API}/labels/${known('label')}`)],
  [`POST ${API}/robots`, () => remember('robot', admin('POST', `${API}/robots`, robot('system')))],
  [`PUT ${API}/robots/:robot_id`, () => admin('PUT', `${API}/robots/${known('robot')}`, { ...robot('system'), description: 'changed' })],
  [`PATCH ${API}/robots/:robot_id`, () => admin('PATCH', `${API}/robots/${known('robot')}`, { secret: '' })],
  [`DELETE ${API}/robots/:robot_id`, () => admin('DELETE', `${API}/robots/${known('robot')}`)],
  [`POST ${PROJECTS}/:project_name_or_id/robots`, () => remember('old-robot', admin('POST', `${ALPHA}/robots`, { name: 'old', expires_at: -1, access: [{ ...PULL, resource: `/project/${projectId}/repository` }] }))],
  [`PUT ${PROJECTS}/:project_name_or_id/robots/:robot_id`, () => admin('PUT', `${ALPHA}/robots/${known('old-robot')}`, { disable: true })],
  [`DELETE ${PROJECTS}/:project_name_or_id/robots/:robot_id`, () => admin('DELETE', `${ALPHA}/robots/${known('old-robot')}`)],
  [`POST ${API}/usergroups`, () => remember('group', admin('POST', `${API}/usergroups`, { group_name: 'engineers', group_type: 2 }))],
  [`PUT ${API}/usergroups/:group_id`, () => admin('PUT', `${API}/usergroups/${known('group')}`, { group_name: 'builders' })],
  [`DELETE ${API}/usergroups/:group_id`, () => admin('DELETE', `${API}/usergroups/${known('group')}`)],
  [`POST ${PROJECTS}/:project_name_or_id/immutabletagrules`, () => remember('rule', admin('POST', `${ALPHA}/immutabletagrules`, IMMUTABLE))],
  [`PUT ${PROJECTS}/:project_name_or_id/immutabletagrules/:immutable_rule_id`, () => admin('PUT', `${ALPHA}/immutabletagrules/${known('rule')}`, { ...IMMUTABLE, id: Number(known('rule')), disabled: true })],
  [`DELETE ${PROJECTS}/:project_name_or_id/immutabletagrules/:immutable_rule_id`, () => admin('DELETE', `${ALPHA}/immutabletagrules/${known('rule')}`)],
  [`POST ${API}/retentions`, () => remember('retention', admin('POST', `${API}/retentions`, retention()))],
  [`PUT ${API}/retentions/:id`, () => admin('PUT', `${API}/retentions/${known('retention')}`, retention())],
  [`POST ${API}/retentions/:id/executions`, () => remember('execution', admin('POST', `${API}/retentions/${known('retention')}/executions`, { dry_run: true }))],
  [`PATCH ${API}/retentions/:id/executions/:eid`, () => admin('PATCH', `${API}/retentions/${known('retention')}/executions/${known('execution')}`, { action: 'stop' })],
  [`POST ${API}/system/reconciliations`, () => remember('reconciliation', admin('POST', `${API}/system/reconciliations`, { rehash: true }))],
  [`PUT ${API}/system/reconciliations/:reconciliation_id`, () => admin('PUT', `${API}/system/reconciliations/${known('reconciliation')}`)],
  [`PUT ${API}/system/reconciliations/schedule`, () => admin('PUT', `${API}/system/reconciliations/schedule`, { cron: '0 0 3 * * 0' })],
  [`DELETE ${API}/system/reconciliations/schedule`, () => admin('DELETE', `${API}/system/reconciliations/schedule`)],
  [`DELETE ${API}/retentions/:id`, () => admin('DELETE', `${API}/retentions/${known('retention')}`)],
  [`POST ${API}/registries`, () => remember('registry', admin('POST', `${API}/registries`, { name: 'upstream', type: 'harbor', url: upstream.url }))],
  [`PUT ${API}/registries/:id`, () => admin('PUT', `${API}/registries/${known('registry')}`, { description: 'changed' })],
  [`DELETE ${API}/registries/:id`, () => admin('DELETE', `${API}/registries/${known('registry')}`)],
  [`POST ${API}/system/gc/schedule`, () => remember('gc', admin('POST', `${API}/system/gc/schedule`, { schedule: { type: 'Manual' }, parameters: { dry_run: true } }))],
  [`PUT ${API}/system/gc/:gc_id`, () => admin('PUT', `${API}/system/gc/${known('gc')}`)],
  [`PUT ${API}/system/gc/schedule`, () => admin('PUT', `${API}/system/gc/schedule`, { schedule: { type: 'Daily', cron: '0 0 0 * * *' } })],
  [`PUT ${API}/system/gc/schedule`, () => admin('PUT', `${API}/system/gc/schedule`, { schedule: { type: 'None' } })],
  [`PUT ${API}/system/gc/schedule`, () => admin('PUT', `${API}/system/gc/schedule`, { schedule: { type: 'None' } })],
  [`POST ${API}/system/purgeaudit/schedule`, () => remember('purge', admin('POST', `${API}/system/purgeaudit/schedule`, { schedule: { type: 'Manual' }, parameters: PURGE }))],
  [`PUT ${API}/system/purgeaudit/:purge_id`, () => admin('PUT', `${API}/system/purgeaudit/${known('purge')}`)],
  [`PUT ${API}/system/purgeaudit/schedule`, () => admin('PUT', `${API}/system/purgeaudit/schedule`, { schedule: { type: 'Custom', cron: '0 0 0 * * *' }, parameters: PURGE })],
  [`PUT ${API}/jobservice/jobs/:job_id`, () => admin('PUT', `${API}/jobservice/jobs/all`)],
  [`PUT ${API}/jobservice/queues/:job_type`, () => admin('PUT', `${API}/jobservice/queues/all`, { action: 'resume' })],
  [`POST ${WEBHOOKS}`, () => remember('webhook', admin('POST', `${ALPHA}/webhook/policies`, WEBHOOK))],
  [`PUT ${WEBHOOKS}/:webhook_policy_id`, () => admin('PUT', `${ALPHA}/webhook/policies/${known('webhook')}`, { ...WEBHOOK, enabled: false })],
  [`POST ${WEBHOOKS}/:webhook_policy_id/dead-letters/replay`, () => admin('POST', `${ALPHA}/webhook/policies/${known('webhook')}/dead-letters/replay`, {})],
  [`DELETE ${WEBHOOKS}/:webhook_policy_id`, () => admin('DELETE', `${ALPHA}/webhook/policies/${known('webhook')}`)],
  [`POST ${SYSTEM_WEBHOOKS}`, () => remember('system-webhook', admin('POST', SYSTEM_WEBHOOKS, { ...WEBHOOK, projects: ['team-*'] }))],
  [`PUT ${SYSTEM_WEBHOOKS}/:webhook_policy_id`, () => admin('PUT', `${SYSTEM_WEBHOOKS}/${known('system-webhook')}`, { ...WEBHOOK, enabled: false })],
  [`POST ${SYSTEM_WEBHOOKS}/:webhook_policy_id/dead-letters/replay`, () => admin('POST', `${SYSTEM_WEBHOOKS}/${known('system-webhook')}/dead-letters/replay`, {})],
  [`DELETE ${SYSTEM_WEBHOOKS}/:webhook_policy_id`, () => admin('DELETE', `${SYSTEM_WEBHOOKS}/${known('system-webhook')}`)],
  [`PUT ${REPOSITORY}`, () => admin('PUT', APP, { description: 'what it is' })],
  [`POST ${REPOSITORY}/artifacts`, () => admin('POST', `${ALPHA}/repositories/copied/artifacts?from=alpha/app:1`)],
  [`POST ${REPOSITORY}/artifacts/:reference/tags`, () => admin('POST', `${APP}/artifacts/1/tags`, { name: 'v1' })],
  [`DELETE ${REPOSITORY}/artifacts/:reference/tags/:tag_name`, () => admin('DELETE', `${APP}/artifacts/1/tags/v1`)],
  [`POST ${PROJECTS}/:project_name_or_id/bin/:entry_id/restore`, async () => admin('POST', `${ALPHA}/bin/${await newestBinEntry()}/restore`)],
  [`POST ${REPOSITORY}/tags/:tag_name/rollback`, async () => {
    await new Pusher(core.database, projectId).image('alpha/app', 'moved', ['v1']);
    return admin('POST', `${APP}/tags/v1/rollback`, { digest });
  }],
  [`DELETE ${REPOSITORY}/artifacts/:reference`, () => admin('DELETE', `${APP}/artifacts/${digest}`)],
  [`DELETE ${REPOSITORY}`, () => admin('DELETE', `${ALPHA}/repositories/other`)],
  // Last, because it takes the installation into another mode.
  [`PUT ${API}/users/:user_id/cli_secret`, setCliSecret],
  ['POST /c/oidc/onboard', chooseName],
];

test('every operation that changes something leaves a line of the audit trail', async () => {
  for (const [route, call] of STEPS) {
    await core.database.execute('DELETE FROM outbox');
    core.logger.lines.length = 0;
    const { status, body } = await call();
    expect([route, status < 300 ? 'worked' : [status, body]]).toEqual([route, 'worked']);
    expect([route, core.logger.messages('error')]).toEqual([route, []]);
  }
});

test('no such operation was left out', () => {
  const { routes } = core.service.app.get(RouteTable, { strict: false });
  const audited = routes.flatMap(({ method, path, operation: { audits } }) => (audits === undefined || audits === 'nothing' ? [] : [`${method} ${path}`]));
  expect([...new Set(STEPS.map(([route]) => route))].sort()).toEqual(audited.sort());
});
