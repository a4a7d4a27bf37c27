/** The size of the buffers that are lent, in bytes. */
export const BUFFER_BYTES = 1024 * 1024;

/** Lends large buffers, no more than `limit` at once, and keeps those that come back. */
export class BufferPool {
  readonly #limit: number;
  readonly #free: Buffer[] = [];
  #lent = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get lent(): number { return this.#lent; }

  /** Two buffers, or undefined when that would be more than the limit. */
  borrowPair(): [Buffer, Buffer] | undefined {
    if (this.#lent + 2 > this.#limit) return undefined;
    this.#lent += 2;
    return [this.#take(), this.#take()];
  }

  borrow(): Buffer | undefined {
    if (this.#lent + 1 > this.#limit) return undefined;
    this.#lent += 1;
    return this.#take();
  }

  /** Takes a buffer back. Nothing may read or write it any more. */
  giveBack(buffer: Buffer): void {
    this.#lent -= 1;
    this.#free.push(buffer);
  }

  /** Forgets a lent buffer that the system may still be using. */
  forget(): void {
    this.#lent -= 1;
  }

  #take(): Buffer {
    return this.#free.pop() ?? Buffer.allocUnsafeSlow(BUFFER_BYTES);
  }
}
