/** How many tasks of one owner may wait for their turn in memory; what comes beyond is told of again by TaskSweep. */
const MOST_OF_OWNER = 10_000;
/** And of all owners together: some megabytes. */
const MOST_WAITING = 200_000;

interface Turns {
  running: number;
  /** In their order. TaskSweep tells again and again of what waits for long: a copy of it must not take room from others. */
  readonly waiting: Set<number>;
}

export interface TurnLimits {
  readonly mostOfOwner?: number;
  readonly mostWaiting?: number;
}

/**
 * Shares the workers of one process between those whose tasks they do: of one owner only so many run at once, so that
 * thousands of slow tasks of one project keep nobody else's from beginning. What waits is only a hint, as the queue is.
 */
export class OwnerTurns {
  readonly #owners = new Map<string, Turns>();
  readonly #mostOfOwner: number;
  readonly #mostWaiting: number;
  #waiting = 0;

  constructor({ mostOfOwner = MOST_OF_OWNER, mostWaiting = MOST_WAITING }: TurnLimits = {}) {
    this.#mostOfOwner = mostOfOwner;
    this.#mostWaiting = mostWaiting;
  }

  /** True when the task may begin: call `leave` in the end. Otherwise it waits for `next`, if there is room. */
  enter(owner: string, task: number, share: number): boolean {
    const turns = this.#owners.get(owner) ?? { running: 0, waiting: new Set() };
    this.#owners.set(owner, turns);
    if (turns.running < share) {
      turns.running += 1;
      return true;
    }
    if (!turns.waiting.has(task) && turns.waiting.size < this.#mostOfOwner && this.#waiting < this.#mostWaiting) {
      turns.waiting.add(task);
      this.#waiting += 1;
    }
    return false;
  }

  /** The task of the owner that waits for longest; whoever entered goes on with it. */
  next(owner: string): number | undefined {
    const waiting = this.#owners.get(owner)?.waiting;
    const [task] = waiting ?? [];
    if (task !== undefined && waiting?.delete(task)) this.#waiting -= 1;
    return task;
  }

  leave(owner: string): void {
    const turns = this.#owners.get(owner);
    if (turns === undefined) return;
    turns.running -= 1;
    if (turns.running > 0) return;
    this.#owners.delete(owner);
    this.#waiting -= turns.waiting.size;
  }
}
