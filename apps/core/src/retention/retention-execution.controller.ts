import { Body, Controller, Get, HttpCode, Param, Patch, Post, Query, Res } from '@nestjs/common';
import type { Caller } from '@haven/access';
import { Id, LongId, PageQuery, RetentionExecution, RetentionExecutionAction, RetentionExecutionReq, RetentionExecutionTask, type Page } from '@haven/api';
import type { FastifyReply } from 'fastify';
import { CallerParam, Requires } from '../authorization/requirement.guard.js';
import { authenticated } from '../authorization/requirement.js';
import { Operation } from '../http/operation.js';
import { RespondsNothing, RespondsPageOf, RespondsText, type TextAnswer } from '../http/response.interceptor.js';
import { RetentionExecutionService } from './retention-execution.service.js';

@Controller('api/v2.0/retentions/:id/executions')
export class RetentionExecutionController {
  constructor(private readonly executions: RetentionExecutionService) {}

  @Post()
  @Operation({
    id: 'triggerRetentionExecution', tag: 'Retention', summary: 'Run a retention policy, or try what it would delete', refuses: ['FORBIDDEN', 'NOT_FOUND', 'TOO_MANY_REQUEST'],
    audits: { operation: 'start', resourceType: 'retention_policy' },
  })
  @HttpCode(201)
  @Requires(authenticated)
  @RespondsNothing()
  async start(
    @CallerParam() caller: Caller,
    @Param('id', { schema: Id }) policyId: number,
    @Body({ schema: RetentionExecutionReq }) request: RetentionExecutionReq,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<void> {
    const id = await this.executions.start(caller, policyId, request.dry_run ?? false);
    reply.header('Location', `/api/v2.0/retentions/${policyId}/executions/${id}`);
  }

  @Get()
  @Operation({ id: 'listRetentionExecutions', tag: 'Retention', summary: 'List the runs of a retention policy, the latest first', refuses: ['FORBIDDEN', 'NOT_FOUND'] })
  @Requires(authenticated)
  @RespondsPageOf(RetentionExecution)
  list(@CallerParam() caller: Caller, @Param('id', { schema: Id }) policyId: number, @Query({ schema: PageQuery }) query: PageQuery): Promise<Page<RetentionExecution>> {
    return this.executions.list(caller, policyId, query);
  }

  @Patch(':eid')
  @Operation({
    id: 'operateRetentionExecution', tag: 'Retention', summary: 'Stop a run of a retention policy', refuses: ['FORBIDDEN', 'NOT_FOUND'],
    audits: { operation: 'stop', resourceType: 'retention_policy' },
  })
  @Requires(authenticated)
  @RespondsNothing()
  act(
    @CallerParam() caller: Caller,
    @Param('id', { schema: Id }) policyId: number,
    @Param('eid', { schema: LongId }) id: number,
    @Body({ schema: RetentionExecutionAction }) request: RetentionExecutionAction,
  ): Promise<void> {
    return this.executions.act(caller, policyId, id, request);
  }

  @Get(':eid/tasks')
  @Operation({ id: 'listRetentionTasks', tag: 'Retention', summary: 'List what a run did in each repository', refuses: ['FORBIDDEN', 'NOT_FOUND'] })
  @Requires(authenticated)
  @RespondsPageOf(RetentionExecutionTask)
  tasks(
    @CallerParam() caller: Caller, @Param('id', { schema: Id }) policyId: number, @Param('eid', { schema: LongId }) id: number, @Query({ schema: PageQuery }) query: PageQuery,
  ): Promise<Page<RetentionExecutionTask>> {
    return this.executions.tasks(caller, policyId, id, query);
  }

  @Get(':eid/tasks/:tid')
  @Operation({ id: 'getRetentionTaskLog', tag: 'Retention', summary: 'What a run wrote down about a repository, tag by tag', refuses: ['FORBIDDEN', 'NOT_FOUND'] })
  @Requires(authenticated)
  @RespondsText()
  log(
    @CallerParam() caller: Caller, @Param('id', { schema: Id }) policyId: number, @Param('eid', { schema: LongId }) id: number, @Param('tid', { schema: LongId }) taskId: number,
  ): Promise<TextAnswer> {
    return this.executions.log(caller, policyId, id, taskId);
  }
}
