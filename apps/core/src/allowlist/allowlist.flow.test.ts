import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { NEVER } from '@haven/api';
import { tableState } from '../testing/table-state.js';
import { startTestCore, type TestCore } from '../testing/test-core.js';

const SYSTEM = '/api/v2.0/system/CVEAllowlist';
const ALPHA = '/api/v2.0/projects/alpha';

let core: TestCore;
let alpha = 0;
beforeAll(async () => {
  core = await startTestCore();
  await core.addUser('alice');
  alpha = await core.addProject('alpha', { members: { alice: 1 } });
});
afterAll(() => core.stop());

const listOf = async (): Promise<unknown> => ((await core.call('GET', ALPHA, { as: 'alice' })).body as { cve_allowlist: unknown }).cve_allowlist;

describe('the list of the installation', () => {
  test('is empty at first, is read by everybody with an account and replaced by administrators', async () => {
    expect((await core.call('GET', SYSTEM, { as: 'alice' })).body).toEqual({ id: 0, project_id: 0, expires_at: null, items: [], creation_time: NEVER, update_time: NEVER });
    expect((await core.call('PUT', SYSTEM, { as: 'alice', json: { items: [{ cve_id: 'CVE-2026-1' }] } })).status).toBe(403);
    const list = (await core.call('GET', SYSTEM, { as: 'admin' })).body as object;
    expect((await core.call('PUT', SYSTEM, { as: 'admin', json: { ...list, items: [{ cve_id: 'CVE-2026-1' }], expires_at: 1_900_000_000 } })).status).toBe(200);
    expect((await core.call('GET', SYSTEM, { as: 'alice' })).body).toMatchObject({ id: expect.any(Number), items: [{ cve_id: 'CVE-2026-1' }], expires_at: 1_900_000_000 });
    expect(await core.database.query(`SELECT payload->>'description' AS description FROM outbox WHERE payload->>'resourceType' = 'cve_allowlist' AND (payload->>'result')::boolean`))
      .toEqual([{ description: 'update the CVE allowlist of the system: 1 entries' }]);
  });

  test.each([
    [{ items: [{ cve_id: '' }] }, 400], [{ items: [{ cve_id: 'CVE-1' }, { cve_id: 'CVE-1' }] }, 400], [undefined, 400], [{ items: [{ cve_id: 'CVE\0' }] }, 422],
    [{ items: [{}] }, 422], [{ items: 'CVE-1' }, 422], [{ items: [], expires_at: -1 }, 422], [{ items: [], expires_at: 'tomorrow' }, 422], [{ items: [], expires_at: 1e300 }, 422],
    [{ items: [{ cve_id: 'x'.repeat(200) }] }, 422],
  ])('%j is %i and changes nothing', async (json, status) => {
    const before = await tableState(core.database, 'cve_allowlist');
    expect((await core.call('PUT', SYSTEM, { as: 'admin', ...(json === undefined ? {} : { json }) })).status).toBe(status);
    expect(await tableState(core.database, 'cve_allowlist')).toBe(before);
  });
});

describe('the list of a project', () => {
  test('counts once the project says that it does not use that of the installation', async () => {
    expect(await listOf()).toMatchObject({ project_id: alpha, items: [{ cve_id: 'CVE-2026-1' }] });
    const own = { items: [{ cve_id: 'CVE-2026-2' }], expires_at: null, project_id: alpha };
    expect((await core.call('PUT', ALPHA, { as: 'alice', json: { cve_allowlist: own } })).status).toBe(200);
    expect(await listOf()).toMatchObject({ items: [{ cve_id: 'CVE-2026-1' }] });
    expect((await core.call('PUT', ALPHA, { as: 'alice', json: { metadata: { reuse_sys_cve_allowlist: 'false' } } })).status).toBe(200);
    expect(await listOf()).toMatchObject({ project_id: alpha, items: [{ cve_id: 'CVE-2026-2' }], expires_at: null });
    expect((await core.call('PUT', ALPHA, { as: 'alice', json: { metadata: { auto_scan: 'true' } } })).status).toBe(200);
    expect(await listOf()).toMatchObject({ items: [{ cve_id: 'CVE-2026-2' }] });
    const [listed] = (await core.call('GET', '/api/v2.0/projects?name=alpha', { as: 'alice' })).body as { cve_allowlist: unknown }[];
    expect(listed?.cve_allowlist).toEqual(await listOf());
  });

  test('belongs to that project and no other', async () => {
    const before = await tableState(core.database, 'cve_allowlist', 'project');
    const json = { cve_allowlist: { project_id: alpha + 1, items: [{ cve_id: 'CVE-3' }] }, metadata: { severity: 'low' } };
    expect((await core.call('PUT', ALPHA, { as: 'alice', json })).status).toBe(400);
    expect(await tableState(core.database, 'cve_allowlist', 'project')).toBe(before);
    expect((await core.call('POST', '/api/v2.0/projects', { as: 'alice', json: { project_name: 'bravo', cve_allowlist: { project_id: alpha, items: [{ cve_id: 'CVE-3' }] } } })).status).toBe(201);
    expect(await listOf()).toMatchObject({ items: [{ cve_id: 'CVE-2026-2' }] });
  });

  test('goes with the project', async () => {
    expect((await core.call('DELETE', '/api/v2.0/projects/bravo', { as: 'alice' })).status).toBe(200);
    expect(await core.database.query('SELECT project_id FROM cve_allowlist ORDER BY 1')).toEqual([{ project_id: 0 }, { project_id: alpha }]);
  });
});
