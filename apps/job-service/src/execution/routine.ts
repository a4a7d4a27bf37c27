import { setTimeout as sleep } from 'node:timers/promises';
import { jitteredDelay, type Logger } from '@haven/runtime';

export interface RoutineParts {
  /** What it does, as the log says it: "looking for lost tasks". */
  readonly name: string;
  readonly everyMs: number;
  readonly work: () => Promise<unknown>;
  readonly logger: Logger;
}

const MOST_BACKOFF_MS = 60_000;

/** Does something again and again, with a pause in between. Failures are logged once in a row and lengthen the pause. */
export class Routine {
  readonly #parts: RoutineParts;
  readonly #stop = new AbortController();
  #hurry = new AbortController();
  #running: Promise<void> | undefined;
  #failures = 0;

  constructor(parts: RoutineParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** Does it next without waiting for the end of the pause. */
  hurry(): void {
    this.#hurry.abort();
  }

  /** Ends after what it is doing. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      this.#hurry = new AbortController();
      const pause = await this.#step();
      const signal = AbortSignal.any([this.#stop.signal, this.#hurry.signal]);
      await sleep(pause, undefined, { signal }).catch(() => undefined); // Rejects only when stopped or hurried.
    }
  }

  async #step(): Promise<number> {
    const { name, everyMs, work, logger } = this.#parts;
    try {
      await work();
      if (this.#failures > 0) logger.info(`${name} works again`, { failures: this.#failures });
      this.#failures = 0;
      return everyMs;
    } catch (error) {
      this.#failures += 1;
      if (this.#failures === 1) logger.warn(`${name} failed; it is tried again`, { error });
      return jitteredDelay(this.#failures, { baseMs: everyMs, maxMs: Math.max(everyMs, MOST_BACKOFF_MS) });
    }
  }
}
