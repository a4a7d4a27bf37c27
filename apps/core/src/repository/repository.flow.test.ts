import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Pusher } from '../testing/push.js';
import { startTestCore, type TestCore } from '../testing/test-core.js';

const ALPHA = '/api/v2.0/projects/alpha/repositories';
let core: TestCore;
let alpha: Pusher;

beforeAll(async () => {
  core = await startTestCore();
  for (const name of ['dave', 'eve']) await core.addUser(name);
  const alphaId = await core.addProject('alpha', { members: { dave: 2 } });
  alpha = new Pusher(core.database, alphaId);
  await alpha.image('alpha/app', 'one', ['1']);
  await alpha.image('alpha/app', 'two', ['2']);
  await alpha.image('alpha/deep/er/app', 'one', ['1']);
  const openId = await core.addProject('open', { public: true });
  await new Pusher(core.database, openId).image('open/app', 'three', ['1']);
});
afterAll(() => core.stop());

async function names(path: string, as?: string): Promise<string[]> {
  const { status, body } = await core.call('GET', path, { as });
  expect(status).toBe(200);
  return (body as { name: string }[]).map(({ name }) => name);
}

describe('lists', () => {
  test('of a project have counts, newest repository first', async () => {
    const { body, headers } = await core.call('GET', ALPHA, { as: 'dave' });
    expect(headers.get('x-total-count')).toBe('2');
    expect(body).toEqual([
      expect.objectContaining({ name: 'alpha/deep/er/app', artifact_count: 1, pull_count: 0 }),
      expect.objectContaining({ name: 'alpha/app', artifact_count: 2, description: '' }),
    ]);
  });

  test('of all projects show what the caller may see', async () => {
    const all = '/api/v2.0/repositories?sort=name';
    expect(await names(all)).toEqual(['open/app']);
    expect(await names(all, 'eve')).toEqual(['open/app']);
    expect(await names(all, 'dave')).toEqual(['alpha/app', 'alpha/deep/er/app', 'open/app']);
    expect(await names(all, 'admin')).toEqual(['alpha/app', 'alpha/deep/er/app', 'open/app']);
  });

  test('filter and sort', async () => {
    expect(await names(`${ALPHA}?q=name%3D~deep`, 'dave')).toEqual(['alpha/deep/er/app']);
    expect(await names(`${ALPHA}?sort=-name&page_size=1`, 'dave')).toEqual(['alpha/deep/er/app']);
    const [blob] = await core.database.query<{ digest: string }>(`SELECT rb.digest FROM repository_blob rb JOIN repository r ON r.id = rb.repository_id WHERE r.name = 'open/app' LIMIT 1`);
    expect(await names(`/api/v2.0/repositories?q=blob_digest%3D${encodeURIComponent(blob?.digest ?? '')}`)).toEqual(['open/app']);
    expect(await names(`/api/v2.0/repositories?q=blob_digest%3Dsha256:none`)).toEqual([]);
  });
});

describe('a name with slashes in an address', () => {
  test.each(['deep%252Fer%252Fapp', 'deep%2Fer%2Fapp', 'deep%252fer%252fapp'])('as %s', async (encoded) => {
    expect((await core.call('GET', `${ALPHA}/${encoded}`, { as: 'dave' })).body).toMatchObject({ name: 'alpha/deep/er/app' });
    expect((await core.call('GET', `${ALPHA}/${encoded}/artifacts/1`, { as: 'dave' })).body).toMatchObject({ repository_name: 'alpha/deep/er/app' });
  });

  test.each(['deep%25252Fer', '..%252F..%252Fopen%252Fapp', 'UPPER', '%2525', 'a%00b', 'a%2500b'])('never as %s', async (odd) => {
    expect((await core.call('GET', `${ALPHA}/${odd}`, { as: 'dave' })).status).toBe(400);
  });

  test('of 255 characters', async () => {
    const name = `${'ab/'.repeat(82)}abc`;
    await alpha.image(`alpha/${name}`, 'long', ['1']);
    expect((await core.call('GET', `${ALPHA}/${encodeURIComponent(encodeURIComponent(name))}`, { as: 'dave' })).body).toMatchObject({ name: `alpha/${name}` });
    await core.call('DELETE', `${ALPHA}/${encodeURIComponent(encodeURIComponent(name))}`, { as: 'admin' });
  });
});

describe('one repository', () => {
  test('I-01: takes a description as it is written, also when what was read is saved again, and answers it as JSON', async () => {
    for (const description of ['# Title <script>alert(1)</script> äöü', '<img src=x onerror=fetch(1)>', '[a](javascript:alert(1)) &lt;b&gt; &amp;amp; \\u003c', '<svg><a xlink:href="javascript:alert(1)">x</a></svg>']) {
      let kept = description;
      for (let save = 0; save < 2; save++) {
        expect((await core.call('PUT', `${ALPHA}/app`, { as: 'dave', json: { description: kept } })).status).toBe(200);
        const { body, headers } = await core.call('GET', `${ALPHA}/app`, { as: 'dave' });
        expect([headers.get('content-type'), headers.get('x-content-type-options')]).toEqual(['application/json; charset=utf-8', 'nosniff']);
        kept = (body as { description: string }).description;
        expect(kept).toBe(description);
      }
    }
    const description = 'x';
    expect((await core.call('PUT', `${ALPHA}/none`, { as: 'dave', json: { description } })).status).toBe(404);
    expect((await core.call('PUT', `${ALPHA}/app`, { as: 'dave', json: { description: 'x'.repeat(70_000) } })).status).toBe(422);
  });

  test('is deleted with all it holds, once', async () => {
    await alpha.image('alpha/doomed', 'content', ['1', '2']);
    expect((await core.call('DELETE', `${ALPHA}/doomed`, { as: 'admin' })).status).toBe(200);
    expect((await core.call('GET', `${ALPHA}/doomed`, { as: 'admin' })).status).toBe(404);
    expect((await core.call('GET', `${ALPHA}/doomed/artifacts`, { as: 'admin' })).status).toBe(404);
    expect((await core.call('DELETE', `${ALPHA}/doomed`, { as: 'admin' })).status).toBe(404);
    const [event] = await core.database.query(`SELECT actor FROM outbox WHERE type = 'repository.deleted' AND payload->>'repository' = 'alpha/doomed'`);
    expect(event).toEqual({ actor: 'user:1' });
  });
});
