import type { TaskContext } from '@haven/execution';
import { ReconciliationTask, type ReconcilerParts } from './reconciliation-task.js';

export type { ReconcilerParts };

/** Compares storage with the catalog. */
export class Reconciler {
  readonly #parts: ReconcilerParts;

  constructor(parts: ReconcilerParts) {
    this.#parts = parts;
  }

  /** Does the task. Ends at once when it is told to, also while storage does not answer; every step is harmless twice. */
  async run(context: TaskContext): Promise<string> {
    const { signal } = context;
    signal.throwIfAborted();
    let stop = (): void => undefined;
    const stopped = new Promise<never>((_resolve, reject) => {
      stop = () => { reject(signal.reason as Error); };
      signal.addEventListener('abort', stop, { once: true });
    });
    const work = new ReconciliationTask(this.#parts, context).run();
    // After a stop, what is still under way ends at its next step; nobody listens to it any more.
    work.catch(() => undefined);
    try {
      return await Promise.race([work, stopped]);
    } finally {
      signal.removeEventListener('abort', stop);
    }
  }
}
