import { createHash } from 'node:crypto';
import { Problem } from '@haven/api';
import { addressGroup } from './address-group.js';
import { secondsToWait, type FailureCounts } from './login-delay.js';
import type { Failures, LoginFailureStore } from './login-failure.store.js';

/** After so many failures, as many old counters are removed: the table never holds more than a quarter of an hour's. */
const CLEAN_EVERY = 50;

/**
 * Slows down guessing: see secondsToWait for the rule. Counted in the database, for all replicas and all doors (the API,
 * the token service, the login form) together; the rate at which passwords are checked at all bounds how fast counters
 * are made (PasswordService). When they cannot be read, nobody logs in.
 */
export class LoginThrottle {
  readonly #store: LoginFailureStore;
  #failures = 0;

  constructor(store: LoginFailureStore) {
    this.#store = store;
  }

  /**
   * What went wrong before this attempt.
   *
   * @throws Problem TOO_MANY_REQUEST, with Retry-After, while this address has to wait
   */
  async requireNoWait(account: string, address: string): Promise<FailureCounts> {
    const keys = keysOf(account, address);
    const counts = countsOf(keys, await this.#store.read(Object.values(keys)));
    const seconds = secondsToWait(counts);
    if (seconds === 0) return counts;
    const message = `too many wrong passwords for this account from your address; try again in ${seconds} s`;
    throw new Problem('TOO_MANY_REQUEST', message, { headers: { 'Retry-After': String(seconds) } });
  }

  /** Counts a wrong password; resolves to the counts with it. */
  async failed(account: string, address: string): Promise<FailureCounts> {
    const keys = keysOf(account, address);
    const counts = countsOf(keys, await this.#store.add(Object.values(keys)));
    this.#failures += 1;
    if (this.#failures % CLEAN_EVERY === 0) await this.#store.removeOld(CLEAN_EVERY * 4);
    return counts;
  }

  /** Forgets what went wrong for this account from this address: `before` is what requireNoWait answered. */
  async succeeded(account: string, address: string, before: FailureCounts): Promise<void> {
    if (before.pair > 0) await this.#store.remove(keysOf(account, address).pair);
  }
}

interface Keys {
  readonly pair: Buffer;
  readonly account: Buffer;
  readonly address: Buffer;
}

function keysOf(account: string, address: string): Keys {
  const group = addressGroup(address);
  return { pair: keyOf('pair', group, account), account: keyOf('account', account), address: keyOf('address', group) };
}

function keyOf(...parts: readonly string[]): Buffer {
  return createHash('sha256').update(JSON.stringify(parts)).digest();
}

function countsOf({ pair, account, address }: Keys, known: ReadonlyMap<string, Failures>): FailureCounts {
  const failures = (key: Buffer): number => known.get(key.toString('hex'))?.failures ?? 0;
  return { pair: failures(pair), pairAge: known.get(pair.toString('hex'))?.age ?? 0, account: failures(account), address: failures(address) };
}
