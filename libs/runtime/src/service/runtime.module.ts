import { Module, type DynamicModule } from '@nestjs/common';
import { Health } from '../health/health.js';
import { Logger, RootLogger } from '../log/logger.js';
import { createLogger } from '../log/line-logger.js';
import { Metrics } from '../metrics/metrics.js';
import type { RuntimeSettings } from '../settings/runtime-settings.js';

export interface RuntimeParts {
  readonly logger: RootLogger;
  readonly metrics: Metrics;
  readonly health: Health;
}

export interface RuntimeModuleOptions extends Partial<RuntimeParts> {
  readonly service: string;
  readonly settings: Pick<RuntimeSettings, 'HAVEN_LOG_LEVEL'>;
}

/** Gives every module of a service its Logger (and RootLogger), Metrics and Health. runService imports it by itself. */
@Module({})
export class RuntimeModule {
  static forRoot(options: RuntimeModuleOptions): DynamicModule {
    const parts = createRuntimeParts(options);
    return {
      module: RuntimeModule,
      global: true,
      providers: [
        { provide: RootLogger, useValue: parts.logger },
        { provide: Logger, useValue: parts.logger },
        { provide: Metrics, useValue: parts.metrics },
        { provide: Health, useValue: parts.health },
      ],
      exports: [RootLogger, Logger, Metrics, Health],
    };
  }
}

export function createRuntimeParts({ service, settings, ...parts }: RuntimeModuleOptions): RuntimeParts {
  return {
    logger: parts.logger ?? createLogger({ service, level: settings.HAVEN_LOG_LEVEL }),
    metrics: parts.metrics ?? new Metrics({ service, defaults: true }),
    health: parts.health ?? new Health(),
  };
}
