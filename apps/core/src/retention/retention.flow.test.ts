import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Pusher } from '../testing/push.js';
import { startTestCore, type Answer, type TestCore } from '../testing/test-core.js';

const RETENTIONS = '/api/v2.0/retentions';
const SELECTORS = {
  tag_selectors: [{ kind: 'doublestar', decoration: 'matches', pattern: '**', extras: '{"untagged":true}' }],
  scope_selectors: { repository: [{ kind: 'doublestar', decoration: 'repoMatches', pattern: '**' }] },
};
const RULE = { disabled: false, action: 'retain', template: 'latestPushedK', params: { latestPushedK: 2 }, ...SELECTORS };

let core: TestCore;
let projects: Readonly<Record<'alpha' | 'bravo', number>>;

beforeAll(async () => {
  core = await startTestCore();
  for (const name of ['alice', 'bob', 'dave', 'gina']) await core.addUser(name);
  projects = { alpha: await core.addProject('alpha', { members: { alice: 1, dave: 2, gina: 3 } }), bravo: await core.addProject('bravo', { members: { bob: 1 } }) };
});
afterAll(() => core.stop());

function policy(projectId: number, more: object = {}): Record<string, unknown> {
  return { algorithm: 'or', rules: [RULE], trigger: { kind: 'Schedule', settings: { cron: '' } }, scope: { level: 'project', ref: projectId }, ...more };
}

async function create(projectId: number, more: object = {}, as = 'admin'): Promise<number> {
  const { status, headers } = await core.call('POST', RETENTIONS, { as, json: policy(projectId, more) });
  expect(status).toBe(201);
  return Number(/^\/api\/v2\.0\/retentions\/(\d+)$/.exec(headers.get('location') ?? '')?.[1]);
}

let number = 0;
async function newProject(members: Readonly<Record<string, number>> = { alice: 1 }): Promise<{ readonly id: number; readonly name: string }> {
  number += 1;
  return { id: await core.addProject(`project-${number}`, { members }), name: `project-${number}` };
}

async function run(id: number, body: object = { dry_run: true }, as = 'admin'): Promise<number> {
  const { status, headers } = await core.call('POST', `${RETENTIONS}/${id}/executions`, { as, json: body });
  expect(status).toBe(201);
  return Number(new RegExp(`^/api/v2.0/retentions/${id}/executions/(\\d+)$`).exec(headers.get('location') ?? '')?.[1]);
}

async function metadataOf(name: string): Promise<Record<string, string>> {
  return ((await core.call('GET', `/api/v2.0/projects/${name}`, { as: 'admin' })).body as { metadata: Record<string, string> }).metadata;
}

async function schedules(): Promise<{ vendor_id: number; cron: string; next_times: string[] }[]> {
  return (await core.call('GET', '/api/v2.0/schedules?page_size=100', { as: 'admin' })).body as never;
}

describe('a retention policy', () => {
  test('is made, read, changed and deleted; the project’s metadata and its schedule follow', async () => {
    const project = await newProject();
    const id = await create(project.id, {}, 'alice');
    expect((await core.call('GET', `${RETENTIONS}/${id}`, { as: 'alice' })).body).toEqual({
      id, algorithm: 'or', rules: [{ id: 1, priority: 0, ...RULE }], trigger: { kind: 'Schedule', settings: { cron: '' }, references: {} }, scope: { level: 'project', ref: project.id },
    });
    expect((await metadataOf(project.name))['retention_id']).toBe(String(id));
    expect(await schedules()).toEqual([]);
    const changed = policy(project.id, { id, rules: [], trigger: { kind: 'Schedule', settings: { cron: '0 30 2 * * *' }, references: { job_id: 4 } } });
    expect((await core.call('PUT', `${RETENTIONS}/${id}`, { as: 'alice', json: changed })).status).toBe(200);
    expect((await core.call('GET', `${RETENTIONS}/${id}`, { as: 'alice' })).body).toMatchObject({ rules: [], trigger: { settings: { cron: '0 30 2 * * *' } } });
    const [schedule] = await schedules();
    expect(schedule).toMatchObject({ vendor_type: 'RETENTION', vendor_id: id, cron: '0 30 2 * * *' });
    expect(schedule?.next_times).toHaveLength(5);
    expect(schedule?.next_times.every((time) => time.endsWith('T02:30:00.000Z'))).toBe(true);
    await run(id);
    expect((await core.call('DELETE', `${RETENTIONS}/${id}`, { as: 'alice' })).status).toBe(200);
    expect((await core.call('GET', `${RETENTIONS}/${id}`, { as: 'admin' })).status).toBe(404);
    expect(await schedules()).toEqual([]);
    expect(await metadataOf(project.name)).not.toHaveProperty('retention_id');
    expect(await core.database.query('SELECT 1 FROM execution WHERE vendor_id = $1', [id])).toEqual([]);
    const audited = await core.database.query<{ operation: string }>(
      `SELECT payload->>'operation' AS operation FROM outbox WHERE type = 'audit.recorded' AND payload->>'resourceType' = 'retention_policy' AND payload->>'resource' = $1 ORDER BY id`, [project.name]);
    expect(audited.map(({ operation }) => operation)).toEqual(['create', 'update', 'start', 'delete']);
  });

  test('is one for each project, also when several are made at once', async () => {
    const project = await newProject();
    const answers = await Promise.all(Array.from({ length: 4 }, () => core.call('POST', RETENTIONS, { as: 'alice', json: policy(project.id) })));
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 400, 400, 400]);
  });

  test('loses its schedule when the cron is emptied', async () => {
    const project = await newProject();
    const id = await create(project.id, { trigger: { kind: 'Schedule', settings: { cron: '0 0 0 * * *' } } });
    expect(await schedules()).toHaveLength(1);
    await core.call('PUT', `${RETENTIONS}/${id}`, { as: 'admin', json: policy(project.id) });
    expect(await schedules()).toEqual([]);
  });

  test('may have fifteen rules, and none twice', async () => {
    const project = await newProject();
    const rules = (count: number): object[] => Array.from({ length: count }, (_, index) => ({ ...RULE, params: { latestPushedK: index } }));
    expect((await core.call('POST', RETENTIONS, { as: 'admin', json: policy(project.id, { rules: rules(16) }) })).status).toBe(400);
    expect((await core.call('POST', RETENTIONS, { as: 'admin', json: policy(project.id, { rules: [RULE, { ...RULE, priority: 1 }] }) })).status).toBe(409);
    await create(project.id, { rules: rules(15) });
  });

  test('is gone with its project', async () => {
    const project = await newProject();
    const id = await create(project.id);
    expect((await core.call('DELETE', `/api/v2.0/projects/${project.name}`, { as: 'admin' })).status).toBe(200);
    expect((await core.call('GET', `${RETENTIONS}/${id}`, { as: 'admin' })).status).toBe(404);
    expect((await core.call('POST', `${RETENTIONS}/${id}/executions`, { as: 'admin', json: { dry_run: true } })).status).toBe(404);
  });

  test('describes what rules there are to everybody who is logged in', async () => {
    expect((await core.call('GET', `${RETENTIONS}/metadatas`)).status).toBe(401);
    const { body } = await core.call('GET', `${RETENTIONS}/metadatas`, { as: 'gina' });
    expect(body).toMatchObject({ scope_selectors: [{ kind: 'doublestar', decorations: ['repoMatches', 'repoExcludes'] }], tag_selectors: [{ decorations: ['matches', 'excludes'] }] });
    expect((body as { templates: object[] }).templates[0]).toEqual({
      rule_template: 'latestPushedK', display_text: expect.any(String), action: 'retain', params: [{ type: 'int', unit: 'COUNT', required: true }],
    });
  });
});

describe('a run', () => {
  test('has a task for each repository that a rule is about, which can be listed and stopped', async () => {
    const project = await newProject();
    const pusher = new Pusher(core.database, project.id);
    for (const name of ['app', 'team/web', 'other']) await pusher.image(`${project.name}/${name}`, name, ['1']);
    const scope = { repository: [{ kind: 'doublestar', decoration: 'repoMatches', pattern: '{app,team/**}' }] };
    const id = await create(project.id, { rules: [{ ...RULE, scope_selectors: scope }] });
    const execution = await run(id, { dry_run: true }, 'alice');
    const tasks = await core.call('GET', `${RETENTIONS}/${id}/executions/${execution}/tasks`, { as: 'alice' });
    expect(tasks.headers.get('x-total-count')).toBe('2');
    expect(tasks.body).toMatchObject([
      { execution_id: execution, repository: 'app', status: 'Pending', status_code: 0, total: 0, retained: 0, job_id: expect.stringMatching(/^[0-9a-f-]{36}$/) },
      { repository: 'team/web' },
    ]);
    expect((await core.call('GET', `${RETENTIONS}/${id}/executions`, { as: 'alice' })).body).toEqual([
      { id: execution, policy_id: id, status: 'Running', trigger: 'MANUAL', dry_run: true, start_time: expect.any(String) },
    ]);
    const path = `${RETENTIONS}/${id}/executions/${execution}`;
    for (const json of [{ action: 'start' }, { action: '' }]) expect((await core.call('PATCH', path, { as: 'alice', json })).status).toBe(400);
    expect((await core.call('PATCH', path, { as: 'alice', json: {} })).status).toBe(422);
    expect((await core.call('PATCH', path, { as: 'alice', json: { action: 'stop' } })).status).toBe(200);
    expect((await core.call('GET', `${RETENTIONS}/${id}/executions`, { as: 'alice' })).body).toMatchObject([{ status: 'Stopped', end_time: expect.any(String) }]);
    const [task] = (await core.call('GET', `${path}/tasks`, { as: 'alice' })).body as { id: number; status_code: number }[];
    expect(task?.status_code).toBe(3);
    const log = await core.call('GET', `${path}/tasks/${task?.id}`, { as: 'alice' });
    expect([log.status, log.headers.get('content-type'), log.headers.get('x-content-type-options')]).toEqual([200, 'text/plain; charset=utf-8', 'nosniff']);
  });

  test('M-22: is refused while ten others of the policy have not ended, also when a hundred are asked for at once', async () => {
    const project = await newProject();
    await new Pusher(core.database, project.id).image(`${project.name}/app`, 'app', ['1']);
    const id = await create(project.id);
    const start = (): Promise<Answer> => core.call('POST', `${RETENTIONS}/${id}/executions`, { as: 'admin', json: { dry_run: true } });
    const statuses = (await Promise.all(Array.from({ length: 100 }, start))).map(({ status }) => status);
    expect([statuses.filter((status) => status === 201).length, statuses.filter((status) => status === 429).length]).toEqual([10, 90]);
    await core.database.execute(`UPDATE execution SET ended_at = now() WHERE id = (SELECT min(id) FROM execution WHERE vendor_type = 'RETENTION' AND vendor_id = $1)`, [id]);
    expect([(await start()).status, (await start()).status]).toEqual([201, 429]);
  });

  test('without anything to do has ended with success', async () => {
    const project = await newProject();
    const id = await create(project.id, { rules: [] });
    await run(id, {});
    expect((await core.call('GET', `${RETENTIONS}/${id}/executions`, { as: 'admin' })).body).toMatchObject([
      { status: 'Success', status_message: 'no resources for retention', dry_run: false, end_time: expect.any(String) },
    ]);
  });

  test.each<[unknown]>([[null], [[]], [{ dry_run: 'yes' }], [{ dry_run: 1 }], [{ dry_run: null }]])('is not started by %j', async (json) => {
    const id = await create((await newProject()).id);
    expect([400, 422]).toContain((await core.call('POST', `${RETENTIONS}/${id}/executions`, { as: 'admin', json })).status);
    expect((await core.call('GET', `${RETENTIONS}/${id}/executions`, { as: 'admin' })).body).toEqual([]);
  });

  test('case F-12: is not started while the installation is read-only', async () => {
    const id = await create((await newProject()).id);
    expect((await core.call('PUT', '/api/v2.0/configurations', { as: 'admin', json: { read_only: true } })).status).toBe(200);
    try {
      for (const [method, path, json] of [['POST', `${RETENTIONS}/${id}/executions`, {}], ['DELETE', `${RETENTIONS}/${id}`, undefined], ['POST', RETENTIONS, policy(1)]] as const) {
        const answer = await core.call(method, path, { as: 'admin', ...(json === undefined ? {} : { json }) });
        expect([answer.status, (answer.body as { errors: { code: string }[] }).errors[0]?.code]).toEqual([403, 'DENIED']);
      }
    } finally {
      await core.call('PUT', '/api/v2.0/configurations', { as: 'admin', json: { read_only: false } });
    }
    expect((await core.call('GET', `${RETENTIONS}/${id}/executions`, { as: 'admin' })).body).toEqual([]);
  });
});

describe('case D-02: a policy of another project', () => {
  test('cannot be seen, changed, run, stopped or read about', async () => {
    const [own, foreign] = [await create(projects.alpha), await create(projects.bravo)];
    const execution = await run(foreign);
    const before = (await core.call('GET', `${RETENTIONS}/${foreign}`, { as: 'bob' })).body;
    const as = 'alice';
    const refused: Answer[] = [];
    for (const json of [policy(projects.alpha), policy(projects.bravo), policy(projects.alpha, { scope: { level: 'system', ref: 0 } })]) refused.push(await core.call('PUT', `${RETENTIONS}/${foreign}`, { as, json }));
    refused.push(await core.call('GET', `${RETENTIONS}/${foreign}`, { as }));
    refused.push(await core.call('DELETE', `${RETENTIONS}/${foreign}`, { as }));
    refused.push(await core.call('POST', `${RETENTIONS}/${foreign}/executions`, { as, json: { dry_run: false } }));
    refused.push(await core.call('POST', RETENTIONS, { as, json: policy(projects.bravo) }));
    refused.push(await core.call('GET', `${RETENTIONS}/${foreign}/executions`, { as }));
    refused.push(await core.call('PATCH', `${RETENTIONS}/${foreign}/executions/${execution}`, { as, json: { action: 'stop' } }));
    expect(refused.map(({ status }) => status)).toEqual(refused.map(() => 403));
    const missing = await core.call('GET', `${RETENTIONS}/2000000000`, { as });
    expect([missing.status, missing.body]).toEqual([403, refused[3]?.body]);
    // The own policy with a foreign execution.
    expect((await core.call('PATCH', `${RETENTIONS}/${own}/executions/${execution}`, { as, json: { action: 'stop' } })).status).toBe(404);
    expect((await core.call('GET', `${RETENTIONS}/${own}/executions/${execution}/tasks`, { as })).status).toBe(404);
    expect((await core.call('GET', `${RETENTIONS}/${own}/executions/${execution}/tasks/1`, { as })).status).toBe(404);
    // The own policy for another project.
    expect((await core.call('PUT', `${RETENTIONS}/${own}`, { as, json: policy(projects.bravo) })).status).toBe(400);
    expect((await core.call('GET', `${RETENTIONS}/${foreign}`, { as: 'bob' })).body).toEqual(before);
    expect((await core.call('GET', `${RETENTIONS}/${own}`, { as })).body).toMatchObject({ scope: { ref: projects.alpha } });
  });

  test('case D-05: nor can its log under an execution of one’s own', async () => {
    const [first, second] = [await newProject({ alice: 1 }), await newProject({ bob: 1 })];
    await new Pusher(core.database, first.id).image(`${first.name}/app`, 'a', ['1']);
    await new Pusher(core.database, second.id).image(`${second.name}/app`, 'b', ['1']);
    const [own, foreign] = [await create(first.id), await create(second.id)];
    const [mine, theirs] = [await run(own), await run(foreign)];
    const [task] = (await core.call('GET', `${RETENTIONS}/${foreign}/executions/${theirs}/tasks`, { as: 'bob' })).body as { id: number }[];
    await core.database.execute(`INSERT INTO task_log (task_id, text) VALUES ($1, 'secret')`, [task?.id]);
    for (const path of [`${own}/executions/${mine}`, `${own}/executions/${theirs}`]) expect((await core.call('GET', `${RETENTIONS}/${path}/tasks/${task?.id}`, { as: 'alice' })).status).toBe(404);
    expect((await core.call('GET', `${RETENTIONS}/${foreign}/executions/${theirs}/tasks/${task?.id}`, { as: 'bob' })).body).toBe('secret');
  });

  test('is 404 for those who see every project, and 401 for nobody', async () => {
    for (const [method, path, json] of [['GET', '', undefined], ['PUT', '', policy(projects.alpha)], ['DELETE', '', undefined], ['POST', '/executions', {}], ['GET', '/executions', undefined]] as const) {
      const call = json === undefined ? {} : { json };
      expect((await core.call(method, `${RETENTIONS}/2000000000${path}`, { as: 'admin', ...call })).status).toBe(404);
      expect((await core.call(method, `${RETENTIONS}/2000000000${path}`, call)).status).toBe(401);
    }
  });

  test('is nothing for guests, but for developers', async () => {
    const project = await newProject({ dave: 2, gina: 3 });
    expect((await core.call('POST', RETENTIONS, { as: 'gina', json: policy(project.id) })).status).toBe(403);
    const id = await create(project.id, {}, 'dave');
    expect((await core.call('GET', `${RETENTIONS}/${id}`, { as: 'gina' })).status).toBe(403);
  });
});

describe('case G-13: a wrong body', () => {
  const rule = (more: object): object => ({ rules: [{ ...RULE, ...more }] });
  const cron = (value: unknown): object => ({ trigger: { kind: 'Schedule', settings: { cron: value } } });

  test.each<[string, object | null]>([
    ['null', null], ['rules:[{}]', { rules: [{}] }], ['rules:[null]', { rules: [null] }], ['rules as an object', { rules: { 0: RULE } }], ['a foreign algorithm', { algorithm: 'and' }],
    ['cron 5', cron(5)], ['cron null', cron(null)], ['cron of five fields', cron('0 0 0 * *')], ['every second', cron('* * * * * *')], ['a seldom second', cron('30 0 0 * * *')], ['@daily', cron('@daily')],
    ['the 31st of April', cron('0 0 0 31 4 *')], ['a long cron', cron(`0 ${'0,'.repeat(400)}0 0 * * *`)], ['NUL in cron', cron('0 0 0 * * *\0')],
    ['no trigger', { trigger: undefined }], ['null trigger', { trigger: null }], ['a foreign trigger', { trigger: { kind: 'Manual' } }],
    ['no scope', { scope: undefined }], ['system scope', { scope: { level: 'system', ref: 1 } }], ['a text for ref', { scope: { level: 'project', ref: '1' } }], ['a fraction for ref', { scope: { level: 'project', ref: 1.5 } }],
    ['a foreign template', rule({ template: 'oldest' })], ['__proto__ as template', rule({ template: '__proto__' })], ['a negative count', rule({ params: { latestPushedK: -1 } })], ['a huge count', rule({ params: { latestPushedK: 32_767 } })],
    ['a text count', rule({ params: { latestPushedK: '3' } })], ['an object count', rule({ params: { latestPushedK: {} } })], ['params as a list', rule({ params: [1] })], ['a foreign action', rule({ action: 'delete' })],
    ['no tag selectors', rule({ tag_selectors: [] })], ['a null selector', rule({ tag_selectors: [null] })], ['no scope selectors', rule({ scope_selectors: {} })],
    ['a broken pattern', rule({ tag_selectors: [{ ...SELECTORS.tag_selectors[0], pattern: '[a' }] })], ['odd extras', rule({ tag_selectors: [{ ...SELECTORS.tag_selectors[0], extras: '{"untagged":"no"}' }] })],
    ['a text for disabled', rule({ disabled: 'false' })],
  ])('(%s) is refused, and nothing changes', async (_name, more) => {
    const project = await newProject();
    const send = (method: string, path: string): Promise<Answer> => core.call(method, path, { as: 'alice', json: more === null ? null : policy(project.id, more) });
    const created = await send('POST', RETENTIONS);
    expect([400, 422]).toContain(created.status);
    expect((created.body as { errors: { message: string }[] }).errors[0]?.message).toMatch(/\w{3}/);
    expect(await metadataOf(project.name)).not.toHaveProperty('retention_id');
    const id = await create(project.id);
    const before = (await core.call('GET', `${RETENTIONS}/${id}`, { as: 'alice' })).body;
    expect([400, 422]).toContain((await send('PUT', `${RETENTIONS}/${id}`)).status);
    expect((await core.call('GET', `${RETENTIONS}/${id}`, { as: 'alice' })).body).toEqual(before);
  });

  test.each(['0', '-1', 'x', '9999999999999999999', '2147483648'])('and the ids %s', async (id) => {
    const own = await create((await newProject()).id);
    for (const path of [`${id}`, `${id}/executions`, `${own}/executions/${id}/tasks`, `${own}/executions/1/tasks/${id}`]) {
      expect([403, 404, 422]).toContain((await core.call('GET', `${RETENTIONS}/${path}`, { as: 'alice' })).status);
    }
  });
});

describe('schedules', () => {
  test('are shown to system administrators, their pause to everybody', async () => {
    expect((await core.call('GET', '/api/v2.0/schedules', { as: 'alice' })).status).toBe(403);
    expect((await core.call('GET', '/api/v2.0/schedules/all/paused', { as: 'alice' })).body).toEqual({ paused: false });
    for (const type of ['RETENTION', 'x', '%00']) expect((await core.call('GET', `/api/v2.0/schedules/${type}/paused`, { as: 'alice' })).status).toBe(400);
    await create((await newProject()).id, { trigger: { kind: 'Schedule', settings: { cron: '0 0 0 * * *' } } });
    await core.database.execute(`INSERT INTO queue_pause (job_type) VALUES ('SCHEDULER')`);
    expect((await core.call('GET', '/api/v2.0/schedules/all/paused', { as: 'alice' })).body).toEqual({ paused: true });
    expect((await schedules()).map((schedule) => schedule.next_times)).toEqual([[]]);
    await core.database.execute('DELETE FROM queue_pause');
  });
});
