import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { echo, startUpstream, type FakeUpstream } from '../testing/fake-upstream.js';
import { startProxy, type ProxyUnderTest } from '../testing/proxy-under-test.js';
import { sendRaw } from '../testing/raw-client.js';

let upstream: FakeUpstream;
let proxy: ProxyUnderTest;

beforeAll(async () => {
  upstream = await startUpstream(echo);
  proxy = await startProxy({ HAVEN_REGISTRY_URLS: upstream.url, HAVEN_CORE_URLS: upstream.url });
});

beforeEach(() => { upstream.requests.length = 0; });

afterAll(async () => {
  await proxy.stop();
  await upstream.kill();
});

const HIDDEN = 'DELETE /v2/hidden/x/manifests/1 HTTP/1.1\r\nHost: reg.test\r\n\r\n';
const CHUNKED_END = '0\r\n\r\n';

function hiddenReached(): boolean {
  return upstream.requests.some((request) => request.url?.includes('hidden'));
}

describe('C-19: a request whose end is ambiguous is refused and its connection closed', () => {
  test.each([
    ['Content-Length with Transfer-Encoding', `Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n${CHUNKED_END}${HIDDEN}`],
    ['Transfer-Encoding with Content-Length', `Transfer-Encoding: chunked\r\nContent-Length: ${HIDDEN.length + 5}\r\n\r\n${CHUNKED_END}${HIDDEN}`],
    ['two lengths', `Content-Length: 0\r\nContent-Length: ${HIDDEN.length}\r\n\r\n${HIDDEN}`],
    ['two equal lengths', `Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello${HIDDEN}`],
    ['a list of lengths', `Content-Length: 5, 5\r\n\r\nhello${HIDDEN}`],
    ['a signed length', `Content-Length: +5\r\n\r\nhello${HIDDEN}`],
    ['a negative length', `Content-Length: -5\r\n\r\n${HIDDEN}`],
    ['a hexadecimal length', `Content-Length: 0x5\r\n\r\nhello${HIDDEN}`],
    ['an unknown coding', `Transfer-Encoding: xchunked\r\n\r\n${CHUNKED_END}${HIDDEN}`],
    ['a coding before chunked', `Transfer-Encoding: gzip, chunked\r\n\r\n${CHUNKED_END}${HIDDEN}`],
    ['chunked not last', `Transfer-Encoding: chunked, identity\r\n\r\n${CHUNKED_END}${HIDDEN}`],
    ['two codings', `Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n${CHUNKED_END}${HIDDEN}`],
    ['a tab in the coding', `Transfer-Encoding:\tchunked, \r\n\r\n${CHUNKED_END}${HIDDEN}`],
    ['a space before the colon', `Transfer-Encoding : chunked\r\nContent-Length: ${HIDDEN.length}\r\n\r\n${HIDDEN}`],
    ['a folded header', `X-A: 1\r\n Transfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n${HIDDEN}`],
    ['a bare line feed', `X-A: 1\nContent-Length: 0\r\n\r\n${HIDDEN}`],
    ['a bare carriage return', `X-A: 1\rContent-Length: ${HIDDEN.length}\r\n\r\n${HIDDEN}`],
    ['a NUL in a value', `X-A: 1\0\r\nContent-Length: 0\r\n\r\n${HIDDEN}`],
    ['a NUL in a name', `X\0A: 1\r\nContent-Length: 0\r\n\r\n${HIDDEN}`],
    ['a second Host', `Host: evil.test\r\nContent-Length: 0\r\n\r\n${HIDDEN}`],
    ['a chunk size that is none', `Transfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n${CHUNKED_END}${HIDDEN}`],
    ['a chunk longer than announced', `Transfer-Encoding: chunked\r\n\r\n3\r\nhello\r\n${CHUNKED_END}${HIDDEN}`],
    ['a chunk ended by a line feed', `Transfer-Encoding: chunked\r\n\r\n5\nhello\r\n${CHUNKED_END}${HIDDEN}`],
    ['chunk extensions of 64 KiB', `Transfer-Encoding: chunked\r\n\r\n5;${'a'.repeat(65_536)}\r\nhello\r\n${CHUNKED_END}${HIDDEN}`],
    ['an enormous chunk size', `Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\nhello\r\n${CHUNKED_END}${HIDDEN}`],
  ])('%s', async (_name, rest) => {
    const { text, closed } = await sendRaw(proxy.port, `POST /api/x HTTP/1.1\r\nHost: reg.test\r\n${rest}`, 3000);
    expect(text).toMatch(/^HTTP\/1\.1 4(?:00|13) /);
    expect(text.match(/HTTP\/1\.1 /g)).toHaveLength(1);
    expect(text).toMatch(/x-request-id: [0-9a-f-]{36}/i);
    expect(closed).toBe(true);
    expect(hiddenReached()).toBe(false);
  });

  test('a body on GET', async () => {
    const { text, closed } = await sendRaw(proxy.port, `GET /v2/ HTTP/1.1\r\nHost: reg.test\r\nContent-Length: ${HIDDEN.length}\r\n\r\n${HIDDEN}`, 3000);
    expect([text.startsWith('HTTP/1.1 400 '), closed, upstream.requests.length]).toEqual([true, true, 0]);
  });

  test('chunks in HTTP/1.0', async () => {
    const { text, closed } = await sendRaw(proxy.port, `POST /api/x HTTP/1.0\r\nHost: reg.test\r\nTransfer-Encoding: chunked\r\n\r\n${CHUNKED_END}${HIDDEN}`, 3000);
    expect([text.startsWith('HTTP/1.1 400 '), closed, upstream.requests.length]).toEqual([true, true, 0]);
  });
});

describe('other malformed requests', () => {
  test.each([
    ['no Host', 'GET /v2/ HTTP/1.1\r\n\r\n'], ['an odd Host', 'GET /v2/ HTTP/1.1\r\nHost: a/b@c\r\n\r\n'], ['a user in Host', 'GET /v2/ HTTP/1.1\r\nHost: u:p@reg.test\r\n\r\n'],
    ['an absolute target', 'GET http://evil.test/v2/ HTTP/1.1\r\nHost: reg.test\r\nConnection: close\r\n\r\n'], ['no path', 'GET * HTTP/1.1\r\nHost: reg.test\r\nConnection: close\r\n\r\n'],
    ['no HTTP', 'hello\r\n\r\n'], ['HTTP/2 preface', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'], ['an unknown version', 'GET / HTTP/7.1\r\nHost: a\r\n\r\n'],
  ])('%s is refused', async (_name, bytes) => {
    const { text, closed } = await sendRaw(proxy.port, bytes, 3000);
    expect(text).toMatch(/^HTTP\/1\.1 40[05] /);
    expect(text).toMatch(/"errors":\[\{"code":/);
    expect(text).toMatch(/x-request-id: [0-9a-f-]{36}/i);
    expect(closed).toBe(true);
    expect(upstream.requests).toEqual([]);
  });

  test.each([
    ['one header of 64 KiB', `X-A: ${'a'.repeat(65_536)}\r\n`, 431], ['5000 headers', Array.from({ length: 5000 }, (_, at) => `X-${at}: 1\r\n`).join(''), 431],
    ['101 short headers', Array.from({ length: 100 }, (_, at) => `X-${at}: 1\r\n`).join(''), 431], ['1000 cookies', 'Cookie: a=b\r\n'.repeat(1000), 431],
  ])('%s is refused', async (_name, headers, status) => {
    const { text, closed } = await sendRaw(proxy.port, `GET /v2/ HTTP/1.1\r\nHost: reg.test\r\n${headers}\r\n`, 5000);
    expect([text.slice(0, 12), closed, upstream.requests.length]).toEqual([`HTTP/1.1 ${status}`, true, 0]);
  });

  test('M-05: a URL of 9 KiB is refused with 414, one of 100 KiB with 431', async () => {
    for (const [length, status] of [[9 * 1024, 414], [100 * 1024, 431]] as const) {
      const { text } = await sendRaw(proxy.port, `GET /v2/${'a'.repeat(length)} HTTP/1.1\r\nHost: reg.test\r\nConnection: close\r\n\r\n`, 3000);
      expect(text.slice(0, 12)).toBe(`HTTP/1.1 ${status}`);
    }
    expect(upstream.requests).toEqual([]);
  });

  test('an unknown expectation is refused with 417', async () => {
    const { text, closed } = await sendRaw(proxy.port, 'POST /api/x HTTP/1.1\r\nHost: reg.test\r\nExpect: coffee\r\nContent-Length: 5\r\n\r\nhello', 3000);
    expect([text.slice(0, 12), closed, upstream.requests.length]).toEqual(['HTTP/1.1 417', true, 0]);
  });
});

test('pipelined requests are answered one by one and in order', async () => {
  const one = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: reg.test\r\n\r\n`;
  const { text } = await sendRaw(proxy.port, `${one('/v2/first')}${one('/api/second')}${one('/v2/third')}`);
  expect([...text.matchAll(/"url":"([^"]+)"/g)].map((match) => match[1])).toEqual(['/v2/first', '/api/second', '/v2/third']);
});

test('M-19: compressed request bodies are passed on as they are', async () => {
  const { text } = await sendRaw(proxy.port, Buffer.from('PUT /v2/a/b/manifests/x HTTP/1.1\r\nHost: reg.test\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\nConnection: close\r\n\r\n\u001f\u008bxx', 'latin1'), 3000);
  expect(text).toContain('"content-encoding":"gzip"');
  expect(text).toContain('"length":4');
});
