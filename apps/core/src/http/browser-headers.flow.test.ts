import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startTestCore, type TestCore } from '../testing/test-core.js';

let core: TestCore;
beforeAll(async () => void (core = await startTestCore()));
afterAll(() => core.stop());

const PATHS = ['/c/login', '/api/v2.0/projects', '/api/v2.0/nothing', '/api/v2.0/explorer', '/api/v2.0/projects/%zz', '/service/token?service=x', '/'];

describe('I-08: every answer', () => {
  test.each(PATHS)('of %s stays out of frames and says little', async (path) => {
    const { headers } = await core.call('GET', path);
    expect(headers.get('content-security-policy')).toMatch(/default-src 'none';.*frame-ancestors 'none'/);
    expect(headers.get('x-frame-options')).toBe('DENY');
    expect(headers.get('referrer-policy')).toBe('same-origin');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect([headers.get('server'), headers.get('x-powered-by')]).toEqual([null, null]);
  });
});

describe('I-07: pages of other sites', () => {
  test.each(['https://evil.test', 'null', 'http://127.0.0.1.evil.test', 'http://evil-127.0.0.1'])('%s may read nothing', async (origin) => {
    for (const path of PATHS) {
      const { headers } = await core.call('GET', path, { headers: { origin } });
      expect([headers.get('access-control-allow-origin'), headers.get('access-control-allow-credentials')]).toEqual([null, null]);
    }
    const preflight = await core.call('OPTIONS', '/api/v2.0/projects', {
      headers: { origin, 'access-control-request-method': 'PUT', 'access-control-request-headers': 'authorization' },
    });
    expect([preflight.status, preflight.headers.get('access-control-allow-origin'), preflight.headers.get('access-control-allow-methods')]).toEqual([405, null, null]);
  });
});

describe('I-05: what a refusal repeats', () => {
  test.each(['/api/v2.0/<script>alert(1)</script>', '/api/v2.0/projects?q=<script>', '/api/v2.0/projects/<script>', '/c/<script>', '/service/token?service=<script>'])('%s is JSON, never HTML', async (path) => {
    const { headers, status } = await core.call('GET', path);
    expect(status).toBeGreaterThanOrEqual(400);
    expect(headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
  });
});
