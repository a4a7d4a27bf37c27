import { createHmac, randomBytes } from 'node:crypto';

const KEEP_MS = 60_000;
const MAX_KEPT = 10_000;

/**
 * Remembers for a minute that a password was right, so that the many token requests of one push cost one scrypt. The
 * key is a MAC, under a secret of this process, over account, stored hash and password: no password stays in memory, and a
 * new password misses at once, on every replica, because the stored hash (read anew each time) is part of the key.
 * Equal checks that run at the same time become one.
 */
export class VerifiedPasswords {
  readonly #secret = randomBytes(32);
  readonly #until = new Map<string, number>();
  readonly #running = new Map<string, Promise<boolean>>();
  readonly #now: () => number;
  readonly #keepMs: number;

  /** @param now in milliseconds; a clock that nobody can put back, or passwords would be trusted for longer */
  constructor(now: () => number = () => performance.now(), keepMs = KEEP_MS) {
    this.#now = now;
    this.#keepMs = keepMs;
  }

  /** @param account the account's id, or the name that no account has: unknown names must not share a check, which would be faster than two */
  async check(account: string, storedHash: string, password: string, verify: () => Promise<boolean>): Promise<boolean> {
    const key = this.#key(account, storedHash, password);
    if ((this.#until.get(key) ?? 0) > this.#now()) return true;
    const running = this.#running.get(key);
    if (running !== undefined) return running;
    const started = verify().finally(() => this.#running.delete(key));
    this.#running.set(key, started);
    const right = await started;
    if (right) this.#keep(key);
    return right;
  }

  #keep(key: string): void {
    this.#until.delete(key);
    this.#until.set(key, this.#now() + this.#keepMs);
    if (this.#until.size <= MAX_KEPT) return;
    const [oldest] = this.#until.keys();
    if (oldest !== undefined) this.#until.delete(oldest);
  }

  /** Every part is preceded by its length, so that no two triples read the same. */
  #key(account: string, storedHash: string, password: string): string {
    const mac = createHmac('sha256', this.#secret);
    for (const part of [account, storedHash, password]) mac.update(`${Buffer.byteLength(part)}:${part}`);
    return mac.digest('base64');
  }
}
