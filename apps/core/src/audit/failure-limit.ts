const WINDOW_MS = 60_000;
/** Failures of one subject that are recorded in a minute. */
const MOST_FAILURES = 60;
const MOST_SUBJECTS = 10_000;

/** Bounds how much of the audit trail one account can fill with attempts that fail. */
export class FailureLimit {
  readonly #counts = new Map<string, number>();
  #windowEnds = -Infinity;

  /** Whether to record one more failure of the subject: 'last' stands for those that follow in the same minute. */
  take(subject: string, now: number): 'record' | 'last' | 'pass' {
    if (now >= this.#windowEnds || this.#counts.size >= MOST_SUBJECTS) {
      this.#counts.clear();
      this.#windowEnds = now + WINDOW_MS;
    }
    const count = (this.#counts.get(subject) ?? 0) + 1;
    this.#counts.set(subject, count);
    if (count < MOST_FAILURES) return 'record';
    return count === MOST_FAILURES ? 'last' : 'pass';
  }
}
