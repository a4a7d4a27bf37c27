import { DataSource } from 'typeorm';
import { InitialSchema1763700000001 } from './migrations/0001-initial-schema.js';
import { Administration1763700000002 } from './migrations/0002-administration.js';
import { Outbound1763700000003 } from './migrations/0003-outbound.js';
import { StorageFindings1763700000004 } from './migrations/0004-storage-findings.js';
import { ExternalAccounts1763700000005 } from './migrations/0005-external-accounts.js';
import { OpenIdConnect1763700000006 } from './migrations/0006-openid-connect.js';
import { WorkerPools1763700000007 } from './migrations/0007-worker-pools.js';
import { Webhooks1763700000009 } from './migrations/0009-webhooks.js';
import { JobLogs1763700000010 } from './migrations/0010-job-logs.js';
import { LostBlobs1763700000013 } from './migrations/0013-lost-blobs.js';
import { UntoldDeletions1763700000014 } from './migrations/0014-untold-deletions.js';
import { WebhookPlans1763700000015 } from './migrations/0015-webhook-plans.js';
import { AbsentContent1763700000016 } from './migrations/0016-absent-content.js';

/** Seconds before a statement is given up: no request of ours may hold a connection longer. */
const STATEMENT_TIMEOUT_MS = 30_000;
const CONNECT_TIMEOUT_MS = 5_000;

/** Every migration in the order in which it runs; append only. */
const migrations = [InitialSchema1763700000001, Administration1763700000002, Outbound1763700000003, StorageFindings1763700000004, ExternalAccounts1763700000005, OpenIdConnect1763700000006, WorkerPools1763700000007, Webhooks1763700000009, JobLogs1763700000010, LostBlobs1763700000013, UntoldDeletions1763700000014, WebhookPlans1763700000015, AbsentContent1763700000016];

/** The TypeORM data source over `url` with at most `poolSize` connections. */
export function dataSourceFor(url: string, poolSize: number, onPoolError: (error: unknown) => void): DataSource {
  return new DataSource({
    type: 'postgres',
    url,
    migrations,
    migrationsTableName: 'schema_migration',
    applicationName: 'haven',
    poolErrorHandler: onPoolError,
    extra: {
      max: poolSize,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      statement_timeout: STATEMENT_TIMEOUT_MS,
      idle_in_transaction_session_timeout: STATEMENT_TIMEOUT_MS,
      keepAlive: true,
      // Our statements are short and many: compiling one takes longer than running it.
      options: '-c jit=off',
    },
  });
}
