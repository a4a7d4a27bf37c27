import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startTestCore, type TestCore } from '../testing/test-core.js';

let core: TestCore;
beforeAll(async () => {
  core = await startTestCore();
  for (let index = 0; index < 12; index += 1) await core.addProject(`many-${String(index).padStart(2, '0')}`);
});
afterAll(() => core.stop());

const ENVELOPE = { errors: [{ code: expect.any(String), message: expect.any(String) }] };

describe('every answer', () => {
  test('carries the request id that was sent, or one of its own', async () => {
    expect((await core.call('GET', '/api/v2.0/ping', { headers: { 'x-request-id': 'my-request.1' } })).headers.get('x-request-id')).toBe('my-request.1');
    for (const sent of ['bad id', '<script>', 'x'.repeat(200)]) {
      expect((await core.call('GET', '/api/v2.0/nothing', { headers: { 'x-request-id': sent } })).headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
    }
  });

  test('sets no cookie and is not for caches', async () => {
    for (const path of ['/api/v2.0/ping', '/api/v2.0/projects', '/api/v2.0/nothing']) {
      const { headers } = await core.call('GET', path, { as: 'admin' });
      expect(headers.get('set-cookie')).toBeNull();
      expect(headers.get('cache-control')).toBe('no-store');
      expect(headers.get('x-content-type-options')).toBe('nosniff');
    }
  });
});

describe('a refusal', () => {
  test.each([
    ['an unknown address', 'GET', '/api/v2.0/nothing', {}, 404, 'NOT_FOUND'],
    ['an unknown method', 'PATCH', '/api/v2.0/projects', {}, 405, 'METHOD_NOT_ALLOWED'],
    ['an undecodable address', 'GET', '/api/v2.0/projects/%zz', {}, 400, 'BAD_REQUEST'],
    ['malformed JSON', 'POST', '/api/v2.0/projects', { body: '{"project_name":', headers: { 'content-type': 'application/json' } }, 400, 'BAD_REQUEST'],
    ['no body', 'POST', '/api/v2.0/projects', { headers: { 'content-type': 'application/json' } }, 400, 'BAD_REQUEST'],
    ['a prototype in the body', 'POST', '/api/v2.0/projects', { body: '{"__proto__":{"sysadmin":true}}', headers: { 'content-type': 'application/json' } }, 400, 'BAD_REQUEST'],
    ['a form', 'POST', '/api/v2.0/projects', { body: 'project_name=x', headers: { 'content-type': 'application/x-www-form-urlencoded' } }, 415, 'UNSUPPORTED_MEDIA_TYPE'],
    ['plain text', 'POST', '/api/v2.0/projects', { body: '{}', headers: { 'content-type': 'text/plain' } }, 415, 'UNSUPPORTED_MEDIA_TYPE'],
    ['an odd content type', 'POST', '/api/v2.0/projects', { body: '{"project_name":"odd"}', headers: { 'content-type': 'application/jsonx' } }, 415, 'UNSUPPORTED_MEDIA_TYPE'],
    ['a wrong type', 'POST', '/api/v2.0/projects', { json: { project_name: 7 } }, 422, 'UNPROCESSABLE_ENTITY'],
    ['a list for an object', 'POST', '/api/v2.0/projects', { json: [] }, 422, 'UNPROCESSABLE_ENTITY'],
  ] as const)('of %s has the envelope', async (_name, method, path, call, status, code) => {
    const answer = await core.call(method, path, { as: 'admin', ...call });
    expect(answer.status).toBe(status);
    expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(answer.headers.get('x-request-id')).not.toBeNull();
    expect(answer.body).toEqual({ errors: [{ code, message: expect.any(String) }] });
  });

  test('of a method names those that are known', async () => {
    expect((await core.call('PATCH', '/api/v2.0/users/current')).headers.get('allow')).toBe('DELETE, GET, PUT');
    expect((await core.call('DELETE', '/api/v2.0/ping')).headers.get('allow')).toBe('GET');
  });

  test('does not repeat what was sent beyond a little', async () => {
    const { body } = await core.call('GET', `/api/v2.0/projects?q=${'x'.repeat(1000)}`, { as: 'admin' });
    expect(JSON.stringify(body).length).toBeLessThan(200);
  });
});

describe('a failure of ours', () => {
  test('is a 500 without internals, and the log has the request id', async () => {
    await core.addUser('somebody');
    await core.database.execute('ALTER TABLE haven_user RENAME COLUMN realname TO hidden');
    try {
      const { status, body } = await core.call('GET', '/api/v2.0/users', { as: 'admin', headers: { 'x-request-id': 'find-me' } });
      expect(status).toBe(500);
      expect(body).toEqual({ errors: [{ code: 'UNKNOWN', message: 'internal server error' }] });
      expect(core.logger.lines).toContainEqual(expect.objectContaining({ level: 'error', fields: expect.objectContaining({ request_id: 'find-me' }) }));
    } finally {
      await core.database.execute('ALTER TABLE haven_user RENAME COLUMN hidden TO realname');
    }
  });
});

describe('M-02: paging', () => {
  test.each(['page_size=-2', 'page_size=101', 'page_size=1e9', 'page_size=NaN', 'page_size=1.5', 'page=-1', 'page=1000000000000000000', 'page=1&page=2'])(
    '%s is refused', async (query) => {
      const { status, body } = await core.call('GET', `/api/v2.0/projects?${query}`, { as: 'admin' });
      expect(status).toBe(422);
      expect(body).toEqual(ENVELOPE);
    });

  test('a page beyond the end is empty and still tells the total', async () => {
    const { status, body, headers } = await core.call('GET', '/api/v2.0/projects?page=999999', { as: 'admin' });
    expect([status, body, headers.get('x-total-count'), headers.get('link')]).toEqual([200, [], '13', null]);
  });

  test('links to the pages beside it, keeping the query', async () => {
    const { body, headers } = await core.call('GET', '/api/v2.0/projects?name=many&page=2&page_size=5&sort=-name', { as: 'admin' });
    expect((body as { name: string }[]).map(({ name }) => name)).toEqual(['many-06', 'many-05', 'many-04', 'many-03', 'many-02']);
    expect(headers.get('x-total-count')).toBe('12');
    expect(headers.get('link')).toBe(
      '</api/v2.0/projects?name=many&page=1&page_size=5&sort=-name>; rel="prev" , </api/v2.0/projects?name=many&page=3&page_size=5&sort=-name>; rel="next"',
    );
  });

  test('a page without a number is the first, and links on from there', async () => {
    const { body, headers } = await core.call('GET', '/api/v2.0/projects?page=&page_size=', { as: 'admin' });
    expect(body).toHaveLength(10);
    expect(headers.get('link')).toBe('</api/v2.0/projects?page=2&page_size=10>; rel="next"');
  });

  test('shows ten unless asked otherwise', async () => {
    expect((await core.call('GET', '/api/v2.0/projects', { as: 'admin' })).body).toHaveLength(10);
    expect((await core.call('GET', '/api/v2.0/projects?page_size=100', { as: 'admin' })).body).toHaveLength(13);
  });
});

describe('M-04: hostile bodies', () => {
  const json = { 'content-type': 'application/json' };

  const bodies: readonly (readonly [string, () => string, readonly number[]])[] = [
    ['20 MiB', () => `{"project_name":"${'a'.repeat(20 * 1024 * 1024)}"}`, [413]],
    ['a 10 MiB string', () => JSON.stringify('a'.repeat(10 * 1024 * 1024)), [413]],
    ['200 000 nested arrays', () => '['.repeat(200_000) + ']'.repeat(200_000), [400, 422]],
    ['nested arrays in a field', () => `{"metadata":${'['.repeat(200_000)}${']'.repeat(200_000)}}`, [400, 422]],
    ['80 000 keys', () => `{${Array.from({ length: 80_000 }, (_, index) => `"k${index}":1`).join(',')}}`, [400]],
    ['an infinite number', () => '{"storage_limit":1e999,"project_name":"infinite"}', [422]],
    ['escaped NUL', () => '{"project_name":"a\\u0000b"}', [422]],
    ['a lone surrogate', () => '{"project_name":"\\ud800"}', [400]],
  ];

  test.each(bodies)('%s', async (_name, make, statuses) => {
    const body = make();
    const started = performance.now();
    const { status } = await core.call('POST', '/api/v2.0/projects', { as: 'admin', body, headers: json }).catch(ended);
    expect(statuses).toContain(status);
    expect(performance.now() - started).toBeLessThan(15_000);
    expect((await core.call('GET', '/api/v2.0/ping')).status).toBe(200);
  });

  /** A server that refuses a body early closes the connection; the client may see that before the answer. */
  function ended(): { status: number } {
    return { status: 413 };
  }
});

describe('B-17: forwarding headers', () => {
  test('of peers that are not trusted change nothing', async () => {
    const distrustful = await startTestCore({ environment: { HAVEN_TRUSTED_PROXIES: '192.0.2.1' } });
    try {
      const headers = { 'x-forwarded-host': 'evil.test', 'x-forwarded-proto': 'https', forwarded: 'host=evil.test' };
      const answers = await Promise.all([
        distrustful.call('GET', '/api/v2.0/systeminfo', { as: 'admin', headers }),
        distrustful.call('GET', '/api/v2.0/projects?page_size=1', { as: 'admin', headers }),
        distrustful.call('POST', '/api/v2.0/projects', { as: 'admin', json: { project_name: 'located' }, headers }),
        distrustful.call('GET', '/service/token?service=harbor-registry', { headers }),
      ]);
      for (const answer of answers) expect(JSON.stringify([answer.body, [...answer.headers]])).not.toContain('evil.test');
    } finally {
      await distrustful.stop();
    }
  });

  test('even of trusted peers never become part of an address we give out', async () => {
    const headers = { 'x-forwarded-host': 'evil.test' };
    const { headers: answered } = await core.call('POST', '/api/v2.0/projects', { as: 'admin', json: { project_name: 'located' }, headers });
    expect(answered.get('location')).toMatch(/^\/api\/v2\.0\/projects\/\d+$/);
  });
});

test('two Content-Length headers, or one beside chunks, close the connection', async () => {
  const port = core.service.address?.port ?? 0;
  const exchange = (text: string): Promise<string> => new Promise<string>((resolve, reject) => {
    let answer = '';
    const socket: Socket = connect(port, '127.0.0.1', () => socket.write(text));
    socket.on('data', (chunk) => (answer += chunk.toString()));
    socket.on('close', () => resolve(answer));
    socket.on('error', reject);
    setTimeout(() => socket.destroy(), 3000).unref();
  });
  for (const headers of ['Content-Length: 5\r\nContent-Length: 6\r\n', 'Content-Length: 5\r\nTransfer-Encoding: chunked\r\n']) {
    const answer = await exchange(`POST /api/v2.0/projects HTTP/1.1\r\nHost: x\r\n${headers}\r\n0\r\n\r\nGET /api/v2.0/ping HTTP/1.1\r\nHost: x\r\n\r\n`);
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect(answer).not.toContain('Pong');
  }
});
