import { mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { get } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { afterAll, beforeAll, beforeEach, afterEach, describe, expect, test } from '@jest/globals';
import { selfSigned } from '@haven/runtime';
import { echo, startUpstream, type Echo, type FakeUpstream } from '../testing/fake-upstream.js';
import { startProxy, type ProxyUnderTest } from '../testing/proxy-under-test.js';
import { eventually } from '../testing/raw-client.js';
import { readCertificate } from './certificate-files.js';

let folder: string;
let upstream: FakeUpstream;
let proxy: ProxyUnderTest;

beforeAll(async () => { upstream = await startUpstream(echo); });
afterAll(() => upstream.kill());

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'haven-tls-'));
  await install('first.test');
  proxy = await startProxy({ HAVEN_REGISTRY_URLS: upstream.url, HAVEN_CORE_URLS: upstream.url, HAVEN_HTTPS_PORT: '0', HAVEN_TLS_CERT: join(folder, 'tls.crt'), HAVEN_TLS_KEY: join(folder, 'tls.key') });
});

afterEach(async () => {
  await proxy.stop();
  await rm(folder, { recursive: true });
});

async function install(name: string): Promise<void> {
  const { cert, key } = selfSigned(name);
  for (const [file, content] of [['tls.key', key], ['tls.crt', cert]] as const) {
    await writeFile(join(folder, `${file}.new`), content);
    await rename(join(folder, `${file}.new`), join(folder, file));
  }
}

function httpsPort(): number {
  return proxy.server.httpsAddress?.port ?? 0;
}

/** The name in the certificate that new connections get. */
function certificateName(options: object = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port: httpsPort(), rejectUnauthorized: false, ...options }, () => {
      const subject = socket.getPeerCertificate().subject.CN;
      socket.destroy();
      resolve(String(subject));
    });
    socket.on('error', reject);
  });
}

function fetchTls(path: string): Promise<{ status: number; headers: Readonly<Record<string, unknown>>; body: string }> {
  return new Promise((resolve, reject) => {
    get({ host: '127.0.0.1', port: httpsPort(), path, rejectUnauthorized: false, agent: false }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (text: string) => { body += text; });
      response.on('end', () => { resolve({ status: response.statusCode ?? 0, headers: response.headers, body }); });
    }).on('error', reject);
  });
}

test('I-08: HTTPS answers, tells upstreams so, and asks clients to stay with it', async () => {
  const { status, headers, body } = await fetchTls('/v2/');
  expect([status, headers['strict-transport-security']]).toEqual([200, 'max-age=31536000']);
  expect((JSON.parse(body) as Echo).headers).toMatchObject({ 'x-forwarded-proto': 'https', 'x-forwarded-port': String(httpsPort()) });
});

test('TLS 1.1 and older is refused', async () => {
  await expect(certificateName({ minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' })).rejects.toThrow(/protocol version|unsupported protocol/);
  await expect(certificateName({ maxVersion: 'TLSv1.2' })).resolves.toBe('first.test');
});

test('M-21: HTTP/2 is not spoken: no stream of it can be reset, and no window be 0', async () => {
  const protocol = await new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port: httpsPort(), rejectUnauthorized: false, ALPNProtocols: ['h2', 'http/1.1'] }, () => {
      resolve(socket.alpnProtocol);
      socket.destroy();
    });
    socket.on('error', reject);
  });
  expect(protocol).toBe('http/1.1');
  const answer = await new Promise<string>((resolve, reject) => {
    let text = '';
    const socket = connect({ host: '127.0.0.1', port: httpsPort(), rejectUnauthorized: false }, () => { socket.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'); });
    socket.setEncoding('latin1').on('data', (chunk: string) => { text += chunk; }).on('close', () => { resolve(text); }).on('error', reject);
  });
  expect(answer).toMatch(/^HTTP\/1\.1 (?:400|405|505) /);
});

test('HTTP points to HTTPS, except for health', async () => {
  const answer = await fetch(`${proxy.url}/v2/a/b/manifests/x?y=1`, { method: 'PUT', body: 'x', redirect: 'manual' });
  expect([answer.status, answer.headers.get('location')]).toEqual([308, `https://127.0.0.1:${httpsPort()}/v2/a/b/manifests/x?y=1`]);
  expect((await fetch(`${proxy.url}/api/v2.0/health`, { redirect: 'manual' })).status).toBe(200);
});

describe('new files', () => {
  test('are used by new connections at once, without a restart', async () => {
    expect(await certificateName()).toBe('first.test');
    await install('second.test');
    await eventually(() => proxy.logger.messages().includes('the TLS certificate was replaced'), 'the new certificate is noticed');
    expect(await certificateName()).toBe('second.test');
    expect(await proxy.metrics.text()).toMatch(/haven_proxy_certificate_not_after_seconds \d{10}/);
  });

  test('that cannot be used leave the old certificate in place, and say so', async () => {
    await writeFile(join(folder, 'tls.crt'), 'not a certificate');
    await eventually(() => proxy.logger.messages('error').length > 0, 'the fault is logged');
    expect(await certificateName()).toBe('first.test');
    await writeFile(join(folder, 'tls.crt'), selfSigned('other-key.test').cert);
    await eventually(() => proxy.logger.messages('error').length > 1, 'the key that does not fit is logged');
    expect(await certificateName()).toBe('first.test');
    await install('third.test');
    await eventually(() => proxy.logger.messages().includes('the TLS certificate was replaced'), 'the next good one is used');
    expect(await certificateName()).toBe('third.test');
  });
});

describe('at the start', () => {
  test.each([
    ['a missing file', async (): Promise<void> => { await rm(join(folder, 'tls.key')); }, /HAVEN_TLS_KEY: .*tls\.key cannot be read/],
    ['no certificate', async (): Promise<void> => { await writeFile(join(folder, 'tls.crt'), 'x'); }, /HAVEN_TLS_CERT: .* holds no PEM certificate/],
    ['a key that does not fit', async (): Promise<void> => { await writeFile(join(folder, 'tls.key'), selfSigned('other.test').key); }, /does not belong to the certificate/],
  ])('%s is named', async (_name, spoil, message) => {
    await spoil();
    expect(() => readCertificate({ cert: join(folder, 'tls.crt'), key: join(folder, 'tls.key') })).toThrow(message);
  });

  test('files behind symbolic links are read, as Kubernetes mounts them', async () => {
    await symlink(join(folder, 'tls.crt'), join(folder, 'linked.crt'));
    expect(readCertificate({ cert: join(folder, 'linked.crt'), key: join(folder, 'tls.key') }).notAfter.getTime()).toBeGreaterThan(Date.now());
  });
});
