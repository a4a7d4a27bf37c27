import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { echo, startUpstream, type Echo, type FakeUpstream } from '../testing/fake-upstream.js';
import { startProxy, type ProxyUnderTest } from '../testing/proxy-under-test.js';
import { sendRaw } from '../testing/raw-client.js';

let registry: FakeUpstream;
let core: FakeUpstream;
let proxy: ProxyUnderTest;

beforeAll(async () => {
  registry = await startUpstream(echo);
  core = await startUpstream((request, response) => {
    response.setHeader('x-haven-secret', 's');
    response.setHeader('server', 'inside');
    response.setHeader('connection', 'x-hop');
    response.setHeader('x-hop', '1');
    response.setHeader('set-cookie', ['one=1; Path=/', 'two=2; Path=/']);
    echo(request, response);
  });
  proxy = await startProxy({ HAVEN_REGISTRY_URLS: registry.url, HAVEN_CORE_URLS: core.url, HAVEN_ACCESS_LOG: 'all' });
});

afterAll(async () => {
  await proxy.stop();
  await Promise.all([registry.kill(), core.kill()]);
});

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

async function codeOf(response: Response): Promise<string> {
  const body = await response.json() as { errors: { code: string; message: string }[] };
  expect(response.headers.get('content-type')).toBe('application/json');
  expect(response.headers.get('x-request-id')).toMatch(UUID);
  return body.errors[0]?.code ?? '';
}

describe('routes', () => {
  test('/v2 goes to the registry, everything else to core', async () => {
    const [before, beforeCore] = [registry.requests.length, core.requests.length];
    await fetch(`${proxy.url}/v2/a/b/manifests/x?n=1`);
    await fetch(`${proxy.url}/api/v2.0/projects`);
    await fetch(`${proxy.url}/service/token?scope=repository:a/b:pull`);
    await fetch(`${proxy.url}/`);
    expect(registry.requests.slice(before).map((request) => request.url)).toEqual(['/v2/a/b/manifests/x?n=1']);
    expect(core.requests.slice(beforeCore).map((request) => request.url)).toEqual(['/api/v2.0/projects', '/service/token?scope=repository:a/b:pull', '/']);
  });

  test.each(['/v1/', '/service/notifications', '/livez', '/readyz', '/metrics', '/api/internal/x'])('%s is answered by nobody', async (path) => {
    const before = core.requests.length;
    const response = await fetch(`${proxy.url}${path}`);
    expect([response.status, await codeOf(response), core.requests.length - before]).toEqual([404, 'NOT_FOUND', 0]);
  });

  describe('E-12: internal interfaces', () => {
    test.each([
      ['POST', '/service/notifications/tasks/1'], ['POST', '/service/notifications/jobs/webhook/1'], ['POST', '/service/notifications/jobs/replication/task/1'],
      ['POST', '/service/notifications/schedules/1'], ['POST', '/service/notifications'], ['PUT', '/service/anything'], ['GET', '/service'], ['POST', '/service/token/'],
      ['POST', '/api/internal/renameadmin'], ['POST', '/api/internal/syncquota'], ['GET', '/api/internal'], ['POST', '/service/notifications/?x=/service/token'],
    ])('%s %s is answered by nobody', async (method, path) => {
      const before = core.requests.length + registry.requests.length;
      const response = await fetch(`${proxy.url}${path}`, { method, ...(method === 'GET' ? {} : { body: '{"status":"Success"}', headers: { 'content-type': 'application/json' } }) });
      expect([response.status, await codeOf(response), core.requests.length + registry.requests.length - before]).toEqual([404, 'NOT_FOUND', 0]);
    });

    // What only looks like one goes to core as it is written, and core has nothing there: see http/internal-paths.flow.test.ts of core.
    test.each(['/api//internal/renameadmin', '/API/internal/renameadmin', '/%61pi/internal/renameadmin', '//service/notifications/tasks/1', '/service;/notifications/tasks/1'])('%s reaches core unchanged', async (path) => {
      const before = core.requests.length;
      const { text } = await sendRaw(proxy.port, `POST ${path} HTTP/1.1\r\nHost: reg.test\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
      expect(text).toMatch(/^HTTP\/1\.1 200 /);
      expect(core.requests.slice(before).map((request) => request.url)).toEqual([path]);
    });
  });

  test('the forms of the sign-in page and all their cookies pass through; a form of 65 KiB does not', async () => {
    const form = { method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded', cookie: 'sid=a; _gorilla_csrf=b' } };
    const response = await fetch(`${proxy.url}/c/login`, { ...form, body: 'principal=a&password=b' });
    expect(await response.json()).toMatchObject({ method: 'POST', url: '/c/login', headers: { cookie: 'sid=a; _gorilla_csrf=b' } });
    expect(response.headers.getSetCookie()).toEqual(['one=1; Path=/', 'two=2; Path=/']);
    const before = core.requests.length;
    const refused = await fetch(`${proxy.url}/c/login`, { ...form, body: 'x'.repeat(65 * 1024) });
    expect([refused.status, await codeOf(refused), core.requests.length - before]).toEqual([413, 'REQUEST_ENTITY_TOO_LARGE', 0]);
  });

  test.each(['OPTIONS', 'PROPFIND', 'PURGE'])('%s is refused with the methods that are allowed', async (method) => {
    const response = await fetch(`${proxy.url}/v2/a/b/manifests/x`, { method });
    expect([response.status, response.headers.get('allow'), await codeOf(response)]).toEqual([405, 'GET, HEAD, POST, PUT, PATCH, DELETE', 'UNSUPPORTED']);
    const api = await fetch(`${proxy.url}/api/v2.0/projects`, { method });
    expect([api.status, await codeOf(api)]).toEqual([405, 'METHOD_NOT_ALLOWED']);
  });

  test('TRACE and CONNECT are refused without showing the request', async () => {
    for (const line of ['TRACE /v2/ HTTP/1.1', 'CONNECT reg.test:443 HTTP/1.1', 'CONNECT /v2/ HTTP/1.1']) {
      const { text } = await sendRaw(proxy.port, `${line}\r\nHost: reg.test\r\nAuthorization: Basic c2VjcmV0\r\n\r\n`);
      expect(text).toMatch(/^HTTP\/1\.1 40[05] /);
      expect(text).toMatch(/x-request-id: /i);
      expect(text).not.toContain('c2VjcmV0');
    }
  });

  test.each(['/v2/a/../b', '/v2/%2e%2e/x', '/v2/a%2Fb/tags/list', '/v2/a/b%5c', '/api/%00', '/v2/./_catalog'])('%s is refused before anyone sees it', async (path) => {
    const before = registry.requests.length + core.requests.length;
    const { text } = await sendRaw(proxy.port, `GET ${path} HTTP/1.1\r\nHost: reg.test\r\nConnection: close\r\n\r\n`);
    expect(text).toMatch(/^HTTP\/1\.1 400 /);
    expect(text).toContain(path.startsWith('/v2') ? '"code":"NAME_INVALID"' : '"code":"BAD_REQUEST"');
    expect(registry.requests.length + core.requests.length).toBe(before);
  });
});

describe('headers', () => {
  async function echoed(path: string, headers: Record<string, string>, method = 'GET'): Promise<{ response: Response; seen: Echo }> {
    const response = await fetch(`${proxy.url}${path}`, { headers, method });
    return { response, seen: await response.json() as Echo };
  }

  test('what only Haven may say is taken out both ways', async () => {
    const { response, seen } = await echoed('/api/x', { 'x-haven-send-file': '1', 'X-Haven-Anything': '1', 'x-http-method-override': 'DELETE' });
    expect(Object.keys(seen.headers).filter((name) => name.startsWith('x-haven') || name.includes('override'))).toEqual([]);
    expect(seen.method).toBe('GET');
    expect([...response.headers.keys()].filter((name) => name.startsWith('x-haven') || name === 'server' || name === 'x-hop')).toEqual([]);
  });

  test('a harmless request id is kept, any other is replaced, and both sides see the same', async () => {
    const kept = await echoed('/v2/', { 'x-request-id': 'build-17.a_b' });
    expect([kept.response.headers.get('x-request-id'), kept.seen.headers['x-request-id']]).toEqual(['build-17.a_b', 'build-17.a_b']);
    for (const bad of ['a b', 'x'.repeat(129), '<script>', 'a"b']) {
      const replaced = await echoed('/v2/', { 'x-request-id': bad });
      expect(replaced.response.headers.get('x-request-id')).toMatch(UUID);
      expect(replaced.seen.headers['x-request-id']).toBe(replaced.response.headers.get('x-request-id'));
    }
  });

  test('forwarding headers of a stranger are replaced', async () => {
    const { response, seen } = await echoed('/v2/', {
      'x-forwarded-for': '10.0.0.1', 'x-forwarded-proto': 'https', 'x-forwarded-host': 'evil.test', 'x-forwarded-port': '1', forwarded: 'host=evil.test;proto=https', 'x-real-ip': '10.0.0.1',
    });
    expect(seen.headers).toMatchObject({ 'x-forwarded-for': '127.0.0.1', 'x-forwarded-proto': 'http', 'x-forwarded-host': `127.0.0.1:${proxy.port}`, 'x-forwarded-port': String(proxy.port), host: `127.0.0.1:${proxy.port}` });
    expect(JSON.stringify(seen.headers)).not.toMatch(/evil|10\.0\.0\.1/);
    expect(response.headers.get('strict-transport-security')).toBeNull();
  });

  test('forwarding headers of a trusted peer are passed on', async () => {
    const behind = await startProxy({ HAVEN_REGISTRY_URLS: registry.url, HAVEN_CORE_URLS: core.url, HAVEN_TRUSTED_PROXIES: '127.0.0.0/8' });
    try {
      const response = await fetch(`${behind.url}/v2/`, { headers: { 'x-forwarded-for': '198.51.100.7', 'x-forwarded-proto': 'https', 'x-forwarded-host': 'public.test' } });
      const seen = await response.json() as Echo;
      expect(seen.headers).toMatchObject({ 'x-forwarded-for': '198.51.100.7, 127.0.0.1', 'x-forwarded-proto': 'https', 'x-forwarded-host': 'public.test', 'x-forwarded-port': '443' });
      expect(response.headers.get('strict-transport-security')).toMatch(/^max-age=\d+/);
    } finally {
      await behind.stop();
    }
  });

  test('methods, bodies and answers pass through whole', async () => {
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE']) {
      const response = await fetch(`${proxy.url}/api/v2.0/x?y=1`, { method, body: 'hello' });
      expect(await response.json()).toMatchObject({ method, url: '/api/v2.0/x?y=1', length: 5, headers: { 'content-length': '5' } });
    }
    const empty = await echoed('/v2/a/b/blobs/uploads/', {}, 'POST');
    expect(empty.seen).toMatchObject({ method: 'POST', length: 0, headers: { 'content-length': '0' } });
    const head = await fetch(`${proxy.url}/v2/`, { method: 'HEAD' });
    expect([head.status, Number(head.headers.get('content-length')) > 0, await head.text()]).toEqual([200, true, '']);
  });

  test('a HEAD does not cost the connection to the upstream', async () => {
    const before = new Set(registry.connections);
    for (let count = 0; count < 5; count += 1) await fetch(`${proxy.url}/v2/`, { method: 'HEAD' });
    expect([...registry.connections].filter((socket) => !before.has(socket)).length).toBeLessThanOrEqual(1);
  });
});

test('every request is counted and logged once', async () => {
  const before = proxy.logger.lines.length;
  await (await fetch(`${proxy.url}/v2/a/b/tags/list?n=secret`, { headers: { 'x-request-id': 'logged-1' } })).text();
  await new Promise((resolve) => { setTimeout(resolve, 50); });
  const lines = proxy.logger.lines.slice(before).filter((line) => line.message === 'request');
  expect(lines.map((line) => line.fields)).toEqual([{ method: 'GET', path: '/v2/a/b/tags/list', route: 'v2', status: 200, bytes: expect.any(Number), duration_ms: expect.any(Number), requestId: 'logged-1', peer: '127.0.0.1' }]);
  const text = await proxy.metrics.text();
  expect(text).toMatch(/haven_http_request_duration_seconds_count\{[^}]*route="v2"[^}]*\} [1-9]/);
  expect(text).toContain(`haven_proxy_upstream_healthy{upstream="registry",url="${registry.url}"} 1`);
  expect(text).toMatch(/haven_proxy_response_bytes_total\{route="api"\} [1-9]/);
});
