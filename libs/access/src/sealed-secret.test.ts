import { randomBytes } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { openSecret, SealedSecretError, sealSecret } from './sealed-secret.js';

const key = randomBytes(32);

test.each(['', 'secret', 'пароль 🔑', 'x'.repeat(100_000)])('what was sealed opens again', (plain) => {
  expect(openSecret(key, sealSecret(key, plain))).toBe(plain);
});

test('the same secret is never sealed the same way, and does not show', () => {
  const sealed = Array.from({ length: 50 }, () => sealSecret(key, 'secret'));
  expect(new Set(sealed).size).toBe(50);
  expect(sealed.some((text) => text.includes('secret') || text.includes(Buffer.from('secret').toString('base64url')))).toBe(false);
  expect(sealed[0]).toMatch(/^v1\.[\w-]+$/);
});

test('another key does not open it', () => {
  expect(() => openSecret(randomBytes(32), sealSecret(key, 'secret'))).toThrow(SealedSecretError);
});

test('another context does not open it', () => {
  const sealed = sealSecret(key, 'secret', 'registry:1');
  expect(openSecret(key, sealed, 'registry:1')).toBe('secret');
  expect(() => openSecret(key, sealed, 'registry:2')).toThrow(SealedSecretError);
  expect(() => openSecret(key, sealed)).toThrow(SealedSecretError);
});

test('K-08: no changed bit goes unnoticed', () => {
  const sealed = Buffer.from(sealSecret(key, 'secret').slice(3), 'base64url');
  for (let bit = 0; bit < sealed.length * 8; bit++) {
    const changed = Buffer.from(sealed);
    changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    expect(() => openSecret(key, `v1.${changed.toString('base64url')}`)).toThrow(SealedSecretError);
  }
});

test.each(['', 'v1.', 'v1.AAAA', 'v2.AAAA', 'plain text', `v1.${'A'.repeat(37)}`])('%j is no sealed secret', (text) => {
  expect(() => openSecret(key, text)).toThrow(SealedSecretError);
});

test.each([0, 16, 31, 33])('a key of %i bytes is refused', (length) => {
  expect(() => sealSecret(randomBytes(length), 'x')).toThrow(RangeError);
  expect(() => openSecret(randomBytes(length), sealSecret(key, 'x'))).toThrow(RangeError);
});
