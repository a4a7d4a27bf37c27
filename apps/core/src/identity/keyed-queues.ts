import { WorkQueue, type WorkQueueBounds } from './work-queue.js';

interface Used {
  readonly queue: WorkQueue;
  users: number;
}

/** A queue for each key that has work just now, and none for any other: keys may be whatever clients send. */
export class KeyedQueues {
  readonly #bounds: Omit<WorkQueueBounds, 'waitingPerOrigin'>;
  readonly #queues = new Map<string, Used>();

  constructor(bounds: Omit<WorkQueueBounds, 'waitingPerOrigin'>) {
    this.#bounds = bounds;
  }

  /** How many keys have work. */
  get size(): number {
    return this.#queues.size;
  }

  /** Runs `job` when its turn among those of its key comes. Rejects with QueueFull as WorkQueue does. */
  async run<Result>(key: string, job: () => Promise<Result>): Promise<Result> {
    const used = this.#queues.get(key) ?? { queue: new WorkQueue({ ...this.#bounds, waitingPerOrigin: this.#bounds.waiting }), users: 0 };
    this.#queues.set(key, used);
    used.users += 1;
    try {
      return await used.queue.run('', job);
    } finally {
      used.users -= 1;
      if (used.users === 0) this.#queues.delete(key);
    }
  }
}
