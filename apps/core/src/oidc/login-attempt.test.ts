import { randomBytes } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { sealSecret } from '@haven/access';
import { newAttempt, openAttempt, sealAttempt } from './login-attempt.js';

const key = randomBytes(32);

test('an attempt comes back as it left; its secrets are all different', () => {
  const attempt = newAttempt('/projects');
  expect(openAttempt(key, sealAttempt(key, attempt))).toEqual(attempt);
  expect(new Set([attempt.state, attempt.nonce, attempt.verifier, newAttempt('/').state]).size).toBe(4);
});

test('one that is old, of another key, made for something else or damaged is none', () => {
  const attempt = newAttempt('/');
  const sealed = sealAttempt(key, attempt);
  const broken = [
    sealAttempt(key, { ...attempt, expiresAt: Date.now() / 1000 - 1 }), sealAttempt(randomBytes(32), attempt), sealSecret(key, JSON.stringify(attempt), 'oidc-onboarding'),
    `${sealed.slice(0, -2)}AA`, '', 'v1.', 'x', 'x'.repeat(5000), undefined,
  ];
  expect(broken.map((value) => openAttempt(key, value))).toEqual(broken.map(() => undefined));
});
