import { Body, Controller, Delete, Get, HttpCode, Param, Post, Put, Query, Res } from '@nestjs/common';
import type { Caller } from '@haven/access';
import { Id, ListQuery, SupportedWebhookEventTypes, SystemWebhookPolicy, SystemWebhookPolicyReq, WebhookDelivery, type Page } from '@haven/api';
import type { FastifyReply } from 'fastify';
import { CallerParam, Requires } from '../authorization/requirement.guard.js';
import { systemPermission } from '../authorization/requirement.js';
import { Operation } from '../http/operation.js';
import { Responds, RespondsNothing, RespondsPageOf } from '../http/response.interceptor.js';
import { WebhookDeliveryService } from './webhook-delivery.service.js';
import { SYSTEM_SUPPORTED } from './webhook-rules.js';
import { WebhookService } from './webhook.service.js';

/** Whom the whole installation tells of what happens in all its projects, or in some. */
@Controller('api/v2.0/system/webhook')
export class SystemWebhookController {
  constructor(
    private readonly webhooks: WebhookService,
    private readonly deliveries: WebhookDeliveryService,
  ) {}

  @Get('policies')
  @Operation({ id: 'listSystemWebhookPolicies', tag: 'webhook', summary: 'List whom the installation tells of what', extension: true })
  @Requires(systemPermission('notification-policy', 'list'))
  @RespondsPageOf(SystemWebhookPolicy)
  list(@Query({ schema: ListQuery }) query: ListQuery): Promise<Page<SystemWebhookPolicy>> {
    return this.webhooks.listOfSystem(query);
  }

  @Post('policies')
  @Operation({
    id: 'createSystemWebhookPolicy', tag: 'webhook', summary: 'Have the installation tell others of what happens in its projects', refuses: ['CONFLICT'], extension: true,
    audits: { operation: 'create', resourceType: 'webhook_policy' },
  })
  @HttpCode(201)
  @Requires(systemPermission('notification-policy', 'create'))
  @RespondsNothing()
  async create(@CallerParam() caller: Caller, @Body({ schema: SystemWebhookPolicyReq }) request: SystemWebhookPolicyReq, @Res({ passthrough: true }) reply: FastifyReply): Promise<void> {
    reply.header('Location', `/api/v2.0/system/webhook/policies/${await this.webhooks.createOfSystem(caller, request)}`);
  }

  @Get('policies/:webhook_policy_id')
  @Operation({ id: 'getSystemWebhookPolicy', tag: 'webhook', summary: 'One webhook policy of the installation', refuses: ['NOT_FOUND'], extension: true })
  @Requires(systemPermission('notification-policy', 'read'))
  @Responds(SystemWebhookPolicy)
  get(@Param('webhook_policy_id', { schema: Id }) id: number): Promise<SystemWebhookPolicy> {
    return this.webhooks.getOfSystem(id);
  }

  @Put('policies/:webhook_policy_id')
  @Operation({
    id: 'updateSystemWebhookPolicy', tag: 'webhook', summary: 'Change a webhook policy of the installation', refuses: ['NOT_FOUND', 'CONFLICT'], extension: true,
    audits: { operation: 'update', resourceType: 'webhook_policy' },
  })
  @Requires(systemPermission('notification-policy', 'update'))
  @RespondsNothing()
  update(@CallerParam() caller: Caller, @Param('webhook_policy_id', { schema: Id }) id: number, @Body({ schema: SystemWebhookPolicyReq }) request: SystemWebhookPolicyReq): Promise<void> {
    return this.webhooks.updateOfSystem(caller, id, request);
  }

  @Delete('policies/:webhook_policy_id')
  @Operation({
    id: 'deleteSystemWebhookPolicy', tag: 'webhook', summary: 'Delete a webhook policy of the installation with its history and what it has not told yet', refuses: ['NOT_FOUND'], extension: true,
    audits: { operation: 'delete', resourceType: 'webhook_policy' },
  })
  @Requires(systemPermission('notification-policy', 'delete'))
  @RespondsNothing()
  delete(@CallerParam() caller: Caller, @Param('webhook_policy_id', { schema: Id }) id: number): Promise<void> {
    return this.webhooks.delete(caller, 'system', id);
  }

  @Get('deliveries')
  @Operation({ id: 'listWebhookDeliveries', tag: 'webhook', summary: 'List the notifications of every policy, those of projects too, with what became of them', extension: true })
  @Requires(systemPermission('notification-policy', 'list'))
  @RespondsPageOf(WebhookDelivery)
  all(@Query({ schema: ListQuery }) query: ListQuery): Promise<Page<WebhookDelivery>> {
    return this.deliveries.listAll(query);
  }

  @Get('events')
  @Operation({ id: 'getSystemWebhookEventTypes', tag: 'webhook', summary: 'Tell which events, targets and payload formats there are for policies of the installation', extension: true })
  @Requires(systemPermission('notification-policy', 'read'))
  @Responds(SupportedWebhookEventTypes)
  supported(): SupportedWebhookEventTypes {
    return SYSTEM_SUPPORTED;
  }
}
