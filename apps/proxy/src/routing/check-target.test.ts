import { describe, expect, test } from '@jest/globals';
import { checkTarget } from './check-target.js';

describe('checkTarget', () => {
  test.each([
    ['/', 1], ['/v2/', 4], ['/v2/a/b/manifests/1.0', 21], ['/v2/a/b/blobs/uploads/x?digest=sha256:00', 23], ['/a..b/.c/d./...', 15],
    ['/api/v2.0/projects/p/repositories/a%252Fb/artifacts', 51], ['/api/v2.0/projects/p/repositories/a%2Fb%2fc/artifacts', 53], ['/x?q=../%2e%2e/\\', 2], ['/%41%7e', 7], ['//x', 3],
  ])('accepts %s', (target, length) => {
    expect(checkTarget(target)).toBe(length);
  });

  test.each([
    '/api/v2.0/projects/p%2Fq/repositories/a', '/api/v2.0/projects/p/repositories/a/artifacts/b%2Fc', '/api/v2.0/projects/p/repositories/%2e%2e%2Fa', '/v2/x/repositories/a%2Fb',
    '', '*', 'v2/', 'http://host/v2/', '/..', '/.', '/a/../b', '/a/./b', '/a/..', '/a/..?x', '/a/.?x', '/%2e%2e/x', '/a%2Fb', '/a%2fb', '/a%5cb', '/a%5Cb', '/a%00', '/a%0a', '/a%7f',
    '/a\\b', '/a b', '/a\tb', '/a\u0000', '/a\u00e9', '/a#b', '/a?b#c', '/a?b c', '/a?b\u0000', '/%', '/%4', '/%4g', '/%zz', '/a%',
  ])('refuses %j', (target) => {
    expect(checkTarget(target)).toBe('malformed');
  });

  test('refuses what is longer than 8 KiB, and only that', () => {
    expect(checkTarget(`/${'a'.repeat(8191)}`)).toBe(8192);
    expect(checkTarget(`/${'a'.repeat(8192)}`)).toBe('too-long');
  });
});
