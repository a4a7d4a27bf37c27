import { setTimeout as delay } from 'node:timers/promises';
import { isPortTaken } from './ports.mjs';

const ATTEMPTS = 8;
const POLL_MS = 30;

/**
 * One server process that can be started again after it ended. Its ports are chosen at the first start, with another
 * try when somebody else was faster, and kept from then on. Subclasses say how to launch it and when it is ready.
 */
export class Server {
  #child;
  #wanted = false;
  ports;

  /** @param {{ name: string, readySeconds: number, stopSeconds: number, stopSignal?: string }} options */
  constructor({ name, readySeconds, stopSeconds, stopSignal = 'SIGTERM' }) {
    this.name = name;
    this.readySeconds = readySeconds;
    this.stopSeconds = stopSeconds;
    this.stopSignal = stopSignal;
  }

  get pid() {
    return this.#child?.pid;
  }

  /** The process behind it; a new one after each start. */
  get child() {
    return this.#child;
  }

  /** Starts it and waits until it is ready. Throws with its last lines when it ends or takes too long. */
  async start() {
    if (this.#child?.running) return;
    this.#wanted = true;
    for (let attempt = 1; ; attempt += 1) {
      const ports = this.ports ?? await this.choosePorts();
      this.#assertWanted();
      this.#child = this.launch(ports);
      if (await this.#becomesReady(this.#child, ports)) {
        this.ports = ports;
        return;
      }
      this.#assertWanted();
      if (!this.mayTryAgain(this.#child.output()) || attempt === ATTEMPTS) throw this.#failure(this.#child.ending());
      await delay(100 * attempt);
    }
  }

  /** Asks it to end and waits; after `stopSeconds` it is ended by force. */
  async stop() {
    this.#wanted = false;
    await this.#child?.stop({ signal: this.stopSignal, seconds: this.stopSeconds });
  }

  kill(signal = 'SIGKILL') {
    this.#child?.kill(signal);
  }

  /** @returns {Promise<object>} */
  choosePorts() {
    throw new Error(`${this.constructor.name} does not choose ports`);
  }

  /** @returns {import('./child.mjs').Child} */
  launch(_ports) {
    throw new Error(`${this.constructor.name} cannot be launched`);
  }

  /** @returns {Promise<undefined | string>} undefined when it is ready, otherwise what it answered */
  probe(_ports) {
    throw new Error(`${this.constructor.name} cannot be asked`);
  }

  /** Whether its output tells a reason that passes by itself. */
  mayTryAgain(output) {
    return isPortTaken(output);
  }

  async #becomesReady(child, ports) {
    const end = Date.now() + this.readySeconds * 1000;
    while (child.running) {
      const answer = await this.probe(ports);
      if (answer === undefined && child.running) return true;
      if (Date.now() > end) {
        await child.stop({ signal: this.stopSignal, seconds: 5 });
        throw this.#failure(`was not ready within ${this.readySeconds} s (${answer})`);
      }
      await delay(POLL_MS);
    }
    return false;
  }

  #assertWanted() {
    if (!this.#wanted) throw new Error(`${this.name} was stopped while it was starting.`);
  }

  #failure(what) {
    return new Error(`${this.name} ${what}. Its last lines:\n${this.#child.output(25) || '(none)'}`);
  }
}
