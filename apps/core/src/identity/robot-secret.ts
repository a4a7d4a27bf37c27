import { createHash, randomInt, timingSafeEqual } from 'node:crypto';

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
const LENGTH = 32;
const TAG = '$sha256$';

/** A new secret: 32 characters, 190 bits. */
export function generateRobotSecret(): string {
  return Array.from({ length: LENGTH }, () => LETTERS[randomInt(LETTERS.length)]).join('');
}

/**
 * What is stored of a generated secret. One SHA-256 is enough: 190 random bits cannot be guessed however fast one
 * tries, and robots log in with every pull. What people choose is guessed, so it is kept as passwords are (hashPassword);
 * the tag in front tells the two apart.
 */
export function hashGeneratedSecret(secret: string): string {
  return `${TAG}${digestOf(secret).toString('base64')}`;
}

/** Whether this is the generated secret that was stored; false also when what was stored is the hash of a chosen one. */
export function isGeneratedSecret(secret: string, stored: string): boolean {
  if (!stored.startsWith(TAG)) return false;
  return timingSafeEqual(digestOf(secret), Buffer.from(stored.slice(TAG.length), 'base64'));
}

/** The stored hash when it is that of a chosen secret, for PasswordService. */
export function chosenSecretHash(stored: string): string | undefined {
  return stored.startsWith(TAG) ? undefined : stored;
}

function digestOf(secret: string): Buffer {
  return createHash('sha256').update(secret).digest();
}
