import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startTestCore, type TestCore } from '../testing/test-core.js';

let core: TestCore;
beforeAll(async () => void (core = await startTestCore()));
afterAll(() => core.stop());

test.each([
  '/service/notifications/tasks/1', '/service/notifications/jobs/webhook/1', '/service/notifications/schedules/1', '/api/internal/renameadmin', '/api/internal/syncquota',
  '/api//internal/renameadmin', '/API/internal/renameadmin', '/%61pi/internal/renameadmin', '//service/notifications/tasks/1', '/service;/notifications/tasks/1',
])('E-12: there is nothing at %s, for anybody', async (path) => {
  for (const as of [undefined, 'admin']) {
    const { status, body } = await core.call('POST', path, { as, json: { status: 'Success' } });
    expect([status, body]).toEqual([404, { errors: [{ code: 'NOT_FOUND', message: expect.any(String) }] }]);
  }
});
