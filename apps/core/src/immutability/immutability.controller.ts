import { Body, Controller, Delete, Get, HttpCode, Param, Post, Put, Query, Res } from '@nestjs/common';
import type { Caller } from '@haven/access';
import { Id, ImmutableRule, ImmutableRuleUpdate, ListQuery, type Page } from '@haven/api';
import type { FastifyReply } from 'fastify';
import type { KnownProject } from '../authorization/known-project.js';
import { CallerParam, ProjectParam, Requires } from '../authorization/requirement.guard.js';
import { projectPermission } from '../authorization/requirement.js';
import { Operation } from '../http/operation.js';
import { RespondsNothing, RespondsPageOf } from '../http/response.interceptor.js';
import { ImmutabilityService } from './immutability.service.js';

@Controller('api/v2.0/projects/:project_name_or_id/immutabletagrules')
export class ImmutabilityController {
  constructor(private readonly rules: ImmutabilityService) {}

  @Get()
  @Operation({ id: 'ListImmuRules', tag: 'immutable', summary: 'List the immutable tag rules of a project', refuses: ['NOT_FOUND'] })
  @Requires(projectPermission('immutable-tag', 'list'))
  @RespondsPageOf(ImmutableRule)
  list(@ProjectParam() project: KnownProject, @Query({ schema: ListQuery }) query: ListQuery): Promise<Page<ImmutableRule>> {
    return this.rules.list(project, query);
  }

  @Post()
  @Operation({
    id: 'CreateImmuRule', tag: 'immutable', summary: 'Add an immutable tag rule to a project', refuses: ['NOT_FOUND', 'CONFLICT'],
    audits: { operation: 'create', resourceType: 'immutable_tag_rule' },
  })
  @HttpCode(201)
  @Requires(projectPermission('immutable-tag', 'create'))
  @RespondsNothing()
  async create(
    @ProjectParam() project: KnownProject,
    @CallerParam() caller: Caller,
    @Body({ schema: ImmutableRule }) request: ImmutableRule,
    @Param('project_name_or_id') named: string,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<void> {
    const id = await this.rules.create(project, caller, request);
    reply.header('Location', `/api/v2.0/projects/${encodeURIComponent(named)}/immutabletagrules/${id}`);
  }

  @Put(':immutable_rule_id')
  @Operation({
    id: 'UpdateImmuRule', tag: 'immutable', summary: 'Switch an immutable tag rule on or off, or else change it', refuses: ['NOT_FOUND', 'CONFLICT'],
    audits: { operation: 'update', resourceType: 'immutable_tag_rule' },
  })
  @Requires(projectPermission('immutable-tag', 'update'))
  @RespondsNothing()
  update(
    @ProjectParam() project: KnownProject,
    @CallerParam() caller: Caller,
    @Param('immutable_rule_id', { schema: Id }) id: number,
    @Body({ schema: ImmutableRuleUpdate }) request: ImmutableRuleUpdate,
  ): Promise<void> {
    return this.rules.update(project, caller, id, request);
  }

  @Delete(':immutable_rule_id')
  @Operation({
    id: 'DeleteImmuRule', tag: 'immutable', summary: 'Delete an immutable tag rule', refuses: ['NOT_FOUND'],
    audits: { operation: 'delete', resourceType: 'immutable_tag_rule' },
  })
  @Requires(projectPermission('immutable-tag', 'delete'))
  @RespondsNothing()
  delete(@ProjectParam() project: KnownProject, @CallerParam() caller: Caller, @Param('immutable_rule_id', { schema: Id }) id: number): Promise<void> {
    return this.rules.delete(project, caller, id);
  }
}
