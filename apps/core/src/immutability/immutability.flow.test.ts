import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Catalog } from '@haven/catalog';
import { connectRedis, type Messages } from '@haven/messages';
import { FakeLogger } from '@haven/runtime';
import { Pusher } from '../testing/push.js';
import { testRedisUrl } from '../testing/settings.js';
import { startTestCore, type Answer, type TestCore } from '../testing/test-core.js';

const TAG = { kind: 'doublestar', decoration: 'matches', pattern: 'v*' };
const REPOSITORY = { kind: 'doublestar', decoration: 'repoMatches', pattern: '**' };
const RULE = { action: 'immutable', template: 'immutable_template', tag_selectors: [TAG], scope_selectors: { repository: [REPOSITORY] } };

let core: TestCore;
let listener: Messages;
let projectId: number;

beforeAll(async () => {
  core = await startTestCore();
  for (const name of ['alice', 'bob', 'mia', 'dave']) await core.addUser(name);
  projectId = await core.addProject('alpha', { members: { alice: 1, mia: 4, dave: 2 } });
  await core.addProject('bravo', { members: { bob: 1 } });
  listener = connectRedis(testRedisUrl(), new FakeLogger());
});
afterAll(async () => {
  await listener.close();
  await core.stop();
});

function rules(project = 'alpha'): string {
  return `/api/v2.0/projects/${project}/immutabletagrules`;
}

function withTag(pattern: string, more: object = {}): object {
  return { ...RULE, tag_selectors: [{ ...TAG, pattern }], ...more };
}

async function create(body: object, project = 'alpha', as = 'admin'): Promise<number> {
  const { status, headers } = await core.call('POST', rules(project), { as, json: body });
  expect(status).toBe(201);
  return Number(/\/immutabletagrules\/(\d+)$/.exec(headers.get('location') ?? '')?.[1]);
}

async function list(project = 'alpha', query = ''): Promise<Record<string, unknown>[]> {
  const { status, body } = await core.call('GET', `${rules(project)}${query}`, { as: 'admin' });
  expect(status).toBe(200);
  return body as Record<string, unknown>[];
}

async function one(id: number, project = 'alpha'): Promise<Record<string, unknown> | undefined> {
  return (await list(project, '?page_size=100')).find((rule) => rule['id'] === id);
}

async function put(id: number, json: object, project = 'alpha', as = 'admin'): Promise<Answer> {
  return core.call('PUT', `${rules(project)}/${id}`, { as, json });
}

describe('immutable tag rules', () => {
  test('are made, listed, changed and deleted, and the audit trail knows', async () => {
    const { headers } = await core.call('POST', rules(String(projectId)), { as: 'mia', json: withTag('crud') });
    const location = headers.get('location') ?? '';
    expect(location).toMatch(new RegExp(`^/api/v2.0/projects/${projectId}/immutabletagrules/\\d+$`));
    const id = Number(location.split('/').at(-1));
    expect(await one(id)).toEqual({
      id, disabled: false, priority: 0, action: 'immutable', template: 'immutable_template', params: {}, tag_selectors: [{ ...TAG, pattern: 'crud' }], scope_selectors: { repository: [REPOSITORY] },
    });
    expect((await put(id, withTag('changed', { id, priority: 4 }))).status).toBe(200);
    expect(await one(id)).toMatchObject({ priority: 4, tag_selectors: [{ pattern: 'changed' }] });
    expect((await core.call('DELETE', location, { as: 'alice' })).status).toBe(200);
    expect(await one(id)).toBeUndefined();
    expect((await core.call('DELETE', location, { as: 'alice' })).status).toBe(404);
    const audited = await core.database.query<{ operation: string }>(
      `SELECT payload->>'operation' AS operation FROM outbox WHERE type = 'audit.recorded' AND payload->>'resource' = $1 ORDER BY id`, [`alpha/${id}`]);
    expect(audited.map(({ operation }) => operation)).toEqual(['create', 'update', 'delete']);
  });

  test('page and filter', async () => {
    await core.addProject('paged');
    const ids = [await create(withTag('a'), 'paged'), await create(withTag('b', { disabled: true }), 'paged'), await create(withTag('c'), 'paged')];
    const page = await core.call('GET', `${rules('paged')}?page=2&page_size=2`, { as: 'admin' });
    expect(page.headers.get('x-total-count')).toBe('3');
    expect((page.body as { id: number }[]).map(({ id }) => id)).toEqual(ids.slice(2));
    expect((await list('paged', '?sort=-id')).map((rule) => rule['id'])).toEqual([...ids].reverse());
    expect((await list('paged', '?q=disabled%3Dtrue')).map((rule) => rule['id'])).toEqual([ids[1]]);
    expect((await list('paged', '?q=unknown%3D1'))).toHaveLength(3);
  });

  test('that change their being disabled change nothing else', async () => {
    const id = await create(withTag('toggled'));
    expect((await put(id, { disabled: true })).status).toBe(200);
    expect((await put(id, { disabled: true })).status).toBe(400); // nothing to switch, and no rule
    expect((await put(id, { disabled: false })).status).toBe(200);
    expect((await put(id, withTag('ignored', { id, disabled: true, priority: 9 }))).status).toBe(200);
    expect(await one(id)).toMatchObject({ disabled: true, priority: 0, tag_selectors: [{ pattern: 'toggled' }] });
    expect((await put(id, withTag('taken-over', { id, disabled: true }))).status).toBe(200);
    expect(await one(id)).toMatchObject({ disabled: true, tag_selectors: [{ pattern: 'taken-over' }] });
  });

  test('do not stand there twice, nor without bound', async () => {
    const id = await create(withTag('twice'));
    expect((await core.call('POST', rules(), { as: 'admin', json: withTag('twice') })).status).toBe(409);
    const other = await create(withTag('other'));
    expect((await put(other, withTag('twice', { id: other }))).status).toBe(409);
    expect((await put(id, withTag('twice', { id }))).status).toBe(200);
    await core.addProject('many');
    for (let number = 0; number < 100; number += 1) await create(withTag(`t${number}`), 'many');
    expect((await core.call('POST', rules('many'), { as: 'admin', json: withTag('one-more') })).status).toBe(400);
  });

  test('are obeyed from the next push on, and told of to every process', async () => {
    const heard: string[] = [];
    let listening = false;
    listener.broadcasts.onReconnect(() => { listening = true; });
    listener.broadcasts.on('project-changed', ({ project }) => heard.push(project));
    while (!listening) await new Promise((resolve) => setTimeout(resolve, 10));
    const id = await core.addProject('obeyed');
    const pusher = new Pusher(core.database, id);
    await pusher.image('obeyed/app', 'first', ['v1', 'latest']);
    const rule = await create(RULE, 'obeyed');
    await expect(pusher.image('obeyed/app', 'second', ['v1'])).rejects.toMatchObject({ code: 'immutable' });
    await pusher.image('obeyed/app', 'second', ['v2', 'latest']);
    await expect(new Catalog(core.database, new FakeLogger()).deleteTag({ repository: 'obeyed/app', tag: 'v2', actor: '' })).rejects.toMatchObject({ code: 'immutable' });
    await put(rule, { ...RULE, id: rule, disabled: true }, 'obeyed');
    await pusher.image('obeyed/app', 'third', ['v1']);
    while (heard.filter((name) => name === 'obeyed').length < 2) await new Promise((resolve) => setTimeout(resolve, 10));
  });
});

describe('case D-03: a rule of another project', () => {
  test('is not found, and a foreign id or project in the body changes nothing', async () => {
    const foreign = await create(withTag('bravo-only'), 'bravo');
    const own = await create(withTag('alpha-only'));
    expect((await put(foreign, withTag('stolen', { id: foreign }), 'alpha', 'alice')).status).toBe(404);
    expect((await core.call('DELETE', `${rules()}/${foreign}`, { as: 'alice' })).status).toBe(404);
    expect((await put(foreign, withTag('stolen', { id: foreign }), 'bravo', 'alice')).status).toBe(403);
    expect((await put(own, withTag('stolen', { id: foreign }), 'alpha', 'alice')).status).toBe(400);
    expect((await put(own, withTag('alpha-still', { id: own, project_id: 2, project: 'bravo' }), 'alpha', 'alice')).status).toBe(200);
    expect(await one(foreign, 'bravo')).toMatchObject({ tag_selectors: [{ pattern: 'bravo-only' }] });
    expect(await one(own)).toMatchObject({ tag_selectors: [{ pattern: 'alpha-still' }] });
    expect(await one(foreign)).toBeUndefined();
  });

  test('is not theirs to make who may not', async () => {
    for (const as of ['dave', 'bob']) expect((await core.call('POST', rules(), { as, json: withTag('denied') })).status).toBe(403);
    expect((await core.call('POST', rules(), { json: withTag('denied') })).status).toBe(401);
  });
});

describe('case G-13: a wrong body', () => {
  const selector = (more: object): object => ({ ...RULE, tag_selectors: [{ ...TAG, ...more }] });
  const scope = (more: object): object => ({ ...RULE, scope_selectors: { repository: [{ ...REPOSITORY, ...more }] } });

  test.each<[string, unknown]>([
    ['null', null], ['a list', [RULE]], ['nothing', {}], ['a text', 'rule'],
    ['no tag selectors', { ...RULE, tag_selectors: [] }], ['null for tag selectors', { ...RULE, tag_selectors: null }], ['[null] for tag selectors', { ...RULE, tag_selectors: [null] }],
    ['no repositories', { ...RULE, scope_selectors: {} }], ['null for the scope', { ...RULE, scope_selectors: null }], ['another scope', { ...RULE, scope_selectors: { project: [REPOSITORY] } }],
    ['a list for the scope', { ...RULE, scope_selectors: [REPOSITORY] }], ['a foreign kind', selector({ kind: 'regexp' })], ['a foreign decoration', selector({ decoration: 'repoMatches' })],
    ['a tag decoration for repositories', scope({ decoration: 'matches' })], ['an empty pattern', selector({ pattern: '' })], ['a broken pattern', selector({ pattern: '{a,' })],
    ['a long pattern', selector({ pattern: 'a'.repeat(1025) })], ['a very long pattern', selector({ pattern: 'a'.repeat(100_000) })], ['a pattern of stars', selector({ pattern: '*a'.repeat(100) })],
    ['a number for a pattern', selector({ pattern: 5 })], ['NUL in a pattern', selector({ pattern: 'a\0' })], ['odd extras', selector({ extras: 'untagged' })], ['an object for extras', selector({ extras: {} })],
    ['another action', { ...RULE, action: 'retain' }], ['another template', { ...RULE, template: 'always' }], ['a text for disabled', { ...RULE, disabled: 'yes' }],
    ['a fraction for the priority', { ...RULE, priority: 1.5 }], ['a huge priority', { ...RULE, priority: 2 ** 40 }], ['a text for the id', { ...RULE, id: 'x' }], ['a list for params', { ...RULE, params: [] }],
    ['eleven selectors', { ...RULE, tag_selectors: Array.from({ length: 11 }, () => TAG) }],
  ])('(%s) is refused, and nothing changes', async (_name, json) => {
    const before = await list('alpha', '?page_size=100');
    const answer = await core.call('POST', rules(), { as: 'alice', json });
    expect([400, 422]).toContain(answer.status);
    expect((answer.body as { errors: { message: string }[] }).errors[0]?.message).toMatch(/\w{3}/);
    const id = Number(before[0]?.['id']);
    expect([400, 422]).toContain((await put(id, json as object, 'alpha', 'alice')).status);
    expect(await list('alpha', '?page_size=100')).toEqual(before);
  });

  test.each(['0', '-1', 'x', '1.5', '99999999999', '2147483648', '1%00'])('and the id %s', async (id) => {
    for (const [method, json] of [['PUT', RULE], ['DELETE', undefined]] as const) {
      expect([400, 404, 422]).toContain((await core.call(method, `${rules()}/${id}`, { as: 'alice', ...(json === undefined ? {} : { json }) })).status);
    }
  });
});
