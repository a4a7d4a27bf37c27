import { createHash, randomBytes } from 'node:crypto';
import { readdirSync, readlinkSync } from 'node:fs';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import type { RequestListener } from 'node:http';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { startUpstream, type FakeUpstream } from '../testing/fake-upstream.js';
import { startProxy, type ProxyUnderTest } from '../testing/proxy-under-test.js';
import { eventually, openRaw, sendRaw } from '../testing/raw-client.js';

const MIB = 1024 * 1024;
let root: string;
let answer: RequestListener;
let registry: FakeUpstream;
let proxy: ProxyUnderTest;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'haven-files-'));
  registry = await startUpstream((request, response) => { answer(request, response); });
  proxy = await startProxy({ HAVEN_REGISTRY_URLS: registry.url, HAVEN_CORE_URLS: registry.url, HAVEN_STORAGE: pathToFileURL(root).href, HAVEN_IDLE_SECONDS: '2' });
});

afterAll(async () => {
  await proxy.stop();
  await registry.kill();
  await rm(root, { recursive: true });
});

afterEach(async () => {
  await eventually(() => proxy.server.context.inFlight.size === 0, 'nothing is under way', 10_000);
  await eventually(() => lent() === 0, 'every buffer is back');
  await eventually(() => openFiles() === 0, 'every file is closed');
});

interface Blob { readonly digest: string; readonly path: string; readonly bytes: Buffer; readonly url: string }

async function blob(size: number): Promise<Blob> {
  const bytes = randomBytes(size);
  const hex = createHash('sha256').update(bytes).digest('hex');
  const path = `docker/registry/v2/blobs/sha256/${hex.slice(0, 2)}/${hex}/data`;
  await mkdir(dirname(join(root, path)), { recursive: true });
  await writeFile(join(root, path), bytes);
  return { digest: `sha256:${hex}`, path, bytes, url: `${proxy.url}/v2/a/b/blobs/sha256:${hex}` };
}

/** A registry that hands over what it is told to. */
function handsOver(value: string, status = 200, headers: Record<string, string> = {}): RequestListener {
  return (_request, response) => { response.writeHead(status, { 'content-type': 'application/octet-stream', 'content-length': '0', 'x-haven-file': value, ...headers }).end(); };
}

const whole = ({ path, bytes }: Blob): RequestListener => handsOver(`${path};0-${bytes.length - 1}`, 200, { 'docker-content-digest': 'd', etag: '"e"' });

function lent(): number { return proxy.server.context.blobFiles?.buffers.lent ?? -1; }

function openFiles(): number {
  return readdirSync('/proc/self/fd').filter((descriptor) => {
    try {
      return readlinkSync(`/proc/self/fd/${descriptor}`).startsWith(root);
    } catch {
      return false; // The descriptor of the listing itself is gone by now.
    }
  }).length;
}

function sha(bytes: Uint8Array): string { return createHash('sha256').update(bytes).digest('hex'); }

describe('a file that the registry hands over', () => {
  test.each([1, 1000, MIB - 1, MIB, MIB + 1, 2 * MIB, 5 * MIB + 3, 40 * MIB])('of %i bytes is sent whole', async (size) => {
    const one = await blob(size);
    answer = whole(one);
    const response = await fetch(one.url);
    expect([response.status, response.headers.get('content-length'), response.headers.get('docker-content-digest'), response.headers.get('etag'), response.headers.get('x-haven-file')]).toEqual([200, String(size), 'd', '"e"', null]);
    expect(`sha256:${sha(new Uint8Array(await response.arrayBuffer()))}`).toBe(one.digest);
  });

  test.each([[0, 0], [5, 1_500_000], [MIB, 3 * MIB - 1]])('from %i to %i is sent as a range', async (start, end) => {
    const one = await blob(3 * MIB);
    answer = handsOver(`${one.path};${start}-${end}`, 206, { 'content-range': `bytes ${start}-${end}/${one.bytes.length}` });
    const response = await fetch(one.url, { headers: { range: `bytes=${start}-${end}` } });
    expect([response.status, response.headers.get('content-length'), response.headers.get('content-range')]).toEqual([206, String(end - start + 1), `bytes ${start}-${end}/${one.bytes.length}`]);
    expect(sha(new Uint8Array(await response.arrayBuffer()))).toBe(sha(one.bytes.subarray(start, end + 1)));
  });

  test('is sent on one connection many times', async () => {
    const one = await blob(100_000);
    answer = whole(one);
    const head = `GET /v2/a/b/blobs/${one.digest} HTTP/1.1\r\nHost: reg.test\r\n`;
    const { text } = await sendRaw(proxy.port, `${head}\r\n${head}\r\n${head}Connection: close\r\n\r\n`, 5000);
    expect(text.length).toBeGreaterThan(300_000);
    expect(text.match(/HTTP\/1\.1 200 /g)?.length).toBe(3);
  });
});

test('files are asked for in GETs of blobs only, whatever the client says', async () => {
  answer = (request, response) => { response.end(String(request.headers['x-haven-send-file'])); };
  const asked = async (path: string, method = 'GET'): Promise<string> => (await fetch(proxy.url + path, { method, headers: { 'x-haven-send-file': '1' } })).text();
  expect(await asked('/v2/a/b/blobs/sha256:0')).toBe('1');
  expect([await asked('/v2/a/b/manifests/x'), await asked('/v2/a/b/blobs/uploads/1'), await asked('/api/x'), await asked('/v2/a/b/blobs/sha256:0', 'DELETE')]).toEqual(['undefined', 'undefined', 'undefined', 'undefined']);
  let head: string | undefined = 'none';
  answer = (request, response) => {
    head = request.headers['x-haven-send-file'] as string | undefined;
    response.end();
  };
  await fetch(`${proxy.url}/v2/a/b/blobs/sha256:0`, { method: 'HEAD' });
  expect(head).toBeUndefined();
  const elsewhere = await startProxy({ HAVEN_REGISTRY_URLS: registry.url, HAVEN_STORAGE: 's3://bucket' });
  await fetch(`${elsewhere.url}/v2/a/b/blobs/sha256:0`);
  await elsewhere.stop();
  expect(head).toBeUndefined();
});

describe('a hand-over that is not as agreed is a 502, and logged as an error', () => {
  const cases: [string, (one: Blob) => RequestListener | Promise<RequestListener>][] = [
    ['a path that leads elsewhere', () => handsOver('docker/registry/v2/blobs/sha256/ab/../../../../../etc/passwd;0-9')],
    ['another blob than the requested one', async () => { const other = await blob(10); return whole(other); }],
    ['a file that is longer', (one) => handsOver(`${one.path};0-${one.bytes.length - 2}`)],
    ['a file that is shorter', (one) => handsOver(`${one.path};0-${one.bytes.length}`)],
    ['a file that is not there', async (one) => { await rm(join(root, one.path)); return whole(one); }],
    ['a symbolic link', async (one) => { await rm(join(root, one.path)); await symlink('/etc/hostname', join(root, one.path)); return whole(one); }],
    ['a folder', async (one) => { await rm(join(root, one.path)); await mkdir(join(root, one.path)); return whole(one); }],
    ['a body beside it', (one) => (_request, response) => { response.writeHead(200, { 'x-haven-file': `${one.path};0-${one.bytes.length - 1}` }).end('surprise'); }],
    ['a length of its own', (one) => (_request, response) => { response.writeHead(200, { 'x-haven-file': `${one.path};0-${one.bytes.length - 1}`, 'content-length': '1000' }); response.flushHeaders(); }],
  ];
  test.each(cases)('%s', async (_name, prepare) => {
    const one = await blob(1000);
    answer = await prepare(one);
    const before = proxy.logger.messages('error').length;
    const response = await fetch(one.url);
    expect(response.status).toBe(502);
    expect(await response.text()).not.toMatch(/etc|docker\/registry|haven-files/);
    expect(proxy.logger.messages('error').length).toBeGreaterThan(before);
  });

  test('also where it was not asked for', async () => {
    const one = await blob(1000);
    answer = whole(one);
    expect((await fetch(`${proxy.url}/v2/a/b/manifests/x`)).status).toBe(502);
    expect((await fetch(`${proxy.url}/v2/a/b/manifests/x`, { method: 'PUT', body: 'x' })).status).toBe(502);
  });
});

describe('M-06: slow readers', () => {
  async function slowReader(one: Blob): Promise<Socket> {
    const socket = await openRaw(proxy.port);
    socket.pause();
    socket.write(`GET /v2/a/b/blobs/${one.digest} HTTP/1.1\r\nHost: reg.test\r\n\r\n`);
    return socket;
  }

  test('hold two buffers each at most, and give them back when they leave', async () => {
    const one = await blob(64 * MIB);
    answer = whole(one);
    const readers = await Promise.all([slowReader(one), slowReader(one), slowReader(one)]);
    await eventually(() => lent() === 6, 'two buffers each');
    expect(openFiles()).toBe(3);
    for (const reader of readers) reader.destroy();
  });

  test('are cut off after the idle time', async () => {
    const one = await blob(64 * MIB);
    answer = whole(one);
    const reader = await slowReader(one);
    await eventually(() => lent() === 2, 'the transfer has begun');
    await eventually(() => lent() === 0, 'the transfer is given up', 10_000);
    expect(proxy.server.context.inFlight.size).toBe(0);
    reader.destroy();
  }, 20_000);

  test('cannot keep others from being served, however many they are', async () => {
    const large = await blob(32 * MIB);
    answer = whole(large);
    const readers = await Promise.all(Array.from({ length: 50 }, () => slowReader(large)));
    await eventually(() => proxy.server.context.inFlight.size === 50, 'all are under way');
    await eventually(() => lent() === 64, 'all buffers are lent');
    const other = await blob(3 * MIB + 1);
    answer = whole(other);
    const response = await fetch(other.url);
    expect(sha(new Uint8Array(await response.arrayBuffer()))).toBe(sha(other.bytes));
    for (const reader of readers) reader.destroy();
  }, 20_000);

  test('that leave while requests wait behind the one in progress leave nothing behind', async () => {
    const one = await blob(8 * MIB);
    answer = whole(one);
    const socket = await openRaw(proxy.port);
    socket.pause();
    socket.write(`GET /v2/a/b/blobs/${one.digest} HTTP/1.1\r\nHost: reg.test\r\n\r\n`.repeat(5));
    await eventually(() => proxy.server.context.inFlight.size === 5, 'all five are under way');
    await new Promise((resolve) => { setTimeout(resolve, 200); });
    expect(lent()).toBeGreaterThan(2);
    socket.destroy();
  });
});

test('a storage folder that is not there is a start-up error', async () => {
  await expect(startProxy({ HAVEN_STORAGE: pathToFileURL(join(root, 'nowhere')).href })).rejects.toThrow('HAVEN_STORAGE: there is no folder');
});
