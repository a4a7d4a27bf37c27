import { createHash } from 'node:crypto';
import { get, request as startRequest, type IncomingMessage } from 'node:http';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import { echo, startUpstream, type FakeUpstream } from '../testing/fake-upstream.js';
import { startProxy, type ProxyUnderTest } from '../testing/proxy-under-test.js';
import { eventually, openRaw } from '../testing/raw-client.js';

const MIB = 1024 * 1024;
const open: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const close of open.splice(0).toReversed()) await close();
});

async function upstream(...parameters: Parameters<typeof startUpstream>): Promise<FakeUpstream> {
  const started = await startUpstream(...parameters);
  open.push(() => started.kill());
  return started;
}

async function proxyTo(registries: readonly FakeUpstream[], environment: Record<string, string> = {}): Promise<ProxyUnderTest> {
  const proxy = await startProxy({ HAVEN_REGISTRY_URLS: registries.map((item) => item.url).join(','), ...environment });
  open.push(() => proxy.stop());
  return proxy;
}

/** Reads until the end or until the connection breaks. */
function read(url: string): Promise<{ bytes: number; whole: boolean; error: string | undefined }> {
  return new Promise((resolve) => {
    get(url, { agent: false }, (response: IncomingMessage) => {
      let bytes = 0;
      let error: string | undefined;
      response.on('data', (chunk: Buffer) => { bytes += chunk.length; });
      response.on('error', (fault: NodeJS.ErrnoException) => { error = fault.code; });
      response.on('close', () => { resolve({ bytes, whole: response.complete, error }); });
    });
  });
}

describe('an upstream that dies in the middle of an answer', () => {
  test.each([
    ['with a length', { 'content-length': String(10 * MIB) }], ['in chunks', {}],
  ])('%s: the client never sees a clean end', async (_name, headers) => {
    const dying = await upstream((_request, response) => {
      response.writeHead(200, headers);
      response.write(Buffer.alloc(MIB), () => { response.socket?.destroy(); });
    });
    const proxy = await proxyTo([dying]);
    const { whole, bytes, error } = await read(`${proxy.url}/v2/a/b/blobs/sha256:0`);
    expect([whole, error]).toEqual([false, 'ECONNRESET']);
    expect(bytes).toBeLessThan(10 * MIB);
    expect(proxy.logger.messages('warn')).toContain('an upstream failed');
  });

  test('an answer longer or shorter than it says is broken off, too', async () => {
    const short = createServer((socket) => { socket.once('data', () => { socket.end('HTTP/1.1 200 OK\r\nContent-Length: 100\r\nConnection: close\r\n\r\nonly this'); }); });
    await new Promise<void>((resolve) => { short.listen(0, '127.0.0.1', resolve); });
    open.push(() => new Promise((resolve) => { short.close(() => { resolve(); }); }));
    const proxy = await startProxy({ HAVEN_REGISTRY_URLS: `http://127.0.0.1:${(short.address() as AddressInfo).port}` });
    open.push(() => proxy.stop());
    proxy.server.context.upstreams.registry.members[0]?.markUp();
    expect((await read(`${proxy.url}/v2/`)).whole).toBe(false);
  });
});

describe('a replica that fails before it answers', () => {
  test('GET and HEAD go to another one', async () => {
    const bad = await upstream((request) => { request.socket.destroy(); });
    const good = await upstream(echo);
    const proxy = await proxyTo([bad, good]);
    for (let count = 0; count < 6; count += 1) expect((await fetch(`${proxy.url}/v2/`, { method: count % 2 === 0 ? 'GET' : 'HEAD' })).status).toBe(200);
    expect(bad.requests.length).toBeGreaterThan(0);
    expect(good.requests.length).toBe(6);
  });

  test('DELETE and POST do not: the first replica may have done it already', async () => {
    const bad = await upstream((request) => { request.socket.destroy(); });
    const proxy = await proxyTo([bad, await upstream((request) => { request.socket.destroy(); })]);
    for (const method of ['DELETE', 'POST']) {
      const response = await fetch(`${proxy.url}/v2/a/b/manifests/x`, { method });
      const body = await response.json() as { errors: { code: string }[] };
      expect([response.status, body.errors[0]?.code]).toEqual([502, 'UNAVAILABLE']);
    }
    expect(proxy.server.context.upstreams.registry.members.reduce((sum, member) => sum + member.pending, 0)).toBe(0);
  });

  test('every method goes to another one when the connection was refused, and the dead one is passed over from then on', async () => {
    const dead = await upstream(echo);
    const good = await upstream(echo);
    const proxy = await proxyTo([dead, good]);
    await dead.kill();
    const statuses = await Promise.all(['DELETE', 'POST', 'GET', 'DELETE', 'PUT', 'GET'].map(async (method) => (await fetch(`${proxy.url}/v2/a/b/manifests/x`, { method, ...(method === 'PUT' ? { body: 'x' } : {}) })).status));
    expect(statuses).toEqual([200, 200, 200, 200, 200, 200]);
    expect(proxy.server.context.upstreams.registry.pick()?.url).toBe(good.url);
  });

  test('a replica that comes back is used again', async () => {
    const first = await upstream(echo);
    const proxy = await proxyTo([first]);
    await first.kill();
    expect((await fetch(`${proxy.url}/v2/`)).status).toBe(503);
    await upstream(echo, first.port);
    await eventually(() => proxy.server.context.upstreams.registry.members[0]?.healthy === true, 'the replica is believed again');
    expect((await fetch(`${proxy.url}/v2/`)).status).toBe(200);
  });
});

test('the start of an upload goes to another replica, too', async () => {
  const bad = await upstream((request) => { request.socket.destroy(); });
  const good = await upstream(echo);
  const proxy = await proxyTo([bad, good]);
  for (let count = 0; count < 4; count += 1) expect((await fetch(`${proxy.url}/v2/a/b/blobs/uploads/`, { method: 'POST' })).status).toBe(200);
  expect(bad.requests.length).toBeGreaterThan(0);
});

test('a replica that is back before anyone has asked is used when the others go', async () => {
  const first = await upstream(echo);
  const proxy = await proxyTo([first]);
  proxy.server.context.upstreams.registry.members[0]?.markDown('it was restarted');
  expect((await fetch(`${proxy.url}/v2/`)).status).toBe(200);
});

describe('without a working upstream', () => {
  test('the answer is 503 in the shape that the client knows, with Retry-After', async () => {
    const proxy = await startProxy({});
    open.push(() => proxy.stop());
    for (const [path, code] of [['/v2/', 'UNAVAILABLE'], ['/api/v2.0/projects', 'SERVICE_UNAVAILABLE']] as const) {
      const response = await fetch(`${proxy.url}${path}`);
      const body = await response.json() as { errors: { code: string; message: string }[] };
      expect([response.status, response.headers.get('retry-after'), body.errors[0]?.code, response.headers.has('x-request-id')]).toEqual([503, '5', code, true]);
      expect(JSON.stringify(body)).not.toContain('127.0.0.1');
    }
  });

  test('an upstream that does not answer in time is a 504, and is asked once', async () => {
    const silent = await upstream(() => { /* Never answers. */ });
    const proxy = await proxyTo([silent], { HAVEN_UPSTREAM_SECONDS: '1' });
    const response = await fetch(`${proxy.url}/v2/`);
    expect([response.status, silent.requests.length]).toEqual([504, 1]);
  });

  test('a replica with too much to do is a 503', async () => {
    const silent = await upstream(() => { /* Never answers. */ });
    const proxy = await proxyTo([silent], { HAVEN_UPSTREAM_CONNECTIONS: '1', HAVEN_UPSTREAM_SECONDS: '2' });
    const waiting = fetch(`${proxy.url}/v2/`);
    await eventually(() => silent.requests.length === 1, 'the first request is there');
    expect((await fetch(`${proxy.url}/v2/`)).status).toBe(503);
    expect((await waiting).status).toBe(504);
  });
});

describe('streaming', () => {
  test('M-06: a slow reader holds the upstream back, and memory does not grow', async () => {
    const size = 1024 * MIB;
    const block = Buffer.alloc(MIB, 7);
    let written = 0;
    const source = await upstream((_request, response) => {
      response.writeHead(200, { 'content-length': String(size) });
      const more = (): void => {
        while (written < size) {
          written += block.length;
          if (!response.write(block)) {
            response.once('drain', more);
            return;
          }
        }
        response.end();
      };
      more();
    });
    const proxy = await proxyTo([source]);
    const socket = await openRaw(proxy.port);
    socket.write('GET /v2/a/b/blobs/sha256:0 HTTP/1.1\r\nHost: reg.test\r\nConnection: close\r\n\r\n');
    await new Promise((resolve) => { setTimeout(resolve, 800); });
    // Nothing was read: what the systems' socket buffers take is all that may have left the upstream.
    expect(written).toBeLessThan(64 * MIB);
    const before = process.memoryUsage().external;
    let looked = 0;
    let most = 0;
    let received = 0;
    await new Promise<void>((resolve) => {
      socket.on('data', (chunk: Buffer) => {
        received += chunk.length;
        if (received < looked + 16 * MIB) return;
        looked = received;
        most = Math.max(most, process.memoryUsage().external - before);
      });
      socket.on('close', () => { resolve(); });
    });
    expect(received).toBeGreaterThan(size);
    expect(received).toBeLessThan(size + 1024);
    expect(most).toBeLessThan(256 * MIB);
  }, 60_000);

  test('bytes arrive as they were sent, whatever the sizes of the pieces', async () => {
    const pieces = [1, 10, 65_535, 65_536, 65_537, 1, MIB, 3 * MIB + 1].map((length, at) => Buffer.alloc(length, at + 1));
    const whole = Buffer.concat(pieces);
    const source = await upstream((request, response) => {
      response.writeHead(200, request.url?.endsWith('length') === true ? { 'content-length': String(whole.length) } : {});
      for (const piece of pieces) response.write(piece);
      response.end();
    });
    const proxy = await proxyTo([source]);
    for (const path of ['/v2/a/length', '/v2/a/chunked']) {
      const body = Buffer.from(await (await fetch(`${proxy.url}${path}`)).arrayBuffer());
      expect(createHash('sha256').update(body).digest('hex')).toBe(createHash('sha256').update(whole).digest('hex'));
    }
  });

  test('when the client goes away, the upstream is told', async () => {
    let gone = false;
    const source = await upstream((request, response) => {
      response.writeHead(200);
      response.write('first');
      request.socket.on('close', () => { gone = true; });
    });
    const proxy = await proxyTo([source]);
    const leaving = startRequest(`${proxy.url}/v2/`);
    leaving.on('error', () => { /* It is us who leave. */ });
    leaving.on('response', () => { leaving.destroy(); });
    leaving.end();
    await eventually(() => gone, 'the upstream connection is closed');
    await eventually(() => proxy.server.context.inFlight.size === 0, 'nothing is under way');
    expect(proxy.server.context.upstreams.registry.members[0]?.pending).toBe(0);
  });

  test('a reader that stops is cut off after the idle time', async () => {
    const source = await upstream((_request, response) => { response.end(Buffer.alloc(64 * MIB)); });
    const proxy = await proxyTo([source], { HAVEN_IDLE_SECONDS: '1' });
    const socket = await openRaw(proxy.port);
    socket.write('GET /v2/a/b/blobs/sha256:0 HTTP/1.1\r\nHost: reg.test\r\n\r\n');
    await eventually(() => proxy.server.context.inFlight.size === 1, 'the request is under way');
    await eventually(() => proxy.server.context.inFlight.size === 0, 'the request is given up', 10_000);
    expect(proxy.server.context.upstreams.registry.members[0]?.pending).toBe(0);
    socket.destroy();
  }, 20_000);

  test('an upstream that stops in the middle is cut off after the idle time', async () => {
    const stalling = await upstream((_request, response) => {
      response.writeHead(200, { 'content-length': '100' });
      response.write('some');
    });
    const proxy = await proxyTo([stalling], { HAVEN_IDLE_SECONDS: '1' });
    expect(await read(`${proxy.url}/v2/`)).toEqual({ bytes: 4, whole: false, error: 'ECONNRESET' });
  }, 20_000);
});
