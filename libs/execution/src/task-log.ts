import type { Database } from '@haven/database';
import type { ClaimedTask } from './task-claim.js';

/** The most that is kept of a task's log, in bytes, as in Harbor. */
const MOST_BYTES = 10 * 1024 * 1024;
const LINE_BYTES = 8 * 1024;
const BATCH_BYTES = 64 * 1024;
const FLUSH_MS = 1000;
const FULL = 'the log is full; what follows was not written down\n';

/**
 * What a task writes down for people to read. Lines are kept in memory for a second at most and written together; `line`
 * waits for the database when there are many. What cannot be written is lost: a task does not fail for its log.
 */
export class TaskLog {
  readonly #database: Database;
  readonly #task: ClaimedTask;
  readonly #onFailure: (error: unknown) => void;
  #waiting: string[] = [];
  #waitingBytes = 0;
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> = Promise.resolve();
  #full = false;

  constructor(database: Database, task: ClaimedTask, onFailure: (error: unknown) => void) {
    this.#database = database;
    this.#task = task;
    this.#onFailure = onFailure;
  }

  /** Adds a line, without its end. One that is too long is cut. */
  async line(text: string): Promise<void> {
    if (this.#full) return;
    const line = `${cut(text.replaceAll('\0', '\uFFFD').replaceAll('\n', ' '))}\n`;
    this.#waiting.push(line);
    this.#waitingBytes += Buffer.byteLength(line);
    if (this.#waitingBytes >= BATCH_BYTES) await this.flush();
    else this.#timer ??= setTimeout(() => void this.flush(), FLUSH_MS).unref();
  }

  /** Writes everything that waits. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const [text, bytes] = [this.#waiting.join(''), this.#waitingBytes];
    this.#waiting = [];
    this.#waitingBytes = 0;
    if (bytes > 0) this.#writing = this.#writing.then(() => this.#write(text, bytes));
    await this.#writing;
  }

  async #write(text: string, bytes: number): Promise<void> {
    if (this.#full) return;
    try {
      const [row] = await this.#database.query<{ full: boolean }>(
        `WITH own AS (UPDATE task SET log_bytes = log_bytes + $3 WHERE id = $1 AND attempts = $2 AND status = 'Running' RETURNING id, log_bytes > $6 AS full),
         written AS (INSERT INTO task_log (task_id, text) SELECT id, CASE WHEN own.full THEN $5 ELSE $4 END FROM own)
         SELECT own.full FROM own`,
        [this.#task.id, this.#task.attempt, bytes, text, FULL, MOST_BYTES],
      );
      // Without a row, the task is another worker's now, and the log with it.
      this.#full = row?.full ?? false;
    } catch (error) {
      this.#onFailure(error);
    }
  }
}

function cut(text: string): string {
  return text.length <= LINE_BYTES ? text : `${text.slice(0, LINE_BYTES)}…`;
}
