import { hash } from 'node:crypto';
import type { RegistryTokenClaims } from './claims.js';

/**
 * Claims of tokens that were verified before, least recently used out first. Tokens are kept as SHA-256 only, so a
 * memory dump gives no one a working token.
 */
export class ClaimsCache {
  readonly #claims = new Map<string, RegistryTokenClaims>();
  readonly #capacity: number;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** @param now seconds since 1970; an entry dies when its token expires */
  get(token: string, now: number): RegistryTokenClaims | undefined {
    const key = keyOf(token);
    const claims = this.#claims.get(key);
    if (claims === undefined) return undefined;
    this.#claims.delete(key);
    if (claims.expiresAt <= now) return undefined;
    this.#claims.set(key, claims);
    return claims;
  }

  set(token: string, claims: RegistryTokenClaims, now: number): void {
    if (claims.expiresAt <= now) return;
    this.#claims.set(keyOf(token), claims);
    if (this.#claims.size <= this.#capacity) return;
    const oldest = this.#claims.keys().next();
    if (!oldest.done) this.#claims.delete(oldest.value);
  }

  clear(): void {
    this.#claims.clear();
  }

  get size(): number {
    return this.#claims.size;
  }
}

function keyOf(token: string): string {
  return hash('sha256', token, 'base64');
}
