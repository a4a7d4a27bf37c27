import { createHash, randomBytes } from 'node:crypto';
import { createServer, request as startRequest, type IncomingMessage, type OutgoingHttpHeaders } from 'node:http';
import { afterEach, describe, expect, test } from '@jest/globals';
import { echo, startUpstream, type Echo, type FakeUpstream } from '../testing/fake-upstream.js';
import { startProxy, type ProxyUnderTest } from '../testing/proxy-under-test.js';
import { eventually, openRaw, sendRaw } from '../testing/raw-client.js';

const MIB = 1024 * 1024;
const open: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const close of open.splice(0).toReversed()) await close();
});

async function start(answer: Parameters<typeof startUpstream>[0], environment: Record<string, string> = {}): Promise<{ upstream: FakeUpstream; proxy: ProxyUnderTest }> {
  const upstream = await startUpstream(answer);
  const proxy = await startProxy({ HAVEN_REGISTRY_URLS: upstream.url, HAVEN_CORE_URLS: upstream.url, ...environment });
  open.push(() => upstream.kill(), () => proxy.stop());
  return { upstream, proxy };
}

/** Sends blocks, at the pace of the other side, and reads the answer; the body is chunked unless a length is given. */
function send(url: string, method: string, blocks: Iterable<Buffer>, headers: OutgoingHttpHeaders = {}): Promise<{ status: number; headers: IncomingMessage['headers']; body: string }> {
  return new Promise((resolve, reject) => {
    const request = startRequest(url, { method, headers, agent: false });
    let answered = false;
    request.on('error', (error) => { if (!answered) reject(error); });
    request.on('response', (response) => {
      answered = true;
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (text: string) => { body += text; });
      response.on('error', reject);
      response.on('end', () => { resolve({ status: response.statusCode ?? 0, headers: response.headers, body }); });
    });
    const iterator = blocks[Symbol.iterator]();
    const more = (): void => {
      for (;;) {
        const next = iterator.next();
        if (next.done === true || answered) {
          request.end();
          return;
        }
        if (!request.write(next.value)) {
          request.once('drain', more);
          return;
        }
      }
    };
    more();
  });
}

function* repeat(block: Buffer, times: number): Generator<Buffer> {
  for (let count = 0; count < times; count += 1) yield block;
}

describe('an upload', () => {
  test.each([['with a length', true], ['in chunks', false]])('%s arrives byte for byte', async (_name, withLength) => {
    const hash = createHash('sha256');
    const { proxy } = await start((request, response) => {
      request.on('data', (chunk: Buffer) => { hash.update(chunk); });
      request.on('end', () => { response.writeHead(202, { location: '/v2/a/b/blobs/uploads/1', 'x-framing': request.headers['transfer-encoding'] ?? request.headers['content-length'] }).end(); });
    });
    const blocks = [1, 65_536, 3, MIB, 5 * MIB + 7, 100_000].map((length) => randomBytes(length));
    const total = blocks.reduce((sum, block) => sum + block.length, 0);
    // What the proxy passes on is a view of what it received: sending the same memory twice shows that it frees only its own.
    const answer = await send(`${proxy.url}/v2/a/b/blobs/uploads/1`, 'PATCH', blocks, withLength ? { 'content-length': total } : {});
    expect(answer).toMatchObject({ status: 202, headers: { location: '/v2/a/b/blobs/uploads/1', 'x-framing': withLength ? String(total) : 'chunked' } });
    expect(hash.digest('hex')).toBe(createHash('sha256').update(Buffer.concat(blocks)).digest('hex'));
  });

  test('goes at the pace of a slow upstream, and memory does not grow', async () => {
    let release: (() => void) | undefined;
    const { proxy } = await start((request, response) => {
      request.on('readable', () => { /* Nothing is read until released. */ });
      release = () => {
        request.removeAllListeners('readable');
        let length = 0;
        request.on('data', (chunk: Buffer) => { length += chunk.length; });
        request.on('end', () => { response.end(String(length)); });
        request.resume();
      };
    });
    let taken = 0;
    function* counted(): Generator<Buffer> {
      for (const block of repeat(Buffer.alloc(MIB), 512)) {
        taken += 1;
        yield block;
      }
    }
    const sending = send(`${proxy.url}/v2/a/b/blobs/uploads/1`, 'PATCH', counted());
    await eventually(() => release !== undefined, 'the upload has begun');
    await new Promise((resolve) => { setTimeout(resolve, 700); });
    expect(taken).toBeLessThan(64);
    const before = process.memoryUsage().external;
    let most = 0;
    const looking = setInterval(() => { most = Math.max(most, process.memoryUsage().external - before); }, 20);
    release?.();
    expect((await sending).body).toBe(String(512 * MIB));
    clearInterval(looking);
    expect(most).toBeLessThan(256 * MIB);
  }, 60_000);

  test('is broken off at the upstream when the client goes away', async () => {
    let aborted = false;
    const { proxy, upstream } = await start((request) => { request.resume().on('aborted', () => { aborted = true; }); });
    const socket = await openRaw(proxy.port);
    socket.write('PATCH /v2/a/b/blobs/uploads/1 HTTP/1.1\r\nHost: reg.test\r\nContent-Length: 1000000\r\n\r\npart');
    await eventually(() => upstream.requests.length === 1, 'the upload has begun');
    socket.destroy();
    await eventually(() => aborted, 'the upstream sees that the upload broke off');
    expect(proxy.server.context.upstreams.registry.members[0]?.pending).toBe(0);
  });

  test('of which a chunk is malformed is refused and broken off at the upstream', async () => {
    let ended = false;
    let aborted = false;
    const { proxy, upstream } = await start((request) => {
      request.resume().on('end', () => { ended = true; }).on('aborted', () => { aborted = true; });
    });
    const socket = await openRaw(proxy.port);
    let text = '';
    socket.setEncoding('latin1').on('data', (chunk: string) => { text += chunk; });
    socket.write('PATCH /v2/a/b/blobs/uploads/1 HTTP/1.1\r\nHost: reg.test\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n');
    await eventually(() => upstream.requests.length === 1, 'the upload has begun');
    socket.write('zz\r\n');
    await eventually(() => text.startsWith('HTTP/1.1 400 ') && socket.closed, 'the client is told, and the connection is closed');
    await eventually(() => aborted, 'the upstream sees that the upload broke off');
    expect(ended).toBe(false);
  });

  test('is answered with 502 when the upstream breaks off, and never sent twice', async () => {
    const { proxy, upstream } = await start((request) => { request.once('data', () => { request.socket.destroy(); }); });
    const answer = await send(`${proxy.url}/v2/a/b/blobs/uploads/1`, 'PATCH', repeat(Buffer.alloc(64 * 1024), 4));
    expect([answer.status, upstream.requests.length]).toEqual([502, 1]);
    expect(JSON.parse(answer.body)).toMatchObject({ errors: [{ code: 'UNAVAILABLE' }] });
  });
});

describe('M-03: a body that is too large', () => {
  test.each([
    ['/v2/a/b/manifests/x', 'PUT', 4, 'REQUEST_ENTITY_TOO_LARGE'], ['/api/v2.0/projects', 'POST', 10, 'REQUEST_ENTITY_TOO_LARGE'],
  ])('%s: is refused by its announced length without reading it', async (path, method, limit, code) => {
    const { proxy, upstream } = await start(echo);
    const allowed = await send(proxy.url + path, method, repeat(Buffer.alloc(MIB), limit), { 'content-length': limit * MIB });
    expect([allowed.status, (JSON.parse(allowed.body) as Echo).length]).toEqual([200, limit * MIB]);
    const { text, closed } = await sendRaw(proxy.port, `${method} ${path} HTTP/1.1\r\nHost: reg.test\r\nContent-Length: ${limit * MIB + 1}\r\n\r\n`, 5000);
    expect([text.slice(0, 12), text.includes(`"code":"${code}"`), closed, upstream.requests.length]).toEqual(['HTTP/1.1 413', true, true, 1]);
  });

  test('in chunks is cut off where it passes the limit', async () => {
    let seen = 0;
    let ended = false;
    const { proxy } = await start((request, response) => {
      request.on('data', (chunk: Buffer) => { seen += chunk.length; });
      request.on('end', () => { ended = true; response.end(); });
    });
    const answer = await send(`${proxy.url}/v2/a/b/manifests/x`, 'PUT', repeat(Buffer.alloc(64 * 1024), 80));
    expect([answer.status, ended]).toEqual([413, false]);
    expect(seen).toBeLessThanOrEqual(4 * MIB);
  });
});

describe('Expect: 100-continue', () => {
  const HEAD = 'PATCH /v2/a/b/blobs/uploads/1 HTTP/1.1\r\nHost: reg.test\r\nExpect: 100-continue\r\nContent-Length: 5\r\nConnection: close\r\n\r\n';

  test('the body follows once the upstream has agreed', async () => {
    const { proxy } = await start(echo);
    const socket = await openRaw(proxy.port);
    let text = '';
    socket.setEncoding('latin1').on('data', (chunk: string) => { text += chunk; });
    socket.write(HEAD);
    await eventually(() => text.startsWith('HTTP/1.1 100 Continue\r\n\r\n'), '100 arrives');
    socket.write('hello');
    await eventually(() => socket.closed, 'the answer is complete');
    expect(text).toContain('"length":5');
  });

  test('the upstream may refuse before the body is sent', async () => {
    const strict = createServer();
    strict.on('request', (_request, response) => { response.end('ok'); });
    strict.on('checkContinue', (_request, response) => { response.writeHead(401, { 'content-length': '2', 'www-authenticate': 'Bearer realm="x"' }).end('no'); });
    await new Promise<void>((resolve) => { strict.listen(0, '127.0.0.1', resolve); });
    const address = strict.address() as { port: number };
    const guarded = await startProxy({ HAVEN_REGISTRY_URLS: `http://127.0.0.1:${address.port}` });
    open.push(() => new Promise((resolve) => { strict.close(() => { resolve(); }); }), () => guarded.stop());
    const { text, closed } = await sendRaw(guarded.port, HEAD, 5000);
    expect(text).toMatch(/^HTTP\/1\.1 401 /);
    expect(text).not.toContain('100 Continue');
    expect([text.includes('www-authenticate'), closed]).toEqual([true, true]);
  });
});

test('an answer that comes before the end of the body reaches a client that still sends, and the connection is not used again', async () => {
  const { proxy } = await start((_request, response) => {
    response.writeHead(401, { 'content-type': 'application/json', 'www-authenticate': 'Bearer realm="x"' });
    response.end('{"errors":[]}');
  });
  const answer = await send(`${proxy.url}/v2/a/b/blobs/uploads/1`, 'PATCH', repeat(Buffer.alloc(MIB), 64), { 'content-length': 64 * MIB });
  expect(answer).toMatchObject({ status: 401, body: '{"errors":[]}', headers: { connection: 'close' } });
}, 20_000);

describe('M-06: slow clients', () => {
  test('a manifest has to arrive within its time, however busy the client looks', async () => {
    const { proxy } = await start(echo, { HAVEN_BODY_SECONDS: '1' });
    const socket = await openRaw(proxy.port);
    let text = '';
    socket.setEncoding('latin1').on('data', (chunk: string) => { text += chunk; });
    socket.write('PUT /v2/a/b/manifests/x HTTP/1.1\r\nHost: reg.test\r\nContent-Length: 1000\r\n\r\n');
    const drip = setInterval(() => { socket.write('x'); }, 100);
    await eventually(() => text.startsWith('HTTP/1.1 408 '), 'the client is told', 5000);
    await eventually(() => socket.destroyed || socket.readableEnded, 'the connection is closed', 5000);
    clearInterval(drip);
    expect(text).toContain('"code":"UNSUPPORTED"');
  }, 20_000);

  test('a blob may take as long as it likes while bytes come, and is given up when none do', async () => {
    const { proxy } = await start(echo, { HAVEN_IDLE_SECONDS: '1', HAVEN_BODY_SECONDS: '1' });
    const socket = await openRaw(proxy.port);
    let text = '';
    socket.setEncoding('latin1').on('data', (chunk: string) => { text += chunk; });
    socket.write('PATCH /v2/a/b/blobs/uploads/1 HTTP/1.1\r\nHost: reg.test\r\nContent-Length: 1000\r\n\r\n');
    const drip = setInterval(() => { socket.write('x'); }, 200);
    await new Promise((resolve) => { setTimeout(resolve, 2500); });
    expect([text, proxy.server.context.inFlight.size]).toEqual(['', 1]);
    clearInterval(drip);
    await eventually(() => text.startsWith('HTTP/1.1 408 '), 'the client is told', 5000);
  }, 20_000);

  test('headers have to arrive within their time', async () => {
    const { proxy } = await start(echo, { HAVEN_HEADERS_SECONDS: '1' });
    const begun = performance.now();
    const { text, closed } = await sendRaw(proxy.port, 'GET /v2/ HTTP/1.1\r\nHost: reg', 10_000);
    expect([text.slice(0, 12), closed]).toEqual(['HTTP/1.1 408', true]);
    expect(performance.now() - begun).toBeLessThan(4000);
  }, 20_000);

  test('an upstream that does not take the body, or does not answer it, is a 504', async () => {
    const { proxy } = await start((request) => { request.resume(); }, { HAVEN_UPSTREAM_SECONDS: '1' });
    const answer = await send(`${proxy.url}/v2/a/b/manifests/x`, 'PUT', [Buffer.from('{}')], { 'content-length': 2 });
    expect(answer.status).toBe(504);
  }, 20_000);
});
