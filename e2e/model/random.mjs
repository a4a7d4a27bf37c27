/** Random choices that the same seed repeats. */
export class Random {
  #state;

  /** @param {number} seed any 32-bit number */
  constructor(seed) {
    this.#state = seed >>> 0;
  }

  /** A number from 0 up to, but without, 1 (the mulberry32 sequence). */
  next() {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let value = this.#state;
    value = Math.imul(value ^ (value >>> 15), value | 1);
    value ^= value + Math.imul(value ^ (value >>> 7), value | 61);
    return ((value ^ (value >>> 14)) >>> 0) / 2 ** 32;
  }

  /** A whole number from `least` to `most`. */
  whole(least, most) {
    return least + Math.floor(this.next() * (most - least + 1));
  }

  /** Whether something that happens so often (0 to 1) happens now. */
  happens(share) {
    return this.next() < share;
  }

  /** One of the items; undefined when there are none. */
  pick(items) {
    const list = Array.isArray(items) ? items : [...items];
    return list[Math.floor(this.next() * list.length)];
  }

  /** `count` of the items, without repeats. */
  some(items, count) {
    const left = [...items];
    return Array.from({ length: Math.min(count, left.length) }, () => left.splice(Math.floor(this.next() * left.length), 1)[0]);
  }

  /** One of the keys, each as often as its weight says. */
  weighted(weights) {
    const entries = Object.entries(weights);
    let left = this.next() * entries.reduce((sum, [, weight]) => sum + weight, 0);
    for (const [key, weight] of entries) if ((left -= weight) < 0) return key;
    return entries.at(-1)[0];
  }

  bytes(size) {
    const bytes = Buffer.alloc(size);
    for (let index = 0; index < size; index += 1) bytes[index] = this.whole(0, 255);
    return bytes;
  }
}
