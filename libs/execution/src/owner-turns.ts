/** How many tasks may wait for their turn in memory; what comes beyond is told of again by TaskSweep. */
const MOST_WAITING = 10_000;

interface Turns {
  running: number;
  readonly waiting: number[];
}

/**
 * Shares the workers of one process between those whose tasks they do: of one owner only so many run at once, so that
 * thousands of slow tasks of one project keep nobody else's from beginning. What waits is only a hint, as the queue is.
 */
export class OwnerTurns {
  readonly #owners = new Map<string, Turns>();
  readonly #mostWaiting: number;
  #waiting = 0;

  constructor({ mostWaiting = MOST_WAITING }: { readonly mostWaiting?: number } = {}) {
    this.#mostWaiting = mostWaiting;
  }

  /** True when the task may begin: call `leave` in the end. Otherwise it waits for `next`, if there is room. */
  enter(owner: string, task: number, share: number): boolean {
    const turns = this.#owners.get(owner) ?? { running: 0, waiting: [] };
    this.#owners.set(owner, turns);
    if (turns.running < share) {
      turns.running += 1;
      return true;
    }
    if (this.#waiting < this.#mostWaiting) {
      turns.waiting.push(task);
      this.#waiting += 1;
    }
    return false;
  }

  /** The task of the owner that waits for longest; whoever entered goes on with it. */
  next(owner: string): number | undefined {
    const task = this.#owners.get(owner)?.waiting.shift();
    if (task !== undefined) this.#waiting -= 1;
    return task;
  }

  leave(owner: string): void {
    const turns = this.#owners.get(owner);
    if (turns === undefined) return;
    turns.running -= 1;
    if (turns.running > 0) return;
    this.#owners.delete(owner);
    this.#waiting -= turns.waiting.length;
  }
}
