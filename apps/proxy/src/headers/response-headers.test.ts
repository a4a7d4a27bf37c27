import { describe, expect, test } from '@jest/globals';
import { ResponseHeaders } from './response-headers.js';

describe('ResponseHeaders', () => {
  test('keeps what is for the client', () => {
    const headers = ResponseHeaders.fromRaw(['Content-Type', 'text/plain', 'Content-Length', '12', 'Set-Cookie', 'a=1', 'Set-Cookie', 'b=2', 'Content-Range', 'bytes 0-11/20']);
    expect(headers.passed).toEqual(['content-type', 'text/plain', 'content-length', '12', 'set-cookie', 'a=1', 'set-cookie', 'b=2', 'content-range', 'bytes 0-11/20']);
    expect(headers).toMatchObject({ contentLength: 12, contentRange: 'bytes 0-11/20', file: '' });
  });

  test('takes out what is for the proxy or for one connection only', () => {
    const headers = ResponseHeaders.fromRecord({
      connection: 'keep-alive, x-hop', 'keep-alive': 'timeout=5', 'transfer-encoding': 'chunked', 'x-hop': '1', server: 's', 'x-powered-by': 'p', 'x-request-id': 'r', 'x-haven-file': 'f;0-1', 'x-haven-debug': 'd',
      upgrade: 'h2c', trailer: 't', vary: ['a', 'b'],
    });
    expect(headers.passed).toEqual(['vary', 'a', 'vary', 'b']);
    expect(headers).toMatchObject({ contentLength: -1, file: 'f;0-1' });
  });
});
