import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startTestCore, type Answer, type TestCore } from '../testing/test-core.js';

const MARKER = 'marker-Secret-4711';
const ALPHA = '/api/v2.0/projects/alpha/webhook';
const BRAVO = '/api/v2.0/projects/bravo/webhook';
const ADDRESS = 'https://receiver.example/hook/path-secret';
const TARGET = { type: 'http', address: ADDRESS, auth_header: MARKER, skip_cert_verify: false };
const BODY = { name: 'hook', description: 'd', targets: [TARGET], event_types: ['PUSH_ARTIFACT', 'DELETE_ARTIFACT'], enabled: true };

let core: TestCore;
let alpha: number;

beforeAll(async () => {
  core = await startTestCore();
  for (const name of ['alice', 'mia', 'dave', 'bob']) await core.addUser(name);
  alpha = await core.addProject('alpha', { members: { alice: 1, mia: 4, dave: 2 } });
  await core.addProject('bravo', { members: { bob: 1 } });
});
afterAll(() => core.stop());

function as(name: string) {
  return (method: string, path: string, json?: unknown): Promise<Answer> => core.call(method, path, { as: name, ...(json === undefined ? {} : { json }) });
}

const alice = as('alice');
const messageOf = ({ body }: Answer): string => (body as { errors: { message: string }[] }).errors[0]?.message ?? '';

async function create(body: object = {}, base = ALPHA, who = alice): Promise<number> {
  const answer = await who('POST', `${base}/policies`, { ...BODY, ...body });
  expect([answer.status, answer.body]).toEqual([201, undefined]);
  return Number(/\/webhook\/policies\/(\d+)$/.exec(answer.headers.get('location') ?? '')?.[1]);
}

/** A notification of the policy that failed too often; resolves to the ids of its execution and task. */
async function deadLetter(policyId: number, subject = 'alpha/app'): Promise<{ readonly execution: number; readonly task: number }> {
  const { database } = core;
  const [execution] = await database.query<{ id: string }>(`INSERT INTO execution (vendor_type, vendor_id, trigger, status, extra_attrs, ended_at) VALUES ('WEBHOOK', $1, 'EVENT', 'Error', '{"event_type": "PUSH_ARTIFACT", "payload": "{}"}', now()) RETURNING id`, [policyId]);
  const [task] = await database.query<{ id: string }>(`INSERT INTO task (execution_id, vendor_type, status, ended_at) VALUES ($1, 'WEBHOOK', 'Error', now()) RETURNING id`, [execution?.id]);
  await database.execute(`INSERT INTO task_log (task_id, text) VALUES ($1, 'what happened')`, [task?.id]);
  const payload = { type: 'PUSH_ARTIFACT', occur_at: 1, operator: 'o', request_id: '', event_data: {} };
  await database.execute(
    `INSERT INTO webhook_delivery (policy_id, target, event_id, part, event_type, subject, payload, execution_id, task_id, state, fault, ended_at)
     VALUES ($1, 0, gen_random_uuid(), 0, 'PUSH_ARTIFACT', $2, $3, $4, $5, 'dead', 'the receiver answered with status 500', now())`,
    [policyId, subject, JSON.stringify(payload), execution?.id, task?.id],
  );
  return { execution: Number(execution?.id), task: Number(task?.id) };
}

describe('a webhook policy', () => {
  test('is made, listed, changed and deleted', async () => {
    const id = await create();
    const expected = { ...BODY, id, project_id: alpha, creator: 'alice', targets: [{ ...TARGET, payload_format: 'Default' }] };
    expect((await alice('GET', `${ALPHA}/policies/${id}`)).body).toMatchObject(expected);
    const list = await alice('GET', `${ALPHA}/policies?q=name%3Dhook&sort=-creation_time`);
    expect([list.body, list.headers.get('x-total-count')]).toEqual([[expect.objectContaining({ id, name: 'hook' })], '1']);
    expect((await alice('PUT', `${ALPHA}/policies/${id}`, { ...BODY, enabled: false, targets: [{ type: 'slack', address: ADDRESS }] })).status).toBe(200);
    expect((await alice('GET', `${ALPHA}/policies/${id}`)).body).toMatchObject({ enabled: false, targets: [{ type: 'slack', payload_format: '' }] });
    expect((await alice('GET', `${ALPHA}/lasttrigger`)).body).toEqual(['DELETE_ARTIFACT', 'PUSH_ARTIFACT'].map((type) => expect.objectContaining({ policy_name: 'hook', event_type: type, enabled: false })));
    expect((await alice('POST', `${ALPHA}/policies`, BODY)).status).toBe(409);
    expect((await alice('DELETE', `${ALPHA}/policies/${id}`)).status).toBe(200);
    expect((await alice('GET', `${ALPHA}/policies/${id}`)).status).toBe(404);
  });

  test('can be made of what the events say', async () => {
    expect((await as('mia')('GET', `${ALPHA}/events`)).body).toEqual({
      event_type: expect.arrayContaining(['PUSH_ARTIFACT', 'PULL_ARTIFACT', 'DELETE_ARTIFACT']), notify_type: ['http', 'slack'], payload_formats: [{ notify_type: 'http', formats: ['Default', 'CloudEvents'] }],
    });
  });

  test.each([
    [{ name: '' }, 'name'], [{ targets: [] }, 'targets'], [{ event_types: [] }, 'event_types'], [{ event_types: ['PUSH'] }, 'event_types'], [{ event_types: ['constructor'] }, 'event_types'],
    [{ targets: [{ ...TARGET, type: 'teams' }] }, 'type'], [{ targets: [{ ...TARGET, payload_format: 'XML' }] }, 'payload_format'], [{ targets: [{ ...TARGET, type: 'slack', payload_format: 'Default' }] }, 'payload_format'],
    [{ targets: [{ ...TARGET, auth_header: 'a\r\nX-Evil: 1' }] }, 'auth_header'], [{ targets: [{ ...TARGET, secret: 'a\nb' }] }, 'secret'],
    ...['', 'file:///etc/passwd', 'gopher://a', 'javascript:alert(1)', 'http://', 'http://u:p@a', 'http://a\nb', 'data:,a', 'unix:/a'].map((address) => [{ targets: [{ ...TARGET, address }] }, 'address'] as [object, string]),
  ])('G-11, H-02, I-11: %j is refused', async (wrong, field) => {
    const answer = await alice('POST', `${ALPHA}/policies`, { ...BODY, name: 'wrong', ...wrong });
    expect([answer.status, messageOf(answer)]).toEqual([400, expect.stringContaining(field)]);
  });

  test('K-02, K-07, K-08: its secrets are sealed, and shown to nobody who could not set them', async () => {
    const id = await create({ name: 'secret', targets: [{ ...TARGET, secret: `${MARKER}-signing` }] });
    expect(JSON.stringify(await core.database.query('SELECT * FROM webhook_policy'))).not.toContain(MARKER);
    expect(JSON.stringify(await core.database.query('SELECT * FROM outbox'))).not.toContain(MARKER);
    for (const path of [`${ALPHA}/policies`, `${ALPHA}/policies/${id}`]) {
      expect(JSON.stringify((await alice('GET', path)).body)).toContain(`"auth_header":"${MARKER}"`);
      expect(JSON.stringify((await alice('GET', path)).body)).not.toContain(`${MARKER}-signing`);
      const read = JSON.stringify((await as('mia')('GET', path)).body);
      expect([read.includes(MARKER), read.includes('path-secret'), read.includes('*****')]).toEqual([false, false, true]);
      expect((await as('dave')('GET', path)).status).toBe(403);
    }
    const stored = async (): Promise<string[]> => Object.keys((await core.database.query<{ targets: object[] }>('SELECT targets FROM webhook_policy WHERE id = $1', [id]))[0]?.targets[0] ?? {}).sort();
    await alice('PUT', `${ALPHA}/policies/${id}`, { ...BODY, name: 'secret', targets: [{ ...TARGET, auth_header: '*****' }] });
    expect([(await alice('GET', `${ALPHA}/policies/${id}`)).body, await stored()]).toMatchObject([{ targets: [{ auth_header: MARKER }] }, ['address', 'auth_header', 'payload_format', 'secret', 'skip_cert_verify', 'type']]);
    await alice('PUT', `${ALPHA}/policies/${id}`, { ...BODY, name: 'secret', targets: [{ ...TARGET, auth_header: '*****', address: 'https://elsewhere.example/' }] });
    expect(await stored()).toEqual(['address', 'payload_format', 'skip_cert_verify', 'type']);
    expect((await alice('DELETE', `${ALPHA}/policies/${id}`)).status).toBe(200);
  });
});

test.each(['projects/many/webhook', 'system/webhook'])('M-22: there are a hundred policies at most in %s, also when many are made at once', async (base) => {
  const id = base.startsWith('projects') ? await core.addProject('many', { members: { alice: 1 } }) : null;
  const who = as(id === null ? 'admin' : 'alice');
  await core.database.execute(`INSERT INTO webhook_policy (project_id, name, targets, event_types) SELECT $1::int, 'hook-' || n, '[]', '{}' FROM generate_series(1, 95) AS n`, [id]);
  const answers = await Promise.all(Array.from({ length: 20 }, (_, index) => who('POST', `/api/v2.0/${base}/policies`, { ...BODY, name: `more-${index}` })));
  expect(answers.map(({ status }) => status).toSorted()).toEqual([...Array<number>(5).fill(201), ...Array<number>(15).fill(400)]);
  expect(messageOf(await who('POST', `/api/v2.0/${base}/policies`, { ...BODY, name: 'one more' }))).toContain('at most 100 webhook policies');
  await core.database.execute('DELETE FROM webhook_policy WHERE project_id IS NOT DISTINCT FROM $1::int', [id]);
});

test('D-01, D-05: nothing of another project is found, changed or deleted, and project_id in a body says nothing', async () => {
  const own = await create({ name: 'own' });
  const foreign = await create({ name: 'foreign', project_id: alpha }, BRAVO, as('bob'));
  const mine = await deadLetter(own);
  const { execution, task } = await deadLetter(foreign);
  expect(await core.database.query('SELECT p.name FROM webhook_policy w JOIN project p ON p.id = w.project_id WHERE w.id = $1', [foreign])).toEqual([{ name: 'bravo' }]);
  const one = `${ALPHA}/policies/${foreign}`;
  const paths: [string, string, object?][] = [
    ['GET', one], ['PUT', one, BODY], ['DELETE', one], ['GET', `${one}/executions`], ['GET', `${one}/executions/${execution}/tasks`], ['GET', `${one}/executions/${execution}/tasks/${task}/log`],
    ['GET', `${one}/dead-letters`], ['POST', `${one}/dead-letters/replay`, {}], ['GET', `${ALPHA}/jobs?policy_id=${foreign}`],
    ['GET', `${ALPHA}/policies/${own}/executions/${execution}/tasks`], ['GET', `${ALPHA}/policies/${own}/executions/${execution}/tasks/${task}/log`], ['GET', `${ALPHA}/policies/${own}/executions/${mine.execution}/tasks/${task}/log`],
  ];
  const before = JSON.stringify(await core.database.query('SELECT * FROM webhook_policy, webhook_delivery ORDER BY 1, 2'));
  for (const [method, path, json] of paths) expect([method, path, (await alice(method, path, json)).status]).toEqual([method, path, 404]);
  expect((await alice('GET', `${BRAVO}/policies`)).status).toBe(403);
  expect(JSON.stringify(await core.database.query('SELECT * FROM webhook_policy, webhook_delivery ORDER BY 1, 2'))).toBe(before);
  expect((await alice('POST', `${ALPHA}/policies/${own}/dead-letters/replay`, { ids: [1, 2, 3, 4, 5, 6, 7, 8, 9] })).status).toBe(200);
  expect(await core.database.query('SELECT state FROM webhook_delivery WHERE policy_id = $1', [foreign])).toEqual([{ state: 'dead' }]);
});

test('what became of notifications is shown, and dead ones are delivered again in their order', async () => {
  const id = await create({ name: 'history' });
  const { execution, task } = await deadLetter(id);
  await deadLetter(id);
  await deadLetter(id, 'alpha/other');
  const one = `${ALPHA}/policies/${id}`;
  expect((await alice('GET', `${one}/executions`)).body).toHaveLength(3);
  expect((await alice('GET', `${one}/executions`)).body).toContainEqual(expect.objectContaining({
    id: execution, vendor_type: 'WEBHOOK', vendor_id: id, status: 'Error', metrics: { task_count: 1, error_task_count: 1 }, extra_attrs: { event_type: 'PUSH_ARTIFACT', payload: '{}' },
  }));
  expect((await alice('GET', `${one}/executions/${execution}/tasks`)).body).toEqual([expect.objectContaining({ id: task, execution_id: execution, status: 'Error' })]);
  expect((await alice('GET', `${one}/executions/${execution}/tasks/${task}/log`)).body).toBe('what happened');
  expect((await alice('GET', `${ALPHA}/jobs?policy_id=${id}&status=Error&status=Success`)).body).toContainEqual(expect.objectContaining({ id: execution, event_type: 'PUSH_ARTIFACT', notify_type: 'http', status: 'Error' }));
  expect((await alice('GET', `${ALPHA}/jobs?policy_id=${id}&status=Success`)).body).toEqual([]);
  const dead = (await alice('GET', `${one}/dead-letters?sort=id`)).body as { id: number; address: string }[];
  expect(dead).toEqual(Array.from({ length: 3 }, () => expect.objectContaining({ policy_id: id, policy_name: 'history', event_type: 'PUSH_ARTIFACT', address: 'https://receiver.example', state: 'dead', fault: 'the receiver answered with status 500' })));
  expect((await alice('GET', `${one}/deliveries`)).body).toEqual(dead.toReversed());
  expect((await alice('POST', `${one}/dead-letters/replay`, { ids: [dead[0]?.id] })).body).toEqual({ replayed: 1 });
  expect((await alice('POST', `${one}/dead-letters/replay`, {})).body).toEqual({ replayed: 2 });
  expect((await alice('POST', `${one}/dead-letters/replay`, {})).body).toEqual({ replayed: 0 });
  const rows = await core.database.query<{ subject: string; state: string; held: boolean }>(
    `SELECT d.subject, d.state, t.due_at = 'infinity' AS held FROM webhook_delivery d JOIN task t ON t.id = d.task_id WHERE d.policy_id = $1 ORDER BY d.id`, [id]);
  expect(rows.map(({ subject, state, held }) => [subject, state, held])).toEqual([['alpha/app', 'waiting', false], ['alpha/app', 'waiting', true], ['alpha/other', 'waiting', false]]);
  const shown = async (query: string): Promise<Record<string, unknown>[]> => (await alice('GET', `${one}/deliveries?${query}`)).body as Record<string, unknown>[];
  expect((await shown('q=state%3Dwaiting&sort=id')).map((row) => [row['id'], row['subject'], 'next_attempt_time' in row, 'fault' in row])).toEqual(
    [[dead[0]?.id, 'alpha/app', true, false], [dead[1]?.id, 'alpha/app', false, false], [dead[2]?.id, 'alpha/other', true, false]]);
  expect((await shown('q=subject%3D~other,state%3D%7Bwaiting%20dead%7D')).map((row) => row['id'])).toEqual([dead[2]?.id]);
  expect([(await shown('q=state%3Ddead')).length, (await shown('sort=-subject&page_size=1&page=3')).map((row) => row['subject'])]).toEqual([0, ['alpha/app']]);
  expect((await alice('DELETE', one)).status).toBe(200);
  expect(await core.database.query('SELECT 1 FROM execution WHERE vendor_id = $1 UNION ALL SELECT 1 FROM webhook_delivery WHERE policy_id = $1', [id])).toEqual([]);
});

describe('a webhook policy of the installation', () => {
  const SYSTEM = '/api/v2.0/system/webhook';
  const admin = as('admin');

  test('is made, listed, changed and deleted, with the projects that it is about', async () => {
    const id = await create({ name: 'all', projects: ['al*', 'team-{a,b}'], event_types: ['PUSH_ARTIFACT', 'CREATE_PROJECT'] }, SYSTEM, admin);
    const { project_id: _none, ...stored } = (await admin('GET', `${SYSTEM}/policies/${id}`)).body as Record<string, unknown>;
    expect(stored).toMatchObject({ id, name: 'all', projects: ['al*', 'team-{a,b}'], event_types: ['PUSH_ARTIFACT', 'CREATE_PROJECT'], creator: 'admin', targets: [{ ...TARGET, payload_format: 'Default' }] });
    expect((await admin('GET', `${SYSTEM}/policies?q=name%3Dall`)).body).toEqual([stored]);
    expect((await admin('POST', `${SYSTEM}/policies`, { ...BODY, name: 'all' })).status).toBe(409);
    expect((await admin('PUT', `${SYSTEM}/policies/${id}`, { ...BODY, name: 'all' })).status).toBe(200);
    expect((await admin('GET', `${SYSTEM}/policies/${id}`)).body).toMatchObject({ projects: [], event_types: BODY.event_types });
    expect((await admin('GET', `${SYSTEM}/events`)).body).toMatchObject({ event_type: expect.arrayContaining(['PUSH_ARTIFACT', 'CREATE_PROJECT', 'DELETE_PROJECT']) });
    expect((await admin('DELETE', `${SYSTEM}/policies/${id}`)).status).toBe(200);
    expect((await admin('GET', `${SYSTEM}/policies/${id}`)).status).toBe(404);
  });

  test.each([[{ projects: [''] }, 'projects'], [{ projects: ['a[b'] }, 'projects'], [{ event_types: ['DELETE_USER'] }, 'event_types']])('%j is refused', async (wrong, field) => {
    const answer = await admin('POST', `${SYSTEM}/policies`, { ...BODY, name: 'wrong', ...wrong });
    expect([answer.status, messageOf(answer)]).toEqual([400, expect.stringContaining(field)]);
    expect((await alice('POST', `${ALPHA}/policies`, { ...BODY, name: 'wrong', event_types: ['CREATE_PROJECT'] })).status).toBe(400);
  });

  test('shows what became of its notifications and has dead ones delivered again; policies of projects are not found there', async () => {
    const own = await create({ name: 'ofproject' });
    const id = await create({ name: 'history' }, SYSTEM, admin);
    const { execution, task } = await deadLetter(id);
    const one = `${SYSTEM}/policies/${id}`;
    expect((await admin('GET', `${one}/executions`)).body).toEqual([expect.objectContaining({ id: execution, status: 'Error' })]);
    expect((await admin('GET', `${one}/executions/${execution}/tasks`)).body).toEqual([expect.objectContaining({ id: task })]);
    expect((await admin('GET', `${one}/executions/${execution}/tasks/${task}/log`)).body).toBe('what happened');
    expect((await admin('GET', `${one}/dead-letters`)).body).toEqual([expect.objectContaining({ policy_id: id, state: 'dead' })]);
    await deadLetter(own);
    const all = (await admin('GET', `${SYSTEM}/deliveries?q=policy_id%3D%7B${own}%20${id}%7D&sort=policy_id`)).body as { project_id?: number }[];
    expect(all.map(({ project_id: project }) => project)).toEqual([alpha, undefined]);
    expect((await admin('POST', `${one}/dead-letters/replay`, {})).body).toEqual({ replayed: 1 });
    for (const path of ['', '/executions', '/deliveries', '/dead-letters']) expect((await admin('GET', `${SYSTEM}/policies/${own}${path}`)).status).toBe(404);
    for (const path of ['', '/executions', '/deliveries', '/dead-letters']) expect((await admin('GET', `${ALPHA}/policies/${id}${path}`)).status).toBe(404);
    for (const policy of [id, own]) await core.database.execute('DELETE FROM webhook_policy WHERE id = $1', [policy]);
  });

  test('every event is shown with how far it was told of', async () => {
    const id = await create({ name: 'told' }, SYSTEM, admin);
    await deadLetter(id);
    await core.database.execute('UPDATE webhook_delivery SET event_id = (SELECT event_id FROM outbox ORDER BY id DESC LIMIT 1) WHERE policy_id = $1', [id]);
    const [latest] = (await admin('GET', '/api/v2.0/system/events?page_size=1')).body as Record<string, unknown>[];
    expect(latest).toMatchObject({ type: 'audit.recorded', operator: 'admin', state: 'waiting', deliveries: { waiting: 0, delivered: 0, dead: 1 } });
    const waiting = await admin('GET', '/api/v2.0/system/events?q=state%3Dwaiting,type%3Daudit.recorded&sort=id&page_size=2');
    expect((waiting.body as { id: number }[])[0]?.id).toBeLessThan(Number(latest?.['id']));
    expect((await alice('GET', '/api/v2.0/system/events')).status).toBe(403);
    await core.database.execute('DELETE FROM webhook_policy WHERE id = $1', [id]);
  });
});
