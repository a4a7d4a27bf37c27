import { describe, expect, test } from '@jest/globals';
import { RequestHeaders } from './request-headers.js';

const parse = (...raw: string[]): RequestHeaders => new RequestHeaders(['Host', 'reg.test', ...raw]);

describe('RequestHeaders', () => {
  test('passes end-to-end headers on, in lower case and in order', () => {
    expect(parse('Accept', 'a', 'Authorization', 'Bearer x', 'accept', 'b').passed).toEqual(['accept', 'a', 'authorization', 'Bearer x', 'accept', 'b']);
  });

  test.each([
    'Connection', 'Keep-Alive', 'Proxy-Connection', 'Proxy-Authorization', 'TE', 'Trailer', 'Upgrade', 'HTTP2-Settings', 'X-Haven-Send-File', 'x-HAVEN-anything', 'X-Forwarded-Server', 'X-Real-IP',
    'X-HTTP-Method-Override', 'X-Method-Override', 'X-HTTP-Method', 'X-Original-URL', 'X-Rewrite-URL', 'Proxy', 'Expect', 'Forwarded', 'X-Forwarded-For', 'X-Request-Id',
  ])('never passes %s on', (name) => {
    expect(parse(name, 'x', 'Accept', 'a').passed).toEqual(['accept', 'a']);
  });

  test('takes out what Connection names, wherever it stands', () => {
    expect(parse('X-A', '1', 'Connection', 'close, X-A , x-b', 'X-B', '2', 'X-C', '3').passed).toEqual(['x-c', '3']);
    expect(parse('Connection', 'X-A', 'Connection', 'keep-alive', 'X-A', '1', 'X-C', '3').passed).toEqual(['x-c', '3']);
  });

  test('knows how the body is framed', () => {
    expect(parse().hasBody).toBe(false);
    expect(parse('Content-Length', '0')).toMatchObject({ contentLength: 0, hasBody: false });
    expect(parse('Content-Length', '7')).toMatchObject({ contentLength: 7, hasBody: true, chunked: false });
    expect(parse('Transfer-Encoding', 'Chunked')).toMatchObject({ contentLength: -1, hasBody: true, chunked: true });
  });

  test.each([
    [['Content-Length', '1', 'Transfer-Encoding', 'chunked'], 'framing'], [['Content-Length', '1', 'Content-Length', '1'], 'framing'], [['Content-Length', '-1'], 'framing'], [['Content-Length', '+1'], 'framing'],
    [['Content-Length', '1e3'], 'framing'], [['Content-Length', '9'.repeat(30)], 'framing'], [['Transfer-Encoding', 'gzip, chunked'], 'framing'], [['Transfer-Encoding', 'chunked', 'Transfer-Encoding', 'chunked'], 'framing'],
    [['Transfer-Encoding', 'identity'], 'framing'], [['Host', 'reg.test'], 'host'], [['X-A', 'a\u0001b'], 'malformed'], [['X-A', 'a\u007fb'], 'malformed'],
  ] as const)('finds fault with %j', (raw, fault) => {
    expect(parse(...raw).fault).toBe(fault);
  });

  test('M-05: finds fault with a missing, an odd and with too many headers', () => {
    expect(new RequestHeaders([]).fault).toBe('host');
    expect(new RequestHeaders(['Host', 'a b']).fault).toBe('host');
    const hundred = Array.from({ length: 99 }, (_, at) => [`X-${at}`, 'v']).flat();
    expect(parse(...hundred).fault).toBeUndefined();
    expect(parse(...hundred, 'X-More', 'v').fault).toBe('too-many');
  });

  test('A-28: refuses a second Authorization, alike or not', () => {
    const one = ['Host', 'reg.test', 'Authorization', 'Bearer a'];
    expect(new RequestHeaders(one).fault).toBeUndefined();
    expect(new RequestHeaders([...one, 'authorization', 'Bearer b']).fault).toBe('malformed');
    expect(new RequestHeaders([...one, 'Authorization', 'Bearer a']).fault).toBe('malformed');
  });
});
