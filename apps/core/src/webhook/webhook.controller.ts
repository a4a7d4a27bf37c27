import { Body, Controller, Delete, Get, HttpCode, Param, Post, Put, Query, Res } from '@nestjs/common';
import type { Caller } from '@haven/access';
import { Id, ListQuery, SupportedWebhookEventTypes, WebhookJob, WebhookJobQuery, WebhookLastTriggers, WebhookPolicy, WebhookPolicyReq, type Page, type WebhookLastTrigger } from '@haven/api';
import type { FastifyReply } from 'fastify';
import type { KnownProject } from '../authorization/known-project.js';
import { CallerParam, ProjectParam, Requires } from '../authorization/requirement.guard.js';
import { projectPermission } from '../authorization/requirement.js';
import { Operation } from '../http/operation.js';
import { Responds, RespondsNothing, RespondsPageOf } from '../http/response.interceptor.js';
import { SUPPORTED } from './webhook-rules.js';
import { WebhookExecutionService } from './webhook-execution.service.js';
import { WebhookService } from './webhook.service.js';

@Controller('api/v2.0/projects/:project_name_or_id/webhook')
export class WebhookController {
  constructor(
    private readonly webhooks: WebhookService,
    private readonly executions: WebhookExecutionService,
  ) {}

  @Get('policies')
  @Operation({ id: 'ListWebhookPoliciesOfProject', tag: 'webhook', summary: 'List whom a project tells of what', refuses: ['NOT_FOUND'] })
  @Requires(projectPermission('notification-policy', 'list'))
  @RespondsPageOf(WebhookPolicy)
  list(@CallerParam() caller: Caller, @ProjectParam() project: KnownProject, @Query({ schema: ListQuery }) query: ListQuery): Promise<Page<WebhookPolicy>> {
    return this.webhooks.list(caller, project, query);
  }

  @Post('policies')
  @Operation({ id: 'CreateWebhookPolicyOfProject', tag: 'webhook', summary: 'Have a project tell others of what happens in it', refuses: ['NOT_FOUND', 'CONFLICT'], audits: { operation: 'create', resourceType: 'webhook_policy' } })
  @HttpCode(201)
  @Requires(projectPermission('notification-policy', 'create'))
  @RespondsNothing()
  async create(
    @CallerParam() caller: Caller, @ProjectParam() project: KnownProject, @Body({ schema: WebhookPolicyReq }) request: WebhookPolicyReq,
    @Param('project_name_or_id') named: string, @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<void> {
    const id = await this.webhooks.create(caller, project, request);
    reply.header('Location', `/api/v2.0/projects/${encodeURIComponent(named)}/webhook/policies/${id}`);
  }

  @Get('policies/:webhook_policy_id')
  @Operation({ id: 'GetWebhookPolicyOfProject', tag: 'webhook', summary: 'One webhook policy', refuses: ['NOT_FOUND'] })
  @Requires(projectPermission('notification-policy', 'read'))
  @Responds(WebhookPolicy)
  get(@CallerParam() caller: Caller, @ProjectParam() project: KnownProject, @Param('webhook_policy_id', { schema: Id }) id: number): Promise<WebhookPolicy> {
    return this.webhooks.get(caller, project, id);
  }

  @Put('policies/:webhook_policy_id')
  @Operation({ id: 'UpdateWebhookPolicyOfProject', tag: 'webhook', summary: 'Change a webhook policy', refuses: ['NOT_FOUND', 'CONFLICT'], audits: { operation: 'update', resourceType: 'webhook_policy' } })
  @Requires(projectPermission('notification-policy', 'update'))
  @RespondsNothing()
  update(@CallerParam() caller: Caller, @ProjectParam() project: KnownProject, @Param('webhook_policy_id', { schema: Id }) id: number, @Body({ schema: WebhookPolicyReq }) request: WebhookPolicyReq): Promise<void> {
    return this.webhooks.update(caller, project, id, request);
  }

  @Delete('policies/:webhook_policy_id')
  @Operation({ id: 'DeleteWebhookPolicyOfProject', tag: 'webhook', summary: 'Delete a webhook policy with its history and what it has not told yet', refuses: ['NOT_FOUND'], audits: { operation: 'delete', resourceType: 'webhook_policy' } })
  @Requires(projectPermission('notification-policy', 'delete'))
  @RespondsNothing()
  delete(@CallerParam() caller: Caller, @ProjectParam() project: KnownProject, @Param('webhook_policy_id', { schema: Id }) id: number): Promise<void> {
    return this.webhooks.delete(caller, project, id);
  }

  @Get('lasttrigger')
  @Operation({ id: 'LastTrigger', tag: 'webhook', summary: 'Tell when each policy told of each kind of event last', refuses: ['NOT_FOUND'] })
  @Requires(projectPermission('notification-policy', 'read'))
  @Responds(WebhookLastTriggers)
  lastTriggers(@ProjectParam() project: KnownProject): Promise<WebhookLastTrigger[]> {
    return this.webhooks.lastTriggers(project);
  }

  @Get('jobs')
  @Operation({ id: 'ListWebhookJobs', tag: 'webhookjob', summary: 'List the notifications of a policy, in the older form', refuses: ['NOT_FOUND'] })
  @Requires(projectPermission('notification-policy', 'list'))
  @RespondsPageOf(WebhookJob)
  jobs(@ProjectParam() project: KnownProject, @Query({ schema: WebhookJobQuery }) query: WebhookJobQuery): Promise<Page<WebhookJob>> {
    return this.executions.jobs(project, query);
  }

  @Get('events')
  @Operation({ id: 'GetSupportedEventTypes', tag: 'webhook', summary: 'Tell which events, targets and payload formats there are', refuses: ['NOT_FOUND'] })
  @Requires(projectPermission('notification-policy', 'read'))
  @Responds(SupportedWebhookEventTypes)
  supported(): SupportedWebhookEventTypes {
    return SUPPORTED;
  }
}
