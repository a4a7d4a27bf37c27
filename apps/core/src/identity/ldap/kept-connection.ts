import { DirectoryFault } from './directory-fault.js';

interface Connection {
  readonly usable: boolean;
  close(): Promise<void>;
}

/** A connection that is made when it is needed first and made anew when it was lost. Once it is closed there is none any more, also none that was being made. */
export class KeptConnection<Kept extends Connection> {
  #current: Promise<Kept> | undefined;
  #closed = false;

  /**
   * Runs `work` with the connection, once more with another when a kept one turns out to be dead. Throws what `open` and
   * `work` throw; whoever waits for one that cannot be opened shares its fault.
   */
  async use<Result>(open: () => Promise<Kept>, work: (connection: Kept) => Promise<Result>): Promise<Result> {
    const kept = this.#current;
    if (kept !== undefined) {
      const connection = await kept;
      try {
        if (connection.usable) return await work(connection);
      } catch (error) {
        if (this.#closed || !(error instanceof DirectoryFault) || error.kind !== 'unreachable') throw error;
      }
      this.#drop(kept, connection);
    }
    return work(await this.#opened(open));
  }

  async close(): Promise<void> {
    this.#closed = true;
    const current = this.#current;
    this.#current = undefined;
    await current?.then((connection) => connection.close(), () => undefined); // one that could not be opened is nobody's to close
  }

  #opened(open: () => Promise<Kept>): Promise<Kept> {
    if (this.#closed) throw new DirectoryFault('unreachable', 'the connection to the directory was closed meanwhile');
    if (this.#current !== undefined) return this.#current;
    const opened = open();
    this.#current = opened;
    opened.catch(() => {
      if (this.#current === opened) this.#current = undefined;
    });
    return opened;
  }

  #drop(kept: Promise<Kept>, connection: Kept): void {
    if (this.#current === kept) this.#current = undefined;
    void connection.close(); // also when its server hung up: it may have opened others
  }
}
