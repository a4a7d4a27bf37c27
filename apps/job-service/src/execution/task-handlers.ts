import type { Configuration } from '@haven/api';
import type { Catalog } from '@haven/catalog';
import type { Database, SettingsTable } from '@haven/database';
import { TaskFailure, type TaskHandler, type VendorType } from '@haven/execution';
import type { Broadcasts } from '@haven/messages';
import type { Logger, Metrics } from '@haven/runtime';
import type { BlobStorage } from '@haven/storage';
import { AuditPurgeRun } from '../audit/audit-purge-run.js';
import { GarbageRun } from '../garbage/garbage-run.js';
import { Reconciler } from '../reconciler/reconciler.js';
import { ReconciliationStore } from '../reconciler/reconciliation.store.js';
import { RetentionRun } from '../retention/retention-run.js';
import { RetentionStore } from '../retention/retention.store.js';
import { UntoldDeletions } from '../retention/untold-deletions.store.js';
import type { UploadPurge } from '../upload/purge-uploads.js';
import type { WebhookSender } from '../webhook/webhook-sender.js';

export interface HandlerParts {
  readonly database: Database;
  readonly catalog: Catalog;
  readonly storage: BlobStorage;
  readonly uploads: UploadPurge;
  readonly configuration: SettingsTable<Configuration>;
  readonly webhooks: Pick<WebhookSender, 'run'>;
  readonly broadcasts: Pick<Broadcasts, 'publish'>;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** What does the tasks of each kind. */
export function taskHandlers({ database, catalog, storage, uploads, configuration, webhooks, broadcasts, logger, metrics }: HandlerParts): Readonly<Record<VendorType, TaskHandler>> {
  const retention = new RetentionRun({ store: new RetentionStore(database), untold: new UntoldDeletions(database), catalog, settings: configuration });
  const garbage = new GarbageRun({ catalog, storage, uploads, configuration, logger, metrics });
  const reconciler = new Reconciler({ store: new ReconciliationStore(database), storage, catalog, settings: configuration, broadcasts, logger });
  const auditPurge = new AuditPurgeRun({ database, configuration });
  return {
    RETENTION: (context) => retention.run(context),
    GARBAGE_COLLECTION: (context) => garbage.run(context),
    PURGE_AUDIT_LOG: (context) => auditPurge.run(context),
    STORAGE_RECONCILIATION: (context) => reconciler.run(context),
    WEBHOOK: (context) => webhooks.run(context),
    SLACK: (context) => webhooks.run(context),
    SCAN_ALL: withoutScanner,
    SCAN_DATA_EXPORT: withoutScanner,
  };
}

/** What needs a scanner says that there is none. */
function withoutScanner(): Promise<never> {
  return Promise.reject(new TaskFailure('no scanner is configured'));
}
