interface Waiting<Item> {
  readonly item: Item;
  resolve(): void;
  reject(error: unknown): void;
}

/** Has what comes one by one done together: what comes while a batch is being done is done next. */
export class Batches<Item> {
  readonly #work: (items: readonly Item[]) => Promise<void>;
  readonly #largest: number;
  #waiting: Waiting<Item>[] = [];
  #working = false;

  constructor(work: (items: readonly Item[]) => Promise<void>, largest: number) {
    this.#work = work;
    this.#largest = largest;
  }

  /** Resolves or rejects as the work on this item did. */
  add(item: Item): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ item, resolve, reject });
      if (!this.#working) void this.#doAll();
    });
  }

  async #doAll(): Promise<void> {
    this.#working = true;
    while (this.#waiting.length > 0) await this.#do(this.#waiting.splice(0, this.#largest));
    this.#working = false;
  }

  async #do(batch: readonly Waiting<Item>[]): Promise<void> {
    try {
      await this.#work(batch.map(({ item }) => item));
      for (const { resolve } of batch) resolve();
    } catch (error) {
      const [only] = batch;
      if (batch.length === 1 && only !== undefined) return only.reject(error);
      // One item that fails must not hold up the others.
      for (const waiting of batch) await this.#do([waiting]);
    }
  }
}
