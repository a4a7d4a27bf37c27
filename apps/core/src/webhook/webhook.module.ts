import { Module } from '@nestjs/common';
import { AuthorizationModule } from '../authorization/authorization.module.js';
import { ExecutionModule } from '../execution/execution.module.js';
import { WebhookExecutionController } from './webhook-execution.controller.js';
import { WebhookExecutionService } from './webhook-execution.service.js';
import { WebhookExecutionStore } from './webhook-execution.store.js';
import { WebhookController } from './webhook.controller.js';
import { WebhookService } from './webhook.service.js';
import { WebhookStore } from './webhook.store.js';

/** Whom projects tell of what, and what became of it. */
@Module({
  imports: [AuthorizationModule, ExecutionModule],
  controllers: [WebhookController, WebhookExecutionController],
  providers: [WebhookStore, WebhookService, WebhookExecutionStore, WebhookExecutionService],
})
export class WebhookModule {}
