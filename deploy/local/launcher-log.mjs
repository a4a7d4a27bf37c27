import { appendFileSync, renameSync, statSync } from 'node:fs';

const MOST_BYTES = 4 * 1024 * 1024;

/**
 * A small file with what the launcher did and what its child processes wrote to their outputs. The services' own logs
 * are kept by the log collector; this file is for the time before it runs, and for crashes. At most two files of 4 MiB.
 */
export class LauncherLog {
  #path;
  #bytes;
  #broken = false;

  /** @param {string} path */
  constructor(path) {
    this.#path = path;
    this.#bytes = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  }

  /** A full disk must not take the platform down: the fault is told once, until writing works again. */
  write(source, line) {
    try {
      this.#append(`${new Date().toISOString()} ${source}: ${line}\n`);
      this.#broken = false;
    } catch (error) {
      if (!this.#broken) console.error(`${this.#path} cannot be written: ${error.message}`);
      this.#broken = true;
    }
  }

  #append(text) {
    if (this.#bytes + text.length > MOST_BYTES) {
      renameSync(this.#path, `${this.#path}.1`);
      this.#bytes = 0;
    }
    appendFileSync(this.#path, text, { mode: 0o600 });
    this.#bytes += Buffer.byteLength(text);
  }
}
