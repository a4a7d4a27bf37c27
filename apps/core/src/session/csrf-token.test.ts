import { randomBytes } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { maskedToken, newCsrfSecret, tokenFits, VisitorSecrets } from './csrf-token.js';

describe('a token', () => {
  const secret = newCsrfSecret();

  test('is another one each time, and each fits its secret only', () => {
    const tokens = Array.from({ length: 20 }, () => maskedToken(secret));
    expect(new Set(tokens).size).toBe(20);
    for (const token of tokens) {
      expect(tokenFits(token, secret)).toBe(true);
      expect(tokenFits(token, newCsrfSecret())).toBe(false);
    }
  });

  test.each(['', 'x', secret.toString('base64'), randomBytes(64).toString('base64'), maskedToken(secret).slice(4), `${maskedToken(secret)}AAAA`, `a${maskedToken(secret).slice(1)}\n`])('%j does not fit', (token) => {
    expect(tokenFits(token, secret)).toBe(false);
  });
});

describe('a visitor’s cookie', () => {
  const secrets = new VisitorSecrets(randomBytes(32));
  const secret = newCsrfSecret();

  test('holds the secret, and stands in no header’s way', () => {
    const value = secrets.cookieFor(secret);
    expect(value).toMatch(/^[A-Za-z0-9_-]+$/);
    expect(secrets.secretOf(value)).toEqual(secret);
  });

  test('of another installation, a changed or an invented one is none', () => {
    const value = secrets.cookieFor(secret);
    const changed = `${value.startsWith('A') ? 'B' : 'A'}${value.slice(1)}`;
    for (const wrong of [undefined, '', 'x', changed, value.slice(1), `${value}A`, randomBytes(64).toString('base64url')]) expect(secrets.secretOf(wrong)).toBeUndefined();
    expect(new VisitorSecrets(randomBytes(32)).secretOf(value)).toBeUndefined();
  });
});
