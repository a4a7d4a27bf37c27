import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { Pusher } from '../testing/push.js';
import { tableState } from '../testing/table-state.js';
import { startTestCore, type Answer, type TestCore } from '../testing/test-core.js';

const RULE = { tag_selectors: [{ kind: 'doublestar', decoration: 'matches', pattern: '**' }], scope_selectors: { repository: [{ kind: 'doublestar', decoration: 'repoMatches', pattern: 'app' }] } };
const PROJECT = '/api/v2.0/projects/alpha';
const REPOSITORY = `${PROJECT}/repositories/app`;
const TABLES = ['project', 'repository', 'manifest', 'tag', 'tag_event', 'bin_entry', 'repository_blob'];

let core: TestCore;
let pusher: Pusher;
let id: number;
/** What the tags name, what they named once, and an accessory. */
let now: string;
let once: string;
let binned: number;

beforeAll(async () => {
  core = await startTestCore();
  for (const name of ['alice', 'mia']) await core.addUser(name);
  id = await core.addProject('alpha', { members: { alice: 1, mia: 4 } });
  pusher = new Pusher(core.database, id);
  ({ digest: once } = await pusher.image('alpha/app', 'once', ['latest', 'v1']));
  await core.call('DELETE', `${REPOSITORY}/artifacts/v1`, { as: 'mia' });
  const [entry] = await core.database.query<{ id: number }>(`SELECT id FROM bin_entry WHERE kind = 'artifact'`);
  binned = Number(entry?.id);
  ({ digest: now } = await pusher.image('alpha/app', 'now', ['latest', 'v1']));
  await pusher.image('alpha/source', 'from elsewhere', ['latest', 'v1']);
  await core.database.execute('INSERT INTO immutability_rule (project_id, rule) VALUES ($1, $2)', [id, JSON.stringify(RULE)]);
});
afterAll(() => core.stop());

let before: string;
beforeEach(async () => { before = await tableState(core.database, ...TABLES); });

const codeOf = ({ body }: Answer): string | undefined => (body as { errors?: { code: string }[] } | undefined)?.errors?.[0]?.code;

describe('F-02, F-04: tags under a rule for every tag, latest like any other,', () => {
  const tags = ['latest', 'v1'];
  const doors: readonly (readonly [string, string, string, object | undefined, number])[] = tags.flatMap((tag) => [
    ['are not deleted', 'DELETE', `${REPOSITORY}/artifacts/${tag}/tags/${tag}`, undefined, 412],
    ['keep their artifact, named by tag', 'DELETE', `${REPOSITORY}/artifacts/${tag}`, undefined, 412],
    ['keep their artifact, named by digest', 'DELETE', `${REPOSITORY}/artifacts/DIGEST`, undefined, 412],
    ['keep their repository', 'DELETE', REPOSITORY, undefined, 412],
    ['keep their project', 'DELETE', PROJECT, undefined, 412],
    ['are not moved by a copy', 'POST', `${REPOSITORY}/artifacts?from=${encodeURIComponent(`alpha/source:${tag}`)}`, undefined, 412],
    ['are not made anew', 'POST', `${REPOSITORY}/artifacts/DIGEST/tags`, { name: tag }, 409],
    ['are not rolled back', 'POST', `${REPOSITORY}/tags/${tag}/rollback`, { digest: 'ONCE' }, 412],
    ['are not rolled to what they name', 'POST', `${REPOSITORY}/tags/${tag}/rollback`, { digest: 'DIGEST' }, 412],
  ] as const);

  test.each(doors)('%s: %s %s %j', async (_what, method, path, json, status) => {
    const filled = (text: string): string => text.replace('DIGEST', now).replace('ONCE', once);
    for (const as of ['alice', 'admin']) {
      const answer = await core.call(method, filled(path), { as, ...(json === undefined ? {} : { json: JSON.parse(filled(JSON.stringify(json))) }) });
      expect([as, answer.status, codeOf(answer)]).toEqual([as, status, status === 409 ? 'CONFLICT' : 'PRECONDITION']);
    }
    expect(await tableState(core.database, ...TABLES)).toBe(before);
  });

  test('are not taken over by what comes back from the bin', async () => {
    const answer = await core.call('POST', `${PROJECT}/bin/${binned}/restore`, { as: 'alice' });
    expect(answer.status).toBe(200);
    for (const tag of tags) expect((await core.call('GET', `${REPOSITORY}/artifacts/${tag}`, { as: 'alice' })).body).toMatchObject({ digest: now });
    expect(await pusher.image('alpha/app', 'a push', ['new'])).toMatchObject({ size: expect.any(Number) });
    await expect(pusher.image('alpha/app', 'another', ['latest'])).rejects.toMatchObject({ code: 'immutable' });
  });

  test('may be deleted when the rule is off, and not again once it is on', async () => {
    const set = (disabled: boolean): Promise<number> => core.database.execute('UPDATE immutability_rule SET disabled = $1', [disabled]);
    await set(true);
    expect((await core.call('DELETE', `${REPOSITORY}/artifacts/v1/tags/v1`, { as: 'mia' })).status).toBe(200);
    await set(false);
    expect((await core.call('DELETE', `${REPOSITORY}/artifacts/latest/tags/latest`, { as: 'mia' })).status).toBe(412);
  });
});
