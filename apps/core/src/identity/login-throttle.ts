import { Problem } from '@haven/api';

const FREE_FAILURES = 5;
const FIRST_DELAY_MS = 1000;
const LONGEST_DELAY_MS = 60_000;
const FORGET_MS = 15 * 60_000;
const MAX_REMEMBERED = 20_000;

interface Failures {
  count: number;
  blockedUntil: number;
  forgetAt: number;
}

/**
 * Slows down guessing: after a few wrong passwords for one account from one address, each further one doubles the time
 * until that address may try that account again. Other addresses, and other accounts, are not touched, so nobody can
 * lock anybody else out. Kept in memory, per replica, within a fixed size.
 */
export class LoginThrottle {
  readonly #failures = new Map<string, Failures>();
  readonly #now: () => number;

  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  /** Whole seconds until this address may try this account again; 0 when it may now. */
  secondsToWait(account: string, address: string): number {
    const entry = this.#failures.get(keyOf(account, address));
    return entry === undefined ? 0 : Math.max(0, Math.ceil((entry.blockedUntil - this.#now()) / 1000));
  }

  /** @throws Problem TOO_MANY_REQUEST, with Retry-After, while this address has to wait */
  requireNoWait(account: string, address: string): void {
    const seconds = this.secondsToWait(account, address);
    if (seconds === 0) return;
    const message = `too many wrong passwords for this account from your address; try again in ${seconds} s`;
    throw new Problem('TOO_MANY_REQUEST', message, { headers: { 'Retry-After': String(seconds) } });
  }

  failed(account: string, address: string): void {
    const key = keyOf(account, address);
    const now = this.#now();
    const known = this.#failures.get(key);
    const count = known !== undefined && known.forgetAt > now ? known.count + 1 : 1;
    const excess = count - FREE_FAILURES;
    const delay = excess < 0 ? 0 : Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** Math.min(excess, 16));
    this.#failures.delete(key); // the newest entry comes last, so that the oldest are dropped first
    this.#failures.set(key, { count, blockedUntil: now + delay, forgetAt: now + FORGET_MS });
    if (this.#failures.size > MAX_REMEMBERED) this.#dropOldest();
  }

  succeeded(account: string, address: string): void {
    this.#failures.delete(keyOf(account, address));
  }

  #dropOldest(): void {
    const [oldest] = this.#failures.keys();
    if (oldest !== undefined) this.#failures.delete(oldest);
  }
}

function keyOf(account: string, address: string): string {
  return `${addressGroup(address)} ${account}`;
}

/** An IPv6 customer owns a /64, so that is what counts as one address. */
export function addressGroup(address: string): string {
  if (!address.includes(':')) return address;
  if (address.toLowerCase().startsWith('::ffff:') && address.includes('.')) return address.slice(7);
  const [head = '', tail] = address.split('::');
  const groups = head === '' ? [] : head.split(':');
  const missing = tail === undefined ? 0 : 8 - groups.length - (tail === '' ? 0 : tail.split(':').length);
  const full = [...groups, ...Array<string>(Math.max(0, missing)).fill('0'), ...(tail ?? '').split(':').filter((part) => part !== '')];
  return `${full.slice(0, 4).map((part) => part.replace(/^0+(?=.)/, '')).join(':')}::/64`;
}
