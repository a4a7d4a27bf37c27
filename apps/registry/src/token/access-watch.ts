import type { AccessEpochs } from '@haven/access';
import type { Database } from '@haven/database';
import type { Broadcasts } from '@haven/messages';
import type { Logger } from '@haven/runtime';
import { readAccessEpochs } from './access-epoch.store.js';

/** A lost broadcast is made good within this time. */
const POLL_MS = 5_000;
/** A row becomes visible at commit, later than its time says; reading this far back misses none. */
const OVERLAP_MS = 120_000;

/** Keeps the revocations in memory up to date: at once on a broadcast, otherwise by asking the database every few seconds. */
export class AccessWatch {
  readonly #database: Database;
  readonly #epochs: AccessEpochs;
  readonly #broadcasts: Broadcasts;
  readonly #logger: Logger;
  #newest = 0;
  #timer: NodeJS.Timeout | undefined;
  #unsubscribe: (() => void) | undefined;

  constructor(parts: { readonly database: Database; readonly epochs: AccessEpochs; readonly broadcasts: Broadcasts; readonly logger: Logger }) {
    this.#database = parts.database;
    this.#epochs = parts.epochs;
    this.#broadcasts = parts.broadcasts;
    this.#logger = parts.logger;
  }

  /** Watches from now on; `refresh` must have succeeded before the first request is let in. */
  start(): void {
    this.#unsubscribe = this.#broadcasts.on('access-changed', () => void this.#refreshLogged());
    this.#timer = setInterval(() => void this.#refreshLogged(), POLL_MS);
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#unsubscribe?.();
  }

  async refresh(): Promise<void> {
    this.#epochs.prune(new Date());
    for (const row of await readAccessEpochs(this.#database, new Date(Math.max(0, this.#newest - OVERLAP_MS)))) {
      this.#epochs.raise(row.subject, row.notBefore);
      this.#newest = Math.max(this.#newest, row.changedAt.getTime());
    }
  }

  async #refreshLogged(): Promise<void> {
    try {
      await this.refresh();
    } catch (error) {
      this.#logger.warn('revocations could not be read; tried again in a few seconds', { error });
    }
  }
}
