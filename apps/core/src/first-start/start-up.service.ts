import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { Database, DatabaseUnavailable } from '@haven/database';
import { Logger, retryWithJitter } from '@haven/runtime';
import { SigningKeyService } from '../token/signing-key.service.js';
import { FirstStartService } from './first-start.service.js';

/** About two minutes: longer than a database takes to start, short enough that a wrong address is noticed. */
const DATABASE_WAIT = { attempts: 120, baseMs: 50, maxMs: 1000 };

/** What must be done, in order, before the first request is answered. */
@Injectable()
export class StartUpService implements OnApplicationBootstrap {
  constructor(
    private readonly database: Database,
    private readonly firstStart: FirstStartService,
    private readonly signingKey: SigningKeyService,
    private readonly logger: Logger,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    await retryWithJitter(() => this.database.migrate(), {
      ...DATABASE_WAIT,
      retryIf: (error) => error instanceof DatabaseUnavailable,
      onRetry: (error, attempt) => {
        if (attempt % 10 === 1) this.logger.warn('waiting for the database', { error });
      },
    });
    await this.firstStart.run();
    await this.signingKey.load();
  }
}
