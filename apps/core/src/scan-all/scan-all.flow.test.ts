import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startTestCore, type TestCore } from '../testing/test-core.js';

const SCAN_ALL = '/api/v2.0/system/scanAll';

let core: TestCore;
beforeAll(async () => {
  core = await startTestCore();
  await core.addUser('alice');
});
afterAll(() => core.stop());

test('without a scanner scanning everything is refused with a reason, and nothing is scheduled', async () => {
  const json = { schedule: { type: 'Daily', cron: '0 0 0 * * *' } };
  for (const method of ['GET', 'POST', 'PUT']) {
    const { status, body } = await core.call(method, `${SCAN_ALL}/schedule`, { as: 'admin', ...(method === 'GET' ? {} : { json }) });
    expect([method, status, body]).toEqual([method, 412, { errors: [{ code: 'PRECONDITION', message: 'no scanner is configured; there is nothing to scan with' }] }]);
  }
  for (const metrics of ['all', 'schedule']) expect((await core.call('GET', `/api/v2.0/scans/${metrics}/metrics`, { as: 'admin' })).status).toBe(412);
  expect((await core.call('POST', `${SCAN_ALL}/stop`, { as: 'admin' })).status).toBe(400);
  expect((await core.call('GET', `${SCAN_ALL}/schedule`, { as: 'alice' })).status).toBe(403);
  expect(await core.database.query('SELECT id FROM schedule UNION SELECT id FROM execution')).toEqual([]);
});
