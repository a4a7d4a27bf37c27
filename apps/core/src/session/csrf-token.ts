import { createHmac, hkdfSync, randomBytes, timingSafeEqual } from 'node:crypto';

const SECRET_BYTES = 32;

export function newCsrfSecret(): Buffer {
  return randomBytes(SECRET_BYTES);
}

/** A token for a secret: another one each time, so that compressed answers do not give it away bit by bit (BREACH). */
export function maskedToken(secret: Buffer): string {
  const mask = randomBytes(SECRET_BYTES);
  return Buffer.concat([mask, xor(mask, secret)]).toString('base64');
}

/** Whether this is a token of that secret, in a time that does not depend on how much of it is right. */
export function tokenFits(token: string, secret: Buffer): boolean {
  if (!/^[A-Za-z0-9+/_-]{86}(?:==)?$/.test(token)) return false;
  const bytes = Buffer.from(token, 'base64');
  return timingSafeEqual(xor(bytes.subarray(0, SECRET_BYTES), bytes.subarray(SECRET_BYTES)), secret);
}

function xor(left: Buffer, right: Buffer): Buffer {
  return Buffer.from(left.map((byte, index) => byte ^ (right[index] ?? 0)));
}

/**
 * The secrets of visitors without a session: each is in the visitor's own cookie, signed, so that nothing is kept here
 * and nobody can make one up.
 */
export class VisitorSecrets {
  readonly #key: Buffer;

  /** @param platformKey the platform's secret key; the signing key is derived from it */
  constructor(platformKey: Uint8Array) {
    this.#key = Buffer.from(hkdfSync('sha256', platformKey, '', 'haven visitor cookie', 32));
  }

  /** The cookie's value for a new secret. */
  cookieFor(secret: Buffer): string {
    return Buffer.concat([secret, this.#signature(secret)]).toString('base64url');
  }

  /** The secret in a cookie; undefined when the cookie is none of ours. */
  secretOf(value: string | undefined): Buffer | undefined {
    if (value === undefined || !/^[A-Za-z0-9_-]{86}$/.test(value)) return undefined;
    const bytes = Buffer.from(value, 'base64url');
    const secret = bytes.subarray(0, SECRET_BYTES);
    return timingSafeEqual(bytes.subarray(SECRET_BYTES), this.#signature(secret)) ? secret : undefined;
  }

  #signature(secret: Buffer): Buffer {
    return createHmac('sha256', this.#key).update(secret).digest();
  }
}
