import { Body, Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import type { Caller } from '@haven/access';
import { Id, ListQuery, LongId, WebhookDelivery, WebhookExecution, WebhookReplayed, WebhookReplayReq, WebhookTask, type Page } from '@haven/api';
import { CallerParam, Requires } from '../authorization/requirement.guard.js';
import { systemPermission } from '../authorization/requirement.js';
import { Operation } from '../http/operation.js';
import { Responds, RespondsPageOf, RespondsText, type TextAnswer } from '../http/response.interceptor.js';
import { WebhookDeliveryService } from './webhook-delivery.service.js';
import { WebhookExecutionService } from './webhook-execution.service.js';

/** What became of the notifications of the installation's policies. */
@Controller('api/v2.0/system/webhook/policies/:webhook_policy_id')
export class SystemWebhookExecutionController {
  constructor(
    private readonly executions: WebhookExecutionService,
    private readonly deliveries: WebhookDeliveryService,
  ) {}

  @Get('executions')
  @Operation({ id: 'listExecutionsOfSystemWebhookPolicy', tag: 'webhook', summary: 'List the notifications of a policy of the installation, the latest first', refuses: ['NOT_FOUND'], extension: true })
  @Requires(systemPermission('notification-policy', 'read'))
  @RespondsPageOf(WebhookExecution)
  list(@Param('webhook_policy_id', { schema: Id }) policyId: number, @Query({ schema: ListQuery }) query: ListQuery): Promise<Page<WebhookExecution>> {
    return this.executions.list('system', policyId, query);
  }

  @Get('executions/:execution_id/tasks')
  @Operation({ id: 'listTasksOfSystemWebhookExecution', tag: 'webhook', summary: 'List what was tried to deliver a notification of the installation', refuses: ['NOT_FOUND'], extension: true })
  @Requires(systemPermission('notification-policy', 'read'))
  @RespondsPageOf(WebhookTask)
  tasks(@Param('webhook_policy_id', { schema: Id }) policyId: number, @Param('execution_id', { schema: LongId }) id: number, @Query({ schema: ListQuery }) query: ListQuery): Promise<Page<WebhookTask>> {
    return this.executions.tasks('system', policyId, id, query);
  }

  @Get('executions/:execution_id/tasks/:task_id/log')
  @Operation({ id: 'getLogOfSystemWebhookTask', tag: 'webhook', summary: 'What the delivery of a notification of the installation wrote down', refuses: ['NOT_FOUND'], extension: true })
  @Requires(systemPermission('notification-policy', 'read'))
  @RespondsText()
  log(@Param('webhook_policy_id', { schema: Id }) policyId: number, @Param('execution_id', { schema: LongId }) id: number, @Param('task_id', { schema: LongId }) taskId: number): Promise<TextAnswer> {
    return this.executions.log('system', policyId, id, taskId);
  }

  @Get('deliveries')
  @Operation({ id: 'listDeliveriesOfSystemWebhookPolicy', tag: 'webhook', summary: 'List the notifications of a policy of the installation with what became of them, the latest first', refuses: ['NOT_FOUND'], extension: true })
  @Requires(systemPermission('notification-policy', 'read'))
  @RespondsPageOf(WebhookDelivery)
  delivered(@Param('webhook_policy_id', { schema: Id }) policyId: number, @Query({ schema: ListQuery }) query: ListQuery): Promise<Page<WebhookDelivery>> {
    return this.deliveries.list('system', policyId, query);
  }

  @Get('dead-letters')
  @Operation({ id: 'listDeadLettersOfSystemWebhookPolicy', tag: 'webhook', summary: 'List the notifications of the installation that failed too often, the latest first', refuses: ['NOT_FOUND'], extension: true })
  @Requires(systemPermission('notification-policy', 'read'))
  @RespondsPageOf(WebhookDelivery)
  dead(@Param('webhook_policy_id', { schema: Id }) policyId: number, @Query({ schema: ListQuery }) query: ListQuery): Promise<Page<WebhookDelivery>> {
    return this.deliveries.dead('system', policyId, query);
  }

  @Post('dead-letters/replay')
  @Operation({
    id: 'replayDeadLettersOfSystemWebhookPolicy', tag: 'webhook', summary: 'Deliver notifications of the installation again that failed too often', refuses: ['NOT_FOUND'], extension: true,
    audits: { operation: 'replay', resourceType: 'webhook_policy' },
  })
  @HttpCode(200)
  @Requires(systemPermission('notification-policy', 'update'))
  @Responds(WebhookReplayed)
  async replay(@CallerParam() caller: Caller, @Param('webhook_policy_id', { schema: Id }) policyId: number, @Body({ schema: WebhookReplayReq }) request: WebhookReplayReq): Promise<WebhookReplayed> {
    return { replayed: await this.deliveries.replay(caller, 'system', policyId, request) };
  }
}
