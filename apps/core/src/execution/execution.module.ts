import { Module } from '@nestjs/common';
import { Database } from '@haven/database';
import { Executions, Schedules } from '@haven/execution';
import { Messages } from '@haven/messages';
import { Logger } from '@haven/runtime';

/** What the job service does in the background, as core asks for it and shows it. */
@Module({
  providers: [
    {
      provide: Executions,
      inject: [Database, Messages, Logger],
      useFactory: (database: Database, { jobs, broadcasts }: Messages, logger: Logger) => new Executions({ database, jobs, broadcasts, logger }),
    },
    { provide: Schedules, inject: [Database], useFactory: (database: Database) => new Schedules(database) },
  ],
  exports: [Executions, Schedules],
})
export class ExecutionModule {}
