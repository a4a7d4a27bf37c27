import { importJWK, type CryptoKey, type JWK } from 'jose';
import { TOKEN_ALGORITHM, type PublicKeySet } from './signing-key.js';
import { TokenError } from './token-error.js';

/** Unknown key ids cause at most one read of the keys in this time: strangers can make them up. */
const RELOAD_INTERVAL_MS = 1000;

/** Keys are read again this often, so that a retired one stops working. */
const REFRESH_INTERVAL_MS = 60_000;

/** The public keys that tokens are checked with, read on demand and refreshed in the background. */
export class KeyRing {
  readonly #source: () => Promise<PublicKeySet>;
  readonly #now: () => number;
  readonly #onRetired: () => void;
  readonly #onRefreshFailure: ((error: unknown) => void) | undefined;
  #keys: ReadonlyMap<string, CryptoKey> | undefined;
  #fingerprints: ReadonlyMap<string, string> = new Map();
  #loading: Promise<void> | undefined;
  #lastAttempt = -Infinity;
  /** Why the last read failed; `undefined` when it did not. */
  failure: unknown;

  constructor(options: {
    source: () => Promise<PublicKeySet>;
    /** Milliseconds since 1970. */
    now: () => number;
    /** A key has gone, or is another one now. */
    onRetired: () => void;
    /** The keys could not be read again; the ones known before stay in use. */
    onRefreshFailure: ((error: unknown) => void) | undefined;
  }) {
    this.#source = options.source;
    this.#now = options.now;
    this.#onRetired = options.onRetired;
    this.#onRefreshFailure = options.onRefreshFailure;
  }

  /**
   * The key with this id.
   *
   * @throws TokenError when there is none; whatever the source throws when no keys could be read at all.
   */
  async get(kid: string): Promise<CryptoKey> {
    if (this.#keys === undefined) await this.#load();
    this.refreshWhenStale();
    const known = this.#keys?.get(kid);
    if (known !== undefined) return known;
    if (this.#loading !== undefined || this.#sinceAttempt() >= RELOAD_INTERVAL_MS) await this.#load();
    const found = this.#keys?.get(kid);
    if (found === undefined) throw new TokenError('an unknown key');
    return found;
  }

  /** Starts to read the keys again when that was long ago. Never waits, never throws. */
  refreshWhenStale(): void {
    if (this.#keys === undefined || this.#loading !== undefined || this.#sinceAttempt() < REFRESH_INTERVAL_MS) return;
    this.#load().catch((error: unknown) => this.#onRefreshFailure?.(error));
  }

  /** Whether this is still the key that the last read gave; false while a token was checked and its key was retired. */
  isCurrent(kid: string, key: CryptoKey): boolean {
    return this.#keys?.get(kid) === key;
  }

  /** Once the clock has been put back nobody can say how long ago it was, so that it was long ago: retired keys must not live on. */
  #sinceAttempt(): number {
    const elapsed = this.#now() - this.#lastAttempt;
    return elapsed < 0 ? Infinity : elapsed;
  }

  #load(): Promise<void> {
    this.#loading ??= this.#readNoting().finally(() => {
      this.#loading = undefined;
    });
    return this.#loading;
  }

  async #readNoting(): Promise<void> {
    try {
      await this.#read();
      this.failure = undefined;
    } catch (error) {
      this.failure = error;
      throw error;
    }
  }

  async #read(): Promise<void> {
    this.#lastAttempt = this.#now();
    const entries = Object.entries(await this.#source());
    const keys = new Map(await Promise.all(entries.map(async ([kid, jwk]) => [kid, await importPublicKey(kid, jwk)] as const)));
    const fingerprints = new Map(entries.map(([kid, jwk]) => [kid, `${jwk.x}.${jwk.y}`]));
    const retired = [...this.#fingerprints].some(([kid, fingerprint]) => fingerprints.get(kid) !== fingerprint);
    this.#keys = keys;
    this.#fingerprints = fingerprints;
    if (retired) this.#onRetired();
  }
}

/** Takes nothing but the public point from the stored key, whatever else it says. */
async function importPublicKey(kid: string, jwk: JWK): Promise<CryptoKey> {
  if (jwk.kty !== 'EC' || jwk.crv !== 'P-256') throw new Error(`The public key ${kid} is not an ECDSA key on P-256.`);
  return (await importJWK({ kty: 'EC', crv: 'P-256', x: jwk.x ?? '', y: jwk.y ?? '' }, TOKEN_ALGORITHM)) as CryptoKey;
}
