import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { createServer as createTcpServer, type AddressInfo, type Server as TcpServer, type Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { selfSigned } from '@haven/runtime';
import { GuardedClient, type Resolve } from './guarded-client.js';
import type { OutboundRequest } from './outbound-client.js';
import { parseOutboundRules } from './outbound-rules.js';

const MEBIBYTE = Buffer.alloc(1024 * 1024);
let closing: (() => Promise<unknown>)[] = [];
let seen: IncomingMessage[] = [];
let connections = 0;

beforeEach(() => { [closing, seen, connections] = [[], [], 0]; });
afterEach(async () => { for (const close of closing.reverse()) await close(); });

/** A server on loopback; answers its port. */
async function listen(server: TcpServer): Promise<number> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => {
    connections += 1;
    sockets.add(socket);
    socket.on('error', () => undefined); // Clients break off in these tests.
  });
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  closing.push(() => {
    for (const socket of sockets) socket.destroy();
    return new Promise((resolve) => { server.close(resolve); });
  });
  return (server.address() as AddressInfo).port;
}

function serving(answer: RequestListener): Promise<number> {
  return listen(createServer((request, response) => {
    seen.push(request);
    answer(request, response);
  }) as Server);
}

function client(allow: string, resolve?: Resolve): GuardedClient {
  const made = new GuardedClient({ rules: parseOutboundRules(allow), userAgent: 'Haven', ...(resolve === undefined ? {} : { resolve }) });
  closing.push(async () => { made.close(); });
  return made;
}

const LOOPBACK = '127.0.0.0/8';

function fault(request: OutboundRequest, allow = LOOPBACK, resolve?: Resolve): Promise<unknown> {
  return client(allow, resolve).send(request).then(() => 'sent', (error: unknown) => (error as { fault: unknown }).fault);
}

test('a request arrives, and its answer comes back', async () => {
  const port = await serving((request, response) => {
    request.on('data', (body: Buffer) => { response.writeHead(201, { 'X-A': ['1', '2'] }).end(`got ${body.toString()}`); });
  });
  const answer = await client(LOOPBACK).send({ url: `HTTP://127.0.0.1:${port}/a?b`, method: 'POST', headers: { Authorization: 'raw' }, body: 'hé' });
  expect([answer.status, answer.headers['x-a'], answer.body.toString(), answer.complete]).toEqual([201, '1, 2', 'got hé', true]);
  expect([seen[0]?.url, seen[0]?.headers['authorization'], seen[0]?.headers['user-agent'], seen[0]?.headers['accept-encoding']]).toEqual(['/a?b', 'raw', 'Haven', 'identity']);
});

describe('H-01: addresses inside', () => {
  test.each(['127.0.0.1', 'localhost', '[::1]', '[::ffff:127.0.0.1]', '[::ffff:7f00:1]', '0.0.0.0', '2130706433', '0x7f.1', '017700000001', '127.1', '127.0.0.1.', '%31%32%37.0.0.1', '①②⑦.0.0.1'])('%s is refused, and nothing connects', async (host) => {
    const port = await serving((_request, response) => { response.end(); });
    expect(await fault({ url: `http://${host}:${port}/` }, '')).toBe('refused-address');
    expect(connections).toBe(0);
  });

  test('a name that means such an address is refused; one with public addresses, too, is connected to only there', async () => {
    const port = await serving((_request, response) => { response.end(); });
    const inside: Resolve = async () => [{ address: '127.0.0.1', family: 4 }];
    expect(await fault({ url: `http://a.example:${port}/` }, '', inside)).toBe('refused-address');
    const mixed: Resolve = async () => [{ address: '127.0.0.1', family: 4 }, { address: '10.0.0.1', family: 4 }, { address: '::ffff:127.0.0.1', family: 6 }];
    expect(await fault({ url: `http://a.example:${port}/`, limits: { connectMs: 300 } }, '10.0.0.0/8', mixed)).not.toBe('sent');
    expect(connections).toBe(0);
  });

  test('a name that means a public address first and one inside later is refused then: what is checked is what is connected to', async () => {
    const port = await serving((_request, response) => { response.end('in'); });
    let asked = 0;
    const answers = ['127.0.0.2', '127.0.0.1'];
    const rebinding: Resolve = async () => [{ address: answers[asked++] ?? '127.0.0.1', family: 4 }];
    const guarded = client('127.0.0.2', rebinding);
    const port2 = await new Promise<number>((resolve) => {
      const other = createServer((_request, response) => { response.end('public'); });
      other.listen(0, '127.0.0.2', () => { resolve((other.address() as AddressInfo).port); });
      closing.push(() => new Promise((done) => { other.closeAllConnections(); other.close(done); }));
    });
    expect((await guarded.send({ url: `http://rebound.example:${port2}/` })).body.toString()).toBe('public');
    await expect(guarded.send({ url: `http://rebound.example:${port}/` })).rejects.toMatchObject({ fault: 'refused-address' });
    expect([asked, connections]).toEqual([2, 0]);
  });

  test('what was allowed by name is connected to', async () => {
    const port = await serving((_request, response) => { response.end('in'); });
    expect(await fault({ url: `http://chat.example:${port}/` }, 'chat.example', async () => [{ address: '127.0.0.1', family: 4 }])).toBe('sent');
  });

  test('an unknown host is said to be unknown', async () => {
    expect(await fault({ url: 'http://a.example/' }, '', async () => [])).toBe('unresolved');
    expect(await fault({ url: 'http://a.example/' }, '', () => Promise.reject(new Error('no')))).toBe('unresolved');
  });
});

test('H-12: redirects are answers: nobody follows them, wherever they lead', async () => {
  const port = await serving((_request, response) => { response.writeHead(307, { Location: 'http://169.254.169.254/latest/meta-data/' }).end(); });
  const answer = await client(LOOPBACK).send({ url: `http://127.0.0.1:${port}/`, method: 'POST', body: '{}' });
  expect([answer.status, answer.headers['location'], seen.length]).toEqual([307, 'http://169.254.169.254/latest/meta-data/', 1]);
});

test('the environment names no proxy (H-15)', async () => {
  const proxy = await serving((_request, response) => { response.end('proxied'); });
  const port = await serving((_request, response) => { response.end('direct'); });
  const names = ['HTTP_PROXY', 'http_proxy', 'ALL_PROXY', 'NODE_USE_ENV_PROXY'];
  for (const name of names) process.env[name] = name === 'NODE_USE_ENV_PROXY' ? '1' : `http://127.0.0.1:${proxy}`;
  try {
    expect((await client(LOOPBACK).send({ url: `http://127.0.0.1:${port}/` })).body.toString()).toBe('direct');
  } finally {
    for (const name of names) delete process.env[name];
  }
});

describe('answers that do not end (H-06, H-08, H-14)', () => {
  test('a body is read up to its bound, then the connection is closed', async () => {
    const written: number[] = [];
    const port = await serving((_request, response) => {
      let sent = 0;
      const more = (): void => {
        while (sent < 1024 && !response.destroyed && response.write(MEBIBYTE)) sent += 1;
        written[0] = sent;
        if (sent < 1024 && !response.destroyed) response.once('drain', more);
      };
      more();
      response.once('close', () => { written[1] = 1; });
    });
    const before = process.memoryUsage().rss;
    const answer = await client(LOOPBACK).send({ url: `http://127.0.0.1:${port}/`, limits: { bodyBytes: 65_536 } });
    expect([answer.status, answer.body.length, answer.complete]).toEqual([200, 65_536, false]);
    for (const deadline = Date.now() + 5000; written[1] !== 1 && Date.now() < deadline;) await new Promise((resolve) => setTimeout(resolve, 10));
    expect(written[1]).toBe(1);
    expect(written[0]).toBeLessThan(64);
    expect(process.memoryUsage().rss - before).toBeLessThan(64 * 1024 * 1024);
  });

  test.each(['gzip', 'br', 'deflate', 'gzip, gzip'])('a body that says it is %s stays as it is', async (encoding) => {
    const bomb = gzipSync(Buffer.alloc(16 * 1024 * 1024));
    const port = await serving((_request, response) => { response.writeHead(500, { 'Content-Encoding': encoding }).end(bomb); });
    const answer = await client(LOOPBACK).send({ url: `http://127.0.0.1:${port}/` });
    expect([answer.status, answer.body.equals(bomb)]).toEqual([500, true]);
  });

  test.each<[string, RequestListener]>([
    ['says nothing', () => undefined],
    ['sends a byte now and then', (_request, response) => { const timer = setInterval(() => { response.write('a'); }, 20); response.once('close', () => { clearInterval(timer); }); }],
    ['goes on preparing', (_request, response) => { const timer = setInterval(() => { response.writeProcessing(); }, 20); response.once('close', () => { clearInterval(timer); }); }],
  ])('a host that %s is left after the time for all', async (_what, answer) => {
    const port = await serving(answer);
    const begun = performance.now();
    expect(await fault({ url: `http://127.0.0.1:${port}/`, limits: { totalMs: 300 } })).toBe('timeout');
    expect(performance.now() - begun).toBeLessThan(2000);
  });

  test('a host that sends headers without an end is left', async () => {
    const port = await listen(createTcpServer((socket) => {
      socket.on('error', () => undefined); // It is broken off.
      socket.write('HTTP/1.1 200 OK\r\n');
      const timer = setInterval(() => { socket.write(`X-A: ${'a'.repeat(8000)}\r\n`); }, 5);
      socket.once('close', () => { clearInterval(timer); });
    }));
    expect(await fault({ url: `http://127.0.0.1:${port}/`, limits: { totalMs: 5000 } })).toBe('broken');
  });

  test('a request is given up when its signal says so', async () => {
    const port = await serving(() => undefined);
    expect(await fault({ url: `http://127.0.0.1:${port}/`, signal: AbortSignal.timeout(50) })).toBe('aborted');
    expect(await fault({ url: `http://127.0.0.1:${port}/`, signal: AbortSignal.abort() })).toBe('aborted');
  });
});

describe('hosts that speak something else (H-03)', () => {
  test('nothing, and no HTTP', async () => {
    const closed = await listen(createTcpServer());
    await closing.pop()?.();
    expect(await fault({ url: `http://127.0.0.1:${closed}/` })).toBe('unreachable');
    const ssh = await listen(createTcpServer((socket) => { socket.end('SSH-2.0-OpenSSH_9.2p1\r\n'); }));
    expect(await fault({ url: `http://127.0.0.1:${ssh}/` })).toBe('broken');
    expect(await fault({ url: `https://127.0.0.1:${ssh}/` })).toBe('tls');
  });

  test('another protocol: a switch is not made', async () => {
    const port = await listen(createTcpServer((socket) => { socket.end('HTTP/1.1 101 Switching Protocols\r\nUpgrade: a\r\nConnection: Upgrade\r\n\r\n'); }));
    expect(await fault({ url: `http://127.0.0.1:${port}/`, limits: { totalMs: 1000 } })).toBe('broken');
  });

  test('no sentence tells what the host said', async () => {
    const port = await listen(createTcpServer((socket) => { socket.end('SSH-2.0-OpenSSH_9.2p1\r\n'); }));
    const said = await client(LOOPBACK).send({ url: `http://127.0.0.1:${port}/` }).catch((error: unknown) => (error as Error).message);
    expect(said).toBe('the answer of the host broke off, or was no HTTP');
  });
});

describe('TLS (H-07)', () => {
  test('a certificate that nobody vouches for is refused before anything is sent; it can be trusted, or not looked at', async () => {
    const { cert, key } = selfSigned('127.0.0.1');
    const port = await listen(createTlsServer({ cert, key }, (request, response) => {
      seen.push(request);
      response.end();
    }));
    const request: OutboundRequest = { url: `https://127.0.0.1:${port}/`, headers: { Authorization: 'secret' } };
    expect(await fault(request)).toBe('tls');
    expect(seen).toEqual([]);
    expect(await fault({ ...request, tls: { ca: cert } })).toBe('sent');
    expect(await fault({ ...request, tls: { verify: false } })).toBe('sent');
    const guarded = client(LOOPBACK);
    await guarded.send({ ...request, tls: { verify: false } });
    await expect(guarded.send(request)).rejects.toMatchObject({ fault: 'tls' }); // A kept connection vouches for nobody.
  });

  test('a handshake that does not end is left after the time for connecting', async () => {
    const port = await listen(createTcpServer(() => undefined));
    const begun = performance.now();
    expect(await fault({ url: `https://127.0.0.1:${port}/`, limits: { connectMs: 200, totalMs: 20_000 } })).toBe('timeout');
    expect(performance.now() - begun).toBeLessThan(3000);
  });
});

test('connections are kept for what may be repeated, and a closed one is replaced', async () => {
  const port = await serving((request, response) => {
    response.end('ok');
    if (request.url === '/last') setTimeout(() => request.socket.destroy(), 10);
  });
  const guarded = client(LOOPBACK);
  for (const path of ['/', '/', '/last']) await guarded.send({ url: `http://127.0.0.1:${port}${path}` });
  expect(connections).toBe(1);
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect((await guarded.send({ url: `http://127.0.0.1:${port}/` })).status).toBe(200);
  await guarded.send({ url: `http://127.0.0.1:${port}/`, method: 'POST' });
  expect(connections).toBe(3);
});
