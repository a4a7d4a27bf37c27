import { createHash, randomInt, timingSafeEqual } from 'node:crypto';
import { openSecret, sealSecret } from '@haven/access';

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
const LENGTH = 32;

/** A new secret: 32 characters, 190 bits. */
export function generateCliSecret(): string {
  return Array.from({ length: LENGTH }, () => LETTERS[randomInt(LETTERS.length)]).join('');
}

export function sealCliSecret(key: Uint8Array, user: number, secret: string): string {
  return sealSecret(key, secret, cliSecretContext(user));
}

export function openCliSecret(key: Uint8Array, user: number, sealed: string): string {
  return openSecret(key, sealed, cliSecretContext(user));
}

/** Whether both are the same, in a time that does not depend on how much of it is. */
export function sameSecret(given: string, kept: string): boolean {
  return timingSafeEqual(digestOf(given), digestOf(kept));
}

/** What a sealed CLI secret is bound to, so that it opens in its own row only. */
function cliSecretContext(user: number): string {
  return `cli-secret:${user}`;
}

function digestOf(secret: string): Buffer {
  return createHash('sha256').update(secret).digest();
}
