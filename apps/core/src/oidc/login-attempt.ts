import { randomBytes } from 'node:crypto';
import { openSecret, SealedSecretError, sealSecret } from '@haven/access';
import { z } from 'zod';

/** The cookie that binds a login at the provider to the browser in which it began. */
export const ATTEMPT_COOKIE = 'haven_oidc';
/** Seconds in which a login at the provider must end. */
export const ATTEMPT_SECONDS = 600;

const CONTEXT = 'oidc-login-attempt';
const MAX_LENGTH = 4096;

/** What a login remembers until the browser comes back from the provider. */
export interface LoginAttempt {
  readonly state: string;
  readonly nonce: string;
  /** PKCE's secret half (RFC 7636). */
  readonly verifier: string;
  /** Where in our own pages the browser goes afterwards. */
  readonly returnTo: string;
  /** Seconds since 1970. */
  readonly expiresAt: number;
}

const Attempt = z.object({ state: z.string().length(43), nonce: z.string().length(43), verifier: z.string().length(43), returnTo: z.string(), expiresAt: z.number() });

/** A new attempt: three secrets that nobody can guess, and none of which tells another one. */
export function newAttempt(returnTo: string): LoginAttempt {
  return { state: secret(), nonce: secret(), verifier: secret(), returnTo, expiresAt: Date.now() / 1000 + ATTEMPT_SECONDS };
}

/** The cookie's value: sealed, so that the browser can neither read it nor make one up, and nothing is kept here for visitors. */
export function sealAttempt(key: Uint8Array, attempt: LoginAttempt): string {
  return sealSecret(key, JSON.stringify(attempt), CONTEXT);
}

/** The attempt in a cookie; undefined when it is none of ours, or too old. */
export function openAttempt(key: Uint8Array, value: string | undefined): LoginAttempt | undefined {
  if (value === undefined || value === '' || value.length > MAX_LENGTH) return undefined;
  try {
    const attempt = Attempt.parse(JSON.parse(openSecret(key, value, CONTEXT)));
    return attempt.expiresAt > Date.now() / 1000 ? attempt : undefined;
  } catch (error) {
    if (error instanceof SealedSecretError) return undefined;
    throw error;
  }
}

function secret(): string {
  return randomBytes(32).toString('base64url');
}
