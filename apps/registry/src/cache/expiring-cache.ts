/** One value on its way from its source; marked when it is forgotten meanwhile, for then it may be old already. */
interface Loading<Value> {
  readonly value: Promise<Value | undefined>;
  forgotten: boolean;
}

interface Held<Value> {
  readonly value: Value;
  readonly until: number;
}

/**
 * Values read from the database, kept for a short time. Absence is never kept, so that what was just pushed is found.
 * Requests for the same key share one look-up, and a value that was forgotten while it was being read is not kept.
 */
export class ExpiringCache<Value> {
  readonly #held = new Map<string, Held<Value>>();
  readonly #loading = new Map<string, Loading<Value>>();
  readonly #milliseconds: number;
  readonly #most: number;

  constructor(options: { readonly milliseconds: number; readonly most: number }) {
    this.#milliseconds = options.milliseconds;
    this.#most = options.most;
  }

  get(key: string): Value | undefined {
    const held = this.#held.get(key);
    if (held === undefined) return undefined;
    if (held.until > performance.now()) return held.value;
    this.#held.delete(key);
    return undefined;
  }

  /** The kept value, or what `read` finds. */
  load(key: string, read: () => Promise<Value | undefined>): Promise<Value | undefined> {
    const held = this.get(key);
    if (held !== undefined) return Promise.resolve(held);
    const running = this.#loading.get(key);
    if (running) return running.value;
    const loading: Loading<Value> = { value: this.#read(key, read, () => loading.forgotten), forgotten: false };
    this.#loading.set(key, loading);
    return loading.value;
  }

  forget(key: string): void {
    this.#held.delete(key);
    const loading = this.#loading.get(key);
    if (!loading) return;
    loading.forgotten = true;
    this.#loading.delete(key);
  }

  clear(): void {
    this.#held.clear();
    for (const loading of this.#loading.values()) loading.forgotten = true;
    this.#loading.clear();
  }

  async #read(key: string, read: () => Promise<Value | undefined>, forgotten: () => boolean): Promise<Value | undefined> {
    try {
      // The look-up starts after `loading` is registered, so that a forget in between is seen.
      await Promise.resolve();
      const value = await read();
      if (value !== undefined && !forgotten()) this.#keep(key, value);
      return value;
    } finally {
      if (!forgotten()) this.#loading.delete(key);
    }
  }

  #keep(key: string, value: Value): void {
    if (this.#held.size >= this.#most) {
      const [oldest] = this.#held.keys();
      if (oldest !== undefined) this.#held.delete(oldest);
    }
    this.#held.set(key, { value, until: performance.now() + this.#milliseconds });
  }
}
