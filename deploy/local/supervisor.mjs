import { setTimeout as delay } from 'node:timers/promises';

const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 15_000;
const CALM_MS = 30_000;

/**
 * Keeps one server running: when it ends though nobody asked it to, says so and starts it again, after a pause that
 * doubles while it keeps failing. A server is anything with `start()`, `stop()`, `kill(signal)`, `pid` and `child`.
 */
export class Supervisor {
  #server;
  #report;
  #onRestarted;
  #wanted = false;
  #pause = FIRST_PAUSE_MS;
  #interrupt = new AbortController();
  #loop = Promise.resolve();

  /**
   * @param {import('./server.mjs').Server} server
   * @param {object} options
   * @param {(message: string) => void} options.report hears about every unexpected end and every restart
   * @param {() => void} options.onRestarted
   */
  constructor(server, { report, onRestarted }) {
    this.name = server.name;
    this.#server = server;
    this.#report = report;
    this.#onRestarted = onRestarted;
  }

  get pid() {
    return this.#server.pid;
  }

  get privateUrl() {
    return this.#server.privateUrl;
  }

  /** Of a service: where it listens. Of a store: its connection URL. Known once it has started. */
  get url() {
    return this.#server.url;
  }

  /** Starts it and watches it from now on. A server that fails its first start is not tried again. */
  async start() {
    if (this.#wanted) return;
    this.#wanted = true;
    this.#interrupt = new AbortController();
    try {
      await this.#server.start();
    } catch (error) {
      this.#wanted = false;
      throw error;
    }
    this.#loop = this.#watch();
  }

  /** Stops it for good (until `start`). */
  async stop() {
    this.#wanted = false;
    this.#interrupt.abort();
    await this.#server.stop();
    await this.#loop;
  }

  async restart() {
    await this.stop();
    await this.start();
  }

  /** Ends the process the hard way; it comes back by itself. */
  kill(signal = 'SIGKILL') {
    this.#server.kill(signal);
  }

  async #watch() {
    while (this.#wanted) {
      const since = Date.now();
      await this.#server.child.exited;
      if (!this.#wanted) return;
      if (Date.now() - since > CALM_MS) this.#pause = FIRST_PAUSE_MS;
      this.#report(`${this.name} ${this.#server.child.ending()}; starting it again in ${this.#pause / 1000} s`);
      await delay(this.#pause, undefined, { signal: this.#interrupt.signal }).catch(() => undefined); // stop() cuts the pause short
      this.#pause = Math.min(this.#pause * 2, LONGEST_PAUSE_MS);
      if (this.#wanted) await this.#tryAgain();
    }
  }

  async #tryAgain() {
    try {
      await this.#server.start();
      this.#onRestarted();
      this.#report(`${this.name} runs again (process ${this.pid})`);
    } catch (error) {
      if (this.#wanted) this.#report(`${this.name} could not be started again: ${error.message}`);
    }
  }
}
