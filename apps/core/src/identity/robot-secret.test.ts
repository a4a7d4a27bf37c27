import { expect, test } from '@jest/globals';
import { chosenSecretHash, generateRobotSecret, hashGeneratedSecret, isGeneratedSecret } from './robot-secret.js';

test('a generated secret has 32 letters and digits, and is another one each time', () => {
  const secrets = new Set(Array.from({ length: 100 }, generateRobotSecret));
  expect(secrets.size).toBe(100);
  for (const secret of secrets) expect(secret).toMatch(/^[A-Za-z0-9]{32}$/);
});

test('only the whole secret is right, and its hash is not it', () => {
  const secret = generateRobotSecret();
  const stored = hashGeneratedSecret(secret);
  expect(stored).not.toContain(secret);
  expect(isGeneratedSecret(secret, stored)).toBe(true);
  for (const wrong of [secret.slice(0, 31), `${secret} `, `${secret}\0`, secret.toLowerCase(), '', stored]) expect(isGeneratedSecret(wrong, stored)).toBe(false);
});

test('what people chose is told apart', () => {
  const chosen = '$scrypt$ln=15,r=8,p=1$c2FsdHNhbHRzYWx0$a2V5';
  expect(chosenSecretHash(chosen)).toBe(chosen);
  expect(isGeneratedSecret('anything', chosen)).toBe(false);
  expect(chosenSecretHash(hashGeneratedSecret('x'))).toBeUndefined();
});
