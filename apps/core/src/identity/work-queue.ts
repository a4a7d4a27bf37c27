/** The queue is full: the work was not begun. */
export class QueueFull extends Error {
  override readonly name = 'QueueFull';
}

export interface WorkQueueBounds {
  /** Jobs that run at the same time. */
  readonly concurrency: number;
  /** Jobs that wait, at most. */
  readonly waiting: number;
  /** Jobs of one origin that wait, at most, so that one address cannot fill the queue. */
  readonly waitingPerOrigin: number;
}

interface Waiting {
  readonly origin: string;
  readonly start: () => void;
}

/** Lets a few expensive jobs run at once, keeps a bounded number waiting in order, and refuses the rest at once. */
export class WorkQueue {
  readonly #bounds: WorkQueueBounds;
  readonly #waiting: Waiting[] = [];
  readonly #perOrigin = new Map<string, number>();
  #running = 0;

  constructor(bounds: WorkQueueBounds) {
    this.#bounds = bounds;
  }

  /** Runs `job` when its turn comes. Rejects with QueueFull when it would have to wait and may not. */
  async run<Result>(origin: string, job: () => Promise<Result>): Promise<Result> {
    if (this.#running < this.#bounds.concurrency) this.#running += 1;
    else await this.#turn(origin);
    try {
      return await job();
    } finally {
      this.#next();
    }
  }

  #turn(origin: string): Promise<void> {
    const own = this.#perOrigin.get(origin) ?? 0;
    if (this.#waiting.length >= this.#bounds.waiting || own >= this.#bounds.waitingPerOrigin) throw new QueueFull('too much work is waiting already');
    this.#perOrigin.set(origin, own + 1);
    return new Promise((start) => {
      this.#waiting.push({ origin, start });
    });
  }

  /** Hands the place on to who waits longest; it stays taken, so nobody can slip in between. */
  #next(): void {
    const next = this.#waiting.shift();
    if (next === undefined) {
      this.#running -= 1;
      return;
    }
    const own = this.#perOrigin.get(next.origin) ?? 1;
    if (own > 1) this.#perOrigin.set(next.origin, own - 1);
    else this.#perOrigin.delete(next.origin);
    next.start();
  }
}
