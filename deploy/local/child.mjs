import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';

const KEPT_LINES = 200;
const LONGEST_LINE = 4_000;

/**
 * A server process that this process started. It runs in its own session, so that a Ctrl-C in the terminal reaches
 * only the launcher, which then stops everything in order. Keeps the last lines it wrote, for error messages.
 */
export class Child {
  #process;
  #lines = [];
  #exit;

  /**
   * @param {object} options
   * @param {string} options.name how messages call it
   * @param {string} options.command
   * @param {string[]} [options.args]
   * @param {Record<string, string>} options.env the whole environment; nothing is inherited
   * @param {string} [options.cwd]
   * @param {number} [options.uid] @param {number} [options.gid] run as this user
   * @param {string} [options.input] what it reads from standard input (secrets that must not be arguments)
   * @param {boolean} [options.holdsInput] its standard input stays open, after `input`, for as long as this process lives:
   *   for servers that end by themselves when it closes
   * @param {(line: string) => void} [options.onLine] every line of its output
   * @param {(pid: number) => void} [options.onSpawn] called at once when it runs
   */
  constructor({ name, command, args = [], env, cwd, uid, gid, input, holdsInput = false, onLine, onSpawn }) {
    this.name = name;
    this.#process = spawn(command, args, {
      env, cwd, detached: true, stdio: [input === undefined && !holdsInput ? 'ignore' : 'pipe', 'pipe', 'pipe'],
      ...(uid === undefined ? {} : { uid }), ...(gid === undefined ? {} : { gid }),
    });
    this.exited = new Promise((resolve) => {
      this.#process.once('error', (error) => resolve({ code: null, signal: null, error }));
      this.#process.once('exit', (code, signal) => resolve({ code, signal }));
    }).then((exit) => (this.#exit = exit));
    if (this.pid !== undefined) onSpawn?.(this.pid);
    if (input !== undefined || holdsInput) this.#feed(input, holdsInput);
    for (const stream of [this.#process.stdout, this.#process.stderr]) this.#read(stream, onLine);
  }

  get pid() {
    return this.#process.pid;
  }

  get running() {
    return this.#exit === undefined && this.pid !== undefined;
  }

  /** Its last lines, oldest first. */
  output(lines = KEPT_LINES) {
    return this.#lines.slice(-lines).join('\n');
  }

  /** One phrase: how it ended. */
  ending() {
    if (this.#exit === undefined) return 'is running';
    const { code, signal, error } = this.#exit;
    if (error) return `could not be started: ${error.message}`;
    return signal ? `was ended by ${signal}` : `ended with exit code ${code}`;
  }

  /** Sends a signal; does nothing when the process has already ended. */
  kill(signal) {
    if (this.running) this.#process.kill(signal);
  }

  /** Asks it to end, waits at most `seconds`, then ends it by force. Resolves to true when force was not needed. */
  async stop({ signal = 'SIGTERM', seconds = 10 } = {}) {
    this.kill(signal);
    if (await this.endsWithin(seconds)) return true;
    this.kill('SIGKILL');
    await this.exited;
    return false;
  }

  /** Resolves to whether the process has ended `seconds` from now, at once when it ends earlier. */
  async endsWithin(seconds) {
    if (!this.running) return true;
    const timer = new AbortController();
    const tooLate = delay(seconds * 1000, false, { signal: timer.signal }).catch(() => false);
    const ended = await Promise.race([this.exited.then(() => true), tooLate]);
    timer.abort();
    return ended;
  }

  #feed(input = '', holdsInput) {
    // A child that ends before it has read its input closes the pipe; its exit is what gets reported.
    this.#process.stdin.on('error', (error) => this.#keep(`standard input: ${error.message}`));
    this.#process.stdin.write(input);
    if (!holdsInput) this.#process.stdin.end();
  }

  #read(stream, onLine) {
    createInterface({ input: stream, crlfDelay: Infinity }).on('line', (line) => {
      this.#keep(line);
      onLine?.(line);
    });
  }

  #keep(line) {
    this.#lines.push(line.length > LONGEST_LINE ? `${line.slice(0, LONGEST_LINE)}…` : line);
    if (this.#lines.length > KEPT_LINES) this.#lines.shift();
  }
}
