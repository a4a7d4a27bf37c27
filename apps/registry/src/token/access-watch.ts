import type { AccessEpochs } from '@haven/access';
import type { Database } from '@haven/database';
import type { Broadcasts } from '@haven/messages';
import { OciError } from '@haven/oci';
import type { Logger } from '@haven/runtime';
import { readAccessEpochs } from './access-epoch.store.js';

/** A lost broadcast is made good within this time. */
const POLL_MS = 5_000;
/** A row becomes visible at commit, later than its time says; reading this far back misses none. */
const OVERLAP_MS = 120_000;
/** Revocations that could not be read for so long may have been made: nobody is let in until they can be. */
const MAX_AGE_MS = 60_000;

/** Keeps the revocations in memory up to date: at once on a broadcast, otherwise by asking the database every few seconds. */
export class AccessWatch {
  readonly #database: Pick<Database, 'query'>;
  readonly #epochs: AccessEpochs;
  readonly #broadcasts: Broadcasts;
  readonly #logger: Logger;
  /** Milliseconds from any moment on. */
  readonly #now: () => number;
  #newest = 0;
  /** When the reading began that was the last to succeed. */
  #readAt = -Infinity;
  #timer: NodeJS.Timeout | undefined;
  #unsubscribe: (() => void) | undefined;

  constructor(
    parts: { readonly database: Pick<Database, 'query'>; readonly epochs: AccessEpochs; readonly broadcasts: Broadcasts; readonly logger: Logger }, { now = () => performance.now() } = {},
  ) {
    this.#database = parts.database;
    this.#epochs = parts.epochs;
    this.#broadcasts = parts.broadcasts;
    this.#logger = parts.logger;
    this.#now = now;
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

  /** Throws UNAVAILABLE while too little is known of who was revoked: tokens alone do not say. */
  requireCurrent(): void {
    if (this.#now() - this.#readAt > MAX_AGE_MS) throw new OciError('UNAVAILABLE', { message: 'The registry cannot tell at present whose rights have ended; try again in a moment.' });
  }

  async refresh(): Promise<void> {
    const began = this.#now();
    this.#epochs.prune(new Date());
    for (const row of await readAccessEpochs(this.#database, new Date(Math.max(0, this.#newest - OVERLAP_MS)))) {
      this.#epochs.raise(row.subject, row.notBefore);
      this.#newest = Math.max(this.#newest, row.changedAt.getTime());
    }
    this.#readAt = Math.max(this.#readAt, began);
  }

  async #refreshLogged(): Promise<void> {
    try {
      await this.refresh();
    } catch (error) {
      this.#logger.warn('revocations could not be read; tried again in a few seconds', { error });
    }
  }
}
