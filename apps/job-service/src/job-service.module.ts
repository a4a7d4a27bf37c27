import { Module, type DynamicModule } from '@nestjs/common';
import { Catalog } from '@haven/catalog';
import { configurationOf, type Configuration } from '@haven/api';
import { createDatabase, Outbox, SettingsTable, type Database } from '@haven/database';
import { Executions, ScheduleClock, TaskSweep, TaskWorker, VENDOR_TYPES, WorkerPools } from '@haven/execution';
import { connectRedis, type Messages } from '@haven/messages';
import { GuardedClient } from '@haven/outbound';
import { Health, Metrics, RootLogger } from '@haven/runtime';
import { openStorage } from '@haven/storage';
import { AuditWork } from './audit/audit-work.js';
import { CacheRefresh } from './event/cache-refresh.js';
import { Subscribers } from './event/subscribers.js';
import { ExecutionRunner, type RunnerParts } from './execution/execution-runner.js';
import { thisPool } from './execution/this-pool.js';
import { taskHandlers, type HandlerParts } from './execution/task-handlers.js';
import { GarbageWork } from './garbage/garbage-work.js';
import { QuotaWatch } from './quota/quota-watch.js';
import { RegistryHealth } from './registry/registry-health.js';
import { Relay } from './relay/relay.js';
import { UntoldDeletions } from './retention/untold-deletions.store.js';
import { scheduleStarters } from './schedule/starters.js';
import type { Settings } from './settings.js';
import { UploadPurge } from './upload/purge-uploads.js';
import { WebhookWork } from './webhook/webhook-work.js';
import { WorkParts, WorkService } from './work/work.service.js';

/** Everything this service consists of. */
@Module({})
export class JobServiceModule {
  static with(settings: Settings): DynamicModule {
    return {
      module: JobServiceModule,
      providers: [
        {
          provide: WorkService,
          inject: [RootLogger, Metrics, Health],
          useFactory: (logger: RootLogger, metrics: Metrics, health: Health) => new WorkService(openParts(settings, logger, metrics, health)),
        },
      ],
    };
  }
}

function openParts(settings: Settings, logger: RootLogger, metrics: Metrics, health: Health): WorkParts {
  const database = createDatabase({
    url: settings.HAVEN_DATABASE_URL,
    poolSize: settings.HAVEN_DATABASE_POOL,
    onPoolError: (error) => { logger.warn('a database connection was lost', { error }); },
  });
  const storage = openStorage(settings.HAVEN_STORAGE, { accessKey: settings.HAVEN_S3_ACCESS_KEY, secretKey: settings.HAVEN_S3_SECRET_KEY });
  const messages = connectRedis(settings.HAVEN_REDIS_URL, logger);
  const outbox = new Outbox(database);
  const catalog = new Catalog(database, logger);
  const configuration = configurationOn(database, messages);
  const audit = new AuditWork({ database, messages, logger, metrics });
  const uploads = new UploadPurge({ catalog, storage, configuration, logger, metrics, ttlSeconds: settings.HAVEN_UPLOAD_TTL_SECONDS });
  const executions = new Executions({ database, jobs: messages.jobs, broadcasts: messages.broadcasts, logger });
  const outbound = new GuardedClient({ rules: settings.HAVEN_OUTBOUND_ALLOW, userAgent: 'Haven' });
  const secretKey = settings.HAVEN_SECRET_KEY === undefined ? undefined : Buffer.from(settings.HAVEN_SECRET_KEY, 'hex');
  const webhooks = new WebhookWork(settings, { database, executions, configuration, outbound, secretKey, logger, metrics });
  return new WorkParts(
    database,
    messages,
    outbox,
    new Relay({ outbox, jobs: messages.jobs, logger, metrics }),
    new Subscribers([new CacheRefresh(messages.broadcasts), audit.trail, new QuotaWatch(database), webhooks.planner]),
    uploads,
    new GarbageWork({ database, catalog, executions, configuration }),
    audit,
    executionRunner({ database, catalog, storage, uploads, configuration, webhooks: webhooks.sender, broadcasts: messages.broadcasts, logDays: settings.HAVEN_JOB_LOG_DAYS, logger, metrics }, messages, executions),
    new RegistryHealth({ database, outbound, secretKey, logger }),
    logger,
    health,
  );
}

/** What administrators set, as fresh as broadcasts make it. */
function configurationOn(database: Database, { broadcasts }: Messages): SettingsTable<Configuration> {
  const table = new SettingsTable(database, configurationOf);
  broadcasts.on('settings-changed', () => { table.forget(); });
  broadcasts.onReconnect(() => { table.forget(); });
  return table;
}

function executionRunner(parts: HandlerParts & Pick<RunnerParts, 'webhooks' | 'logDays'>, { broadcasts, jobs }: Messages, executions: Executions): ExecutionRunner {
  const { database, configuration, webhooks, logDays, logger, metrics } = parts;
  const pool = thisPool();
  const worker = new TaskWorker({ database, broadcasts, logger, metrics, pool: pool.id });
  const handlers = taskHandlers(parts);
  for (const type of VENDOR_TYPES) worker.handle(type, handlers[type]);
  const clock = new ScheduleClock({ database, executions, starters: scheduleStarters(configuration), logger });
  return new ExecutionRunner({ worker, sweep: new TaskSweep({ database, jobs, logger }), clock, pools: new WorkerPools(database), pool, webhooks, untold: new UntoldDeletions(database), logDays, logger });
}
