import { Module } from '@nestjs/common';
import { AuthorizationModule } from '../authorization/authorization.module.js';
import { ExecutionModule } from '../execution/execution.module.js';
import { SystemWebhookExecutionController } from './system-webhook-execution.controller.js';
import { SystemWebhookController } from './system-webhook.controller.js';
import { WebhookDeliveryController } from './webhook-delivery.controller.js';
import { WebhookDeliveryService } from './webhook-delivery.service.js';
import { WebhookDeliveryStore } from './webhook-delivery.store.js';
import { WebhookExecutionController } from './webhook-execution.controller.js';
import { WebhookExecutionService } from './webhook-execution.service.js';
import { WebhookExecutionStore } from './webhook-execution.store.js';
import { WebhookController } from './webhook.controller.js';
import { WebhookService } from './webhook.service.js';
import { WebhookStore } from './webhook.store.js';

/** Whom projects and the whole installation tell of what, and what became of it. */
@Module({
  imports: [AuthorizationModule, ExecutionModule],
  controllers: [WebhookController, WebhookExecutionController, WebhookDeliveryController, SystemWebhookController, SystemWebhookExecutionController],
  providers: [WebhookStore, WebhookService, WebhookExecutionStore, WebhookExecutionService, WebhookDeliveryStore, WebhookDeliveryService],
})
export class WebhookModule {}
