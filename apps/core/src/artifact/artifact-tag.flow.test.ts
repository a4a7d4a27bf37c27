import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Tag } from '@haven/api';
import { Pusher } from '../testing/push.js';
import { startTestCore, type TestCore } from '../testing/test-core.js';

const RULE = { tag_selectors: [{ kind: 'doublestar', decoration: 'matches', pattern: 'fixed*' }], scope_selectors: { repository: [{ kind: 'doublestar', decoration: 'repoMatches', pattern: 'app' }] } };
const ARTIFACTS = '/api/v2.0/projects/alpha/repositories/app/artifacts';
let core: TestCore;
let pusher: Pusher;
let digest: string;

beforeAll(async () => {
  core = await startTestCore();
  for (const name of ['alice', 'dave', 'bob']) await core.addUser(name);
  const id = await core.addProject('alpha', { members: { alice: 1, dave: 2 } });
  await core.addProject('bravo', { members: { bob: 1 } });
  await core.database.execute('INSERT INTO immutability_rule (project_id, rule) VALUES ($1, $2)', [id, JSON.stringify(RULE)]);
  pusher = new Pusher(core.database, id);
  ({ digest } = await pusher.image('alpha/app', 'one', ['1', 'fixed']));
  await pusher.image('alpha/app', 'two', ['2']);
});
afterAll(() => core.stop());

function tag(name: unknown, reference = digest, as = 'dave'): ReturnType<TestCore['call']> {
  return core.call('POST', `${ARTIFACTS}/${reference}/tags`, { as, json: { name, id: 7 } });
}

async function digestOf(name: string): Promise<unknown> {
  return ((await core.call('GET', `${ARTIFACTS}/${name}`, { as: 'alice' })).body as { digest?: string }).digest;
}

describe('a new tag', () => {
  test('names the artifact, whether that is told by digest or by tag', async () => {
    const { status, headers } = await tag('stable');
    expect([status, headers.get('location')]).toEqual([201, `${ARTIFACTS}/${digest}/tags/stable`]);
    expect((await tag('also', '1')).status).toBe(201);
    expect([await digestOf('stable'), await digestOf('also')]).toEqual([digest, digest]);
    const [event] = await core.database.query(`SELECT kind, actor FROM tag_event WHERE tag = 'stable'`);
    expect(event).toEqual({ kind: 'create', actor: expect.stringMatching(/^user:/) });
  });

  test('takes no name that is taken', async () => {
    for (const name of ['1', '2', 'fixed']) {
      const { status, body } = await tag(name);
      expect([status, body]).toEqual([409, { errors: [{ code: 'CONFLICT', message: expect.stringContaining(name) }] }]);
    }
    expect(await digestOf('2')).not.toBe(digest);
  });

  test('may match a rule of immutability: the rule holds from then on', async () => {
    expect((await tag('fixed-1')).status).toBe(201);
    expect((await core.call('DELETE', `${ARTIFACTS}/${digest}/tags/fixed-1`, { as: 'alice' })).status).toBe(412);
  });

  test.each([['', 400], ['-x', 400], ['a/b', 400], ['../x', 400], ['x'.repeat(129), 400], ['x y', 400], ['a\0b', 422], [7, 422], [undefined, 422], [null, 422]])('called %j is refused', async (name, status) => {
    expect((await tag(name)).status).toBe(status);
  });

  test('of what is not there is 404', async () => {
    expect((await tag('x', `sha256:${'0'.repeat(64)}`)).status).toBe(404);
    expect((await tag('x', 'none')).status).toBe(404);
    expect((await tag('x', 'a%00')).status).toBe(400);
  });
});

describe('D-19: a repository name that leads into another project', () => {
  test.each(['..%252Fbravo%252Fapp', 'app%252F..%252F..%252Fbravo%252Fapp', 'app%252F..%252F..', '%2e%2e%2Fbravo%2Fapp', 'app%252f%252e%252e'])('%s', async (name) => {
    const before = await core.database.query('SELECT count(*) FROM tag');
    for (const as of ['alice', 'bob', 'admin']) {
      const { status } = await core.call('POST', `/api/v2.0/projects/alpha/repositories/${name}/artifacts/${digest}/tags`, { as, json: { name: 'planted' } });
      expect(as === 'bob' ? [403] : [400, 404]).toContain(status);
    }
    expect(await core.database.query('SELECT count(*) FROM tag')).toEqual(before);
  });
});

describe('F-02: an immutable tag', () => {
  test('is shown as such when asked for', async () => {
    const immutable = async (path: string): Promise<Record<string, boolean | undefined>> => {
      const { body } = await core.call('GET', path, { as: 'dave' });
      const tags = Array.isArray(body) ? (body as Tag[]) : ((body as { tags: Tag[] }).tags);
      return Object.fromEntries(tags.map(({ name, immutable: is }) => [name, is]));
    };
    expect(await immutable(`${ARTIFACTS}/${digest}/tags?with_immutable_status=true&page_size=100`)).toMatchObject({ 1: false, fixed: true });
    expect(await immutable(`${ARTIFACTS}/${digest}?with_immutable_status=true`)).toMatchObject({ 1: false, fixed: true });
    expect(await immutable(`${ARTIFACTS}/${digest}`)).toMatchObject({ 1: undefined, fixed: undefined });
  });

  test.each(['alice', 'admin'])('is deleted in no way by %s', async (as) => {
    for (const path of [`${ARTIFACTS}/${digest}/tags/fixed`, `${ARTIFACTS}/fixed`, `${ARTIFACTS}/${digest}`, '/api/v2.0/projects/alpha/repositories/app']) {
      const { status, body } = await core.call('DELETE', path, { as });
      expect([status, body]).toEqual([412, { errors: [{ code: 'PRECONDITION', message: expect.stringMatching(/the tag fixed.* configured as immutable, cannot be deleted/) }] }]);
    }
    expect(await digestOf('fixed')).toBe(digest);
  });
});
