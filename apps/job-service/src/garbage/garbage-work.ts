import type { Configuration } from '@haven/api';
import type { Catalog } from '@haven/catalog';
import type { Database } from '@haven/database';
import { maintenanceOwner, planMaintenance, type Executions, type GarbageParameters } from '@haven/execution';
import type { JobQueue, Workers } from '@haven/messages';
import { binBefore, GRACE_SECONDS } from './garbage-run.js';

const HOUR_MS = 60 * 60_000;
const FOLD_MS = 30_000;
const FOLD_BATCH = 5000;

/** Of the collections that nobody asked for. */
const PARAMETERS: GarbageParameters = { delete_untagged: false, dry_run: false, workers: 1 };
const TYPE = 'GARBAGE_COLLECTION';

export interface GarbageParts {
  readonly database: Database;
  readonly catalog: Pick<Catalog, 'hasGarbage' | 'foldQuotaChanges' | 'now'>;
  readonly executions: Pick<Executions, 'startIn' | 'wake'>;
  readonly configuration: { current(): Promise<Pick<Configuration, 'bin_retention_days' | 'read_only'>> };
}

/** What this process does to keep storage and its accounts tidy by itself: it starts collections of garbage, and folds quota changes. */
export class GarbageWork {
  readonly #parts: GarbageParts;
  #stopped = false;

  constructor(parts: GarbageParts) {
    this.#parts = parts;
  }

  register(workers: Workers): void {
    workers.handle('collect-garbage', async () => { await this.startCollection(); });
    workers.handle('fold-quota', () => this.fold());
  }

  async schedule(jobs: JobQueue): Promise<void> {
    await jobs.schedule('collect-garbage', {}, HOUR_MS);
    await jobs.schedule('fold-quota', {}, FOLD_MS);
  }

  stop(): void {
    this.#stopped = true;
  }

  /**
   * Starts a collection, when there is something to collect and nobody else decides: as long as administrators have set no
   * schedule, garbage is collected every hour. Resolves to whether it did. Not while the installation is read-only.
   */
  async startCollection(): Promise<boolean> {
    const { database, catalog, executions, configuration } = this.#parts;
    const { bin_retention_days: days, read_only: readOnly } = await configuration.current();
    if (readOnly || !(await catalog.hasGarbage({ graceSeconds: GRACE_SECONDS, binBefore: await binBefore(catalog, days) }))) return false;
    const started = await database.transaction(async (transaction) => {
      const others = await transaction.query(
        'SELECT 1 FROM schedule WHERE vendor_type = $1 UNION ALL SELECT 1 FROM execution WHERE vendor_type = $1 AND ended_at IS NULL LIMIT 1', [maintenanceOwner(TYPE).vendorType]);
      if (others.length > 0) return undefined;
      return executions.startIn(transaction, planMaintenance({ type: TYPE, trigger: 'SCHEDULE', startedBy: '', parameters: { ...PARAMETERS } }));
    });
    if (started === undefined) return false;
    await executions.wake(started);
    return true;
  }

  async fold(): Promise<void> {
    for (let count = FOLD_BATCH; count === FOLD_BATCH && !this.#stopped;) count = await this.#parts.catalog.foldQuotaChanges(FOLD_BATCH);
  }
}
