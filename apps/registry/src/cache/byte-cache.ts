/** Small immutable contents by name, the least recently used dropped first once they exceed `most` bytes. */
export class ByteCache {
  readonly #held = new Map<string, Buffer>();
  readonly #most: number;
  #bytes = 0;

  constructor(most: number) {
    this.#most = most;
  }

  get(name: string): Buffer | undefined {
    const bytes = this.#held.get(name);
    if (bytes === undefined) return undefined;
    this.#held.delete(name);
    this.#held.set(name, bytes);
    return bytes;
  }

  set(name: string, bytes: Buffer): void {
    if (this.#held.has(name) || bytes.length > this.#most / 8) return;
    this.#held.set(name, bytes);
    this.#bytes += bytes.length;
    for (const [oldest, old] of this.#held) {
      if (this.#bytes <= this.#most) break;
      this.#held.delete(oldest);
      this.#bytes -= old.length;
    }
  }
}
