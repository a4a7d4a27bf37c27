import { compactVerify, errors, type CryptoKey } from 'jose';
import { payloadToClaims, type RegistryTokenClaims } from './claims.js';
import { ClaimsCache } from './claims-cache.js';
import { readKeyId } from './header.js';
import { KeyRing } from './key-ring.js';
import { MAX_TOKEN_LENGTH } from './sign.js';
import { TOKEN_ALGORITHM, type PublicKeySet } from './signing-key.js';
import { TokenError } from './token-error.js';

export interface RegistryTokenVerifierOptions {
  /** How many verified tokens to remember; 10,000 unless told otherwise (about 5 MB). */
  readonly cacheSize?: number;
  /** Milliseconds since 1970; for tests. */
  readonly now?: () => number;
  /**
   * Told when the keys could not be read again. The ones known before stay in use, so that pulls go on; the error is
   * also in {@link RegistryTokenVerifier.refreshFailure} until a later attempt succeeds.
   */
  readonly onRefreshFailure?: (error: unknown) => void;
}

/**
 * Verifies registry tokens without asking the token service (RFC 7519, RFC 8725): one algorithm, one issuer, one
 * audience, keys from one source. What the token says about how to verify it is never followed.
 *
 * A verified token is not yet a right: ask `AccessEpochs.isRevoked`, then look at `access`.
 */
export class RegistryTokenVerifier {
  readonly #cache: ClaimsCache;
  readonly #keys: KeyRing;
  readonly #now: () => number;

  constructor(keys: () => Promise<PublicKeySet>, options: RegistryTokenVerifierOptions = {}) {
    this.#now = options.now ?? Date.now;
    this.#cache = new ClaimsCache(options.cacheSize ?? 10_000);
    this.#keys = new KeyRing({
      source: keys,
      now: this.#now,
      onRetired: () => this.#cache.clear(),
      onRefreshFailure: options.onRefreshFailure,
    });
  }

  /** Why the keys could not be read the last time it was tried; for the health report. */
  get refreshFailure(): unknown {
    return this.#keys.failure;
  }

  /** The claims of a token that was verified before and has not expired; without waiting, for the hot path. */
  verifyCached(token: string): RegistryTokenClaims | undefined {
    if (token.length > MAX_TOKEN_LENGTH) return undefined;
    this.#keys.refreshWhenStale();
    return this.#cache.get(token, this.#now() / 1000);
  }

  /**
   * The claims of a token.
   *
   * @throws TokenError when the token is not good; whatever the key source throws when there are no keys to check with.
   */
  async verify(token: string): Promise<RegistryTokenClaims> {
    const cached = this.verifyCached(token);
    if (cached !== undefined) return cached;
    if (token.length > MAX_TOKEN_LENGTH) throw new TokenError('too long');
    const kid = readKeyId(token);
    const key = await this.#keys.get(kid);
    const payload = await verifiedPayload(token, key);
    const now = this.#now() / 1000;
    const claims = payloadToClaims(payload, now);
    if (this.#keys.isCurrent(kid, key)) this.#cache.set(token, claims, now);
    return claims;
  }
}

async function verifiedPayload(token: string, key: CryptoKey): Promise<unknown> {
  try {
    const { payload } = await compactVerify(token, key, { algorithms: [TOKEN_ALGORITHM] });
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(payload));
  } catch (cause) {
    if (cause instanceof errors.JOSEError || cause instanceof SyntaxError || cause instanceof TypeError) throw new TokenError('a wrong signature', { cause });
    throw cause;
  }
}
