import { Module } from '@nestjs/common';
import { Database } from '@haven/database';
import { TaskQueues, WorkerPools } from '@haven/execution';
import { ExecutionModule } from '../execution/execution.module.js';
import { JobMonitorController } from './job-monitor.controller.js';
import { JobMonitorService } from './job-monitor.service.js';

/** What the job service does and what waits for it. */
@Module({
  imports: [ExecutionModule],
  controllers: [JobMonitorController],
  providers: [
    JobMonitorService,
    { provide: TaskQueues, inject: [Database], useFactory: (database: Database) => new TaskQueues(database) },
    { provide: WorkerPools, inject: [Database], useFactory: (database: Database) => new WorkerPools(database) },
  ],
})
export class JobMonitorModule {}
