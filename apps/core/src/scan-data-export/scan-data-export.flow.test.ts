import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { exportsOf } from '@haven/execution';
import { startTestCore, type Answer, type TestCore } from '../testing/test-core.js';

const EXPORT = '/api/v2.0/export/cve';
const TYPE = { 'x-scan-data-type': 'application/vnd.security.vulnerability.report; version=1.1' };

let core: TestCore;
let alpha: number;
let bravo: number;
let bob: number;
beforeAll(async () => {
  core = await startTestCore();
  bob = await core.addUser('bob');
  for (const name of ['alice', 'gina']) await core.addUser(name);
  alpha = await core.addProject('alpha', { members: { alice: 1 } });
  bravo = await core.addProject('bravo', { members: { bob: 2, gina: 3 } });
});
afterAll(() => core.stop());

function ask(as: string, json: object, headers: Readonly<Record<string, string>> = TYPE): Promise<Answer> {
  return core.call('POST', EXPORT, { as, json, headers });
}

const message = ({ body }: Answer): string => (body as { errors: { message: string }[] }).errors[0]?.message ?? '';

/** An export of somebody, that ended. */
async function exportFor(user: number, projects: readonly number[]): Promise<number> {
  const { vendorType, vendorId } = exportsOf(user);
  const [row] = await core.database.query<{ id: string }>(
    `INSERT INTO execution (vendor_type, vendor_id, trigger, status, status_message, extra_attrs, ended_at) VALUES ($1, $2, 'MANUAL', 'Error', 'no scanner is configured', $3, now()) RETURNING id`,
    [vendorType, vendorId, JSON.stringify({ projects })],
  );
  return Number(row?.id);
}

describe('an export of vulnerabilities', () => {
  test('is refused with a reason while there is no scanner, and nothing is started', async () => {
    const answer = await ask('bob', { job_name: 'all', projects: [bravo], labels: [], repositories: 'app,lib/**', cveIds: 'CVE-2026-1', tags: '*' });
    expect([answer.status, message(answer)]).toEqual([412, 'no scanner is configured; there are no vulnerabilities to export']);
    expect((await core.call('GET', `${EXPORT}/executions`, { as: 'bob' })).body).toEqual({ items: [] });
    expect(await core.database.query('SELECT 1 FROM execution')).toEqual([]);
  });

  test.each([
    ['without a project', () => ({}), TYPE, 'projects'], ['with an empty list', () => ({ projects: [] }), TYPE, 'projects'], ['with two projects', () => ({ projects: [bravo, bravo] }), TYPE, 'projects'],
    ['without the kind of data', () => ({ projects: [bravo] }), {}, 'X-Scan-Data-Type'], ['with another kind', () => ({ projects: [bravo] }), { 'x-scan-data-type': 'application/json' }, 'X-Scan-Data-Type'],
    ['with spaces between repositories', () => ({ projects: [bravo], repositories: 'a, b' }), TYPE, 'repositories'], ['with spaces between tags', () => ({ projects: [bravo], tags: 'a b' }), TYPE, 'tags'],
    ['with spaces between vulnerabilities', () => ({ projects: [bravo], cveIds: 'CVE-1,\tCVE-2' }), TYPE, 'cveIds'], ['with a label that does not exist', () => ({ projects: [bravo], labels: [4711] }), TYPE, 'labels'],
  ])('is refused %s', async (_name, json, headers, named) => {
    const answer = await ask('bob', json(), headers as Readonly<Record<string, string>>);
    expect([answer.status, message(answer)]).toEqual([400, expect.stringContaining(named)]);
  });

  test('D-11: takes no project and no label from elsewhere', async () => {
    for (const [who, project, status] of [['alice', bravo, 403], ['alice', 2_000_000_000, 403], ['gina', bravo, 403], ['admin', 2_000_000_000, 404]] as const) {
      expect([who, (await ask(who, { projects: [project] })).status]).toEqual([who, status]);
    }
    const [foreign] = await core.database.query<{ id: number }>(`INSERT INTO label (name, scope, project_id) VALUES ('theirs', 'p', $1) RETURNING id`, [alpha]);
    const [own] = await core.database.query<{ id: number }>(`INSERT INTO label (name, scope, project_id) VALUES ('ours', 'p', $1) RETURNING id`, [bravo]);
    const labelled = async (labels: readonly unknown[]): Promise<unknown> => [(await ask('bob', { projects: [bravo], labels })).status, message(await ask('bob', { projects: [bravo], labels }))];
    expect(await labelled([own?.id, foreign?.id])).toEqual(await labelled([own?.id, 4711]));
    expect((await labelled([own?.id, own?.id]) as [number])[0]).toBe(412);
  });

  test('D-11: is found, read and downloaded by nobody but who asked for it, and only while that person may see the project', async () => {
    const id = await exportFor(bob, [bravo]);
    const paths = [`${EXPORT}/execution/${id}`, `${EXPORT}/download/${id}`];
    const seen = { id, user_id: bob, user_name: 'bob', status: 'Error', status_text: 'no scanner is configured', trigger: 'MANUAL', start_time: expect.any(String), end_time: expect.any(String), file_present: false };
    expect((await core.call('GET', paths[0] ?? '', { as: 'bob' })).body).toEqual(seen);
    expect((await core.call('GET', `${EXPORT}/executions`, { as: 'bob' })).body).toEqual({ items: [seen] });
    const download = await core.call('GET', `${paths[1] ?? ''}?format=csv`, { as: 'bob' });
    expect([download.status, message(download)]).toEqual([404, 'the export has no file']);
    for (const who of ['alice', 'gina', 'admin']) {
      expect((await core.call('GET', `${EXPORT}/executions`, { as: who })).body).toEqual({ items: [] });
      for (const path of paths) {
        const [theirs, missing] = [await core.call('GET', path, { as: who }), await core.call('GET', path.replace(/\d+$/, '4711'), { as: who })];
        expect([who, theirs.status, message(theirs)]).toEqual([who, 404, message(missing)]);
      }
    }
    await core.database.execute('DELETE FROM member WHERE user_id = $1', [bob]);
    for (const path of paths) expect((await core.call('GET', path, { as: 'bob' })).status).toBe(403);
  });
});
