import { Controller, Get, Param, Query } from '@nestjs/common';
import { Id, ListQuery, LongId, WebhookExecution, WebhookTask, type Page } from '@haven/api';
import type { KnownProject } from '../authorization/known-project.js';
import { ProjectParam, Requires } from '../authorization/requirement.guard.js';
import { projectPermission } from '../authorization/requirement.js';
import { Operation } from '../http/operation.js';
import { RespondsPageOf, RespondsText, type TextAnswer } from '../http/response.interceptor.js';
import { WebhookExecutionService } from './webhook-execution.service.js';

@Controller('api/v2.0/projects/:project_name_or_id/webhook/policies/:webhook_policy_id')
export class WebhookExecutionController {
  constructor(private readonly executions: WebhookExecutionService) {}

  @Get('executions')
  @Operation({ id: 'ListExecutionsOfWebhookPolicy', tag: 'webhook', summary: 'List the notifications of a policy, the latest first', refuses: ['NOT_FOUND'] })
  @Requires(projectPermission('notification-policy', 'read'))
  @RespondsPageOf(WebhookExecution)
  list(@ProjectParam() project: KnownProject, @Param('webhook_policy_id', { schema: Id }) policyId: number, @Query({ schema: ListQuery }) query: ListQuery): Promise<Page<WebhookExecution>> {
    return this.executions.list(project, policyId, query);
  }

  @Get('executions/:execution_id/tasks')
  @Operation({ id: 'ListTasksOfWebhookExecution', tag: 'webhook', summary: 'List what was tried to deliver a notification', refuses: ['NOT_FOUND'] })
  @Requires(projectPermission('notification-policy', 'read'))
  @RespondsPageOf(WebhookTask)
  tasks(
    @ProjectParam() project: KnownProject, @Param('webhook_policy_id', { schema: Id }) policyId: number, @Param('execution_id', { schema: LongId }) id: number, @Query({ schema: ListQuery }) query: ListQuery,
  ): Promise<Page<WebhookTask>> {
    return this.executions.tasks(project, policyId, id, query);
  }

  @Get('executions/:execution_id/tasks/:task_id/log')
  @Operation({ id: 'GetLogsOfWebhookTask', tag: 'webhook', summary: 'What the delivery of a notification wrote down', refuses: ['NOT_FOUND'] })
  @Requires(projectPermission('notification-policy', 'read'))
  @RespondsText()
  log(
    @ProjectParam() project: KnownProject, @Param('webhook_policy_id', { schema: Id }) policyId: number, @Param('execution_id', { schema: LongId }) id: number, @Param('task_id', { schema: LongId }) taskId: number,
  ): Promise<TextAnswer> {
    return this.executions.log(project, policyId, id, taskId);
  }
}
