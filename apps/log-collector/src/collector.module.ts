import { Module, type DynamicModule } from '@nestjs/common';
import { connectRedis, Messages } from '@haven/messages';
import { Health, Logger, Metrics, RootLogger } from '@haven/runtime';
import { CollectorService } from './collect/collector.service.js';
import { openLogStore } from './file/log-store.js';
import type { Settings } from './settings.js';

/** Everything this service consists of. */
@Module({})
export class CollectorModule {
  static forRoot(settings: Settings): DynamicModule {
    return {
      module: CollectorModule,
      providers: [
        { provide: Messages, useFactory: (logger: RootLogger) => connectRedis(settings.HAVEN_REDIS_URL, logger), inject: [RootLogger] },
        {
          provide: CollectorService,
          inject: [Messages, RootLogger, Metrics, Health],
          useFactory: async (messages: Messages, logger: RootLogger, metrics: Metrics, health: Health) => {
            const store = await openLogStore(settings.HAVEN_LOG_DIR, storeLimits(settings), logger as Logger);
            return new CollectorService(messages, store, logger, metrics, health);
          },
        },
      ],
    };
  }
}

function storeLimits(settings: Settings) {
  return {
    fileBytes: settings.HAVEN_LOG_FILE_BYTES,
    files: settings.HAVEN_LOG_FILES,
    days: settings.HAVEN_LOG_DAYS,
    minFreeBytes: settings.HAVEN_LOG_MIN_FREE_BYTES,
  };
}
