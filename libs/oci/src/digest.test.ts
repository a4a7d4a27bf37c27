import { describe, expect, test } from '@jest/globals';
import { digestAlgorithm, digestHex, digestOf, parseDigest } from './digest.js';

const EMPTY_SHA256 = 'sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';
const HEX = 'a'.repeat(64);

describe('parseDigest', () => {
  test.each([EMPTY_SHA256, `sha256:${HEX}`, `sha512:${HEX}${HEX}`])('accepts %s', (text) => {
    expect(parseDigest(text)).toBe(text);
  });

  test.each([
    ['upper-case algorithm', `SHA256:${HEX}`],
    ['upper-case hex', `sha256:${'A'.repeat(64)}`],
    ['one upper-case digit', `sha256:${'a'.repeat(63)}F`],
    ['md5', `md5:${'a'.repeat(32)}`],
    ['compound algorithm', `sha256+b64:${HEX}`],
    ['sha512 that is too short', `sha512:${HEX}`],
    ['sha256 that is too long', `sha256:${HEX}a`],
    ['63 digits', `sha256:${'a'.repeat(63)}`],
    ['63 digits and a slash', `sha256:${'a'.repeat(63)}/`],
    ['path traversal', 'sha256:../../etc/passwd'],
    ['path traversal of the right length', `sha256:${'../'.repeat(21)}a`],
    ['NUL', `sha256:${'a'.repeat(63)}\0`],
    ['line end', `sha256:${'a'.repeat(63)}\n`],
    ['percent-encoded colon', `sha256%3A${HEX}`],
    ['no algorithm', HEX],
    ['empty', ''],
    ['full-width digit', `sha256:${'a'.repeat(63)}１`],
  ])('C-21, C-02: refuses %s', (_what, text) => {
    expect(parseDigest(text)).toBeUndefined();
  });
});

test('digestOf gives the known digests of nothing', () => {
  expect(digestOf('')).toBe(EMPTY_SHA256);
  expect(digestOf(new Uint8Array(), 'sha512')).toBe(
    'sha512:cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e',
  );
});

test('a digest comes apart into algorithm and hex', () => {
  const digest = digestOf('x', 'sha512');
  expect(`${digestAlgorithm(digest)}:${digestHex(digest)}`).toBe(digest);
  expect(digestAlgorithm(digestOf('x'))).toBe('sha256');
  expect(parseDigest(digest)).toBe(digest);
});
