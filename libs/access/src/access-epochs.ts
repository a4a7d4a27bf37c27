import { MAX_TOKEN_SECONDS, type RegistryTokenClaims } from './token/claims.js';

/**
 * Revocations, in memory: registry tokens issued before a subject's or a project's epoch are no longer good.
 *
 * Who writes an epoch must take its time after the change of rights has been committed, and who issues a token must
 * take its time of issue before reading the rights, by the same clock; then no token can slip through between them.
 */
export class AccessEpochs {
  /** `user:3`, `robot:7` or `project:5` to milliseconds since 1970. */
  readonly #epochs = new Map<string, number>();

  /** Refuses tokens of this subject or project issued before `notBefore`. An epoch only ever moves forward. */
  raise(subject: string, notBefore: Date): void {
    const time = notBefore.getTime();
    if (Number.isNaN(time)) throw new RangeError(`The access epoch of ${subject} is not a time.`);
    if (time > (this.#epochs.get(subject) ?? -Infinity)) this.#epochs.set(subject, time);
  }

  /** Whether rights in this token have been withdrawn since it was issued. */
  isRevoked(claims: RegistryTokenClaims): boolean {
    if (this.#epochs.size === 0) return false;
    const issued = Math.round(claims.issuedAt * 1000);
    if (claims.subject !== '' && this.#isBefore(issued, claims.subject)) return true;
    return claims.access.some((entry) => entry.type === 'repository' && this.#isBefore(issued, `project:${entry.project}`));
  }

  /** Forgets epochs so old that every token from before them has expired; returns how many. */
  prune(now: Date): number {
    const oldest = now.getTime() - 2 * MAX_TOKEN_SECONDS * 1000;
    let forgotten = 0;
    for (const [subject, time] of this.#epochs) {
      if (time < oldest && this.#epochs.delete(subject)) forgotten++;
    }
    return forgotten;
  }

  #isBefore(issued: number, subject: string): boolean {
    const epoch = this.#epochs.get(subject);
    return epoch !== undefined && issued < epoch;
  }
}
