import type { Exchange } from '../exchange/exchange.js';

/** The exchanges that are not finished yet. */
export class InFlight {
  readonly #exchanges = new Set<Exchange>();
  readonly #waiting: (() => void)[] = [];

  get size(): number { return this.#exchanges.size; }

  add(exchange: Exchange): void {
    this.#exchanges.add(exchange);
  }

  delete(exchange: Exchange): void {
    this.#exchanges.delete(exchange);
    if (this.#exchanges.size === 0) for (const resolve of this.#waiting.splice(0)) resolve();
  }

  /** Resolves as soon as nothing is under way, or after so many milliseconds; tells which of the two it was. */
  whenEmpty(patience: number): Promise<boolean> {
    if (this.size === 0) return Promise.resolve(true);
    return new Promise((resolve) => {
      const timer = setTimeout(() => { resolve(false); }, patience);
      this.#waiting.push(() => {
        clearTimeout(timer);
        resolve(true);
      });
    });
  }
}
