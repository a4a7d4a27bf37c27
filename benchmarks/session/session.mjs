import { spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, mkdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * Everything one run creates: a temporary folder, child processes, other things to undo.
 * `close()` undoes all of it, newest first, and may be called from a signal handler at any moment.
 */
export class Session {
  #undo = [];
  #closing;
  #children = new Set();

  constructor(parent = tmpdir()) {
    mkdirSync(parent, { recursive: true });
    this.dir = mkdtempSync(join(parent, 'haven-bench-'));
    // Postgres refuses to run as root and does so as another user, who must be able to reach its folder.
    chmodSync(this.dir, 0o711);
    this.aborted = false;
  }

  /** A new folder in the session's temporary folder. */
  folder(name) {
    const path = join(this.dir, name);
    mkdirSync(path, { recursive: true });
    return path;
  }

  onClose(undo) {
    this.#undo.push(undo);
  }

  /** Starts a child process that does not outlive the session. Its own process group keeps the terminal's Ctrl-C away from it. */
  spawn(command, args, options) {
    if (this.aborted) throw new Error('the run was interrupted');
    const child = spawn(command, args, { detached: true, ...options });
    this.#children.add(child);
    child.once('exit', () => this.#children.delete(child));
    child.once('error', () => this.#children.delete(child));
    return child;
  }

  close() {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close() {
    this.aborted = true;
    for (const undo of this.#undo.reverse()) {
      try {
        await undo();
      } catch (error) {
        console.error(`clean-up: ${error.message}`);
      }
    }
    await Promise.all([...this.#children].map((child) => stopChild(child)));
    rmSync(this.dir, { recursive: true, force: true });
  }
}

/** SIGTERM, and SIGKILL when the child is still there after `graceSeconds`. */
export function stopChild(child, graceSeconds = 5) {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    const timer = setTimeout(() => child.kill('SIGKILL'), graceSeconds * 1000);
    child.once('exit', () => {
      clearTimeout(timer);
      resolve();
    });
    child.kill('SIGTERM');
  });
}
