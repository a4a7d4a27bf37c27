import { Body, Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import type { Caller } from '@haven/access';
import { Id, ListQuery, WebhookDelivery, WebhookReplayed, WebhookReplayReq, type Page } from '@haven/api';
import type { KnownProject } from '../authorization/known-project.js';
import { CallerParam, ProjectParam, Requires } from '../authorization/requirement.guard.js';
import { projectPermission } from '../authorization/requirement.js';
import { Operation } from '../http/operation.js';
import { Responds, RespondsPageOf } from '../http/response.interceptor.js';
import { WebhookDeliveryService } from './webhook-delivery.service.js';

/** What became of the notifications of a project's policies. */
@Controller('api/v2.0/projects/:project_name_or_id/webhook/policies/:webhook_policy_id')
export class WebhookDeliveryController {
  constructor(private readonly deliveries: WebhookDeliveryService) {}

  @Get('deliveries')
  @Operation({ id: 'listDeliveriesOfWebhookPolicy', tag: 'webhook', summary: 'List the notifications of a policy with what became of them, the latest first', refuses: ['NOT_FOUND'], extension: true })
  @Requires(projectPermission('notification-policy', 'read'))
  @RespondsPageOf(WebhookDelivery)
  list(@ProjectParam() project: KnownProject, @Param('webhook_policy_id', { schema: Id }) policyId: number, @Query({ schema: ListQuery }) query: ListQuery): Promise<Page<WebhookDelivery>> {
    return this.deliveries.list(project, policyId, query);
  }

  @Get('dead-letters')
  @Operation({ id: 'listDeadLettersOfWebhookPolicy', tag: 'webhook', summary: 'List the notifications that failed too often, the latest first', refuses: ['NOT_FOUND'], extension: true })
  @Requires(projectPermission('notification-policy', 'read'))
  @RespondsPageOf(WebhookDelivery)
  dead(@ProjectParam() project: KnownProject, @Param('webhook_policy_id', { schema: Id }) policyId: number, @Query({ schema: ListQuery }) query: ListQuery): Promise<Page<WebhookDelivery>> {
    return this.deliveries.dead(project, policyId, query);
  }

  @Post('dead-letters/replay')
  @Operation({
    id: 'replayDeadLettersOfWebhookPolicy', tag: 'webhook', summary: 'Deliver notifications again that failed too often', refuses: ['NOT_FOUND'], extension: true,
    audits: { operation: 'replay', resourceType: 'webhook_policy' },
  })
  @HttpCode(200)
  @Requires(projectPermission('notification-policy', 'update'))
  @Responds(WebhookReplayed)
  async replay(
    @CallerParam() caller: Caller, @ProjectParam() project: KnownProject, @Param('webhook_policy_id', { schema: Id }) policyId: number, @Body({ schema: WebhookReplayReq }) request: WebhookReplayReq,
  ): Promise<WebhookReplayed> {
    return { replayed: await this.deliveries.replay(caller, project, policyId, request) };
  }
}
