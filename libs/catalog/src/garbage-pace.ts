import { setTimeout as sleep } from 'node:timers/promises';

/** What a kill makes the next collection do once more, at most; and for how long pushes find the machine busy at a time. */
const LARGEST_BATCH = 100;
const FIRST_BATCH = 25;
/** A batch grows when it took less, and shrinks when it took more: so stopping is quick, and little stays marked. */
const QUICK_MS = 250;
const SLOW_MS = 1000;
/** Storage may be slow without being busy: nobody gains by longer pauses. */
const LONGEST_REST_MS = 250;

/**
 * How much is done at once, and how long nothing is done after it. A collection with one worker rests as long as it works,
 * so that pushes hardly notice it, but never for longer than storage that is slow and not busy deserves; with more of them it
 * is in more of a hurry.
 */
export class Pace {
  readonly #share: number;
  #size = FIRST_BATCH;

  constructor(workers: number) {
    this.#share = 1 / workers;
  }

  /** How many blobs a batch has. */
  get size(): number {
    return this.#size;
  }

  /** Tells how long a batch of that size took. */
  took(milliseconds: number): void {
    if (milliseconds < QUICK_MS) this.#size = Math.min(LARGEST_BATCH, this.#size * 2);
    else if (milliseconds > SLOW_MS) this.#size = Math.max(1, Math.floor(this.#size / 2));
  }

  /** Rests after so much work; not any longer once the signal is aborted. */
  async rest(workedMs: number, signal: AbortSignal | undefined): Promise<void> {
    const milliseconds = Math.min(LONGEST_REST_MS, workedMs * this.#share);
    if (milliseconds < 1) return;
    await sleep(milliseconds, undefined, signal && { signal }).catch((error: unknown) => {
      if (signal?.aborted !== true) throw error;
    });
  }
}
