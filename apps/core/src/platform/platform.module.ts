import { Module, type DynamicModule, type OnApplicationShutdown } from '@nestjs/common';
import { Catalog } from '@haven/catalog';
import { createDatabase, Database } from '@haven/database';
import { Broadcasts, connectRedis, Messages } from '@haven/messages';
import { Health, Logger, RootLogger } from '@haven/runtime';
import { BlobStorage, openStorage } from '@haven/storage';
import type { CoreSettings } from '../settings.js';
import { CoreOptions } from './core-options.js';

/** The Postgres, Redis and blob storage that core stands on, their health checks, and their end. */
@Module({})
export class PlatformModule implements OnApplicationShutdown {
  constructor(
    private readonly database: Database,
    private readonly messages: Messages,
    storage: BlobStorage,
    logger: RootLogger,
    health: Health,
  ) {
    health.add('database', () => database.ping());
    health.add('redis', () => messages.ping(), { critical: false });
    health.add('storage', () => storage.health(), { critical: false });
    logger.addSink(messages.logShipper.sink);
  }

  /** Runs after the HTTP server has closed, so nothing is taken from under a request. */
  async onApplicationShutdown(): Promise<void> {
    await this.messages.close();
    await this.database.close();
  }

  static forRoot(settings: CoreSettings): DynamicModule {
    const exported = [CoreOptions, Database, Catalog, Messages, Broadcasts, BlobStorage];
    return {
      module: PlatformModule,
      global: true,
      providers: [
        { provide: CoreOptions, useValue: new CoreOptions(settings) },
        { provide: Database, inject: [Logger], useFactory: (logger: Logger) => openDatabase(settings, logger) },
        { provide: Catalog, inject: [Database, Logger], useFactory: (database: Database, logger: Logger) => new Catalog(database, logger) },
        { provide: Messages, inject: [Logger], useFactory: (logger: Logger) => connectRedis(settings.HAVEN_REDIS_URL, logger) },
        { provide: Broadcasts, inject: [Messages], useFactory: (messages: Messages) => messages.broadcasts },
        { provide: BlobStorage, useFactory: () => openStorage(settings.HAVEN_STORAGE, { accessKey: settings.HAVEN_S3_ACCESS_KEY, secretKey: settings.HAVEN_S3_SECRET_KEY }) },
      ],
      exports: exported,
    };
  }
}

function openDatabase(settings: CoreSettings, logger: Logger): Database {
  return createDatabase({
    url: settings.HAVEN_DATABASE_URL,
    poolSize: settings.HAVEN_DATABASE_POOL,
    onPoolError: (error) => logger.warn('a database connection was lost', { error }),
  });
}
