import { Module } from '@nestjs/common';
import { AuthorizationModule } from '../authorization/authorization.module.js';
import { ExecutionModule } from '../execution/execution.module.js';
import { RetentionAccessService } from './retention-access.service.js';
import { RetentionExecutionController } from './retention-execution.controller.js';
import { RetentionExecutionService } from './retention-execution.service.js';
import { RetentionController } from './retention.controller.js';
import { RetentionService } from './retention.service.js';
import { RetentionStore } from './retention.store.js';

/** Retention policies of projects and their runs. */
@Module({
  imports: [AuthorizationModule, ExecutionModule],
  controllers: [RetentionController, RetentionExecutionController],
  providers: [RetentionStore, RetentionAccessService, RetentionService, RetentionExecutionService],
})
export class RetentionModule {}
