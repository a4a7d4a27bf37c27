import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ADMIN_PASSWORD, basic, startTestCore, type TestCore } from '../testing/test-core.js';

const MIB = 1024 * 1024;

let core: TestCore;
beforeAll(async () => { core = await startTestCore(); });
afterAll(() => core.stop());

/** Sends a request byte for byte, and resolves to the first line of the answer and how long it took; the connection is ended by the server. */
async function raw(head: string, body: Buffer = Buffer.alloc(0)): Promise<{ readonly line: string; readonly milliseconds: number }> {
  const begun = performance.now();
  const text = await new Promise<string>((resolve) => {
    let answer = '';
    const socket = connect(core.service.address?.port ?? 0, '127.0.0.1', () => { socket.write(Buffer.concat([Buffer.from(head, 'latin1'), body])); });
    socket.setEncoding('latin1').on('data', (chunk: string) => { answer += chunk; });
    socket.on('error', () => undefined).on('close', () => { resolve(answer); }); // What was answered before it broke off is the answer.
  });
  return { line: text.split('\r\n', 1)[0] ?? '', milliseconds: performance.now() - begun };
}

const head = (method: string, target: string, headers: readonly string[]): string => `${[`${method} ${target} HTTP/1.1`, 'Host: x', 'Connection: close', ...headers].join('\r\n')}\r\n\r\n`;
const isHealthy = async (): Promise<boolean> => (await core.call('GET', '/api/v2.0/ping')).status === 200;

describe('M-19: compressed bodies are not unpacked', () => {
  const plain = Buffer.from(JSON.stringify({ project_name: 'packed', metadata: { padding: ' '.repeat(8 * MIB) } }));

  test.each<[string, (bytes: Buffer) => Buffer]>([
    ['gzip', gzipSync], ['br', brotliCompressSync], ['deflate', deflateSync], ['zstd', zstdCompressSync], ['gzip, gzip', (bytes) => gzipSync(gzipSync(bytes))], ['GZIP', gzipSync], ['unheard-of', gzipSync],
  ])('%s', async (encoding, pack) => {
    const body = pack(plain);
    const { line } = await raw(head('POST', '/api/v2.0/projects', ['Content-Type: application/json', `Content-Encoding: ${encoding}`, `Content-Length: ${body.length}`, `Authorization: ${basic('admin', ADMIN_PASSWORD)}`]), body);
    expect(line).toMatch(/^HTTP\/1\.1 415 /);
    expect(await core.database.query(`SELECT 1 FROM project WHERE name = 'packed'`)).toEqual([]);
  });

  test('forms neither', async () => {
    const body = gzipSync('principal=admin&password=x');
    const { line } = await raw(head('POST', '/c/login', ['Content-Type: application/x-www-form-urlencoded', 'Content-Encoding: gzip', `Content-Length: ${body.length}`]), body);
    expect(line).toMatch(/^HTTP\/1\.1 415 /);
  });

  test('one that says it is as it is, is read', async () => {
    const { status } = await core.call('POST', '/api/v2.0/projects', { as: 'admin', json: { project_name: 'plain' }, headers: { 'content-encoding': 'identity' } });
    expect(status).toBe(201);
  });
});

describe('M-24: settings of any size', () => {
  test.each([['20 MiB', 20 * MIB, 413], ['more than a setting may have', 70_000, 422]])('%s are refused, and leave no long line in the audit trail', async (_name, size, status) => {
    const body = Buffer.from(JSON.stringify({ banner_message: 'x'.repeat(size) }));
    const { line } = await raw(head('PUT', '/api/v2.0/configurations', ['Content-Type: application/json', `Content-Length: ${body.length}`, `Authorization: ${basic('admin', ADMIN_PASSWORD)}`]), body);
    expect(line === '' && status === 413 ? 'HTTP/1.1 413 ' : line).toContain(`HTTP/1.1 ${status} `);
    const [row] = await core.database.query<{ longest: number }>('SELECT coalesce(max(length(payload::text)), 0)::int AS longest FROM outbox');
    expect(row?.longest).toBeLessThan(10_000);
    expect(await isHealthy()).toBe(true);
  });
});

describe('M-05: headers and addresses of any size', () => {
  test.each<[string, string, readonly string[]]>([
    ['a header of 64 KiB', '/api/v2.0/ping', [`X-Large: ${'x'.repeat(65_536)}`]], ['5,000 headers', '/api/v2.0/ping', Array.from({ length: 5000 }, (_, index) => `X-${index}: y`)],
    ['1,000 cookies', '/api/v2.0/users/current', [`Cookie: ${Array.from({ length: 1000 }, (_, index) => `sid${index}=${'y'.repeat(20)}`).join('; ')}`]],
    ['an address of 100 KiB', `/api/v2.0/${'a'.repeat(100_000)}`, []], ['10,000 query pairs', `/api/v2.0/projects?${'name=a&'.repeat(10_000)}`, []],
    ['a parameter of 8 KiB', `/api/v2.0/projects/${'a'.repeat(8000)}`, []],
  ])('%s are refused at once', async (_name, target, headers) => {
    const { line, milliseconds } = await raw(head('GET', target, headers));
    expect(line).toMatch(/^HTTP\/1\.1 (?:400|401|404|414|431) /);
    expect(milliseconds).toBeLessThan(5000);
    expect(await isHealthy()).toBe(true);
  });

  test('10,000 short query pairs that fit are refused or answered, at once', async () => {
    const { line, milliseconds } = await raw(head('GET', `/api/v2.0/projects?${'a&'.repeat(6000)}`, []));
    expect(line).toMatch(/^HTTP\/1\.1 (?:200|400|414|422|431) /);
    expect(milliseconds).toBeLessThan(5000);
  });
});

describe('M-09: nothing that is read from a request takes long, however it is made', () => {
  const near = `${'a-'.repeat(128)}!`;
  const CALLS: readonly (readonly [string, string, Readonly<Record<string, string>>])[] = [
    ['q', `/api/v2.0/projects?q=name%3D~${'%25a'.repeat(1500)}`, {}], ['q of brackets', `/api/v2.0/projects?q=${encodeURIComponent(`name=${'['.repeat(3000)}`)}`, {}],
    ['q of commas', `/api/v2.0/projects?q=${encodeURIComponent('name=~a,'.repeat(600))}`, {}], ['sort', `/api/v2.0/projects?sort=${'-'.repeat(6000)}`, {}], ['search', `/api/v2.0/search?q=${near.repeat(30)}`, {}],
    ['a project name', `/api/v2.0/projects/${near}`, {}], ['a repository name', `/api/v2.0/projects/library/repositories/${encodeURIComponent(encodeURIComponent('a/'.repeat(120)))}x!`, {}],
    ['a digest', `/api/v2.0/icons/sha256:${'a'.repeat(1500)}`, {}], ['User-Agent', '/api/v2.0/ping', { 'user-agent': 'a-'.repeat(5000) }], ['Accept', '/api/v2.0/ping', { accept: `${'a/b;q=0.1, '.repeat(900)}` }],
    ['Authorization', '/api/v2.0/projects', { authorization: `Bearer ${'a.'.repeat(4000)}` }], ['X-Forwarded-For', '/api/v2.0/ping', { 'x-forwarded-for': '1, '.repeat(4000) }],
    ['Cookie', '/api/v2.0/ping', { cookie: `${'a='.repeat(3000)};`.repeat(2) }], ['Content-Type', '/api/v2.0/ping', { 'content-type': `application/json${';a=b'.repeat(2000)}` }],
  ];

  test.each(CALLS)('%s', async (_name, path, headers) => {
    await core.call('GET', path, { headers });
    const times: number[] = [];
    for (let time = 0; time < 3; time += 1) {
      const begun = performance.now();
      const { status } = await core.call('GET', path, { headers });
      times.push(performance.now() - begun);
      expect(status).toBeLessThan(500);
    }
    expect(Math.min(...times)).toBeLessThan(500);
  });
});
