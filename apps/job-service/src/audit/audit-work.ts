import { configurationOf } from '@haven/api';
import { SettingsTable, type Database } from '@haven/database';
import type { JobQueue, Messages, Workers } from '@haven/messages';
import type { Logger, Metrics } from '@haven/runtime';
import { AuditForwarder } from './audit-forwarder.js';
import { keepAuditPartitions } from './audit-partitions.js';
import { AuditTrail } from './audit-trail.js';
import { AuditStore } from './audit.store.js';

const HOUR_MS = 60 * 60_000;

/** What this process does for the audit trail. */
export class AuditWork {
  readonly trail: AuditTrail;
  readonly #database: Database;
  readonly #forwarder: AuditForwarder;
  readonly #logger: Logger;

  constructor({ database, messages, logger, metrics }: { readonly database: Database; readonly messages: Messages; readonly logger: Logger; readonly metrics: Metrics }) {
    const configuration = new SettingsTable(database, configurationOf);
    messages.broadcasts.on('settings-changed', () => { configuration.forget(); });
    this.#database = database;
    this.#logger = logger;
    this.#forwarder = new AuditForwarder({ logger, metrics });
    this.trail = new AuditTrail({ store: new AuditStore(database), forwarder: this.#forwarder, configuration });
  }

  register(workers: Workers): void {
    workers.handle('audit-partitions', () => keepAuditPartitions(this.#database, this.#logger));
  }

  async schedule(jobs: JobQueue): Promise<void> {
    await jobs.schedule('audit-partitions', {}, HOUR_MS);
  }

  /** Once no event comes any more. */
  close(): Promise<void> {
    return this.#forwarder.close();
  }
}
